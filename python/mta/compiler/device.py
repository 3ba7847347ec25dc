# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Device`: a GPU emulated on the host's memory, for modules with kernels."""

import contextlib
import ctypes
import weakref
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mta.compiler.library import last_error, load_library
from mta.errors import KernelError

# Accesses of mtaDeviceRegister.
_READ, _WRITE, _READ_AND_WRITE = 0, 1, 2


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
    def running(self, arrays: Mapping[str, np.ndarray],
                written: Mapping[str, np.ndarray] | None = None,
                updated: Mapping[str, np.ndarray] | None = None,
                complete: Iterable[str] = ()):
        """While it lasts, code compiled for the device may run on `arrays`.

        Kernels read the arrays, of which several may share memory, and may not
        write them; what they write goes to `written`, poisoned before, and `updated`,
        which keep what they hold.
        KernelError names the first instruction that did what it must not, or
        which of `complete`, names of `written`, is not written everywhere.
        """
        library = load_library()
        with contextlib.ExitStack() as registered:
            for access, ranges in ((_READ, _united(_ranges(arrays))),
                                   (_WRITE, _ranges(written or {})),
                                   (_READ_AND_WRITE, _ranges(updated or {}))):
                for start, end, name in ranges:
                    self._register(name, start, end - start, access, registered)
            library.mtaDeviceBegin(self._handle)
            try:
                yield
            finally:
                failed = library.mtaDeviceEnd(self._handle)
            if failed:
                raise KernelError(last_error())
            for name in complete:
                array = written[name]
                self.require_written(array.ctypes.data, array.size, array.itemsize, name)

    def _register(self, name: str, start: int, size: int, access: int,
                  registered: contextlib.ExitStack) -> None:
        library = load_library()
        if library.mtaDeviceRegister(self._handle, start, size, access, name.encode()):
            raise KernelError(last_error())
        registered.callback(library.mtaDeviceUnregister, self._handle, start)

    def load(self, ptx: str) -> int:
        """The kernels of a PTX text, which live as long as the device."""
        kernels = load_library().mtaDeviceLoad(self._handle, ptx.encode())
        if not kernels:
            raise KernelError(last_error())
        return kernels

    def launch(self, kernels: int, entry: str, grid: Sequence[int], block: Sequence[int],
               dynamic_bytes: int, parameters: bytes) -> None:
        """Runs a kernel inside of `running`, which raises what goes wrong.

        `parameters` are all of them as the entry lays them out.
        """
        extents = ctypes.c_uint32 * 3
        load_library().mtaDeviceLaunch(
            self._handle, kernels, entry.encode(), extents(*grid), extents(*block), dynamic_bytes,
            parameters, len(parameters))

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


def _ranges(arrays: Mapping[str, np.ndarray]) -> list[tuple[int, int, str]]:
    """Where the arrays that have elements begin and end, in order of addresses."""
    return sorted(
        (array.ctypes.data, array.ctypes.data + array.itemsize
         + sum((n - 1) * step for n, step in zip(array.shape, array.strides)), name)
        for name, array in arrays.items() if array.size)


def _united(ranges: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Those that share memory as one, as the device knows a byte by one name."""
    united: list[tuple[int, int, str]] = []
    for start, end, name in ranges:
        if united and start < united[-1][1]:
            first, last, names = united.pop()
            start, end, name = first, max(last, end), f"{names}, {name}"
        united.append((start, end, name))
    return united
