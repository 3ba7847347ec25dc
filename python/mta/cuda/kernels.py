# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`DeviceKernels`: the fused kernels of an attention, called on arrays of any library."""

import contextlib
import dataclasses
import sys
import threading
from collections.abc import Mapping, Sequence

import numpy as np

from mta import arrays, boundaries, emission
from mta.arrays import Array
from mta.contract import Buffer, Sizes
from mta.cuda import driver, streams
from mta.cuda.driver import call
from mta.cuda.expectation import expected_sizes
from mta.cuda.memory import DeviceArray
from mta.cuda.module import DeviceModule, stream_memory
from mta.dtypes import numpy_dtype
from mta.kernels import Kernels
from mta.validation import require

_OFFSETS = ("query_boundaries", "key_boundaries")

#: The libraries that copy an array that kernels cannot take as it is.
_COPYING = ("torch", "cupy")

#: Kernels copy so many bytes at once.
_ALIGNMENT = 16

#: In elements.
_LARGEST_STRIDE = 2**31 - 1

#: The names of the element types in PyTorch.
_TORCH_NAMES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}


class _Variant:
    """The kernels for some layouts and sizes, on the GPUs they were launched on."""

    def __init__(self, kernels: Kernels):
        self.kernels = kernels
        self.function = kernels.contract.function("attention")
        self._modules: dict[int, DeviceModule] = {}
        self._lock = threading.Lock()

    def module(self, index: int) -> DeviceModule:
        """The kernels on the GPU of a number, loaded there at the first call."""
        with self._lock:
            if index not in self._modules:
                self._modules[index] = DeviceModule(self.kernels.ptx, self.function, index)
            return self._modules[index]


class DeviceKernels:
    """An attention for target "cuda"; `mta.compile` makes it.

    `signature` is that of its function, `kernels` are PTX and contract, for `chip`, for
    contiguous arrays of many rows. Other layouts have kernels of their own, and so have
    calls with few rows, see `expected_sizes`; they are compiled when they are first met.
    """

    def __init__(self, attention, signature, *, chip: str | None = None, **schedule: int | str):
        """For `chip`, or for that of the first GPU; DriverError without one.

        `attention` has the program; CompileError with the compiler's diagnostics.
        """
        driver.initialize()
        chip = driver.chip_of(0) if chip is None else chip
        self._attention = attention
        self._signature = signature
        self._schedule = schedule
        self._chip = chip
        self._variants: dict[tuple, _Variant] = {}
        self._lock = threading.Lock()
        #: Those for contiguous arrays of many rows.
        self.kernels = self._variant({}, {}).kernels

    def _variant(self, layouts: Mapping[str, str], expected: Mapping[str, int]) -> _Variant:
        """Kernels for some layouts that are fast at the expected sizes, and right at all."""
        key = (*sorted(layouts.items()), *sorted(expected.items()))
        with self._lock:
            if key not in self._variants:
                self._variants[key] = _Variant(Kernels.build(
                    self._attention, self._signature, self._chip,
                    {**self._schedule, **expected}, layouts))
            return self._variants[key]

    def __call__(self, named: Mapping[str, object], outputs: Sequence[object] | None,
                 stream: object) -> list:
        """The results for the arguments by name, in `outputs` if there are any, on `stream`.

        `named` has q, k, v, weights and boundaries; types, shapes and streams are those
        of `CompiledAttention.__call__`. Arrays that are not all on one GPU or all on the
        host, and on a GPU arrays that kernels cannot take and whose library does not copy
        them, are a ValueError.
        """
        model = named["q"]
        offsets = {name: named[name] for name in _OFFSETS if name in named}
        tensors = {name: value for name, value in named.items() if name not in offsets}
        handle = streams.address_of(stream, model)
        views = {name: arrays.view_of(name, value, handle) for name, value in tensors.items()}
        if all(view.device == "cpu" for view in views.values()):
            return self._run_from_host(model, views, offsets, outputs, handle)
        views = _on_one_gpu(views)
        index = views["q"].index
        self._check(views, offsets)
        with driver.on_device(index):
            _wait_for_producers(tensors, handle)
            views = {name: _ready(name, view, tensors[name], handle)
                     for name, view in views.items()}
            with streams.in_turn(handle, model):
                results = self._run(model, views, offsets, outputs, index, handle)
            ordered = streams.has_current(model) or (outputs is not None and stream is not None)
            if not ordered:
                call("cuStreamSynchronize", handle)
            return [_imported(model, result) for result in results]

    def _run_from_host(self, model, views, offsets, outputs, handle: int) -> list:
        """As `__call__` for arrays on the host: copies them to the first GPU, and results back."""
        self._check(views, offsets)
        copies = {name: DeviceArray.from_numpy(view.to_numpy()) for name, view in views.items()}
        views = {name: arrays.view_of(name, copy) for name, copy in copies.items()}
        with driver.on_device(0):
            results = self._run(None, views, offsets, None, 0, handle)
            call("cuStreamSynchronize", handle)
        results = [result.to_numpy() for result in results]
        if outputs is None:
            return [arrays.like(model, result) for result in results]
        for output, result in zip(outputs, results):
            arrays.copy_to("out", output, result)
        return list(outputs)

    def _check(self, views: Mapping[str, Array], offsets: Mapping[str, np.ndarray]) -> None:
        """TypeError or ValueError unless the arguments are what the kernels are for."""
        sizes: dict[str, int] = {}
        for name, tensor in self._signature.arguments.items():
            if name in offsets:
                tensor.check(name, offsets[name], sizes)
            else:
                tensor.check_type(name, views[name].dtype, views[name].shape, sizes)
        boundaries.check_rows(self._attention,
                              {name: view.shape for name, view in views.items()}, offsets)

    def _run(self, model, views: Mapping[str, Array], offsets: Mapping[str, np.ndarray],
             outputs: Sequence[object] | None, index: int, handle: int) -> list:
        """Puts the kernels into the stream; results are `outputs` or new arrays for `model`."""
        inputs = [offsets[name] if name in offsets else views[name]
                  for name in self._signature.arguments]
        contiguous = self.kernels.contract.function("attention")
        names = [buffer.name for buffer in contiguous.of_kind("input")]
        buffers = contiguous.of_kind("output")
        shapes = {name: x.shape for name, x in zip(names, inputs)}
        sizes = contiguous.bind(shapes)
        if outputs is None:
            outputs = [_allocate(model, buffer, sizes, index) for buffer in buffers]
        targets = {name: _output_view(name, output, buffer, sizes, index, handle)
                   for name, buffer, output in zip(("out", "log_sum_exp"), buffers, outputs)}
        # The order of a variant's outputs is that of the others.
        expected = expected_sizes(self._attention, self._signature, self._schedule,
                                  views["q"].shape, views["k"].shape[2])
        variant = self._variant(_layouts({**views, **targets}), expected)
        placed = dict(zip(names, inputs)) | {
            buffer.name: target
            for buffer, target in zip(variant.function.of_kind("output"), targets.values())}
        sizes = variant.function.bind(shapes, {name: x.strides for name, x in placed.items()
                                               if isinstance(x, Array)})
        with contextlib.ExitStack() as copies:
            addresses = {name: value.address if isinstance(value, Array)
                         else copies.enter_context(_copied(value, handle))
                         for name, value in placed.items()}
            variant.module(index).launch(addresses, sizes, handle)
        return list(outputs)


def _on_one_gpu(views: Mapping[str, Array]) -> dict[str, Array]:
    """The views with the number of the GPU; ValueError unless it is one."""
    placed = {}
    for name, view in views.items():
        known = view.index >= 0 or view.device == "cpu" or view.address == 0
        index = view.index if known else driver.device_of(view.address)
        placed[name] = dataclasses.replace(view, index=index)
    index = max(0, *(view.index for view in placed.values() if view.device == "cuda"))
    for name, view in placed.items():
        # An array without elements need not say where it is.
        right = view.device == "cuda" and view.index in (index, -1)
        got = "one on the host" if view.device == "cpu" else f"one on cuda:{view.index}"
        require(right, name, f"an array on cuda:{index} as others are", got)
    return {name: dataclasses.replace(view, index=index) for name, view in placed.items()}


def _wait_for_producers(tensors: Mapping[str, object], handle: int) -> None:
    """Orders what arrays without DLPack wait for before the stream."""
    for value in tensors.values():
        if not hasattr(value, "__dlpack__"):
            producer = value.__cuda_array_interface__.get("stream")
            if producer is not None:
                streams.wait(handle, int(producer))


def _layouts(views: Mapping[str, Array]) -> dict[str, str]:
    """Those of the arrays that are not contiguous, by name."""
    return {name: layout for name in emission.LAID_OUT
            if (layout := _layout(name, views[name])) != "bhnd"}


def _layout(name: str, view: Array) -> str | None:
    """The kernels that take an array, see `Attention.to_mlir`; None if none do."""
    if view.address % _ALIGNMENT:
        return None
    if view.is_contiguous:
        return "bhnd"
    steps = [step if size > 1 else 0 for size, step in zip(view.shape, view.strides)]
    elements = _ALIGNMENT // numpy_dtype(view.dtype).itemsize
    fits = all(step % elements == 0 and step <= _LARGEST_STRIDE for step in steps[:-1])
    if name not in emission.LAID_OUT or not fits or steps[-1:] not in ([0], [1]):
        return None
    _, heads, tokens, size = view.shape
    rows = steps[1] in (0, size) and steps[2] in (0, heads * size)
    return "bnhd" if rows and size % elements == 0 else "strided"


def _ready(name: str, view: Array, value: object, handle: int) -> Array:
    """The view, or one of a copy by its library where kernels cannot take it as it is."""
    library = arrays.library_of(value)
    if _layout(name, view) is not None:
        return view
    if library not in _COPYING:
        _require_layout(name, view)
    if library == "torch":
        copy = value.clone(memory_format=sys.modules["torch"].contiguous_format)
    else:
        copy = value.copy(order="C")
    return arrays.view_of(name, copy, handle)


def _output_view(name: str, output: object, buffer: Buffer, sizes: Sizes, index: int,
                 handle: int) -> Array:
    """Where kernels write a result; ValueError unless they can."""
    require(arrays.library_of(output) != "jax", "out", "an array that can be written",
            "one of JAX")
    view = arrays.view_of("out", output, handle)
    expected = (buffer.shape_of(sizes), buffer.type, "cuda")
    got = (view.shape, view.dtype, view.device)
    require(got == expected, "out", f"an array of {expected}", got)
    require(view.index in (index, -1), "out", f"an array on cuda:{index}", f"cuda:{view.index}")
    _require_layout(name, view)
    require(view.lies_apart, "out", "elements of which no two share a place",
            f"strides {view.strides} of shape {view.shape}")
    return view


def _require_layout(name: str, view: Array) -> None:
    """ValueError unless kernels can take the array as it is."""
    aligned = view.address % _ALIGNMENT == 0
    require(aligned, name, f"an address that is a multiple of {_ALIGNMENT}", view.address)
    kind = ("rows without gaps, other strides multiples of 16 bytes"
            if name in emission.LAID_OUT else "a row-major array without gaps")
    require(_layout(name, view) is not None, name, kind,
            f"strides {view.strides} of shape {view.shape}")


def _allocate(model: object, buffer: Buffer, sizes: Sizes, index: int) -> object:
    """A new output of the library of `model`, or a DeviceArray for it."""
    shape = buffer.shape_of(sizes)
    library = arrays.library_of(model) if model is not None else "other"
    if library == "torch":
        torch = sys.modules["torch"]
        dtype = getattr(torch, _TORCH_NAMES[buffer.type])
        return torch.empty(shape, dtype=dtype, device=f"cuda:{index}")
    if library == "cupy":
        return sys.modules["cupy"].empty(shape, dtype=numpy_dtype(buffer.type))
    return DeviceArray(shape, buffer.type, index)


def _imported(model: object, output: object) -> object:
    """A DeviceArray as an array of the library of `model`, where that has any."""
    if model is None or not isinstance(output, DeviceArray):
        return output
    importer = arrays.importer_of(model)
    return output if importer is None else importer(output)


@contextlib.contextmanager
def _copied(array: np.ndarray, handle: int):
    """The address of a copy on the GPU, for what is put into the stream while this lasts."""
    with stream_memory(array.nbytes, handle) as address:
        # Memory that is not pinned has been read when the call returns.
        call("cuMemcpyHtoDAsync", address, array.ctypes.data, array.nbytes, handle)
        yield address
