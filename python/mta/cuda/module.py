# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`DeviceModule`: kernels on one GPU, launched by their contract."""

import contextlib
import ctypes
from collections.abc import Mapping

import numpy as np

from mta.contract import Buffer, Function, Kernel, Sizes
from mta.cuda import driver
from mta.cuda.driver import call
from mta.dtypes import numpy_dtype
from mta.errors import ContractError, DriverError

_LOG_BYTES = 16384


class DeviceModule:
    """The kernels of a PTX text, compiled by the driver for one GPU.

    It is used with the GPU's context current, by any number of threads.
    """

    def __init__(self, ptx: str, function: Function, index: int):
        self._function = function
        self._index = index
        # Kept as long as the process: kernels may be under way whenever it would go.
        self._module = _load(ptx, index)
        self._entries = {kernel.entry: self._entry(kernel) for kernel in function.kernels}

    def _entry(self, kernel: Kernel):
        if kernel.cluster != (1, 1, 1):
            raise ContractError(f"{kernel.entry}: expects a launch without clusters, but got "
                                f"{kernel.cluster}")
        entry = call("cuModuleGetFunction", self._module, kernel.entry.encode())
        if kernel.needs_opt_in:
            most = driver.attribute(self._index, "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN")
            needed = kernel.static_workgroup_bytes + kernel.dynamic_workgroup_bytes
            if needed > most:
                raise DriverError(
                    f"{kernel.entry}: expects a GPU with {needed} bytes of memory for a workgroup, "
                    f"but {driver.device_name(self._index)} has {most}")
            attributes = driver.bindings().CUfunction_attribute
            call("cuFuncSetAttribute", entry,
                 attributes.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                 kernel.dynamic_workgroup_bytes)
        return entry

    def launch(self, addresses: Mapping[str, int], sizes: Sizes, stream: int) -> None:
        """Puts the kernels into a stream; `addresses` are those of inputs and outputs."""
        with contextlib.ExitStack() as workspaces:
            everything = dict(addresses)
            for buffer in self._function.of_kind("workspace"):
                everything[buffer.name] = workspaces.enter_context(
                    _workspace(buffer, sizes, stream))
            for kernel in self._function.kernels:
                grid = kernel.grid_of(sizes)
                if 0 not in grid:
                    self._launch(kernel, grid, kernel.pack(everything, sizes), stream)

    def _launch(self, kernel: Kernel, grid, packed: bytes, stream: int) -> None:
        block = (ctypes.c_char * max(len(packed), 1)).from_buffer_copy(packed or b"\0")
        start = ctypes.addressof(block)
        pointers = (ctypes.c_void_p * max(len(kernel.parameters), 1))(
            *(start + parameter.offset for parameter in kernel.parameters))
        # The driver copies the parameters before it returns.
        call("cuLaunchKernel", self._entries[kernel.entry], *grid, *kernel.block,
             kernel.dynamic_workgroup_bytes, stream, ctypes.addressof(pointers), 0)


def _load(ptx: str, index: int):
    """The module of a PTX text; DriverError with what the driver's compiler says."""
    options = driver.bindings().CUjit_option
    log = bytearray(_LOG_BYTES)
    try:
        return call("cuModuleLoadDataEx", ptx.encode() + b"\0", 2,
                    [options.CU_JIT_ERROR_LOG_BUFFER,
                     options.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES], [log, len(log)])
    except DriverError as error:
        text = log.partition(b"\0")[0].decode("utf-8", "replace").strip()
        raise DriverError(f"{driver.device_name(index)}: {error}" + (f"\n{text}" if text else "")
                          ) from None


@contextlib.contextmanager
def _workspace(buffer: Buffer, sizes: Sizes, stream: int):
    """Memory from the stream's pool that goes back after what was put into it meanwhile."""
    shape = buffer.shape_of(sizes)
    size = int(np.prod(shape, dtype=np.int64)) * numpy_dtype(buffer.type).itemsize
    with stream_memory(size, stream) as address:
        if buffer.must_be_zero and size:
            call("cuMemsetD8Async", address, 0, size, stream)
        yield address


@contextlib.contextmanager
def stream_memory(size: int, stream: int):
    """The address of memory for what is put into the stream while this lasts; 0 for no bytes."""
    if size == 0:
        yield 0
        return
    pointer = call("cuMemAllocAsync", size, stream)
    try:
        yield int(pointer)
    finally:
        call("cuMemFreeAsync", pointer, stream)
