# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What was compiled before, on disk by content.

    data = cached({"text": text, "chip": chip}, lambda: compile(text, chip))

The key is a hash of all that the result depends on, the compiler library and its
LLVM among it, so that an entry never goes out of date. An entry is one file. It
appears under its name by a rename, whole, so that processes may share a folder;
two that make the same entry write the same bytes. Its first line has the hash of
the rest: an entry that is cut off or changed is made anew.

The folder is `$MTA_CACHE_DIR`, else `$XDG_CACHE_HOME/mta`, else `~/.cache/mta`. An
empty `$MTA_CACHE_DIR` turns the cache off. `$MTA_CACHE_BYTES` is the most that a
folder holds, 1 GiB without it; the entries unused for longest go first. Entries of
target "cpu" are machine code, which runs: a folder to share is one of people one trusts.
"""

import functools
import hashlib
import json
import os
import struct
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from mta._version import __version__
from mta.compiler.library import library_path, load_library
from mta.validation import require

#: Names the folder.
FOLDER_VARIABLE = "MTA_CACHE_DIR"
#: The most bytes of a folder.
SIZE_VARIABLE = "MTA_CACHE_BYTES"
_DEFAULT_BYTES = 1 << 30

_MAGIC = "mta-cache-1"
_SUFFIX = ".entry"

# Files on the way to their names, and the age at which nobody works on one any more.
_UNFINISHED = ".tmp"
_STALE_SECONDS = 3600


def folder() -> Path | None:
    """The folder of the cache, which need not be there; None where it is turned off."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mta"


def cached(parts: Mapping[str, object], make: Callable[[], bytes]) -> bytes:
    """What `make` returned for these parts, which are JSON, once before; else what it returns.

    A folder that cannot be written is a warning: nothing is kept then.
    """
    place = folder()
    if place is None:
        return make()
    key = key_of(parts)
    path = place / key[:2] / f"{key}{_SUFFIX}"
    found = _read(path)
    if found is not None:
        return found
    data = make()
    try:
        _write(path, data)
        _shrink(place, _limit())
    except OSError as error:
        warnings.warn(f"{place}: expects a cache folder that can be written, but got: "
                      f"{error.strerror}; ${FOLDER_VARIABLE} names another", stacklevel=2)
    return data


def key_of(parts: Mapping[str, object]) -> str:
    """The hash of the parts and of the compiler that is in use, 64 digits."""
    everything = {"mta": __version__, "compiler": _compiler(), **parts}
    text = json.dumps(everything, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _compiler() -> list:
    """The library by its content; the LLVM that it loads, 100 MB, by names, sizes and times."""
    load_library()
    own = _identity(library_path())
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    paths = {line[line.index("/"):] for line in maps.splitlines() if "/" in line}
    libraries = []
    for path in sorted(paths):
        if Path(path).name.startswith(("libLLVM", "libMLIR")):
            status = os.stat(path)
            libraries.append([path, status.st_size, status.st_mtime_ns])
    return [own, libraries]


# The head of an ELF note with the linker's hash of all of a file: the lengths of
# name and hash, NT_GNU_BUILD_ID, the name.
_BUILD_ID = struct.pack("<III4s", 4, 20, 3, b"GNU\0")


def _identity(path: Path) -> str:
    """The linker's hash of a library, which is 100 MB in a wheel, else that of its bytes."""
    with path.open("rb") as file:
        _, found, rest = file.read(1 << 16).partition(_BUILD_ID)
        if found:
            return rest[:20].hex()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _limit() -> int:
    text = os.environ.get(SIZE_VARIABLE, str(_DEFAULT_BYTES))
    require(text.isdecimal(), f"${SIZE_VARIABLE}", "a number of bytes", text)
    return int(text)


def _read(path: Path) -> bytes | None:
    """The entry, or None where there is none that is whole."""
    try:
        head, _, data = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if head != _head(data):
        path.unlink(missing_ok=True)
        return None
    try:
        # What is used stays longest.
        os.utime(path)
    except OSError:
        # In a folder of another user there is nothing to keep.
        pass
    return data


def _head(data: bytes) -> bytes:
    return f"{_MAGIC} {hashlib.sha256(data).hexdigest()}".encode()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=".", suffix=_UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(_head(data) + b"\n" + data)
        os.replace(name, path)
    finally:
        # There only after a failure.
        Path(name).unlink(missing_ok=True)


def _shrink(place: Path, limit: int) -> None:
    """Removes the entries unused for longest until the rest is within the limit.

    And what killed processes left behind.
    """
    entries = []
    for path in place.glob("*/*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.suffix == _SUFFIX:
            entries.append((status.st_mtime_ns, status.st_size, path))
        elif path.suffix == _UNFINISHED and time.time() - status.st_mtime > _STALE_SECONDS:
            path.unlink(missing_ok=True)
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= size
