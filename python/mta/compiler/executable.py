# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Executable` and `Function`: compiled code called on NumPy arrays."""

import contextlib
import ctypes
import math
import threading
import weakref

import numpy as np

from mta.compiler.device import Device
from mta.compiler.library import last_error, load_library
from mta.dtypes import numpy_dtype
from mta.errors import CompileError
from mta.signature import Signature, TensorType

_INT64 = ctypes.c_int64


class Executable:
    """A module compiled to machine code; made by `Module.compile` or by `load`.

    With a `device` its kernels run there, see `Module.compile_for`.
    """

    def __init__(self, handle: int, device: Device | None = None):
        library = load_library()
        self._handle = handle
        self._lock = threading.Lock()
        self.device = device
        weakref.finalize(self, _destroy, library, handle, device)

    @classmethod
    def load(cls, code: bytes) -> "Executable":
        """What `Module.to_machine_code` made, on this processor or an equal one.

        The code runs as it is: load only what you trust. Other bytes are a CompileError.
        """
        handle = load_library().mtaMachineCodeLoad(code, len(code))
        if not handle:
            raise CompileError("loading machine code", last_error())
        return cls(handle)

    def function(self, name: str, signature: Signature) -> "Function":
        """The function `name`, which has to have this signature.

        The machine code knows no types: `signature` is what every call is
        checked against. A name the module has not is a CompileError.
        """
        with self._lock:
            address = load_library().mtaExecutableLookup(
                self._handle, f"_mlir_ciface_{name}".encode())
            if not address:
                raise CompileError(f"lookup of {name}", last_error())
        return Function(self, address, signature, self._lock)


def _destroy(library: ctypes.CDLL, handle: int, device: Device | None) -> None:
    # `device` is an argument so that it lives as long as the executable.
    library.mtaExecutableDestroy(handle)


class Function:
    """A compiled function; keeps its executable alive."""

    def __init__(self, executable: Executable, address: int, signature: Signature,
                 lock: threading.Lock):
        count = len(signature.arguments) + bool(signature.results)
        self._entry = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)(address)
        self._executable = executable
        self._lock = lock
        self.signature = signature

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Runs it on arrays of exactly the signature's shapes and types.

        Arrays are copied only where they are not contiguous; the results are
        new arrays, on the memory that the function allocated for them. Wrong arguments are a TypeError or ValueError before the
        call, as compiled code trusts the sizes it is given.
        """
        self.signature.check(arrays)
        contiguous = [np.require(array, requirements=["C", "A"]) for array in arrays]
        descriptors = [_descriptor(array) for array in contiguous]
        words = [_descriptor_words(t) for t in self.signature.results]
        results = (_INT64 * sum(words))()
        pointers = [ctypes.addressof(d) for d in descriptors]
        if words:
            pointers.insert(0, ctypes.addressof(results))
        device = self._executable.device
        named = dict(zip(self.signature.arguments, contiguous, strict=True))
        with self._lock, device.running(named) if device else contextlib.nullcontext():
            self._entry(*pointers)
        starts = np.cumsum([0, *words])
        descriptions = [results[a:b] for a, b in zip(starts, starts[1:])]
        if not device:
            memories = [_Memory(description[0]) for description in descriptions]
            return [_own_result(m, d, t) for m, d, t in
                    zip(memories, descriptions, self.signature.results)]
        try:
            return [_copy_result(d, t, device)
                    for d, t in zip(descriptions, self.signature.results)]
        finally:
            # The results are the caller's, even where they repeat an argument.
            for description in descriptions:
                device.free(description[0])


class _Memory:
    """A buffer that a compiled function allocated, released with this object."""

    def __init__(self, address: int):
        self._release = load_library().mtaFree
        self._address = address

    def __del__(self):
        self._release(self._address)


def _descriptor_words(tensor: TensorType) -> int:
    """Allocated pointer, aligned pointer, offset, sizes, strides: 8 bytes each."""
    return 3 + 2 * len(tensor.shape)


def _descriptor(array: np.ndarray) -> ctypes.Array:
    strides = [stride // array.itemsize for stride in array.strides]
    words = [array.ctypes.data, array.ctypes.data, 0, *array.shape, *strides]
    return (_INT64 * len(words))(*words)


def _own_result(memory: _Memory, words: list[int], tensor: TensorType) -> np.ndarray:
    """The result as an array on `memory`, which lives as long as the array or a view of it."""
    rank, dtype = len(tensor.shape), numpy_dtype(tensor.dtype)
    start, sizes, strides, extent = _extent(words, tensor)
    if extent == 0:
        return np.empty(sizes, dtype)
    buffer = (ctypes.c_char * (extent * dtype.itemsize)).from_address(start)
    buffer.memory = memory
    byte_strides = [stride * dtype.itemsize for stride in strides]
    view = np.lib.stride_tricks.as_strided(np.frombuffer(buffer, dtype), sizes, byte_strides)
    return np.ascontiguousarray(view) if rank else view


def _extent(words: list[int], tensor: TensorType) -> tuple[int, list[int], list[int], int]:
    """Address, sizes, strides and the elements from the first to the last one."""
    rank, itemsize = len(tensor.shape), numpy_dtype(tensor.dtype).itemsize
    aligned, offset, sizes, strides = words[1], words[2], words[3 : 3 + rank], words[3 + rank :]
    fits = all(not isinstance(d, int) or d == n for d, n in zip(tensor.shape, sizes))
    if not fits or min(sizes, default=0) < 0:
        raise RuntimeError(f"result: expects {tensor}, but got sizes {sizes}")
    last = sum((size - 1) * stride for size, stride in zip(sizes, strides))
    return aligned + offset * itemsize, sizes, strides, 1 + last if math.prod(sizes) else 0


def _copy_result(words: list[int], tensor: TensorType, device: Device) -> np.ndarray:
    dtype = numpy_dtype(tensor.dtype)
    start, sizes, strides, extent = _extent(words, tensor)
    if extent == 0:
        return np.empty(sizes, dtype)
    device.require_written(start, extent, dtype.itemsize, "result")
    buffer = (ctypes.c_char * (extent * dtype.itemsize)).from_address(start)
    flat = np.frombuffer(buffer, dtype)
    byte_strides = [stride * dtype.itemsize for stride in strides]
    return np.array(np.lib.stride_tricks.as_strided(flat, sizes, byte_strides), order="C")
