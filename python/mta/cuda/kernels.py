# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`DeviceKernels`: the fused kernels of an attention, called on arrays of any library."""

import contextlib
import dataclasses
import sys
import threading
from collections.abc import Mapping, Sequence

import numpy as np

from mta import arrays, boundaries
from mta.arrays import Array
from mta.contract import Buffer, Sizes
from mta.cuda import driver, streams
from mta.cuda.driver import call
from mta.cuda.memory import DeviceArray
from mta.cuda.module import DeviceModule, stream_memory
from mta.dtypes import numpy_dtype
from mta.kernels import Kernels
from mta.validation import require

_OFFSETS = ("query_boundaries", "key_boundaries")

#: The libraries that copy an array that kernels cannot take as it is.
_COPYING = ("torch", "cupy")

#: The names of the element types in PyTorch.
_TORCH_NAMES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}


class DeviceKernels:
    """An attention for target "cuda"; `mta.compile` makes it."""

    def __init__(self, attention, signature, *, chip: str | None = None, **schedule: int | str):
        """For a chip, or for that of the first GPU; DriverError without one."""
        driver.initialize()
        chip = driver.chip_of(0) if chip is None else chip
        self.kernels = Kernels.build(attention, signature, chip, schedule)
        self._attention = attention
        self._signature = signature
        self._function = self.kernels.contract.function("attention")
        self._modules: dict[int, DeviceModule] = {}
        self._lock = threading.Lock()

    def __call__(self, named: Mapping[str, object], outputs: Sequence[object] | None,
                 stream: object) -> list:
        """The results for the arguments by name; see `CompiledAttention.__call__`.

        Arrays that are not all on one GPU or all on the host, and on a GPU arrays
        with gaps whose library does not copy them, are a ValueError.
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
            views = {name: _ready(name, view, tensors[name], self._alignment(name), handle)
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

    def _alignment(self, name: str) -> int:
        position = list(self._signature.arguments).index(name)
        return self._function.of_kind("input")[position].alignment

    def _run(self, model, views: Mapping[str, Array], offsets: Mapping[str, np.ndarray],
             outputs: Sequence[object] | None, index: int, handle: int) -> list:
        """Puts the kernels into the stream; results are `outputs` or new arrays for `model`."""
        inputs = [offsets[name] if name in offsets else views[name]
                  for name in self._signature.arguments]
        names = [buffer.name for buffer in self._function.of_kind("input")]
        sizes = self._function.bind({name: x.shape for name, x in zip(names, inputs)})
        buffers = self._function.of_kind("output")
        if outputs is None:
            outputs = [_allocate(model, buffer, sizes, index) for buffer in buffers]
        with contextlib.ExitStack() as copies:
            addresses = {}
            for name, value in zip(names, inputs):
                addresses[name] = (value.address if isinstance(value, Array)
                                   else copies.enter_context(_copied(value, handle)))
            for buffer, output in zip(buffers, outputs):
                addresses[buffer.name] = _output_address(output, buffer, sizes, index, handle)
            self._module(index).launch(addresses, sizes, handle)
        return list(outputs)

    def _module(self, index: int) -> DeviceModule:
        with self._lock:
            if index not in self._modules:
                self._modules[index] = DeviceModule(self.kernels.ptx, self._function, index)
            return self._modules[index]


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


def _ready(name: str, view: Array, value: object, alignment: int, handle: int) -> Array:
    """The view, or one of a copy by its library where kernels cannot take it as it is."""
    library = arrays.library_of(value)
    if (view.is_contiguous and view.address % alignment == 0) or library not in _COPYING:
        _require_plain(name, view, alignment)
        return view
    if library == "torch":
        copy = value.clone(memory_format=sys.modules["torch"].contiguous_format)
    else:
        copy = value.copy(order="C")
    return arrays.view_of(name, copy, handle)


def _output_address(output: object, buffer: Buffer, sizes: Sizes, index: int,
                    handle: int) -> int:
    """Where kernels write a result; ValueError unless they can."""
    require(arrays.library_of(output) != "jax", "out", "an array that can be written",
            "one of JAX")
    view = arrays.view_of("out", output, handle)
    expected = (buffer.shape_of(sizes), buffer.type, "cuda")
    got = (view.shape, view.dtype, view.device)
    require(got == expected, "out", f"an array of {expected}", got)
    require(view.index in (index, -1), "out", f"an array on cuda:{index}", f"cuda:{view.index}")
    _require_plain("out", view, buffer.alignment)
    return view.address


def _require_plain(name: str, view: Array, alignment: int) -> None:
    """ValueError unless kernels can take the array as it is."""
    require(view.is_contiguous, name, "a row-major array without gaps",
            f"strides {view.strides} of shape {view.shape}")
    aligned = view.address % alignment == 0
    require(aligned, name, f"an address that is a multiple of {alignment}", view.address)


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
