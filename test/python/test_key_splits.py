# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Keys that are split over workgroups and combined: few queries, as in decoding."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import mta
from attention_cases import random_arguments
from conftest import REPOSITORY
from mta import check, goldens
from mta.program import HeadMix, KeyQueryConv, Softmax
from test_fused import SEQUENCES, fused_error, golden_arguments

BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))

#: Programs of one sweep over the keys, and of two.
ONE_SWEEP = {
    "plain": {"heads": 2, "kv_heads": 1},
    "pre-conv": {"heads": 2, "pre_conv": (6, 11)},
    "left": {"heads": 1, "pre_conv": (4, 8), "pad": "left"},
    "right": {"heads": 1, "pre_conv": (4, 8), "pad": "right"},
    "one-key": {"heads": 1, "pre_conv": (3, 1)},
    "mix": {"heads": 4, "kv_heads": 2, "pre_conv": (2, 3), "pre_mix": 2},
    "two-convs": {"heads": 1, "score_program": (
        KeyQueryConv("first", 2, 3), KeyQueryConv("second", 3, 4, padding="right"), Softmax())},
    "output": {"heads": 2, "pre_conv": (2, 3), "norm": True, "layer": 3, "gate": "scalar"},
    "vector-gate": {"heads": 2, "pre_conv": (2, 3), "norm": True, "gate": "vector"},
}
TWO_SWEEPS = {
    "post-conv": {"heads": 2, "kv_heads": 1, "post_conv": (3, 5)},
    "v1": {"heads": 2, "pre_conv": (6, 11), "post_mix": 2, "norm": True, "layer": 5},
    "v2": {"heads": 2, "pre_conv": (6, 11), "pre_mix": True, "post_conv": (6, 11),
           "post_mix": True, "norm": True, "gate": "scalar"},
    "four-convs": {"heads": 1, "score_program": (
        KeyQueryConv("first", 2, 3), KeyQueryConv("second", 3, 4, padding="right"), Softmax(),
        KeyQueryConv("third", 2, 5), KeyQueryConv("fourth", 2, 2, padding="left"))},
    "mixes": {"heads": 4, "score_program": (HeadMix("first", 2), Softmax(), HeadMix("last", 4))},
}
PROGRAMS = ONE_SWEEP | TWO_SWEEPS


def attention_of(program, **fields):
    return mta.Attention(**{"head_dim": 16, "dtype": "bf16", **PROGRAMS[program], **fields})


def split_error(program, queries, keys, splits, *, options=None, scale=1.0, boundaries=None,
                **fields):
    """Of the output; log-sum-exps have to agree. Two f16 numbers hold a score."""
    attention = attention_of(program, log_sum_exp=True, variable_length=bool(boundaries),
                             **fields)
    scores = "f32" if attention.dtype == "f32" else "f16x2"
    return fused_error(attention, queries, keys, scale=scale, boundaries=boundaries,
                       options={"key_splits": splits, "scores": scores, **(options or {})})


@pytest.mark.parametrize("queries, keys, dtype", [
    (1, 200, "f32"), (3, 517, "bf16"), (16, 330, "bf16")])
@pytest.mark.parametrize("program", PROGRAMS)
def test_few_queries(program, queries, keys, dtype):
    assert split_error(program, queries, keys, 3, dtype=dtype) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("splits", [2, 5, 6, 7, 9, 64])
@pytest.mark.parametrize("program, key_tile", [("two-convs", 16), ("two-convs", 32), ("v1", 32)])
def test_splits(program, key_tile, splits):
    """Of 15 tiles of 32 keys, of which the last has 2: fewer, as many, and many more splits.

    Two windows read 24 keys before a result, of two tiles of 16 or one of 32.
    """
    error = split_error(program, 3, 450, splits, dtype="f32",
                        options={"rows": 32, "key_tile": key_tile})
    assert error <= check.TOLERANCES["f32"]


@pytest.mark.parametrize("program", ["pre-conv", "v1"])
@pytest.mark.parametrize("queries, keys, causal", [
    (300, 300, True), (40, 20, True), (20, 40, False), (150, 10, True), (5, 0, True), (5, 0, False),
    (1, 1, True), (7, 64, True), (7, 65, False)])
def test_queries_and_keys_of_any_number(program, queries, keys, causal):
    error = split_error(program, queries, keys, 4, causal=causal,
                        options={"rows": 32, "key_tile": 32})
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "v1"])
@pytest.mark.parametrize("sequences", SEQUENCES)
def test_sequences(program, sequences):
    cuts = SEQUENCES[sequences]
    error = split_error(program, cuts[0][-1], cuts[1][-1], 3, boundaries=cuts)
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "output", "v2"])
@pytest.mark.parametrize("new", [1, 4])
def test_a_suffix_of_the_queries(program, new):
    """The state of a decoder: keys, values, and the last queries that windows read."""
    halo = 10 if program == "v2" else 5
    error = split_error(program, halo + new, 300, 5, query_halo=halo)
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["plain", "pre-conv", "vector-gate", "v1"])
@pytest.mark.parametrize("dtype", ["f16", "f32"])
def test_other_types(program, dtype):
    assert split_error(program, 3, 300, 3, dtype=dtype) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("program", ["pre-conv", "v1"])
@pytest.mark.parametrize("schedule", [
    {"rows": 32, "key_tile": 48, "warps": 2, "stages": 1},
    {"rows": 64, "key_tile": 32, "warps": 4, "query": "workgroup"},
    {"rows": 64, "key_tile": 64, "warps": 4, "chip": "sm_90a", "products": "wgmma"},
    {"rows": 64, "key_tile": 64, "warps": 4, "stages": 1, "chip": "sm_90a", "products": "wgmma"},
    {"rows": 32, "key_tile": 32, "warps": 2, "scores": "f16"},
], ids=str)
def test_schedules(program, schedule):
    heads = attention_of(program).heads if program == "v1" else 1
    options = {**schedule, "warps": heads * schedule["warps"]}
    for lazy in (0, 1):
        error = split_error(program, 12, 333, 3, options={**options, "lazy_copies": lazy})
        assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "v1"])
def test_large_logits(program):
    """Splits whose weights all vanish beside another's."""
    fields = {"norm": False, "layer": None} if program == "v1" else {}
    assert split_error(program, 3, 300, 5, scale=300, **fields) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("head_dim, value_dim", [(8, 8), (24, 40), (128, 128), (256, 200)])
def test_head_dimensions(head_dim, value_dim):
    error = split_error("pre-conv", 3, 300, 11, head_dim=head_dim, value_dim=value_dim)
    assert error <= check.TOLERANCES["bf16"]


def test_goldens(golden_path):
    golden = goldens.load(golden_path)
    attention = mta.Attention.from_golden(golden, "bf16")
    arguments = golden_arguments(golden, attention)
    if golden_path.stem == "full_830m_shape":
        with pytest.raises(mta.CompileError, match="one split of the keys"):
            mta.compile(attention, "ptx", options={"key_splits": 3})
        return
    expected = mta.compile(attention, "numpy")(**arguments)
    output = mta.compile(attention, "ptx", options={"key_splits": 3})(**arguments)
    assert check.measure(output, expected).relative <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "v1"])
def test_the_order_of_workgroups_and_copies_changes_nothing(program):
    attention = attention_of(program, log_sum_exp=True)
    arguments = random_arguments(attention, 16, 300)
    results = {
        tuple(x.tobytes() for x in mta.compile(attention, "ptx", options={
            "key_splits": 4, "lazy_copies": lazy, "seed": seed, "threads": 1 + seed % 2})(
                **arguments))
        for lazy in (0, 1) for seed in (0, 7, 12)}
    assert len(results) == 1


def test_a_row_does_not_depend_on_what_it_may_not_read():
    """Bit by bit: keys after a row, in its own split and in later ones."""
    attention = attention_of("pre-conv")
    run = mta.compile(attention, "ptx", options={"key_splits": 4, "key_tile": 32})
    arguments = random_arguments(attention, 16, 300)
    before = run(**arguments)
    for row in (0, 7, 15):
        edited = {name: x.copy() for name, x in arguments.items()}
        for name in ("k", "v"):
            edited[name][:, :, 300 - 16 + row + 1:] = 50
        after = run(**edited)
        assert after[:, :, :row + 1].tobytes() == before[:, :, :row + 1].tobytes()


@pytest.mark.parametrize("program, kernels", [("pre-conv", 2), ("v1", 3)])
def test_the_contract_names_kernels_and_workspaces(program, kernels):
    attention = attention_of(program, query_halo=5)
    options = {"key_splits": 4, "rows": 32}
    function = mta.compile(attention, "ptx", options=options).contract.function("attention")
    assert len(function.kernels) == kernels
    outputs, statistics = function.of_kind("workspace")
    sizes = function.bind({
        "q": (3, 2, 21, 16), "k": (3, 2, 50, 16), "v": (3, 2, 50, 16),
        **attention.weight_shapes})
    assert outputs.type == statistics.type == "f32"
    assert outputs.shape_of(sizes) == (12, 2, 16, 16)
    # With two sweeps, of all 32 rows of the only tile.
    assert statistics.shape_of(sizes) == (24, 2, 16 if kernels == 2 else 32)
    assert not outputs.must_be_zero and not statistics.must_be_zero
    assert function.kernels[0].grid_of(sizes)[0] == 4
    # Rows of all heads and batches, 16 for a warp.
    assert function.kernels[-1].grid_of(sizes) == (3 * 2 * 16 // 16, 1, 1)


def run_kernels(compiled, arguments, folder, *options):
    """The counters of every kernel; one reads what those before have written."""
    function = compiled.contract.function("attention")
    sizes = function.bind({name: x.shape for name, x in arguments.items()})
    buffers = {buffer.name: buffer for buffer in function.buffers}
    (folder / "kernel.ptx").write_text(compiled.ptx, encoding="utf-8")
    for name, array in arguments.items():
        np.save(folder / f"{name}.npy", array.view(np.uint16))
    counters = []
    for kernel in function.kernels:
        words = []
        for parameter in kernel.parameters:
            if parameter.buffer is None:
                words.append(f"{parameter.type}:{mta.contract.evaluate(parameter.value, sizes)}")
                continue
            path = folder / f"{parameter.buffer}.npy"
            buffer = buffers[parameter.buffer]
            shape = "x".join(map(str, buffer.shape_of(sizes)))
            element = {"bf16": "u16"}.get(buffer.type, buffer.type)
            words.append(f"in:{path}" if path.exists() else f"out:{path}:{element}:{shape}")
        subprocess.run(
            [BUILD / "bin" / "mta-ptx-run", folder / "kernel.ptx", "--entry", kernel.entry,
             "--quiet", "--grid", ",".join(map(str, kernel.grid_of(sizes))),
             "--block", ",".join(map(str, kernel.block)),
             "--shared", str(kernel.dynamic_workgroup_bytes),
             "--counters", folder / "counters.json", *options, "--args", *words], check=True)
        counters.append(json.loads((folder / "counters.json").read_text(encoding="utf-8")))
    return counters


@pytest.mark.parametrize("program, key_tile, warm_up, band_products", [
    ("plain", 32, 0, 0), ("pre-conv", 32, 1, 6 * 2), ("two-convs", 32, 1, 2 * 2 + 3 * 1),
    ("two-convs", 16, 2, 2 * 2 + 3 * 1)])
def test_work_of_splits(program, key_tile, warm_up, band_products, tmp_path):
    """Of tiles before its own, which all splits have but the first, a split computes scores alone.

    It reads no values there and multiplies none. The rest is that of one workgroup for all keys,
    but for queries and weights, which each of them reads. A convolution has `band_products` for 8
    columns of a strip.
    """
    attention = attention_of(program, heads=1, kv_heads=1, head_dim=64)
    arguments = random_arguments(attention, 16, 492)
    total = {}
    for splits in (1, 4):
        options = {"key_splits": splits, "rows": 32, "key_tile": key_tile, "warps": 2}
        compiled = mta.compile(attention, "ptx", batch=1, queries=16, keys=492, options=options)
        folder = tmp_path / str(splits)
        folder.mkdir()
        total[splits] = [k["total"] for k in run_kernels(compiled, arguments, folder)]
    (one,), (main, last) = total.values()
    keys_and_values = 2 * 492 * 64 * 2
    others = one["global_bytes_read"] - keys_and_values
    keys_again = 3 * warm_up * key_tile * 64 * 2
    assert main["global_bytes_read"] == keys_and_values + keys_again + 4 * others
    products_again = 3 * warm_up * 2 * key_tile // 8 * (64 // 16 + band_products)
    assert main["matrix_operations"] == one["matrix_operations"] + products_again
    partials = 4 * 16 * (64 + 2) * 4
    assert main["global_bytes_written"] == partials
    # Four lanes hold a row.
    assert last["global_bytes_read"] == partials + 4 * 16 * 2 * 3 * 4
    assert last["global_bytes_written"] == one["global_bytes_written"] == 16 * 64 * 2
    assert last["shared_bank_conflicts"] == 0


@pytest.mark.parametrize("queries, expected", [(1, True), (16, True), (2048, False), (None, False)])
def test_a_chip_that_few_queries_do_not_fill_gets_splits(queries, expected):
    """16 heads for 108 multiprocessors; unless it is known how many queries there are."""
    attention = mta.Attention(heads=16, head_dim=64, dtype="bf16", pre_conv=(6, 11))
    compiled = mta.compile(attention, "ptx", batch=1, queries=queries, keys=4096)
    kernels = compiled.contract.function("attention").kernels
    assert len(kernels) == (2 if expected else 1)
    if expected:
        workgroups = 16 * int(kernels[0].grid[0])
        resident = 164 * 1024 // (kernels[0].dynamic_workgroup_bytes + 1024)
        assert 108 <= workgroups <= 108 * resident
