# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Where the package looks for the native library, and what it says when it finds none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mta
from mta.compiler import library


@pytest.fixture
def lone_package(tmp_path, monkeypatch):
    """The lookup as if the package stood in a checkout without a build."""
    package = tmp_path / "python" / "mta"
    (package / "compiler").mkdir(parents=True)
    (package.parents[1] / "pyproject.toml").touch()
    monkeypatch.delenv(library.LIBRARY_VARIABLE, raising=False)
    monkeypatch.setattr(library, "__file__", str(package / "compiler" / "library.py"))
    return package


def touch(path: Path, time: int) -> Path:
    """An empty file with a modification time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time, time))
    return path


def test_order_of_the_places(lone_package, monkeypatch):
    checkout = lone_package.parents[1]
    with pytest.raises(mta.LibraryError) as missing:
        library._find_library()
    for place in ("$MTA_COMPILER_LIBRARY", "_lib/libMTACompiler.so", "build/*/lib", "utils/"):
        assert place in str(missing.value)
    newer = touch(checkout / "build" / "dev" / "lib" / "libMTACompiler.so", 2000)
    touch(checkout / "build" / "release" / "lib" / "libMTACompiler.so", 1000)
    assert library._find_library() == newer
    packaged = touch(lone_package / "_lib" / "libMTACompiler.so", 1)
    assert library._find_library() == packaged
    named = touch(checkout / "named.so", 1)
    monkeypatch.setenv("MTA_COMPILER_LIBRARY", str(named))
    assert library._find_library() == named


def test_an_installed_package_has_no_build_tree(lone_package):
    (lone_package.parents[1] / "pyproject.toml").unlink()
    touch(lone_package.parents[1] / "build" / "dev" / "lib" / "libMTACompiler.so", 1)
    with pytest.raises(mta.LibraryError):
        library._find_library()


def test_a_wrong_name_is_no_reason_to_take_another_library(lone_package, monkeypatch):
    touch(lone_package / "_lib" / "libMTACompiler.so", 1)
    monkeypatch.setenv("MTA_COMPILER_LIBRARY", "/no/such/library.so")
    with pytest.raises(mta.LibraryError, match="expects a file, but got '/no/such/library.so'"):
        library._find_library()


def run_python(code: str, path: Path) -> subprocess.CompletedProcess:
    """Runs code in a new process with $MTA_COMPILER_LIBRARY set."""
    environment = {**os.environ, "MTA_COMPILER_LIBRARY": str(path)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True,
                          text=True, timeout=60)


def test_importing_and_the_definition_need_no_library(tmp_path):
    code = ("import mta, numpy as np; x = np.ones((1, 1, 2, 2), np.float32); "
            "print(mta.compile(mta.Attention(1, 2), 'numpy')(x, x, x).sum())")
    result = run_python(code, tmp_path / "absent.so")
    assert (result.returncode, result.stdout) == (0, "4.0\n"), result.stderr


def test_a_file_that_is_no_library(tmp_path):
    path = tmp_path / "text.so"
    path.write_text("text")
    code = ("import mta\ntry: mta.compile(mta.Attention(1, 2))\n"
            "except mta.LibraryError as error: print(error)")
    result = run_python(code, path)
    assert result.stdout.startswith(f"{path}: expects the MTA compiler library, but got: ")
