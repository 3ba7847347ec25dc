# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`compile`: an attention and a target become a callable on arrays."""

from collections.abc import Mapping

import numpy as np

from mta import arrays, boundaries, levels, targets
from mta.attention import Attention
from mta.contract import Contract
from mta.kernels import Kernels
from mta.signature import Signature
from mta.validation import require



def compile(attention: Attention, target: str = "reference", *, batch: int | None = None,
            queries: int | None = None, keys: int | None = None,
            options: Mapping[str, int | str] | None = None) -> "CompiledAttention":
    """Compiles `attention` for a target: "numpy", "reference", "cpu", "ptx", "cuda" or another.

    Others are those that `mta.targets` registered. `batch`, `queries` and `keys` are the
    sizes of every call, None where they may vary. `options` are a
    target's own; those of "cpu" are its schedule, `query_tile`, `key_tile`,
    `edge_key_tile`, `sweeps` and `heads` (see `#mta.schedule`; 0 for the
    compiler's choice), `vector_bits` (of a register, 0 for this machine's),
    `pair_cost` (see `mta-choose-schedule`; -1 for this machine's) and
    `threads` (0 for one); those of "ptx" and "cuda" are its `chip`, for "cuda"
    that of the first GPU if none is given, and its kernel's shape,
    `rows`, `key_tile`, `warps`, `stages`, `query`, `scores`, `products` and
    `key_splits` (see `#mta.kernel_schedule`), and for what sizes that vary it is
    to be the fastest, `expected_queries`, `expected_keys` and `expected_batch` (see
    `mta-choose-kernel-schedule`), without which "cuda" has kernels for calls with
    few rows beside those for many; that of "ptx" also the `layout` of its arrays (see
    `Attention.to_mlir`). What "cpu", "ptx" and "cuda" compile is kept on disk, see
    `mta.cache`. Raises ValueError for an unknown target or option or
    an illegal size, LibraryError when the target needs the native library and
    it is missing, DriverError when it needs a GPU and there is none or no
    driver, CompileError with the compiler's diagnostics when it refuses
    the program.
    """
    chosen = targets.find(target)
    signature = attention.signature(batch, queries, keys)
    chosen.check_options(options or {})
    return CompiledAttention(attention, chosen, signature, options)


class CompiledAttention:
    """An attention compiled for a target; made by `mta.compile`.

    `attention`, `target` and `signature` are what it was made of, `options` those of
    the target. It is called on arrays. Calls compile nothing more, but for target "cuda":
    there the first one of another layout, or with few rows, does.
    """

    def __init__(self, attention: Attention, target: targets.Target, signature: Signature,
                 options: Mapping[str, int | str] | None = None):
        self.attention = attention
        self.target = target
        self.signature = signature
        self._options = dict(options or {})
        self._run = target.build(attention, signature, **self._options)
        build_gradients = target.build_gradients
        self._run_gradients = build_gradients and build_gradients(attention, signature)

    @property
    def ptx(self) -> str:
        """The text of the kernels; AttributeError for a target that has none."""
        return self._kernels("ptx").ptx

    @property
    def cubin(self) -> bytes:
        """The kernels assembled for the chip by the ptxas in PATH.

        AttributeError for a target that has none, CompileError without ptxas.
        """
        return self._kernels("cubin").cubin

    @property
    def contract(self) -> Contract:
        """How to launch the kernels; AttributeError for a target that has none."""
        return self._kernels("contract").contract

    @property
    def contract_text(self) -> str:
        """The contract as JSON; AttributeError for a target that has none."""
        return self._kernels("contract_text").contract_text

    def _kernels(self, name: str) -> Kernels:
        kernels = getattr(self._run, "kernels", None)
        if kernels is None:
            raise AttributeError(f"{name}: expects target ptx or cuda, but got {self.target.name}")
        return kernels

    def ir(self, level: str = "0") -> str:
        """The IR at a level of the README's table: "0", "R", and what the target has.

        That is "1", "2" and "4" for "cpu", "2G", "3G" and "4" for "ptx" and "cuda".
        Another level is a ValueError, a refusal of the compiler a CompileError.
        """
        return levels.text(self.attention, self.signature, self.target.levels,
                           self._ir_options(), level)

    def explain(self) -> str:
        """The program, its schedule and the candidates for it, and its launches, as text."""
        text = levels.explain(self.attention, self.signature, self.target.levels,
                              self._ir_options())
        kernels = getattr(self._run, "kernels", None)
        launches = map(str, kernels.contract.functions[0].kernels) if kernels else ()
        return "\n".join([text.rstrip("\n"), *launches])

    def _ir_options(self) -> dict[str, int | str]:
        kernels = getattr(self._run, "kernels", None)
        return {**self._options, **({"chip": kernels.chip} if kernels else {})}

    def __call__(self, q, k, v, *, out=None, stream=None, query_boundaries=None,
                 key_boundaries=None, **weights):
        """The output, or with `log_sum_exp` the pair of output and log-sum-exp.

        q: B×H×Nq×D, k: B×Hk×Nk×D, v: B×Hk×Nk×Dv and every weight by name, all
        of the attention's element type; with `variable_length` the cumulative
        offsets of the sequences, `query_boundaries` and `key_boundaries`, integers
        from 0 to Nq and to Nk, as many for the queries as for the keys. Output:
        B×H×(Nq − query_halo)×Dv of the same type, log-sum-exp:
        B×H×(Nq − query_halo), float32, or float64 for f64. A wrong argument is a
        TypeError or ValueError that names it.

        Arrays are NumPy's or of any library with DLPack, such as PyTorch, CuPy
        and JAX, or with `__cuda_array_interface__`; results are of the library
        of q. They are in the memory of the host, of any strides. For target
        "cuda" they are all on one GPU, or all on the host and are copied there
        and back; on a GPU they are contiguous, or of PyTorch or CuPy, which
        copy them. `out`, an array of the result's shape and type in the same
        memory, or a pair of them, takes the results and is returned.

        `stream` is the CUDA stream of target "cuda": an address, or an object
        with `__cuda_stream__`, as cuda.core has them, with `cuda_stream` (PyTorch)
        or `ptr` (CuPy). None is the current stream of the library of q; where that
        has one, what is in it before comes before the kernels, and they come before
        what is put into it then. The call does not wait for the kernels, except for
        results on the host and of libraries without a current stream.
        """
        named = {"q": q, "k": k, "v": v, **weights}
        offsets = {"query_boundaries": query_boundaries, "key_boundaries": key_boundaries}
        if self.target.device == "cuda":
            results = self._run(self._named(named, offsets), self._outputs(out), stream)
        else:
            require(stream is None, "stream", f"None for target {self.target.name}", stream)
            results = self._run(self._arguments(named, offsets))
            results = _deliver(results, q, self._outputs(out))
        return tuple(results) if self.attention.log_sum_exp else results[0]

    def _outputs(self, out) -> list | None:
        """The arrays of `out`, as many as there are results; None for None."""
        if out is None:
            return None
        outputs = list(out) if self.attention.log_sum_exp else [out]
        require(len(outputs) == len(self.signature.results), "out",
                f"{len(self.signature.results)} arrays", len(outputs))
        return outputs

    def gradients(self, d_output: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, *,
                  query_boundaries=None, key_boundaries=None,
                  **weights: np.ndarray) -> dict[str, np.ndarray]:
        """The gradients of Σ output · d_output by argument name, q, k, v and weights.

        d_output has the shape and type of the output. q, k, v, the weights, query_boundaries
        and key_boundaries are those of a call. NotImplementedError when the target has no gradients.
        """
        if self._run_gradients is None:
            raise NotImplementedError(f"target {self.target.name} computes no gradients")
        offsets = {"query_boundaries": query_boundaries, "key_boundaries": key_boundaries}
        arguments = self._arguments({"q": q, "k": k, "v": v, **weights}, offsets)
        rows = q.shape[2] - self.attention.query_halo
        expected = (*q.shape[:2], rows, self.attention.value_dim)
        _require_array("d_output", d_output, expected, self.attention.numpy_dtype)
        return self._run_gradients(arguments, d_output)

    def _named(self, named: dict, offsets: dict) -> dict:
        """All arguments by name in the signature's order, the offsets as checked integers."""
        named = dict(named)
        for name, values in offsets.items():
            if values is not None:
                named[name] = boundaries.as_offsets(name, values)
        for name in named:
            if name not in self.signature.arguments:
                expected = ", ".join(self.signature.arguments)
                raise TypeError(f"{name}: expects arguments {expected} only")
        for name in self.signature.arguments:
            if name not in named:
                raise TypeError(f"{name}: expects an array, but got none")
        return {name: named[name] for name in self.signature.arguments}

    def _arguments(self, named: dict, offsets: dict) -> list[np.ndarray]:
        """The arrays in the signature's order, checked, as NumPy's."""
        named = {name: arrays.as_numpy(name, value)
                 for name, value in self._named(named, offsets).items()}
        self.signature.check(list(named.values()))
        boundaries.check_rows(self.attention, {name: x.shape for name, x in named.items()}, named)
        return list(named.values())


def _deliver(results: list[np.ndarray], q, outputs: list | None) -> list:
    """The results in `outputs`, or as arrays of the library of q."""
    if outputs is None:
        return [arrays.like(q, result) for result in results]
    for output, result in zip(outputs, results):
        arrays.copy_to("out", output, result)
    return outputs


def _require_array(name: str, array: object, shape: tuple[int, ...], dtype: np.dtype) -> None:
    is_array = isinstance(array, np.ndarray)
    got = (array.shape, str(array.dtype)) if is_array else type(array).__name__
    expected = (shape, str(dtype))
    require(is_array and got == expected, name, f"an array of {expected}", got)
