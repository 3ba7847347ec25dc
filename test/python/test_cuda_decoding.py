# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Decoding with target "cuda" on an emulated GPU: which kernels are compiled and launched.

Tests whose name begins with `on_gpu` are called in a process of their own.
"""

import contextlib
import re

import numpy as np
import pytest

import mta
import stand_in
from attention_cases import attention_of, random_arguments, relative_error
from mta import check
from test_cuda_runtime import driver_calls

stand_in.require()

#: Multiprocessors of the GPU that the emulated one is taken for.
PROCESSORS = 132


@pytest.fixture(scope="module")
def gpu(tmp_path_factory):
    """Calls a function in a process with one GPU of sm_90, whose driver writes a log."""
    folder = tmp_path_factory.mktemp("driver")
    log = folder / "log.txt"
    log.touch()
    with stand_in.process(MTA_DRIVER_LOG=str(log), MTA_CACHE_DIR=str(folder / "cache")) as call:
        yield call


@contextlib.contextmanager
def launches():
    """A list that has afterwards the modules that were loaded and the grids meanwhile."""
    lines = []
    with driver_calls() as calls:
        yield lines
    for line in calls:
        if line.startswith("cuModuleLoad"):
            lines.append("load")
        if match := re.search(r"^cuLaunchKernel .*grid=(\d+),(\d+),(\d+)", line):
            lines.append(tuple(map(int, match.groups())))


def error_of(run, program, arguments):
    """That of a call, and what was launched for it."""
    with launches() as lines:
        output = run(**arguments)
    expected = mta.compile(program, "numpy")(**arguments)
    return relative_error(output, expected), lines


def on_gpu_sizes(name, fields, sizes, options=None, fixed=None):
    program = attention_of(name, "bf16", **{"heads": 2, "head_dim": 16, **fields})
    run = mta.compile(program, "cuda", options=options, **(fixed or {}))
    return [error_of(run, program, random_arguments(program, *each)) for each in sizes]


def grids_of(lines):
    return [line for line in lines if line != "load"]


@pytest.mark.parametrize("name, heads, halo, keys, kernels", [
    ("pre-conv", 8, 0, 2000, 2), ("v1", 16, 5, 2000, 3), ("v2", 16, 10, 4000, 3)])
def test_a_token_fills_the_chip(gpu, name, heads, halo, keys, kernels):
    """One row is a workgroup for the heads that are mixed, 1, 2 or 16, if keys are not split."""
    fields = {"heads": heads, "query_halo": halo}
    [(error, lines)] = gpu(on_gpu_sizes, name, fields, [(1 + halo, keys)])
    assert error <= check.TOLERANCES["bf16"]
    grids = grids_of(lines)
    assert len(grids) == kernels
    for grid in grids[:-1]:
        assert np.prod(grid) >= 0.9 * PROCESSORS


def test_many_queries_are_not_split(gpu):
    """More than 128 rows have one kernel, the one that there is from the beginning."""
    (_, few), (error, many), (_, again) = gpu(
        on_gpu_sizes, "v2", {"query_halo": 10}, [(11, 150), (139, 150), (140, 10)])
    assert error <= check.TOLERANCES["bf16"]
    assert len(grids_of(few)) == 3
    assert len(grids_of(many)) == len(grids_of(again)) == 1
    assert many.count("load") == 1 and again.count("load") == 0


def test_kernels_are_right_for_all_sizes(gpu):
    """Sizes of every expectation, at its bounds."""
    sizes = [(1, 1), (1, 256, 2), (2, 257, 2), (16, 16, 3), (17, 400), (128, 20), (129, 129)]
    results = gpu(on_gpu_sizes, "v1", {}, sizes)
    assert max(error for error, _ in results) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("options", [{"key_splits": 1}, {"key_splits": 3}, {"expected_keys": 512}],
                         ids=str)
def test_the_callers_choice_stays(gpu, options):
    results = gpu(on_gpu_sizes, "pre-conv", {}, [(1, 300), (20, 300), (200, 300)], options)
    assert max(error for error, _ in results) <= check.TOLERANCES["bf16"]
    assert [lines.count("load") for _, lines in results] == [1, 0, 0]
    splits = options.get("key_splits", 1)
    assert [grids_of(lines)[0][0] % splits for _, lines in results] == [0] * 3
    assert {len(grids_of(lines)) for _, lines in results} == {1 if splits == 1 else 2}


def test_sizes_that_are_fixed_are_not_expected(gpu):
    """Of two calls with other batches each has kernels; nothing else is open."""
    results = gpu(on_gpu_sizes, "v2", {}, [(1, 300, 1), (1, 300, 3)], None,
                  {"queries": 1, "keys": 300})
    assert max(error for error, _ in results) <= check.TOLERANCES["bf16"]
    assert [lines.count("load") for _, lines in results] == [1, 1]
    from mta.cuda.expectation import expected_sizes
    program = attention_of("pre-conv", "bf16")
    for fixed, names in (({}, {"queries", "keys", "batch"}), ({"batch": 1}, {"queries", "keys"}),
                         ({"queries": 1, "batch": 1}, {"keys"}), ({"keys": 300}, {"queries", "batch"})):
        sizes = expected_sizes(program, program.signature(**fixed), {}, (1, 2, 1, 16), 300)
        assert {name.removeprefix("expected_") for name in sizes} == names


@pytest.mark.parametrize("rows, keys, batch, expected", [
    (1, 1, 1, (6, 256, 1)), (2, 256, 2, (21, 256, 2)), (16, 257, 3, (21, 512, 4)),
    (17, 4096, 64, (133, 4096, 64)), (128, 10**6, 10**3, (133, 65536, 128)), (129, 4096, 1, ())])
def test_what_is_expected(rows, keys, batch, expected):
    """A row of the halo is a query, and no row."""
    from mta.cuda.expectation import expected_sizes
    program = attention_of("pre-conv", "bf16", query_halo=5)
    sizes = expected_sizes(program, program.signature(), {"rows": 0, "key_splits": 0},
                           (batch, 2, 5 + rows, 16), keys)
    assert tuple(sizes.values()) == expected


def on_gpu_layer(prompt, tokens):
    """A layer of `mta.torch` that decodes; its tensors are on the host, its kernels on the GPU."""
    import torch

    import mta.torch
    from mta.torch import operator

    def compile_for_gpu(attention, target):
        assert target == "cpu"
        return mta.compile(attention, "cuda")

    torch.manual_seed(0)
    layer = mta.torch.MultiTokenAttention(
        32, 2, pre_conv=(6, 11), pre_mix=True, post_conv=(6, 11), post_mix=True, norm=True,
        gate="scalar", dtype=torch.bfloat16)
    x = torch.randn(1, prompt + tokens, 32, dtype=torch.bfloat16)
    cuts = [0, prompt, *range(prompt + 1, prompt + tokens + 1)]
    original, operator.compile = operator.compile, compile_for_gpu
    operator._compiled.cache_clear()
    try:
        with torch.no_grad(), launches() as lines:
            state = layer.new_state()
            parts = [layer(x[:, begin:end], state) for begin, end in zip(cuts, cuts[1:])]
    finally:
        operator.compile = original
        operator._compiled.cache_clear()
    with torch.no_grad():
        expected = layer(x)
    output = torch.cat(parts, dim=1)
    return lines, relative_error(output.double().numpy(), expected.double().numpy())


@pytest.mark.parametrize("prompt, loads", [(240, 3), (20, 2)])
def test_a_decode_compiles_little(gpu, prompt, loads):
    """The prompt's kernels, those of one token, and those of one with more than 256 keys."""
    pytest.importorskip("torch", reason="needs PyTorch: MTA_TORCH=1 utils/setup.sh")
    lines, error = gpu(on_gpu_layer, prompt, 40)
    assert lines.count("load") == loads
    # Two heads that are mixed are one workgroup; there are splits, and the kernel after them.
    grids = grids_of(lines)[-120:]
    assert len(grids) == 120
    assert all(grid[0] > 1 for grid in grids[::3] + grids[1::3])
    assert error <= 2 * check.TOLERANCES["bf16"]


def on_gpu_outputs_with_gaps(name, fields, sizes):
    """Which of the results in a padded output are right, and which of its gaps stay."""
    from mta.cuda import DeviceArray
    program = attention_of(name, "bf16", **{"head_dim": 16, **fields})
    arguments = random_arguments(program, *sizes)
    run = mta.compile(program, "cuda")
    placed = {name: DeviceArray.from_numpy(x) for name, x in arguments.items()}
    rows = sizes[0] - program.query_halo
    shape = (sizes[2], program.heads, rows, 16)
    # Tokens, their heads, of which the first belongs to others, and rows of which half are read.
    memory = np.full((sizes[2], rows + 3, program.heads + 1, 32), 7, program.numpy_dtype)
    poisoned = DeviceArray.from_numpy(memory)
    out = _Strided(poisoned, shape, [memory.strides[dim] for dim in (0, 2, 1, 3)],
                   memory.strides[2])
    with launches() as lines:
        assert run(**placed, out=out) is out
    after = poisoned.to_numpy()
    result = after[:, :rows, 1:, :16].transpose(0, 2, 1, 3).copy()
    after[:, :rows, 1:, :16] = 7
    expected = run(**placed).to_numpy()
    return grids_of(lines), result.tobytes() == expected.tobytes(), bool((after == 7).all())


class _Strided:
    """An array somewhere in another one, with a `__cuda_array_interface__`."""

    def __init__(self, array, shape, strides, offset):
        self.array = array
        self.__cuda_array_interface__ = {
            **array.__cuda_array_interface__, "shape": shape, "strides": tuple(strides),
            "data": (array.address + offset, False)}


@pytest.mark.parametrize("name, fields, sizes, kernels", [
    ("pre-conv", {"heads": 8}, (1, 1000, 1), 2), ("v2", {"heads": 2}, (1, 500, 2), 3),
    ("v2", {"heads": 16, "query_halo": 10}, (15, 300, 2), 3),
    ("v1", {"heads": 4}, (40, 600, 1), 3)])
def test_outputs_with_gaps_are_written_where_they_are(gpu, name, fields, sizes, kernels):
    """By the kernel that combines the splits, a workgroup for rows of a head: none copies them."""
    grids, is_right, gaps_stay = gpu(on_gpu_outputs_with_gaps, name, fields, sizes)
    assert len(grids) == kernels
    assert grids[-1][1:] == (fields["heads"], sizes[2])
    assert is_right and gaps_stay
