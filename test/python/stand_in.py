# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Processes in which CUDA's driver is the stand-in of test/Driver, which has emulated GPUs."""

import contextlib
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))
FOLDER = BUILD / "stand-in"


def require() -> None:
    """Skips the module that calls it where the driver or cuda-bindings is missing.

    A build that has the driver's sources has the driver.
    """
    pytest.importorskip("cuda.bindings", reason="needs cuda-bindings: utils/setup.sh")
    if not (FOLDER / "libcuda.so.1").exists():
        built = (REPOSITORY / "test" / "Driver" / "CMakeLists.txt").exists()
        assert not built, f"expects {FOLDER}/libcuda.so.1, which the build makes"
        pytest.skip("needs the stand-in driver of test/Driver", allow_module_level=True)


def environment(**variables: str) -> dict[str, str]:
    """The variables of a process that finds the driver; `variables` are the driver's own."""
    paths = [str(FOLDER), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(paths), **variables}


def run(*command: str, **variables: str) -> subprocess.CompletedProcess:
    """Runs Python with a command line."""
    return subprocess.run([sys.executable, *command], env=environment(**variables), text=True,
                          capture_output=True, timeout=300, check=False)


@contextlib.contextmanager
def process(**variables: str):
    """A function that calls a function of a module there and returns its result or raises."""
    context = multiprocessing.get_context("spawn")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(**variables).items():
            patch.setenv(name, value)
        # The loader reads its path once, when a process starts.
        pool = ProcessPoolExecutor(1, mp_context=context)
        pool.submit(os.getpid).result()
    with pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()
