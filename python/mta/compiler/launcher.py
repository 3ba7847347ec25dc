# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Launcher`: kernels on an emulated GPU, launched by their contract alone."""

import threading

import numpy as np

from mta.compiler.device import Device
from mta.contract import Buffer, Function, Sizes
from mta.dlpack import row_major
from mta.dtypes import numpy_dtype
from mta.errors import ContractError

#: Of what the launcher allocates. More than any contract asks for.
_ALIGNMENT = 256


class Launcher:
    """Runs a function of a contract: a PTX text and the contract are all it knows.

    As a caller with a GPU does, it binds the sizes, allocates outputs and
    workspaces, and launches one kernel after the other. Outputs and workspaces
    are poisoned: to read what no kernel wrote is an error.
    """

    def __init__(self, ptx: str, function: Function, device: Device):
        self.function = function
        self.device = device
        self._module = device.load(ptx)
        self._lock = threading.Lock()

    def __call__(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """The outputs for the inputs in the contract's order."""
        buffers = self.function.of_kind("input")
        named = {buffer.name: self._input(buffer, array)
                 for buffer, array in zip(buffers, inputs, strict=True)}
        sizes = self.function.bind({name: array.shape for name, array in named.items()},
                                   {name: _strides(array) for name, array in named.items()})
        arrays = {buffer.name: named.get(buffer.name, _new_array(buffer, sizes))
                  for buffer in self.function.buffers}
        outputs = [buffer.name for buffer in self.function.of_kind("output")]
        zeroed = [b.name for b in self.function.buffers if b.must_be_zero]
        read = {name: arrays[name] for name in named}
        updated = {name: arrays[name] for name in zeroed}
        written = {name: x for name, x in arrays.items() if name not in {**read, **updated}}
        with self._lock, self.device.running(read, written, updated, complete=outputs):
            self._launch(arrays, sizes)
        return [arrays[name] for name in outputs]

    def _launch(self, arrays: dict[str, np.ndarray], sizes: Sizes) -> None:
        addresses = {name: array.ctypes.data for name, array in arrays.items()}
        for kernel in self.function.kernels:
            if kernel.cluster != (1, 1, 1):
                raise ContractError(f"{kernel.entry}: expects a launch without clusters in the "
                                    f"emulator, but got {kernel.cluster}")
            grid = kernel.grid_of(sizes)
            if 0 not in grid:
                self.device.launch(self._module, kernel.entry, grid, kernel.block,
                                   kernel.dynamic_workgroup_bytes, kernel.pack(addresses, sizes))

    def _input(self, buffer: Buffer, given: np.ndarray) -> np.ndarray:
        """The input, or a copy that is aligned, and contiguous if the contract wants that."""
        is_open = any(stride in self.function.stride_names for stride in buffer.strides)
        if (is_open or given.flags.c_contiguous) and given.ctypes.data % buffer.alignment == 0:
            return given
        array = _aligned_empty(given.shape, given.dtype, row_major(given.shape))
        array[...] = given
        return array


def _new_array(buffer: Buffer, sizes: Sizes) -> np.ndarray:
    dtype = numpy_dtype(buffer.type)
    array = _aligned_empty(buffer.shape_of(sizes), dtype, buffer.strides_of(sizes))
    if buffer.must_be_zero:
        array[...] = 0
    return array


def _strides(array: np.ndarray) -> tuple[int, ...]:
    """In elements."""
    return tuple(step // array.itemsize for step in array.strides)


def _aligned_empty(shape: tuple[int, ...], dtype: np.dtype,
                   strides: tuple[int, ...]) -> np.ndarray:
    """Of a shape whose elements lie somewhere in a range without gaps."""
    count = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(count + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    flat = memory[start:start + count].view(dtype)
    return np.lib.stride_tricks.as_strided(flat, shape, [n * dtype.itemsize for n in strides])
