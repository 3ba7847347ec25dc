# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Device`: a GPU emulated on the host's memory, for modules with kernels."""

import contextlib
import ctypes
import weakref

import numpy as np

from mta.compiler.library import last_error, load_library
from mta.errors import KernelError

_READ = 0


class Device:
    """An emulated GPU: runs the kernels that a module's host code launches.

    Every access is checked; what the host code allocates is poisoned until a
    kernel writes it. `lazy_copies` lands asynchronous copies as late as the
    program allows, `seed` chooses the order of warps, `threads` is the number of
    host threads, 0 for all cores.
    """

    def __init__(self, *, lazy_copies: bool = False, seed: int = 0, threads: int = 0):
        library = load_library()
        self._handle = library.mtaDeviceCreate(int(lazy_copies), seed, threads)
        weakref.finalize(self, library.mtaDeviceDestroy, self._handle)

    @property
    def handle(self) -> int:
        """The device for the C ABI."""
        return self._handle

    @property
    def launches(self) -> int:
        """How many kernels have run."""
        return load_library().mtaDeviceGetLaunches(self._handle)

    @contextlib.contextmanager
    def running(self, arrays: dict[str, np.ndarray]):
        """While it lasts, code compiled for the device may run on `arrays`.

        Kernels read the arrays and may not write them. KernelError names the
        first instruction that did what it must not.
        """
        library = load_library()
        with contextlib.ExitStack() as registered:
            for name, array in arrays.items():
                if array.nbytes == 0:
                    continue
                start = array.ctypes.data
                if library.mtaDeviceRegister(
                        self._handle, start, array.nbytes, _READ, name.encode()):
                    raise KernelError(last_error())
                registered.callback(library.mtaDeviceUnregister, self._handle, start)
            library.mtaDeviceBegin(self._handle)
            try:
                yield
            finally:
                failed = library.mtaDeviceEnd(self._handle)
            if failed:
                raise KernelError(last_error())

    def require_written(self, pointer: int, count: int, element_size: int, name: str) -> None:
        """KernelError unless a kernel wrote each of `count` elements from `pointer`."""
        first = ctypes.c_size_t(0)
        unwritten = load_library().mtaDeviceCountUnwritten(
            self._handle, pointer, count, element_size, ctypes.byref(first))
        if unwritten:
            raise KernelError(f"error: {name}: no kernel wrote {unwritten} of its elements, the "
                              f"first at index {first.value}")

    def free(self, pointer: int) -> None:
        """Releases a buffer that the host code allocated."""
        load_library().mtaDeviceFree(self._handle, pointer)
