# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Arrays of any library: NumPy's, and all with DLPack or `__cuda_array_interface__`.

    view = view_of("q", tensor)              # where it is and what is in it
    array = view.to_numpy()                  # on the same memory
    result = like(tensor, array)             # an array of the library of `tensor`

Nothing here imports another library: whoever passes one's array has.
"""

import ctypes
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mta import dlpack
from mta.dtypes import dtype_name, numpy_dtype
from mta.validation import require

_HOST_DEVICES = (dlpack.CPU, dlpack.CUDA_HOST)
_CUDA_DEVICES = (dlpack.CUDA, dlpack.CUDA_MANAGED)


@dataclass(frozen=True)
class Array:
    """An array where it is; `owner` keeps its memory.

    Strides are in elements. `dtype` is MLIR's name of the element type, or
    another word for one that MLIR has not. `device` is "cpu" or "cuda", `index`
    the number of the GPU.
    """

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    device: str
    index: int
    owner: object

    @property
    def is_contiguous(self) -> bool:
        """Whether it is row-major without gaps."""
        steps = zip(self.shape, self.strides, dlpack.row_major(self.shape))
        return 0 in self.shape or all(size == 1 or a == b for size, a, b in steps)

    @property
    def lies_apart(self) -> bool:
        """Whether no two elements share a place, by strides that grow enough each."""
        end = 1
        for step, size in sorted(zip(self.strides, self.shape)):
            if size > 1:
                if step < end:
                    return False
                end += (size - 1) * step
        return True

    def to_numpy(self) -> np.ndarray:
        """The same memory as a NumPy array; of an array on the host."""
        if isinstance(self.owner, np.ndarray):
            return self.owner
        dtype = numpy_dtype(self.dtype)
        if 0 in self.shape:
            return np.empty(self.shape, dtype)
        extent = 1 + sum((n - 1) * step for n, step in zip(self.shape, self.strides))
        buffer = (ctypes.c_char * (extent * dtype.itemsize)).from_address(self.address)
        buffer.owner = self.owner
        steps = [step * dtype.itemsize for step in self.strides]
        flat = np.frombuffer(buffer, dtype)
        return np.lib.stride_tricks.as_strided(flat, self.shape, steps)


class Exported:
    """An array that other libraries import by DLPack; what it shows stays alive with it."""

    def __init__(self, owner: object, address: int, shape: Sequence[int], dtype: str,
                 device: str, index: int):
        self.owner = owner
        self.address = address
        self.shape = tuple(shape)
        self.dtype = dtype
        self._device = (dlpack.CPU if device == "cpu" else dlpack.CUDA, index)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        # A consumer that knows versions takes capsules without one, too.
        if copy or (dl_device is not None and tuple(dl_device) != self._device):
            raise BufferError("expects no copy and no other device")
        return dlpack.make_capsule(self, self.address, self.shape, self.dtype, *self._device)


def is_array(value: object) -> bool:
    """Whether `view_of` can read it."""
    return (isinstance(value, np.ndarray) or hasattr(value, "__dlpack__")
            or hasattr(value, "__cuda_array_interface__"))


def view_of(name: str, value: object, stream: int | None = None) -> Array:
    """What an array is, without a copy.

    What the array still waits for is done, or comes before what is put into
    `stream`, a CUDA stream's address. A value that is no array is a TypeError, an
    array that its library does not export, such as one with gradients, a
    ValueError.
    """
    if isinstance(value, np.ndarray):
        strides = tuple(step // value.itemsize for step in value.strides)
        return Array(value.ctypes.data, value.shape, strides, dtype_name(value.dtype), "cpu", 0,
                     value)
    if not is_array(value):
        raise TypeError(f"{name}: expects an array of NumPy or one with DLPack or "
                        f"__cuda_array_interface__, but got {type(value).__name__}")
    if hasattr(value, "__dlpack__"):
        return _dlpack_view(name, value, stream)
    return _cuda_interface_view(name, value.__cuda_array_interface__, value)


def _dlpack_view(name: str, value: object, stream: int | None) -> Array:
    try:
        device_type, _ = value.__dlpack_device__()
        # The legacy default stream, which has no address, is called 1.
        on_gpu = device_type in _CUDA_DEVICES and stream is not None
        capsule = value.__dlpack__(stream=stream or 1) if on_gpu else value.__dlpack__()
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: expects an array that its library exports by DLPack, but "
                         f"got: {error}") from None
    address, shape, strides, dtype, device_type, index = dlpack.read_capsule(capsule)
    known = device_type in (*_HOST_DEVICES, *_CUDA_DEVICES)
    require(known, name, "an array on the host or on a GPU of CUDA",
            f"DLPack device {device_type}")
    device = "cpu" if device_type in _HOST_DEVICES else "cuda"
    positive = min(strides, default=0) >= 0
    require(positive, name, "an array with strides of at least 0", strides)
    return Array(address, shape, strides, dtype, device, index if device == "cuda" else 0, capsule)


#: What arrays without DLPack call 16 bits that NumPy does not know.
_BFLOAT16_TYPES = ("<V2", "|V2")


def _cuda_interface_view(name: str, interface: dict, owner: object) -> Array:
    """The view of a `__cuda_array_interface__`, version 2 or 3 (Numba's documentation)."""
    text, shape = interface["typestr"], tuple(interface["shape"])
    try:
        dtype = "bf16" if text in _BFLOAT16_TYPES else dtype_name(np.dtype(text))
    except TypeError:
        dtype = text
    size = 2 if dtype == "bf16" else np.dtype(text).itemsize
    steps = interface.get("strides")
    whole = steps is None or all(step % size == 0 for step in steps)
    require(whole, name, f"strides that are multiples of {size} bytes", steps)
    strides = dlpack.row_major(shape) if steps is None else tuple(s // size for s in steps)
    require(interface.get("mask") is None, name, "an array without a mask", "one with a mask")
    address, _ = interface["data"]
    return Array(address or 0, shape, strides, dtype, "cuda", -1, owner)


def as_numpy(name: str, value: object) -> np.ndarray:
    """A host array of any library as NumPy's, on the same memory.

    An array on a GPU is a ValueError; other errors are those of `view_of`.
    """
    view = view_of(name, value)
    require(view.device == "cpu", name, "an array in the memory of the host",
            f"one on cuda:{max(view.index, 0)}")
    known = isinstance(view.owner, np.ndarray) or not view.dtype.startswith("DLPack")
    require(known, name, "an element type of MLIR", view.dtype)
    return view.to_numpy()


def _loaded(library: str):
    return sys.modules.get(library)


def library_of(value: object) -> str:
    """Whose array it is: "numpy", "torch", "cupy", "jax" or "other"."""
    if isinstance(value, np.ndarray):
        return "numpy"
    for library, array_type in (("torch", "Tensor"), ("cupy", "ndarray"), ("jax", "Array")):
        module = _loaded(library)
        if module is not None and isinstance(value, getattr(module, array_type)):
            return library
    return "other"


def importer_of(value: object):
    """The `from_dlpack` of the library of `value`, or None where it has none."""
    library = library_of(value)
    if library in ("torch", "cupy"):
        return _loaded(library).from_dlpack
    if library == "jax":
        import jax.dlpack
        return jax.dlpack.from_dlpack
    namespace = getattr(value, "__array_namespace__", None)
    return getattr(namespace(), "from_dlpack", None) if namespace else None


def like(value: object, result: np.ndarray) -> object:
    """`result` as an array of the library of `value`, on the same memory; else NumPy's."""
    importer = None if isinstance(value, np.ndarray) else importer_of(value)
    if importer is None:
        return result
    result = np.require(result, requirements="C")
    return importer(Exported(result, result.ctypes.data, result.shape, dtype_name(result.dtype),
                             "cpu", 0))


def copy_to(name: str, out: object, result: np.ndarray) -> None:
    """Writes `result` into a host array; ValueError unless it fits and can be written."""
    require(library_of(out) != "jax", name, "an array that can be written", "one of JAX")
    target = as_numpy(name, out)
    expected = (result.shape, dtype_name(result.dtype))
    got = (target.shape, dtype_name(target.dtype))
    require(got == expected, name, f"an array of {expected}", got)
    require(target.flags.writeable, name, "an array that can be written", "one that cannot")
    target[...] = result
