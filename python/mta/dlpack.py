# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""DLPack capsules, read and made.

The structures are those of DLPack 0.8 (dlpack.h), which every later producer
still hands out to a consumer that names no version.
"""

import atexit
import ctypes
from collections.abc import Sequence

#: Device types: memory of the host, of a GPU, of the host but pinned, and managed.
CPU, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13

# DLDataTypeCode and bits by MLIR's names.
_CODES = {
    "f16": (2, 16), "bf16": (4, 16), "f32": (2, 32), "f64": (2, 64),
    "i8": (0, 8), "i16": (0, 16), "i32": (0, 32), "i64": (0, 64),
}
_NAMES = {code: name for name, code in _CODES.items()}
_CAPSULE = b"dltensor"


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_index", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Managed(ctypes.Structure):
    _fields_ = [
        ("tensor", _Tensor),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

_python = ctypes.pythonapi
_get_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", _python))
# In a destructor the capsule has no references left; as an object it would get one.
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_IsValid", _python))
_get_raw_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", _python))
_new_capsule = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", _python))

_libc = ctypes.CDLL(None)
_malloc = _libc.malloc
_malloc.restype, _malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
_free = _libc.free
_free.restype, _free.argtypes = None, (ctypes.c_void_p,)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of an array without gaps."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def read_capsule(capsule: object):
    """(address, shape, strides in elements, element type, device type, device index).

    The element type is MLIR's name, or DLPack's numbers where MLIR has none. The
    memory is the producer's as long as the capsule lives.
    """
    managed = _Managed.from_address(_get_pointer(capsule, _CAPSULE))
    tensor = managed.tensor
    shape = tuple(tensor.shape[i] for i in range(tensor.rank))
    if tensor.strides:
        strides = tuple(tensor.strides[i] for i in range(tensor.rank))
    else:
        strides = row_major(shape)
    code = (tensor.code, tensor.bits)
    dtype = _NAMES.get(code) if tensor.lanes == 1 else None
    if dtype is None:
        dtype = f"DLPack type {tensor.code} of {tensor.bits} bits, {tensor.lanes} lanes"
    address = (tensor.data or 0) + tensor.byte_offset
    return address, shape, strides, dtype, tensor.device_type, tensor.device_index


#: What capsules show, by the address of their structure.
_shown: dict[int, object] = {}


@_Deleter
def _delete(address):
    # Consumers call it from any thread, and only once.
    _shown.pop(address, None)
    _free(address)


@_Destructor
def _destroy_capsule(capsule):
    # A consumer has renamed what it took.
    if _is_valid(capsule, _CAPSULE):
        _delete(_get_raw_pointer(capsule, _CAPSULE))


@atexit.register
def _leave_to_the_system():
    """Consumers that outlive Python call no deleter that is gone: a null one is legal."""
    for address in list(_shown):
        _Managed.from_address(address).deleter = None


def make_capsule(owner: object, address: int, shape: Sequence[int], dtype: str,
                 device_type: int, device_index: int) -> object:
    """A capsule that shows a row-major array and keeps `owner` alive while it is used."""
    rank = len(shape)
    extents = ctypes.c_int64 * (2 * rank)
    start = _malloc(ctypes.sizeof(_Managed) + ctypes.sizeof(extents))
    if not start:
        raise MemoryError("expects memory for a DLPack capsule, but got none")
    sizes = extents.from_address(start + ctypes.sizeof(_Managed))
    sizes[:] = [*shape, *row_major(shape)]
    first = ctypes.addressof(sizes)
    pointer = ctypes.POINTER(ctypes.c_int64)
    managed = _Managed.from_address(start)
    code, bits = _CODES[dtype]
    managed.tensor = _Tensor(
        address, device_type, device_index, rank, code, bits, 1,
        ctypes.cast(first, pointer), ctypes.cast(first + 8 * rank, pointer), 0)
    managed.context = None
    managed.deleter = ctypes.cast(_delete, ctypes.c_void_p).value
    _shown[start] = owner
    return _new_capsule(start, _CAPSULE, ctypes.cast(_destroy_capsule, ctypes.c_void_p))
