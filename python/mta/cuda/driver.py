# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The CUDA driver API of `cuda.bindings.driver`, with failures as `DriverError`.

cuda.bindings and not cuda.core: a launch needs a dozen entry points, which have
not changed in years, and no object of another library that would have to live
as long as an array.
"""

import contextlib
import functools

from mta.errors import DriverError


@functools.cache
def bindings():
    """The module `cuda.bindings.driver`; DriverError without the package."""
    try:
        from cuda.bindings import driver
    except ImportError as error:
        raise DriverError("expects the Python package cuda-bindings, but got: "
                          f"{error}; `pip install 'mta[cuda]'` installs it") from None
    return driver


def call(name: str, *arguments):
    """Calls an entry point; its result, a tuple of them or None.

    DriverError names the entry point and the error. Without a driver every call
    fails.
    """
    driver = bindings()
    try:
        status, *results = getattr(driver, name)(*arguments)
    except RuntimeError as error:
        # Of the loader: no libcuda.so.1, or one without this entry point.
        reason = " ".join(str(error).split())
        raise DriverError(f"expects NVIDIA's driver, libcuda.so.1, but got: {reason}") from None
    if status != driver.CUresult.CUDA_SUCCESS:
        raise DriverError(f"{name}: expects success, but got {status.name}: {_text(status)}")
    return results[0] if len(results) == 1 else tuple(results) or None


def _text(status) -> str:
    error, text = bindings().cuGetErrorString(status)
    known = error == bindings().CUresult.CUDA_SUCCESS
    return text.decode("utf-8", "replace") if known else "an error that the driver does not know"


def initialize() -> None:
    """Makes the driver ready; DriverError names the package, driver or GPU that is missing."""
    try:
        call("cuInit", 0)
        count = call("cuDeviceGetCount")
    except DriverError as error:
        if "CUDA_ERROR_NO_DEVICE" not in str(error):
            raise
        count = 0
    if count == 0:
        raise DriverError("expects an NVIDIA GPU, but the driver found none")


def problem() -> str | None:
    """Why kernels cannot run on a GPU here, or None when they can."""
    try:
        initialize()
    except DriverError as error:
        return str(error)
    return None


def attribute(index: int, name: str) -> int:
    """A `CUdevice_attribute` of the GPU `index` by its name without the prefix."""
    number = getattr(bindings().CUdevice_attribute, f"CU_DEVICE_ATTRIBUTE_{name}")
    return call("cuDeviceGetAttribute", number, _device(index))


def device_name(index: int) -> str:
    """What the driver calls the GPU."""
    return call("cuDeviceGetName", 128, _device(index)).rstrip(b"\0").decode("utf-8", "replace")


def chip_of(index: int) -> str:
    """The target of PTX for a GPU: of compute capability 9.0 sm_90a, of 8.6 sm_86."""
    major = attribute(index, "COMPUTE_CAPABILITY_MAJOR")
    minor = attribute(index, "COMPUTE_CAPABILITY_MINOR")
    # What only this architecture has, wgmma, is in the target with an a.
    return "sm_90a" if (major, minor) == (9, 0) else f"sm_{major}{minor}"


def _device(index: int):
    count = call("cuDeviceGetCount")
    if not 0 <= index < count:
        raise DriverError(f"expects a GPU from 0 to {count - 1}, but got {index}")
    return call("cuDeviceGet", index)


@functools.cache
def _primary_context(index: int):
    # The one that PyTorch, CuPy and JAX use; it is kept for the life of the process, as
    # they do.
    return call("cuDevicePrimaryCtxRetain", _device(index))


@contextlib.contextmanager
def on_device(index: int):
    """While it lasts, the context of the GPU is this thread's."""
    call("cuCtxPushCurrent", _primary_context(index))
    try:
        yield
    finally:
        call("cuCtxPopCurrent")


def device_of(address: int) -> int:
    """The GPU that has an address."""
    ordinal = bindings().CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
    return int(call("cuPointerGetAttribute", ordinal, address))
