# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The targets an attention can be compiled for.

A target turns an attention and the signature of its function into a callable
on arrays in the signature's order, already checked against it. New targets
join with `register`; `mta.compile` and `python -m mta` find them by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mta import cache, compiler, emission, reference
from mta.attention import Attention
from mta.dtypes import numpy_dtype
from mta.kernels import OLDEST_CHIP, Kernels, pipeline_text
from mta.levels import Levels
from mta.signature import Signature
from mta.validation import require

Arrays = Sequence[np.ndarray]

# Options of `compiler.Device`, and those of `mta-gpu` besides its chip.
_EMULATOR = ("lazy_copies", "seed", "threads")
_KERNEL_SIZES = ("rows", "key_tile", "warps", "stages", "key_splits", "ahead",
                 "expected_queries", "expected_keys", "expected_batch")
_KERNEL_WORDS = {"query": ("registers", "workgroup", "global"),
                 "scores": ("f16", "f16x2", "f16x2_before", "f32"),
                 "products": ("mma", "wgmma"), "f32_precision": ("tf32x3", "tf32")}


@dataclass(frozen=True)
class Target:
    """One way to run an attention.

    `build(attention, signature, **options)` returns a function from the
    argument arrays to the result arrays; `options` are integers by the names
    that the target lists, or one of the `words` it lists for a name, or the name
    of a `chip`, as many of them as the caller chose. `build_gradients`,
    where a target has them, returns one from the argument arrays and the
    gradient of the output to the gradients by argument name. `problem()` says
    why the target cannot be used here, or returns None. `device` is where it
    computes: what is built for "cuda" is called as `mta.cuda.DeviceKernels` is.
    `levels` says how its IR is made.
    """

    name: str
    description: str
    build: Callable[..., Callable[[Arrays], list[np.ndarray]]]
    build_gradients: (
        Callable[[Attention, Signature], Callable[[Arrays, np.ndarray], dict[str, np.ndarray]]]
        | None
    ) = None
    problem: Callable[[], str | None] = lambda: None
    options: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    device: str = "cpu"
    levels: Levels | None = None

    def check_options(self, options: Mapping[str, int | str]) -> None:
        """Raises ValueError unless the names are this target's and the values theirs."""
        for name, value in options.items():
            names = (*self.options, *self.words)
            known = ", ".join(names) or "none"
            require(name in names, f"options of target {self.name}", f"names of {known}", name)
            if name == "chip":
                require(isinstance(value, str), "option chip", "a name such as sm_80", value)
            elif name in self.words:
                words = self.words[name]
                require(value in words, f"option {name}", f"one of {', '.join(words)}", value)
            else:
                require(isinstance(value, int), f"option {name}", "an integer", value)


_TARGETS: dict[str, Target] = {}


def register(target: Target) -> None:
    """Adds a target; a second one of the same name is a ValueError."""
    require(target.name not in _TARGETS, "target", "a name that is free", target.name)
    _TARGETS[target.name] = target


def names() -> tuple[str, ...]:
    """The names of all targets, in the order of their registration."""
    return tuple(_TARGETS)


def find(name: str) -> Target:
    """The target of a name; ValueError when there is none."""
    require(name in _TARGETS, "target", f"one of {', '.join(_TARGETS)}", name)
    return _TARGETS[name]


def _split_arguments(attention: Attention, signature: Signature, arrays: Arrays):
    """q, k, v and the keyword arguments of `mta.reference`."""
    named = dict(zip(signature.arguments, arrays, strict=True))
    weights = {name: named[name] for name in attention.weight_shapes}
    boundaries = {name: named[name] for name in ("query_boundaries", "key_boundaries")
                  if name in named}
    return named["q"], named["k"], named["v"], weights, boundaries


def _build_numpy(attention: Attention, signature: Signature):
    def run(arrays: Arrays) -> list[np.ndarray]:
        q, k, v, weights, boundaries = _split_arguments(attention, signature, arrays)
        result = reference.forward(attention, q, k, v, weights, **boundaries)
        outputs = [result.output.astype(attention.numpy_dtype)]
        if attention.log_sum_exp:
            outputs.append(result.log_sum_exp.astype(numpy_dtype(attention.score_dtype)))
        return outputs

    return run


def _build_numpy_gradients(attention: Attention, signature: Signature):
    def run(arrays: Arrays, d_output: np.ndarray) -> dict[str, np.ndarray]:
        q, k, v, weights, boundaries = _split_arguments(attention, signature, arrays)
        result = reference.gradients(attention, q, k, v, weights, d_output, **boundaries)
        return {name: x.astype(attention.numpy_dtype) for name, x in result.items()}

    return run


def _lowered(text: str, pipeline: str) -> compiler.Module:
    module = compiler.Module.parse(text, "<attention>")
    module.run_pipeline(pipeline)
    return module


def _build_reference(attention: Attention, signature: Signature):
    text = emission.module_text(attention, signature, "attention")
    executable = _lowered(text, "builtin.module(mta-reference-cpu)").compile(opt_level=2)
    function = executable.function("attention", signature)
    return lambda arrays: function(*arrays)


def _build_cpu(attention: Attention, signature: Signature, **options: int):
    """Compiles, or loads what was compiled for an equal processor."""
    text = emission.module_text(attention, signature, "attention")
    pipeline = f"builtin.module({pipeline_text('mta-cpu', options)})"
    parts = {"module": text, "pipeline": pipeline, "processor": compiler.processor()}
    code = cache.cached(parts, lambda: _lowered(text, pipeline).to_machine_code(opt_level=3))
    function = compiler.Executable.load(code).function("attention", signature)
    return lambda arrays: function(*arrays)


class EmulatedKernels:
    """The fused kernels of an attention; what runs is the PTX, launched by the contract."""

    def __init__(self, attention: Attention, signature: Signature, *, chip: str = OLDEST_CHIP,
                 layout: str = "bhnd", lazy_copies: int = 0, seed: int = 0, threads: int = 0,
                 **schedule: int | str):
        """By a schedule for a chip; the other options are those of `compiler.Device`.

        With another layout than "bhnd", arrays have to have it.
        """
        layouts = dict.fromkeys(emission.LAID_OUT, layout)
        self.kernels = Kernels.build(attention, signature, chip, schedule, layouts)
        device = compiler.Device(lazy_copies=bool(lazy_copies), seed=seed, threads=threads)
        function = self.kernels.contract.function("attention")
        self._run = compiler.Launcher(self.kernels.ptx, function, device)

    def __call__(self, arrays: Arrays) -> list[np.ndarray]:
        return self._run(*arrays)


def _build_cuda(attention: Attention, signature: Signature, **options: int | str):
    # What it imports is there only with the extra `mta[cuda]`.
    from mta.cuda import DeviceKernels
    return DeviceKernels(attention, signature, **options)


def _cuda_problem() -> str | None:
    from mta.cuda import problem
    return compiler.library_problem() or problem()


def _build_ptx_reference(attention: Attention, signature: Signature, *, lazy_copies: int = 0,
                         seed: int = 0, threads: int = 0):
    """The options are those of `compiler.Device`."""
    text = emission.module_text(attention, signature, "attention")
    module = compiler.Module.parse(text, "<attention>")
    module.run_pipeline("builtin.module(mta-reference-gpu,mta-host-to-llvm)")
    device = compiler.Device(lazy_copies=bool(lazy_copies), seed=seed, threads=threads)
    function = module.compile_for(device).function("attention", signature)
    return lambda arrays: function(*arrays)


register(Target(
    "numpy",
    "the definition: NumPy float64, one rounding to the element type at the end",
    _build_numpy,
    _build_numpy_gradients,
))
register(Target(
    "reference",
    "the compiler's unfused lowering on this processor; holds whole score matrices, an oracle",
    _build_reference,
    problem=compiler.library_problem,
    levels=Levels("mta-reference-cpu", ("4",), has_until=False),
))
register(Target(
    "cpu",
    "tiles on the vectors and threads of this processor; memory grows with N",
    _build_cpu,
    problem=compiler.library_problem,
    options=("query_tile", "key_tile", "edge_key_tile", "sweeps", "heads", "vector_bits",
             "pair_cost", "threads"),
    levels=Levels("mta-cpu", ("1", "2", "4")),
))
register(Target(
    "ptx",
    "the PTX of the fused GPU kernels, launched by their contract, run and checked by the emulator",
    EmulatedKernels,
    problem=compiler.library_problem,
    options=("chip", *_EMULATOR, *_KERNEL_SIZES),
    words={**_KERNEL_WORDS, "layout": emission.LAYOUTS},
    levels=Levels("mta-gpu", ("2G", "3G", "4"), not_passed=(*_EMULATOR, "layout")),
))
register(Target(
    "cuda",
    "the PTX of the fused GPU kernels, launched by their contract on a GPU through cuda-bindings",
    _build_cuda,
    problem=_cuda_problem,
    options=("chip", *_KERNEL_SIZES),
    words=_KERNEL_WORDS,
    device="cuda",
    levels=Levels("mta-gpu", ("2G", "3G", "4")),
))
register(Target(
    "ptx-reference",
    "the PTX of the unfused GPU kernels, run and checked by the emulator; an oracle",
    _build_ptx_reference,
    problem=compiler.library_problem,
    options=_EMULATOR,
    levels=Levels("mta-reference-gpu", ("4",), not_passed=_EMULATOR, has_until=False),
))
