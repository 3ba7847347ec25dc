# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The GPU benchmark without a GPU: what it checks, on an emulated device, and what it says."""

import ctypes
import json
import subprocess
import sys
import types

import numpy as np
import pytest

from conftest import REPOSITORY
from mta import compiler
from mta.dtypes import numpy_dtype

FOLDER = REPOSITORY / "benchmarks" / "gpu"


class EmulatedDevice:
    """What `driver.Device` is to the benchmark, in the memory of this process."""

    def __init__(self):
        self._allocated = []

    @staticmethod
    def describe():
        return {"gpu": "emulated", "driver": 0, "capability": "9.0", "multiprocessors": 1}

    def allocate(self, count):
        memory = np.full(max(count, 1) + 256, 0xff, np.uint8)
        self._allocated.append(memory)
        return memory.ctypes.data + -memory.ctypes.data % 256

    def upload(self, array):
        address = self.allocate(array.nbytes)
        ctypes.memmove(address, array.ctypes.data, array.nbytes)
        return address

    @staticmethod
    def download(address, shape, dtype):
        array = np.empty(shape, dtype)
        ctypes.memmove(array.ctypes.data, address, array.nbytes)
        return array

    def free_all(self):
        self._allocated.clear()

    def synchronize(self):
        """Nothing is under way."""


class EmulatedKernels:
    """What `driver.Kernels` is: a PTX text, launched by its contract."""

    def __init__(self, ptx, function):
        self.function = function
        self._run = compiler.Launcher(ptx, function, compiler.Device())

    @staticmethod
    def resources():
        return []

    def launcher(self, addresses, sizes):
        def copy_of(buffer):
            return EmulatedDevice.download(addresses[buffer.name], buffer.shape_of(sizes),
                                           numpy_dtype(buffer.type))

        def launch():
            outputs = self._run(*map(copy_of, self.function.of_kind("input")))
            for buffer, output in zip(self.function.of_kind("output"), outputs):
                ctypes.memmove(addresses[buffer.name], output.ctypes.data, output.nbytes)
        return launch


@pytest.fixture(name="kernels", scope="module")
def build_kernels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    subprocess.run([sys.executable, FOLDER / "build.py", "--chip", "sm_90a", "--output", folder,
                    "--programs", "plain", "--head-dims", "64"], check=True)
    return folder


@pytest.fixture(name="benchmark")
def import_benchmark(monkeypatch):
    """`run`, with a driver of emulated kernels and small sizes."""
    driver = types.SimpleNamespace(Device=EmulatedDevice, Kernels=EmulatedKernels,
                                   DriverError=RuntimeError)
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("run", "report", "configurations"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "driver", driver)
    import run
    monkeypatch.setattr(run, "CHECKED", (1, 20))
    yield run
    for name in ("run", "report", "configurations"):
        sys.modules.pop(name, None)


def call(run, monkeypatch, kernels, output):
    monkeypatch.setattr(sys, "argv", ["run.py", str(kernels), "--check-only", "--output",
                                      str(output)])
    code = run.main()
    result, = output.glob("gpu-*.json")
    return code, json.loads(result.read_text(encoding="utf-8"))


def test_right_kernels_pass(benchmark, kernels, monkeypatch, tmp_path):
    code, result = call(benchmark, monkeypatch, kernels, tmp_path)
    assert code == 0
    assert [(c["length"], c["factor"]) for c in result["checks"]] == [
        (1, 1), (1, 8), (20, 1), (20, 8)]
    assert all(c["passed"] for c in result["checks"])


def test_a_wrong_kernel_is_found(benchmark, kernels, monkeypatch, tmp_path, capsys):
    arguments = benchmark._arguments

    def other_arguments(attention, batch, length, seed):
        arrays = arguments(attention, batch, length, seed)
        # Of these the reference sees what the kernel does not.
        arrays["v"] = arrays["v"].view(type("Late", (np.ndarray,), {
            "astype": lambda self, dtype: np.asarray(self).astype(dtype) * 1.1}))
        return arrays

    monkeypatch.setattr(benchmark, "_arguments", other_arguments)
    code, result = call(benchmark, monkeypatch, kernels, tmp_path)
    assert code == 1
    assert not any(c["passed"] for c in result["checks"])
    assert "WRONG: plain-d64-bf16-h16 N=1" in capsys.readouterr().err


def test_without_kernels_nothing_is_run(benchmark, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["run.py", str(tmp_path / "none")])
    assert benchmark.main() == 2
    assert "manifest.json" in capsys.readouterr().err
