# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`DeviceArray`: memory of a GPU as an array, for libraries without one of their own."""

import weakref
from collections.abc import Sequence

import numpy as np

from mta import arrays
from mta.cuda.driver import call, on_device
from mta.dtypes import numpy_dtype


class DeviceArray(arrays.Exported):
    """A row-major array on a GPU, with DLPack and `__cuda_array_interface__`.

    What the run time returns where the library of the inputs cannot make an
    array. `shape` is in elements, `dtype` MLIR's name of their type, `address`
    and `index` the place and the GPU. The memory goes back when nothing shows it.
    """

    def __init__(self, shape: Sequence[int], dtype: str, index: int):
        """New memory, with any contents; DriverError without a GPU or without so much memory."""
        count = int(np.prod(shape, dtype=np.int64))
        self.index = index
        self.nbytes = count * numpy_dtype(dtype).itemsize
        address = 0
        if self.nbytes:
            with on_device(index):
                address = int(call("cuMemAlloc", self.nbytes))
            weakref.finalize(self, _free, address, index).atexit = False
        super().__init__(None, address, shape, dtype, "cuda", index)

    @property
    def __cuda_array_interface__(self) -> dict:
        # Results are complete: there is no stream to wait for.
        text = "<V2" if self.dtype == "bf16" else numpy_dtype(self.dtype).str
        return {"version": 3, "shape": self.shape, "typestr": text, "strides": None,
                "data": (self.address, False), "stream": None}

    def to_numpy(self) -> np.ndarray:
        """A copy on the host, once the array is complete."""
        result = np.empty(self.shape, numpy_dtype(self.dtype))
        if self.nbytes:
            with on_device(self.index):
                call("cuMemcpyDtoH", result.ctypes.data, self.address, self.nbytes)
        return result

    @classmethod
    def from_numpy(cls, array: np.ndarray, index: int = 0) -> "DeviceArray":
        """A copy of an array of any shape and element type on a GPU; DriverError without one."""
        source = np.require(array, requirements="C")
        result = cls(array.shape, arrays.dtype_name(array.dtype), index)
        if result.nbytes:
            with on_device(index):
                call("cuMemcpyHtoD", result.address, source.ctypes.data, result.nbytes)
        return result


def _free(address: int, index: int) -> None:
    with on_device(index):
        call("cuMemFree", address)
