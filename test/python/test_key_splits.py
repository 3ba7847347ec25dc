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
#: A warp for every head, of which some groups have fewer than there are warps: statistics of rows
#: or of heads, windows before the softmax, after it, on both sides and nowhere, and an output.
MANY_HEADS = {
    "pre-mix-8": {"heads": 16, "kv_heads": 4, "pre_mix": 8},
    "pre-conv-and-mix-5": {"heads": 10, "kv_heads": 2, "pre_conv": (3, 5), "pre_mix": 5},
    "mix-and-pre-conv-6": {"heads": 6, "score_program": (
        HeadMix("mix", 6), KeyQueryConv("conv", 2, 20, padding="left"), Softmax())},
    "mixes-and-pre-conv-8": {"heads": 8, "score_program": (
        HeadMix("first", 8), KeyQueryConv("conv", 2, 3), HeadMix("last", 8), Softmax())},
    "talking-heads-16": {"heads": 16, "pre_mix": 16, "post_mix": 16, "norm": True},
    "post-conv-and-mix-7": {"heads": 14, "kv_heads": 7, "post_conv": (3, 5), "post_mix": 7},
    "pre-conv-and-post-mix-12": {"heads": 12, "pre_conv": (3, 9), "post_mix": 12},
    "v2-16": {"heads": 16, "pre_conv": (6, 11), "pre_mix": 16, "post_conv": (6, 11),
              "post_mix": 16, "norm": True, "gate": "scalar"},
}


def attention_of(program, **fields):
    known = (PROGRAMS | MANY_HEADS)[program]
    return mta.Attention(**{"head_dim": 16, "dtype": "bf16", **known, **fields})


def split_error(program, queries, keys, splits, *, options=None, scale=1.0, boundaries=None,
                **fields):
    """Of the output; log-sum-exps have to agree. Two f16 numbers hold a score."""
    attention = attention_of(program, log_sum_exp=True, variable_length=bool(boundaries),
                             **fields)
    usual = {"scores": "f32" if attention.dtype == "f32" else "f16x2"}
    if program == "v2-16":
        # What others have no room for.
        usual |= {"chip": "sm_90a", "key_tile": 16}
    return fused_error(attention, queries, keys, scale=scale, boundaries=boundaries,
                       options={"key_splits": splits, **usual, **(options or {})})


@pytest.mark.parametrize("queries, keys, dtype", [
    (1, 200, "f32"), (3, 517, "bf16"), (16, 330, "bf16")])
@pytest.mark.parametrize("program", PROGRAMS)
def test_few_queries(program, queries, keys, dtype):
    assert split_error(program, queries, keys, 3, dtype=dtype) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("queries, keys, dtype", [(1, 100, "bf16"), (3, 59, "f16"),
                                                  (18, 130, "bf16")])
@pytest.mark.parametrize("program", MANY_HEADS)
def test_few_queries_of_many_heads(program, queries, keys, dtype):
    assert split_error(program, queries, keys, 3, dtype=dtype) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("keys", [1, 3, 15, 16, 17, 31, 33])
@pytest.mark.parametrize("program", ["pre-conv-and-mix-5", "v2-16"])
def test_keys_around_the_edges_of_tiles_of_many_heads(program, keys):
    """Of 7 splits, most of which have no keys."""
    error = split_error(program, 3, keys, 7, options={"key_tile": 16})
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("splits", [2, 5, 6, 9, 40])
@pytest.mark.parametrize("program, key_tile", [
    ("mix-and-pre-conv-6", 32), ("post-conv-and-mix-7", 16), ("v2-16", 16), ("v2-16", 32)])
def test_splits_of_many_heads(program, key_tile, splits):
    """Of up to 10 tiles; the windows of v2 read 32 keys, of two tiles of 16 or one of 32."""
    options = {"key_tile": key_tile, "scores": "f16"}
    error = split_error(program, 2, 130, splits, options=options)
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("splits", [2, 5, 6, 7, 9, 64])
@pytest.mark.parametrize("program, key_tile", [("two-convs", 16), ("two-convs", 32), ("v1", 32)])
def test_splits(program, key_tile, splits):
    """Of 15 tiles of 32 keys, of which the last has 2: fewer, as many, and many more splits.

    Two windows read 24 keys before a result, of two tiles of 16 or one of 32.
    """
    error = split_error(program, 3, 450, splits, dtype="f32",
                        options={"rows": 32, "key_tile": key_tile})
    assert error <= check.TOLERANCES["f32"]


@pytest.mark.parametrize("program", ["pre-conv", "v1", "v2-16"])
@pytest.mark.parametrize("queries, keys, causal", [
    (300, 300, True), (40, 20, True), (20, 40, False), (150, 10, True), (5, 0, True), (5, 0, False),
    (1, 1, True), (7, 64, True), (7, 65, False)])
def test_queries_and_keys_of_any_number(program, queries, keys, causal):
    options = {"rows": 32, "key_tile": 32}
    if program == "v2-16":
        # Half of the tile and a third of the length.
        options["key_tile"] = 16
        queries, keys = -(-queries // 3), -(-keys // 3)
    error = split_error(program, queries, keys, 4, causal=causal, options=options)
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "v1", "pre-conv-and-mix-5", "v2-16"])
@pytest.mark.parametrize("sequences", SEQUENCES)
def test_sequences(program, sequences):
    cuts = SEQUENCES[sequences]
    error = split_error(program, cuts[0][-1], cuts[1][-1], 3, boundaries=cuts)
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "output", "v2", "mix-and-pre-conv-6", "v2-16"])
@pytest.mark.parametrize("new", [1, 4])
def test_a_suffix_of_the_queries(program, new):
    """The state of a decoder: keys, values, and the last queries that windows read."""
    halo = 10 if program.startswith("v2") else 5
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


@pytest.mark.parametrize("program, scale", [("pre-conv", 300), ("v1", 300), ("pre-mix-8", 10)])
def test_large_logits(program, scale):
    """Splits whose weights all vanish beside another's."""
    fields = {"norm": False, "layer": None} if program == "v1" else {}
    assert split_error(program, 3, 300, 5, scale=scale, **fields) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("head_dim, value_dim", [(8, 8), (24, 40), (128, 128), (256, 200)])
@pytest.mark.parametrize("program, keys", [("pre-conv", 300), ("v2-16", 100)])
def test_head_dimensions(program, keys, head_dim, value_dim):
    fields = {"norm": False, "gate": None} if program == "v2-16" else {}
    error = split_error(program, 3, keys, 11, head_dim=head_dim, value_dim=value_dim, **fields)
    assert error <= check.TOLERANCES["bf16"]


def test_goldens(golden_path):
    golden = goldens.load(golden_path)
    attention = mta.Attention.from_golden(golden, "bf16")
    arguments = golden_arguments(golden, attention)
    expected = mta.compile(attention, "numpy")(**arguments)
    output = mta.compile(attention, "ptx", options={"key_splits": 3})(**arguments)
    assert check.measure(output, expected).relative <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program, keys", [("pre-conv", 300), ("v1", 300),
                                           ("pre-conv-and-mix-5", 100), ("v2-16", 100)])
def test_the_order_of_workgroups_and_copies_changes_nothing(program, keys):
    attention = attention_of(program, log_sum_exp=True)
    arguments = random_arguments(attention, 16, keys)
    results = {
        tuple(x.tobytes() for x in mta.compile(attention, "ptx", options={
            "key_splits": 4, "lazy_copies": lazy, "seed": seed, "threads": 1 + seed % 2})(
                **arguments))
        for lazy in (0, 1) for seed in (0, 7, 12)}
    assert len(results) == 1


@pytest.mark.parametrize("program, keys, key_tile", [("pre-conv", 300, 32), ("v2-16", 100, 16)])
def test_a_row_does_not_depend_on_what_it_may_not_read(program, keys, key_tile):
    """Bit by bit: keys after a row, in its own split and in later ones."""
    attention = attention_of(program)
    run = mta.compile(attention, "ptx", options={"key_splits": 4, "key_tile": key_tile})
    arguments = random_arguments(attention, 16, keys)
    before = run(**arguments)
    for row in (0, 7, 15):
        edited = {name: x.copy() for name, x in arguments.items()}
        for name in ("k", "v"):
            edited[name][:, :, keys - 16 + row + 1:] = 50
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


@pytest.mark.parametrize("window, key_tile, warm_up, trailing", [
    (None, 32, (0, 0), (0, 0)), ((6, 11), 16, (1, 2), (8, 16))])
def test_work_of_splits_of_many_heads(window, key_tile, warm_up, trailing, tmp_path):
    """Statistics, outputs, their sum: with 16 heads, of which each has a warp.

    In a tile before its own a split has all products but those with values. Results trail by
    `trailing` columns in the two sweeps, which is a tile more with windows. A warp reads 16 bits of
    its keys, and in the second sweep of its values, whether they exist or not, and of its queries
    if they are not in registers. All statistics are read by every split.
    """
    splits, keys, dim = 4, 12 * key_tile - 4, 64
    attention = mta.Attention(heads=16, head_dim=dim, pre_conv=window, pre_mix=16,
                              post_conv=window, post_mix=16, dtype="bf16")
    arguments = random_arguments(attention, 1, keys)
    query = "global" if window else "registers"
    total = {}
    for count in (1, splits):
        options = {"key_splits": count, "key_tile": key_tile, "scores": "f16", "query": query}
        compiled = mta.compile(attention, "ptx", options=options)
        folder = tmp_path / str(count)
        folder.mkdir()
        total[count] = [k["total"] for k in run_kernels(compiled, arguments, folder)]
    (one,), (statistics, outputs, last) = total.values()
    rows = 32 if window else 16
    pieces = key_tile // 8
    conv = pieces * 6 * 2 if window else 0
    # Convolutions of what the softmax reads have all rows, those after it 16.
    scores = rows // 16 * (pieces * dim // 16 + conv + pieces)
    # Weights of bf16 values behind a convolution and a mix are two numbers.
    values = (2 if window else 1) * dim // 8 * key_tile // 16
    weights = scores + conv + pieces + values
    tiles = [-(-(keys + columns) // key_tile) for columns in trailing]
    assert one["matrix_operations"] == 16 * (tiles[0] * scores + tiles[1] * weights)
    again = [(splits - 1) * count for count in warm_up]
    assert statistics["matrix_operations"] == 16 * (tiles[0] + again[0]) * scores
    with_values = tiles[1] * weights + again[1] * (weights - values)
    assert outputs["matrix_operations"] == 16 * with_values
    # Of a tile.
    operand = 16 * key_tile * dim * 2
    products = operand + (16 * rows * dim * 2 if window else 0)
    weights_bytes = one["global_bytes_read"] - sum(tiles) * products - tiles[1] * operand
    assert statistics["global_bytes_written"] == 2 * splits * 16 * rows * 4
    read_again = (tiles[1] + again[1]) * products + tiles[1] * operand
    if window:
        # Half of the weights are those before the softmax.
        assert statistics["global_bytes_read"] == (
            (tiles[0] + again[0]) * products + splits * weights_bytes // 2)
        assert outputs["global_bytes_read"] == (
            read_again + splits * (weights_bytes + 2 * splits * 16 * rows * 4))
    partials = splits * 16 * dim * 4
    assert outputs["global_bytes_written"] == partials
    assert last["global_bytes_read"] == partials
    assert last["global_bytes_written"] == one["global_bytes_written"] == 16 * dim * 2
    for kernel in (statistics, outputs, last):
        assert kernel["shared_bank_conflicts"] == 0


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


def test_expected_sizes_choose_splits_of_sizes_that_vary():
    """As the same sizes do where they are known; the kernels take others as well."""
    attention = mta.Attention(heads=16, head_dim=64, dtype="bf16", pre_mix=16)
    known = mta.compile(attention, "ptx", batch=1, queries=1, keys=4096)
    options = {"expected_queries": 1, "expected_keys": 4096}
    varying = mta.compile(attention, "ptx", batch=1, options=options)
    functions = [run.contract.function("attention") for run in (known, varying)]
    (main, _), (_, last) = (function.kernels for function in functions)
    sizes = functions[1].bind({name: x.shape for name, x in random_arguments(
        attention, 1, 4096).items()})
    assert functions[1].kernels[0].grid_of(sizes) == main.grid_of({})
    assert last.grid_of(sizes)[0] > 1
    arguments = random_arguments(attention, 40, 70)
    expected = mta.compile(attention, "numpy")(**arguments)
    assert check.measure(varying(**arguments), expected).relative <= check.TOLERANCES["bf16"]
