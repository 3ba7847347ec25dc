# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The cache of compiled kernels: keys, damage, size, processes side by side."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import mta
from attention_cases import random_arguments
from mta import cache, compiler

ATTENTION = mta.Attention(heads=2, head_dim=16, pre_conv=(2, 3), dtype="bf16")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own, which is not there yet."""
    place = tmp_path / "kernels"
    monkeypatch.setenv("MTA_CACHE_DIR", str(place))
    return place


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


class Maker:
    """Makes bytes and counts how often."""

    def __init__(self, data: bytes = b"kernels\nof two lines"):
        self.data = data
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        return self.data


def test_what_is_kept_is_made_once(folder):
    make = Maker()
    assert [cache.cached({"a": 1, "b": 2}, make) for _ in range(3)] == [make.data] * 3
    assert cache.cached({"b": 2, "a": 1}, make) == make.data
    assert make.calls == 1
    assert cache.cached({"a": 1, "b": 3}, make) == make.data
    assert make.calls == 2 and len(entries(folder)) == 2


def test_the_key_has_everything(folder, monkeypatch):
    parts = {"module": "text", "chip": "sm_80"}
    keys = {cache.key_of(parts), cache.key_of({**parts, "chip": "sm_90a"})}
    monkeypatch.setattr(cache, "__version__", "9.9.9")
    keys.add(cache.key_of(parts))
    monkeypatch.setattr(cache, "_compiler", lambda: ["another library", []])
    keys.add(cache.key_of(parts))
    assert len(keys) == 4


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:-1], lambda data: data[:40], lambda data: data + b"x",
    lambda data: data.replace(b"kernels", b"kernelz"), lambda data: b"\xff" * len(data),
    lambda data: data.replace(b"mta-cache-1", b"mta-cache-0")],
    ids=["empty", "cut", "no-payload", "longer", "changed", "rubbish", "other-format"])
def test_a_damaged_entry_is_made_anew(folder, damage):
    make = Maker()
    cache.cached({"a": 1}, make)
    path, = entries(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert cache.cached({"a": 1}, make) == make.data
    assert make.calls == 2
    assert path.read_bytes() == whole


def test_what_fails_is_not_kept(folder):
    def fail():
        raise mta.CompileError("parsing", "error: no")

    with pytest.raises(mta.CompileError):
        cache.cached({"a": 1}, fail)
    assert not folder.exists()


def test_the_entries_unused_for_longest_go(folder, monkeypatch):
    make = Maker(b"x" * 1000)
    for number in range(3):
        cache.cached({"number": number}, make)
        time.sleep(0.02)
    cache.cached({"number": 0}, make)
    monkeypatch.setenv("MTA_CACHE_BYTES", "3400")
    time.sleep(0.02)
    cache.cached({"number": 3}, make)
    assert len(entries(folder)) == 3 and make.calls == 4
    cache.cached({"number": 0}, make)
    assert make.calls == 4
    cache.cached({"number": 1}, make)
    assert make.calls == 5


def test_a_wrong_limit(folder, monkeypatch):
    monkeypatch.setenv("MTA_CACHE_BYTES", "1G")
    with pytest.raises(ValueError, match=r"\$MTA_CACHE_BYTES: expects a number of bytes, but got"):
        cache.cached({"a": 1}, Maker())


def test_where_it_is(monkeypatch):
    monkeypatch.setenv("MTA_CACHE_DIR", "/a/b")
    assert cache.folder() == Path("/a/b")
    monkeypatch.setenv("MTA_CACHE_DIR", "")
    assert cache.folder() is None
    monkeypatch.delenv("MTA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache.folder() == Path("/x/mta")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert cache.folder() == Path("/h/.cache/mta")


def test_turned_off_nothing_is_kept(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTA_CACHE_DIR", "")
    make = Maker()
    assert cache.cached({"a": 1}, make) == cache.cached({"a": 1}, make) == make.data
    assert make.calls == 2 and entries(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MTA_CACHE_DIR", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="expects a cache folder that can be written, but got: "):
        assert cache.cached({"a": 1}, Maker()) == Maker().data


def test_kernels_come_from_it(folder, monkeypatch):
    first = mta.compile(ATTENTION, "ptx")
    assert len(entries(folder)) == 1

    def refuse(*arguments, **options):
        raise AssertionError("expects kernels from the cache")

    monkeypatch.setattr(compiler.Module, "parse", refuse)
    second = mta.compile(ATTENTION, "ptx")
    assert (first.ptx, first.contract_text) == (second.ptx, second.contract_text)
    arguments = random_arguments(ATTENTION, 20, 20)
    assert np.array_equal(first(**arguments), second(**arguments))
    for other in ({"chip": "sm_90a"}, {"key_tile": 32}):
        with pytest.raises(AssertionError, match="expects kernels from the cache"):
            mta.compile(ATTENTION, "ptx", options=other)


def _compile_and_hash(folder: str) -> tuple[str, str]:
    os.environ["MTA_CACHE_DIR"] = folder
    run = mta.compile(ATTENTION, "ptx")
    return run.ptx, run.contract_text


def test_processes_side_by_side(folder):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        results = pool.map(_compile_and_hash, [str(folder)] * 6)
    assert len(set(results)) == 1
    # Whole entries alone: nothing is left of those that came second.
    path, = entries(folder)
    assert path.suffix == ".entry"
    assert cache._read(path) is not None


def test_an_interrupted_write_leaves_nothing(folder, monkeypatch):
    def die(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cache.os, "replace", die)
        cache.cached({"a": 1}, Maker())
    assert entries(folder) == []


def test_what_a_killed_process_left_goes_when_it_is_old(folder):
    make = Maker()
    cache.cached({"a": 1}, make)
    entry, = entries(folder)
    old, young = entry.with_name(".old.tmp"), entry.with_name(".young.tmp")
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    cache.cached({"a": 2}, make)
    assert old not in entries(folder) and young in entries(folder)


RUN = """
import sys, numpy as np, mta
from mta import compiler
if sys.argv[1] == "loads":
    def refuse(*arguments, **options):
        raise SystemExit("expects machine code from the cache")
    compiler.Module.parse = refuse
attention = mta.Attention(heads=2, head_dim=16, pre_conv=(2, 3), dtype="f32")
x = np.arange(2 * 20 * 16, dtype=np.float32).reshape(1, 2, 20, 16) / 100
weight = np.ones(attention.weight_shapes["pre_conv"], np.float32)
run = mta.compile(attention, "cpu", options={"vector_bits": int(sys.argv[2])})
print(run(x, x, x, pre_conv=weight).tobytes().hex())
"""


def run_process(how: str, bits: int = 128) -> subprocess.CompletedProcess:
    """Compiles and runs an attention for this processor in a new process."""
    return subprocess.run([sys.executable, "-c", RUN, how, str(bits)], capture_output=True,
                          text=True, timeout=120)


def test_machine_code_is_there_for_the_next_process(folder):
    first = run_process("compiles")
    assert first.returncode == 0, first.stderr
    assert len(entries(folder)) == 1
    second = run_process("loads")
    assert (second.returncode, second.stdout) == (0, first.stdout), second.stderr
    # Another option is another program.
    other = run_process("loads", bits=256)
    assert other.stderr == "expects machine code from the cache\n"


def test_machine_code_that_was_changed_is_made_anew(folder):
    first = run_process("compiles")
    path, = entries(folder)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes(100))
    assert run_process("loads").stderr == "expects machine code from the cache\n"
    again = run_process("compiles")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr
    assert path.read_bytes() == whole


def test_machine_code_is_for_one_processor(folder, monkeypatch):
    attention = mta.Attention(heads=1, head_dim=8, dtype="f32")
    mta.compile(attention, "cpu")
    monkeypatch.setattr(compiler, "processor", lambda: "another")
    mta.compile(attention, "cpu")
    assert len(entries(folder)) == 2


def test_a_library_without_a_build_id_is_known_by_its_bytes(tmp_path):
    plain, other = tmp_path / "plain.so", tmp_path / "other.so"
    plain.write_bytes(b"library")
    other.write_bytes(b"another")
    assert cache._identity(plain) != cache._identity(other)
    noted = cache._BUILD_ID + bytes(range(20))
    plain.write_bytes(b"ELF" + noted + b"tail")
    assert cache._identity(plain) == bytes(range(20)).hex()
