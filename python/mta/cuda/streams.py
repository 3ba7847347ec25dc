# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""CUDA streams of any library, as the addresses that the driver knows them by."""

import contextlib
import sys

from mta import arrays
from mta.cuda.driver import bindings, call

#: The legacy default stream, which orders itself with all others.
DEFAULT = 0


def address_of(stream: object, value: object) -> int:
    """The address of `stream`, or for None of the current one of the library of `value`.

    Streams are addresses, or have the protocol `__cuda_stream__`, `cuda_stream` as
    PyTorch's or `ptr` as CuPy's; another thing is a TypeError.
    """
    if stream is None:
        return _current(value)
    if isinstance(stream, int) and not isinstance(stream, bool) and stream >= 0:
        return stream
    protocol = getattr(stream, "__cuda_stream__", None)
    if protocol is not None:
        _, address = protocol() if callable(protocol) else protocol
        return int(address)
    for name in ("cuda_stream", "ptr"):
        if hasattr(stream, name):
            return int(getattr(stream, name))
    raise TypeError("stream: expects None, the address of a CUDA stream or an object with "
                    f"__cuda_stream__, cuda_stream or ptr, but got {stream!r}")


def _current(value: object) -> int:
    library = arrays.library_of(value)
    if library == "torch" and value.is_cuda:
        return sys.modules["torch"].cuda.current_stream(value.device).cuda_stream
    if library == "cupy":
        return sys.modules["cupy"].cuda.get_current_stream().ptr
    return DEFAULT


def has_current(value: object) -> bool:
    """Whether the library of `value` puts its own work into a current stream."""
    return arrays.library_of(value) in ("torch", "cupy")


@contextlib.contextmanager
def in_turn(stream: int, value: object):
    """What is put into `stream` while this lasts has its turn in the current one of the library.

    The library's memory is that stream's: it may still be in use by what is in it, and is
    given to what comes next.
    """
    current = _current(value) if has_current(value) else stream
    wait(stream, current)
    yield
    wait(current, stream)


def wait(stream: int, earlier: int) -> None:
    """What is put into `stream` from now on comes after what is in `earlier`."""
    if stream == earlier:
        return
    timing_off = bindings().CUevent_flags.CU_EVENT_DISABLE_TIMING
    event = call("cuEventCreate", timing_off)
    try:
        call("cuEventRecord", event, earlier)
        call("cuStreamWaitEvent", stream, event, 0)
    finally:
        call("cuEventDestroy", event)
