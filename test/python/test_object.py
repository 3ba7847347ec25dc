# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`mta-translate --mta-to-object` and `--mta-to-shared-library`, called from C and from ctypes."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import mta
from attention_cases import attention_of, random_arguments, relative_error
from conftest import GOLDEN_FOLDER, REPOSITORY
from mta import check, goldens, reference

BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))
TRANSLATE = BUILD / "bin" / "mta-translate"
LLVM_PROGRAMS = Path("/usr/lib/llvm-22/bin")
CALL = REPOSITORY / "test" / "Integration" / "Object" / "Inputs" / "call.c"
BAD_SIZE, NULL_POINTER = -1, -2

#: Golden, element type, and whether its sizes are static.
CASES = [
    ("pre_conv_6x11", "f32", True),
    ("full_830m_shape", "f32", False),
    ("full_vector_gate", "bf16", False),
    ("pre_conv_post_mix_groups_of_2", "f16", True),
    ("grouped_query_pre_conv", "f64", False),
]


def output_of(*command) -> str:
    """What a command that succeeds prints."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    assert result.returncode == 0, f"{command}: {result.returncode}: {result.stdout}"
    return result.stdout


def openmp_library() -> str:
    """The libomp that the build found."""
    cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
    return next(line.partition("=")[2] for line in cache.splitlines()
                if line.startswith("MTA_OPENMP_LIBRARY:"))


def translate(folder: Path, text: str, *options) -> None:
    (folder / "kernel.mlir").write_text(text, encoding="utf-8")
    output_of(TRANSLATE, *options, folder / "kernel.mlir")


def shared_function(folder: Path, text: str, *options):
    """The function `attention` of the shared library that a module becomes."""
    translate(folder, text, "--mta-to-shared-library", "-o", folder / "libkernel.so", *options)
    return ctypes.CDLL(str(folder / "libkernel.so")).attention


def call(function, arrays, output, *sizes: int) -> int:
    pointers = [x if x is None else ctypes.c_void_p(x.ctypes.data) for x in (*arrays, output)]
    return function(*pointers, *map(ctypes.c_int64, sizes))


def load_case(name: str, dtype: str, is_static: bool):
    """The module, the arrays, the sizes that C passes, and what is expected."""
    golden = goldens.load(GOLDEN_FOLDER / f"{name}.npz")
    attention = mta.Attention.from_golden(golden, dtype)
    batch, _, queries, _ = golden["q"].shape
    keys = golden["k"].shape[2]
    static = (batch, queries, keys) if is_static else (None, None, None)
    arrays = [golden[n].astype(attention.numpy_dtype) for n in ("q", "k", "v")]
    weights = attention.weights_from_golden(golden)
    inputs = {n: np.ascontiguousarray(w) for n, w in weights.items()}
    expected = golden["o"]
    if dtype in ("f16", "bf16"):
        expected = reference.forward(attention, *arrays, inputs).output
    sizes = () if is_static else (batch, queries, keys)
    return attention.to_mlir(*static), [*arrays, *inputs.values()], sizes, expected


@pytest.mark.parametrize(("name", "dtype", "is_static"), CASES)
def test_c_program_computes_the_golden_s_numbers(name, dtype, is_static, tmp_path):
    text, arrays, sizes, expected = load_case(name, dtype, is_static)
    translate(tmp_path, text, "--mta-to-object", "-o", tmp_path / "kernel.o",
              "--header", tmp_path / "kernel.h")
    element = arrays[0].dtype
    pointers = [f"a[{i}]" for i in range(len(arrays))]
    text = f"attention({', '.join([*pointers, 'out', *map(str, sizes)])})"
    output_of(shutil.which("cc"), "-O2", "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror",
              f"-I{tmp_path}", f"-DKERNEL_CALL={text}", f"-DELEMENT_BYTES={element.itemsize}",
              CALL, tmp_path / "kernel.o", openmp_library(), "-lm", "-o", tmp_path / "call")
    files = []
    for i, array in enumerate(arrays):
        files.append(tmp_path / f"{i}.bin")
        array.tofile(files[-1])
    size = expected.size * element.itemsize
    output_of(tmp_path / "call", tmp_path / "out.bin", size, *files)
    output = np.fromfile(tmp_path / "out.bin", element).reshape(expected.shape)
    assert relative_error(output, expected) < check.TOLERANCES[dtype]


@pytest.mark.parametrize(("case", "options"), zip(CASES, [
    (), ("--no-threads",), ("--cpu", "x86-64"), ("--vector-bits", "128"), ("--linker", "cc")]))
def test_shared_library_computes_the_golden_s_numbers(case, options, tmp_path):
    _, dtype, _ = case
    text, arrays, sizes, expected = load_case(*case)
    function = shared_function(tmp_path, text, *options)
    output = np.full(expected.shape, np.nan, arrays[0].dtype)
    assert call(function, arrays, output, *sizes) == 0
    assert relative_error(output, expected) < check.TOLERANCES[dtype]


def test_results_are_computed_in_place(tmp_path):
    """The function that returns a memref allocates one buffer more; no other has its shape."""
    text = attention_of("pre-conv", "f32", value_dim=5).to_mlir(1, 40, 40)
    translate(tmp_path, text, "--mta-to-object", "--no-threads", "-o", tmp_path / "kernel.o")
    pipeline = "--pass-pipeline=builtin.module(mta-cpu{threads=false})"
    lowered = output_of(BUILD / "bin" / "mta-opt", pipeline, tmp_path / "kernel.mlir")
    relocations = output_of(LLVM_PROGRAMS / "llvm-objdump", "-r", tmp_path / "kernel.o")
    assert relocations.count(" malloc") == lowered.count("call @malloc") - 1


def arguments(attention, batch: int, queries: int, keys: int):
    named = random_arguments(attention, queries, keys, batch)
    shape = (batch, attention.heads, queries, attention.value_dim)
    return list(named.values()), np.full(shape, 7.0, attention.numpy_dtype)


def test_sizes_are_checked_before_anything_is_written(tmp_path):
    attention = attention_of("v2", "f32")
    function = shared_function(tmp_path, attention.to_mlir())
    arrays, output = arguments(attention, 1, 9, 9)
    for sizes in ((-1, 9, 9), (1, -9, 9), (1, 9, -(2**63)), (2**40, 9, 9), (2**62, 0, 0),
                  (2**31, 2**31, 2**31)):
        assert call(function, arrays, output, *sizes) == BAD_SIZE
    for missing in range(len(arrays)):
        some = [None if i == missing else x for i, x in enumerate(arrays)]
        assert call(function, some, output, 1, 9, 9) == NULL_POINTER
    assert call(function, arrays, None, 1, 9, 9) == NULL_POINTER
    assert np.all(output == 7.0)
    assert call(function, arrays, output, 1, 9, 9) == 0


@pytest.mark.parametrize(("batch", "queries", "keys"), [(0, 5, 5), (1, 0, 5), (1, 5, 0), (0, 0, 0)])
@pytest.mark.parametrize("threads", [(), ("--no-threads",)])
def test_no_elements_are_no_error(batch, queries, keys, threads, tmp_path):
    """Rows without a key are zero; empty arrays may be null."""
    attention = attention_of("v1", "f32")
    function = shared_function(tmp_path, attention.to_mlir(), *threads)
    arrays, output = arguments(attention, batch, queries, keys)
    pointers = [x if x.size else None for x in arrays]
    assert call(function, pointers, output if output.size else None, batch, queries, keys) == 0
    assert np.all(output == 0.0)


def test_relations_of_sizes_are_checked(tmp_path):
    attention = attention_of("post-conv", "f32", query_halo=3)
    function = shared_function(tmp_path, attention.to_mlir())
    arrays, output = arguments(attention, 1, 9, 9)
    assert call(function, arrays, output, 1, 2, 9) == BAD_SIZE
    assert np.all(output == 7.0)
    assert call(function, arrays, output[:, :, 3:].copy(), 1, 9, 9) == 0


def test_several_results_and_sequences(tmp_path):
    attention = attention_of("pre-conv", "f32", log_sum_exp=True, variable_length=True)
    function = shared_function(tmp_path, attention.to_mlir())
    named = random_arguments(attention, 30, 30)
    ends = np.array([0, 11, 11, 30], np.int32)
    expected = mta.compile(attention, "numpy")(**named, query_boundaries=ends, key_boundaries=ends)
    results = [np.empty_like(x) for x in expected]
    signature = attention.signature()
    boundaries = {"query_boundaries": ends, "key_boundaries": ends}
    arrays = [{**named, **boundaries}[name] for name in signature.arguments]
    assert call(function, [*arrays, results[0]], results[1], 1, 30, 30, 4) == 0
    for result, wanted in zip(results, expected):
        assert relative_error(result, wanted) < check.TOLERANCES["f32"]
    assert call(function, [*arrays, results[0]], results[1], 1, 30, 30, 1) == BAD_SIZE
