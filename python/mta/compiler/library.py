# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Finds and loads `libMTACompiler` and declares its functions to ctypes."""

import ctypes
import functools
import os
from pathlib import Path

from mta._version import __version__
from mta.errors import LibraryError

#: Names the library file, before any other place is tried.
LIBRARY_VARIABLE = "MTA_COMPILER_LIBRARY"
_FILE_NAME = "libMTACompiler.so"

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_SIZE = ctypes.c_size_t
_EXTENTS = ctypes.c_uint32 * 3

# Name, result and argument types as in include/mta-c. Owned strings
# are _POINTER: ctypes would convert a _TEXT result and lose what is to be freed.
_PROTOTYPES = {
    "mtaVersion": (_TEXT,),
    "mtaLastError": (_TEXT,),
    "mtaFree": (None, _POINTER),
    "mtaModuleParse": (_POINTER, _TEXT, _SIZE, _TEXT),
    "mtaModuleParseWithNames": (_POINTER, _TEXT, _SIZE, _TEXT),
    "mtaModuleClone": (_POINTER, _POINTER),
    "mtaModuleDestroy": (None, _POINTER),
    "mtaModuleRunPipeline": (ctypes.c_int, _POINTER, _TEXT),
    "mtaModulePrint": (_POINTER, _POINTER),
    "mtaModuleToPTX": (_POINTER, _POINTER, _TEXT),
    "mtaModuleToContract": (_POINTER, _POINTER, _TEXT),
    "mtaModuleToCubin": (_POINTER, _POINTER, _TEXT, _TEXT, ctypes.POINTER(_SIZE)),
    "mtaAssemblePTX": (_POINTER, _TEXT, _TEXT, _TEXT, ctypes.POINTER(_SIZE)),
    "mtaModuleCompile": (_POINTER, _POINTER, ctypes.c_int),
    "mtaModuleToMachineCode": (_POINTER, _POINTER, ctypes.c_int, ctypes.POINTER(_SIZE)),
    "mtaMachineCodeLoad": (_POINTER, _TEXT, _SIZE),
    "mtaProcessor": (_TEXT,),
    "mtaExecutableDestroy": (None, _POINTER),
    "mtaExecutableLookup": (_POINTER, _POINTER, _TEXT),
    # include/mta-c/Device.h
    "mtaDeviceCreate": (_POINTER, ctypes.c_int, ctypes.c_uint64, ctypes.c_uint),
    "mtaDeviceDestroy": (None, _POINTER),
    "mtaDeviceRegister": (ctypes.c_int, _POINTER, _POINTER, _SIZE, ctypes.c_int, _TEXT),
    "mtaDeviceUnregister": (ctypes.c_int, _POINTER, _POINTER),
    "mtaDeviceCountUnwritten": (
        _SIZE, _POINTER, _POINTER, _SIZE, _SIZE, ctypes.POINTER(_SIZE)),
    "mtaDeviceLoad": (_POINTER, _POINTER, _TEXT),
    "mtaDeviceLaunch": (
        None, _POINTER, _POINTER, _TEXT, _EXTENTS, _EXTENTS, ctypes.c_uint32, _TEXT, _SIZE),
    "mtaModuleCompileForDevice": (_POINTER, _POINTER, _POINTER, ctypes.c_int),
    "mtaDeviceBegin": (None, _POINTER),
    "mtaDeviceEnd": (ctypes.c_int, _POINTER),
    "mtaDeviceFree": (None, _POINTER, _POINTER),
    "mtaDeviceGetLaunches": (ctypes.c_uint64, _POINTER),
}


@functools.cache
def library_path() -> Path:
    """The file of the library. LibraryError says what was tried and how to get it."""
    return _find_library()


@functools.cache
def load_library() -> ctypes.CDLL:
    """The loaded library; LibraryError when there is none that can be used."""
    path = library_path()
    try:
        library = ctypes.CDLL(str(path))
        for name, (result, *arguments) in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise LibraryError(f"{path}: expects the MTA compiler library, but got: {error}") from None
    version = library.mtaVersion().decode()
    if version != __version__:
        raise LibraryError(f"{path}: expects version {__version__}, but got {version}")
    return library


def _find_library() -> Path:
    named = os.environ.get(LIBRARY_VARIABLE)
    if named:
        # A name that is wrong is an error; another library would surprise.
        if Path(named).is_file():
            return Path(named)
        raise LibraryError(f"${LIBRARY_VARIABLE}: expects a file, but got {named!r}")
    package = Path(__file__).resolve().parents[1]
    places = [package / "_lib" / _FILE_NAME]
    if (package.parents[1] / "pyproject.toml").is_file():
        # Run from a checkout: the newest build is the one being worked on.
        built = (package.parents[1] / "build").glob(f"*/lib/{_FILE_NAME}")
        places += sorted(built, key=_modification_time, reverse=True)
        places.append(package.parents[1] / "build" / "*" / "lib" / _FILE_NAME)
    for place in places:
        if place.is_file():
            return place
    tried = ", ".join(str(place) for place in places)
    raise LibraryError(
        f"expects {_FILE_NAME}, but found it in none of: ${LIBRARY_VARIABLE} (not set), {tried}. "
        "Install a wheel, which has it, or build the repository (utils/quickstart.sh) and "
        f"install the package with `pip install -e .`, or set ${LIBRARY_VARIABLE} to the library."
    )


def _modification_time(path: Path) -> float:
    # A build may be deleting what was found a moment ago.
    return path.stat().st_mtime if path.is_file() else 0.0


def library_version() -> str:
    """The version of the native library; LibraryError when it cannot be loaded."""
    return load_library().mtaVersion().decode()


def processor() -> str:
    """This processor, as machine code depends on it: architecture, name and features."""
    return load_library().mtaProcessor().decode()


def library_problem() -> str | None:
    """Why the native library cannot be used, or None when it can."""
    try:
        load_library()
    except LibraryError as error:
        return str(error)
    return None


def last_error() -> str:
    """The diagnostics of this thread's last failed call."""
    return load_library().mtaLastError().decode("utf-8", "replace")


def take_bytes(pointer: int, size: int | None = None) -> bytes:
    """Copies a buffer of the library (a string without a size) and frees it."""
    try:
        return ctypes.string_at(pointer, -1 if size is None else size)
    finally:
        load_library().mtaFree(pointer)
