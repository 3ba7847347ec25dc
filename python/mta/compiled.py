# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`compile`: an attention and a target become a callable on NumPy arrays."""

from collections.abc import Mapping

import numpy as np

from mta import targets
from mta.attention import Attention
from mta.contract import Contract
from mta.signature import Signature
from mta.validation import require


def compile(attention: Attention, target: str = "reference", *, batch: int | None = None,
            queries: int | None = None, keys: int | None = None,
            options: Mapping[str, int | str] | None = None) -> "CompiledAttention":
    """Compiles `attention` for a target: "numpy", "reference", "cpu", "ptx" or one registered.

    Sizes are those of every call, None where they may vary. `options` are a
    target's own; those of "cpu" are its schedule, `query_tile`, `key_tile`,
    `edge_key_tile`, `sweeps` and `heads` (see `#mta.schedule`; 0 for the
    compiler's choice), `vector_bits` (of a register, 0 for this machine's),
    `pair_cost` (see `mta-choose-schedule`; -1 for this machine's) and
    `threads` (0 for one); those of "ptx" are its `chip` and its kernel's shape,
    `rows`, `key_tile`, `warps`, `stages`, `query`, `scores` and `products` (see
    `#mta.kernel_schedule`). Raises ValueError for an unknown target or option or
    an illegal size, LibraryError when the target needs the native library and
    it is missing, CompileError with the compiler's diagnostics when it refuses
    the program.
    """
    chosen = targets.find(target)
    signature = attention.signature(batch, queries, keys)
    chosen.check_options(options or {})
    return CompiledAttention(attention, chosen, signature, options)


class CompiledAttention:
    """An attention compiled for a target; made by `mta.compile`."""

    def __init__(self, attention: Attention, target: targets.Target, signature: Signature,
                 options: Mapping[str, int | str] | None = None):
        self.attention = attention
        self.target = target
        self.signature = signature
        self._run = target.build(attention, signature, **(options or {}))
        build_gradients = target.build_gradients
        self._run_gradients = build_gradients and build_gradients(attention, signature)

    @property
    def ptx(self) -> str:
        """The text of the kernels; AttributeError for a target that has none."""
        return self._kernels("ptx")

    @property
    def contract(self) -> Contract:
        """How to launch the kernels; AttributeError for a target that has none."""
        return self._kernels("contract")

    @property
    def contract_text(self) -> str:
        """The contract as JSON; AttributeError for a target that has none."""
        return self._kernels("contract_text")

    def _kernels(self, name: str):
        if not hasattr(self._run, name):
            raise AttributeError(f"{name}: expects target ptx, but got {self.target.name}")
        return getattr(self._run, name)

    def __call__(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, *, query_boundaries=None,
                 key_boundaries=None, **weights: np.ndarray):
        """The output, or with `log_sum_exp` the pair of output and log-sum-exp.

        q: B×H×Nq×D, k: B×Hk×Nk×D, v: B×Hk×Nk×Dv and every weight by name, all
        of the attention's element type; with `variable_length` the cumulative
        offsets of the sequences, integers from 0 to Nq and to Nk, as many for
        the queries as for the keys. Output: B×H×(Nq − query_halo)×Dv of the
        same type, log-sum-exp: B×H×(Nq − query_halo), float32, or
        float64 for f64. A wrong argument is a TypeError or ValueError that
        names it.
        """
        results = self._run(self._arguments(q, k, v, query_boundaries, key_boundaries, weights))
        return tuple(results) if self.attention.log_sum_exp else results[0]

    def gradients(self, d_output: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, *,
                  query_boundaries=None, key_boundaries=None,
                  **weights: np.ndarray) -> dict[str, np.ndarray]:
        """The gradients of Σ output · d_output by argument name, q, k, v and weights.

        d_output has the shape and type of the output, the other arguments are
        those of a call. NotImplementedError when the target has no gradients.
        """
        if self._run_gradients is None:
            raise NotImplementedError(f"target {self.target.name} computes no gradients")
        arguments = self._arguments(q, k, v, query_boundaries, key_boundaries, weights)
        rows = q.shape[2] - self.attention.query_halo
        expected = (*q.shape[:2], rows, self.attention.value_dim)
        _require_array("d_output", d_output, expected, self.attention.numpy_dtype)
        return self._run_gradients(arguments, d_output)

    def _arguments(self, q, k, v, query_boundaries, key_boundaries, weights) -> list[np.ndarray]:
        """The arrays in the signature's order, checked."""
        named = {"q": q, "k": k, "v": v, **weights}
        boundaries = {"query_boundaries": query_boundaries, "key_boundaries": key_boundaries}
        for name, offsets in boundaries.items():
            if offsets is not None:
                named[name] = _offsets(name, offsets)
        for name in named:
            if name not in self.signature.arguments:
                expected = ", ".join(self.signature.arguments)
                raise TypeError(f"{name}: expects arguments {expected} only")
        for name in self.signature.arguments:
            if name not in named:
                raise TypeError(f"{name}: expects an array, but got none")
        arrays = [named[name] for name in self.signature.arguments]
        self.signature.check(arrays)
        halo = self.attention.query_halo
        require(q.shape[2] >= halo, "q", f"at least query_halo ({halo}) rows", q.shape[2])
        if self.attention.variable_length:
            _check_offsets("query_boundaries", named["query_boundaries"], q.shape[2])
            _check_offsets("key_boundaries", named["key_boundaries"], k.shape[2])
        return arrays


def _require_array(name: str, array: object, shape: tuple[int, ...], dtype: np.dtype) -> None:
    is_array = isinstance(array, np.ndarray)
    got = (array.shape, str(array.dtype)) if is_array else type(array).__name__
    expected = (shape, str(dtype))
    require(is_array and got == expected, name, f"an array of {expected}", got)


def _offsets(name: str, offsets) -> np.ndarray:
    array = np.asarray(offsets)
    legal = array.ndim == 1 and array.size >= 2 and np.issubdtype(array.dtype, np.integer)
    require(legal, name, "a sequence of at least 2 integers", offsets)
    limits = np.iinfo(np.int32)
    fits = array.min() >= limits.min and array.max() <= limits.max
    require(bool(fits), name, "integers of 32 bits", offsets)
    return array.astype(np.int32)


def _check_offsets(name: str, offsets: np.ndarray, length: int) -> None:
    ordered = offsets[0] == 0 and offsets[-1] == length and bool(np.all(np.diff(offsets) >= 0))
    expectation = f"offsets that rise from 0 to {length}"
    require(ordered, name, expectation, offsets.tolist())
