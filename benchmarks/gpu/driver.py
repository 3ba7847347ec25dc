# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Kernels on a GPU, launched by their contract through the CUDA driver.

All work is on the legacy default stream of the first device's primary context,
which PyTorch uses as well.
"""

import ctypes

import numpy as np
from cuda.bindings import driver as cu

from mta.contract import Function, Kernel, Sizes


class DriverError(Exception):
    """What the driver says, and what was asked of it."""


def check(result, what: str):
    """The values of a call of the driver, or DriverError."""
    status, *values = result
    if status != cu.CUresult.CUDA_SUCCESS:
        _, text = cu.cuGetErrorString(status)
        raise DriverError(f"{what}: {text.decode() if text else status}")
    return values[0] if len(values) == 1 else values


class Device:
    """The first GPU."""

    def __init__(self):
        check(cu.cuInit(0), "CUDA driver")
        self._device = check(cu.cuDeviceGet(0), "GPU")
        self._context = check(cu.cuDevicePrimaryCtxRetain(self._device), "context")
        check(cu.cuCtxSetCurrent(self._context), "context")
        self._allocated: list[int] = []

    def describe(self) -> dict[str, object]:
        """Name, driver and what limits kernels."""
        name = check(cu.cuDeviceGetName(128, self._device), "name").split(b"\0")[0].decode()
        attribute = cu.CUdevice_attribute

        def get(which) -> int:
            return check(cu.cuDeviceGetAttribute(which, self._device), str(which))

        return {
            "gpu": name,
            "driver": check(cu.cuDriverGetVersion(), "driver version"),
            "capability": f"{get(attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)}."
                          f"{get(attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)}",
            "multiprocessors": get(attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
            "clock_khz": get(attribute.CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
        }

    def allocate(self, count: int) -> int:
        """An address of `count` bytes that hold 0xff, NaN in every float type."""
        address = int(check(cu.cuMemAlloc(max(count, 1)), f"{count} bytes"))
        check(cu.cuMemsetD8(address, 0xff, max(count, 1)), "memset")
        self._allocated.append(address)
        return address

    def upload(self, array: np.ndarray) -> int:
        """The address of a copy."""
        address = self.allocate(array.nbytes)
        if array.nbytes:
            check(cu.cuMemcpyHtoD(address, array.ctypes.data, array.nbytes), "copy to the GPU")
        return address

    def download(self, address: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """What is at an address."""
        array = np.empty(shape, dtype)
        if array.nbytes:
            check(cu.cuMemcpyDtoH(array.ctypes.data, address, array.nbytes), "copy from the GPU")
        return array

    def clear(self, address: int, count: int) -> None:
        """Zeros."""
        check(cu.cuMemsetD8(address, 0, max(count, 1)), "memset")

    def free_all(self) -> None:
        """What was allocated here."""
        while self._allocated:
            check(cu.cuMemFree(self._allocated.pop()), "free")

    def synchronize(self) -> None:
        """Waits; DriverError when a kernel failed."""
        check(cu.cuCtxSynchronize(), "kernel")


class Kernels:
    """A PTX text, ready to be launched as a function of its contract says."""

    def __init__(self, ptx: str, function: Function):
        self.function = function
        # Without its 0 at the end the driver reads on.
        self._module = check(cu.cuModuleLoadData(ptx.encode() + b"\0"), "PTX")
        self._entries = [(kernel, self._entry(kernel)) for kernel in function.kernels]

    def _entry(self, kernel: Kernel):
        entry = check(cu.cuModuleGetFunction(self._module, kernel.entry.encode()), kernel.entry)
        if kernel.needs_opt_in:
            attribute = cu.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            check(cu.cuFuncSetAttribute(entry, attribute, kernel.dynamic_workgroup_bytes),
                  f"{kernel.entry}: {kernel.dynamic_workgroup_bytes} bytes of shared memory")
        return entry

    def resources(self) -> list[dict[str, int]]:
        """Registers and local bytes of every kernel, as the driver's compiler made them."""
        attribute = cu.CUfunction_attribute
        return [{
            "registers": check(cu.cuFuncGetAttribute(
                attribute.CU_FUNC_ATTRIBUTE_NUM_REGS, entry), "registers"),
            "local_bytes": check(cu.cuFuncGetAttribute(
                attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, entry), "local bytes"),
        } for _, entry in self._entries]

    def launcher(self, addresses: dict[str, int], sizes: Sizes):
        """A function that launches all kernels on the default stream and does not wait."""
        prepared = []
        for kernel, entry in self._entries:
            grid = kernel.grid_of(sizes)
            if 0 in grid:
                continue
            # The driver takes an array of addresses, one for every parameter.
            block = kernel.pack(addresses, sizes)
            buffer = ctypes.create_string_buffer(block, len(block))
            start = ctypes.addressof(buffer)
            pointers = (ctypes.c_void_p * len(kernel.parameters))(
                *(start + parameter.offset for parameter in kernel.parameters))
            prepared.append((kernel, entry, grid, buffer, pointers))

        def launch() -> None:
            for kernel, entry, grid, _, pointers in prepared:
                check(cu.cuLaunchKernel(entry, *grid, *kernel.block,
                                        kernel.dynamic_workgroup_bytes, 0,
                                        ctypes.addressof(pointers), 0), kernel.entry)
        return launch


class Timer:
    """Times work on the default stream."""

    def __init__(self):
        self._start, self._end = (check(cu.cuEventCreate(0), "event") for _ in range(2))

    def milliseconds(self, work) -> float:
        """From the start of what `work()` launches to its end."""
        check(cu.cuEventRecord(self._start, 0), "event")
        work()
        check(cu.cuEventRecord(self._end, 0), "event")
        check(cu.cuEventSynchronize(self._end), "kernel")
        return check(cu.cuEventElapsedTime(self._start, self._end), "event")
