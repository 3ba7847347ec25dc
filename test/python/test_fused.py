# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The fused GPU kernels in the PTX emulator against the definition."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import mta
from attention_cases import random_arguments, relative_error
from conftest import REPOSITORY
from mta import check, compiler, emission, goldens
from mta.program import KeyQueryConv, Softmax

FUSED = {"fused": 1}

BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))

#: Programs with heads, as fields of `mta.Attention`, for every way in which heads share a
#: workgroup and a sweep.
PROGRAMS = {
    "plain": {"heads": 2},
    "pre-conv": {"heads": 1, "pre_conv": (6, 11)},
    "pre-conv-1x1": {"heads": 3, "pre_conv": (1, 1)},
    "pre-conv-7x13": {"heads": 1, "pre_conv": (7, 13)},
    "pre-conv-left": {"heads": 2, "pre_conv": (4, 8), "pad": "left"},
    "pre-conv-right": {"heads": 2, "pre_conv": (4, 8), "pad": "right"},
    "post-conv": {"heads": 2, "kv_heads": 1, "post_conv": (3, 5)},
    "own-mix": {"heads": 3, "pre_mix": 1, "post_mix": 1},
    "mix-2": {"heads": 4, "kv_heads": 2, "pre_conv": (2, 3), "post_mix": 2},
    "mix-3": {"heads": 6, "pre_mix": 3},
    "mix-4": {"heads": 4, "kv_heads": 1, "pre_mix": 4, "post_conv": (2, 5)},
    "mix-16": {"heads": 16, "kv_heads": 4, "post_mix": 16},
    "pre-mix-5": {"heads": 10, "kv_heads": 2, "pre_mix": 5, "log_sum_exp": True},
    "mixes-of-6": {"heads": 12, "pre_mix": 6, "post_mix": 3, "log_sum_exp": True},
    "mix-7": {"heads": 7, "pre_conv": (2, 3), "pre_mix": 7, "post_conv": (3, 5)},
    "conv-and-mix-12": {"heads": 12, "pre_conv": (3, 5), "post_mix": 12, "log_sum_exp": True},
    "post-conv-8": {"heads": 8, "post_conv": (6, 11), "post_mix": 8},
    "long-window-8": {"heads": 8, "pre_conv": (20, 3), "pre_mix": 8},
    "grouped-conv-8": {"heads": 8, "score_program": (
        KeyQueryConv("before", 2, 3, group=8), Softmax())},
    "talking-heads-16": {"heads": 16, "pre_mix": 16, "post_mix": 16},
    "v2-16": {"heads": 16, "pre_conv": (6, 11), "pre_mix": 16, "post_conv": (6, 11),
              "post_mix": 16, "log_sum_exp": True},
    "mix-2-and-3": {"heads": 6, "pre_mix": 2, "post_mix": 3},
    "grouped-conv": {"heads": 4, "score_program": (
        KeyQueryConv("before", 3, 5, group=2), Softmax(), KeyQueryConv("after", 2, 3, group=2))},
    "four-convs": {"heads": 1, "score_program": (
        KeyQueryConv("first", 2, 3), KeyQueryConv("second", 3, 4, padding="right"), Softmax(),
        KeyQueryConv("third", 2, 5), KeyQueryConv("fourth", 2, 2, padding="left"))},
    "v2": {"heads": 2, "pre_conv": (6, 11), "pre_mix": True, "post_conv": (6, 11),
           "post_mix": True, "norm": True, "gate": "scalar"},
}


def fused_error(attention, queries, keys, *, scale=1.0, options=None, batch=1, seed=0):
    """The relative error of the output; log-sum-exps have to agree where there is one."""
    arguments = random_arguments(attention, queries, keys, batch, seed)
    arguments["q"] = (scale * arguments["q"].astype(np.float32)).astype(attention.numpy_dtype)
    output = mta.compile(attention, "ptx", options={**FUSED, **(options or {})})(**arguments)
    expected = mta.compile(attention, "numpy")(**arguments)
    if attention.log_sum_exp:
        np.testing.assert_allclose(output[1], expected[1], rtol=2e-3, atol=2e-2)
        output, expected = output[0], expected[0]
    return relative_error(output, expected)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_goldens(golden_path, dtype):
    golden = goldens.load(golden_path)
    attention = mta.Attention.from_golden(golden, dtype)
    arguments = {name: golden[name].astype(attention.numpy_dtype) for name in ("q", "k", "v")}
    arguments |= attention.weights_from_golden(golden)
    expected = mta.compile(attention, "numpy")(**arguments)
    output = mta.compile(attention, "ptx", options=FUSED)(**arguments)
    assert relative_error(output, expected) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_programs(program, dtype):
    attention = mta.Attention(head_dim=16, dtype=dtype, **PROGRAMS[program])
    assert fused_error(attention, 65, 65) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("program", ["pre-conv", "post-conv", "own-mix", "four-convs", "mix-2",
                                     "pre-mix-5", "mix-7", "v2-16"])
@pytest.mark.parametrize("queries, keys, causal", [
    (20, 40, True), (40, 20, True), (20, 40, False), (40, 20, False), (150, 10, True),
    (5, 0, True), (5, 0, False)])
def test_queries_and_keys_of_different_number(program, queries, keys, causal):
    attention = mta.Attention(**{"head_dim": 8, "dtype": "bf16", "causal": causal,
                                 **PROGRAMS[program], "log_sum_exp": True})
    assert fused_error(attention, queries, keys) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("length", [1, 3, 63, 64, 122, 123, 124, 250])
@pytest.mark.parametrize("program", ["pre-conv", "post-conv"])
def test_lengths_around_the_edges_of_tiles(program, length):
    attention = mta.Attention(head_dim=16, dtype="bf16", **PROGRAMS[program])
    assert fused_error(attention, length, length) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("head_dim, value_dim", [(8, 8), (24, 40), (40, 24), (64, 8), (128, 128),
                                                 (256, 256), (200, 64)])
def test_head_dimensions(head_dim, value_dim):
    attention = mta.Attention(heads=2, head_dim=head_dim, value_dim=value_dim, pre_conv=(2, 3),
                              dtype="bf16")
    assert fused_error(attention, 70, 70, batch=2) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("length", [1, 15, 16, 17, 33])
@pytest.mark.parametrize("program", ["talking-heads-16", "v2-16"])
def test_lengths_around_the_edges_of_tiles_of_many_heads(program, length):
    attention = mta.Attention(head_dim=16, dtype="f16", **PROGRAMS[program])
    assert fused_error(attention, length, length) <= check.TOLERANCES["f16"]


@pytest.mark.parametrize("head_dim, value_dim", [(8, 40), (24, 8), (72, 104), (128, 128),
                                                 (256, 64)])
@pytest.mark.parametrize("program", ["talking-heads-16", "v2-16", "pre-mix-5"])
def test_head_dimensions_of_many_heads(program, head_dim, value_dim):
    attention = mta.Attention(head_dim=head_dim, value_dim=value_dim, dtype="bf16",
                              **PROGRAMS[program])
    assert fused_error(attention, 40, 40) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "post-conv", "mix-2", "v2-16"])
def test_a_suffix_of_the_queries(program):
    attention = mta.Attention(head_dim=16, dtype="bf16", query_halo=10, **PROGRAMS[program])
    assert fused_error(attention, 140, 150) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_large_logits(dtype):
    attention = mta.Attention(heads=1, head_dim=16, pre_conv=(2, 3), log_sum_exp=True, dtype=dtype)
    assert fused_error(attention, 70, 70, scale=300) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_large_logits_of_many_heads(dtype):
    attention = mta.Attention(heads=16, head_dim=16, pre_conv=(2, 3), pre_mix=16, dtype=dtype)
    assert fused_error(attention, 40, 40, scale=10) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("program", ["pre-conv", "post-conv", "mix-2", "talking-heads-16",
                                     "v2-16", "pre-mix-5"])
def test_when_copies_land_and_the_order_of_warps_change_nothing(program):
    attention = mta.Attention(head_dim=16, dtype="bf16", **PROGRAMS[program])
    arguments = random_arguments(attention, 130, 130)
    outputs = set()
    for lazy in (0, 1):
        for seed in (0, 7, 12):
            options = {**FUSED, "lazy_copies": lazy, "seed": seed, "threads": 1 + seed % 2}
            output = mta.compile(attention, "ptx", options=options)(**arguments)
            parts = output if isinstance(output, tuple) else (output,)
            outputs.add(b"".join(part.tobytes() for part in parts))
    assert len(outputs) == 1


@pytest.mark.parametrize("program", ["pre-conv", "v2"])
def test_editing_later_tokens_leaves_earlier_rows_bit_identical(program):
    attention = mta.Attention(head_dim=16, dtype="bf16", **PROGRAMS[program])
    run = mta.compile(attention, "ptx", options=FUSED)
    arguments = random_arguments(attention, 70, 70)
    before = run(**arguments)
    for t in (1, 63, 64, 69):
        edited = {name: x.copy() for name, x in arguments.items()}
        for name in ("q", "k", "v"):
            edited[name][:, :, t:] = 50
        after = run(**edited)
        assert after[:, :, :t].tobytes() == before[:, :, :t].tobytes()
        assert not np.array_equal(after[:, :, t:], before[:, :, t:])


@pytest.mark.parametrize("fields, message", [
    ({"dtype": "f32"}, "expects f16 or bf16 operands for tensor cores, but got 'f32'"),
    ({"head_dim": 12}, "expects static head dimensions that are multiples of 8"),
    ({"head_dim": 264}, "expects static head dimensions .* at most 256"),
    ({"variable_length": True}, "expects no sequence boundaries for tensor cores"),
    ({"heads": 18, "post_mix": 18}, "expects groups of at most 16 heads on a GPU, but got 18"),
    ({"pre_conv": (1, 141)}, "expects windows that read at most 64 keys"),
    ({"pre_conv": (65, 1), "post_mix": 2},
     "expects windows of at most 64 queries in all, but got 65"),
])
def test_what_is_not_supported_is_an_error(fields, message):
    attention = mta.Attention(**{"heads": 2, "head_dim": 16, "dtype": "bf16", **fields})
    with pytest.raises(mta.CompileError) as caught:
        mta.compile(attention, "ptx", options=FUSED)
    assert re.search(message, caught.value.diagnostics)


def counters(attention, queries, keys, threads, folder, grid=1):
    """What the emulator counts of `grid` workgroups."""
    signature = attention.signature(1, queries, keys)
    module = compiler.Module.parse(emission.module_text(attention, signature, "attention"))
    module.run_pipeline("builtin.module(mta-gpu)")
    shared = re.search(r"dynamic_shared_memory_size %c(\d+)_i32", str(module)).group(1)
    (folder / "kernel.ptx").write_text(module.to_ptx("sm_80"))
    arguments = random_arguments(attention, queries, keys)
    for name, array in arguments.items():
        np.save(folder / f"{name}.npy", array.view(np.uint16))
    output = f"out:o.npy:u16:1x{attention.heads}x{queries}x{attention.head_dim}"
    subprocess.run(
        [BUILD / "bin" / "mta-ptx-run", "kernel.ptx", "--quiet", "--grid", str(grid),
         "--block", str(threads), "--shared", shared, "--counters", "counters.json", "--args",
         *(f"in:{name}.npy" for name in arguments), output], cwd=folder, check=True)
    return json.loads((folder / "counters.json").read_text())["total"]


def test_work_and_bank_conflicts_of_pre_conv(tmp_path):
    """One workgroup of 8 warps and exactly 3 tiles of 64 keys: 184, and the 8 that results trail.

    A product is 16 x 8 x 16; a warp has 16 rows of a tile: 64/8 · 128/16 for q·k, 64/8 · 6 · 2
    for the convolution, whose bands are 24 deep, 128/8 · 64/16 for p·v.
    """
    attention = mta.Attention(heads=1, head_dim=128, pre_conv=(6, 11), causal=False, dtype="bf16")
    total = counters(attention, 123, 184, 256, tmp_path)
    assert total["matrix_operations"] == 8 * 3 * (64 + 96 + 64)
    assert total["shared_bank_conflicts"] < 0.05 * total["shared_wavefronts"]


def test_work_and_bank_conflicts_of_talking_heads(tmp_path):
    """One workgroup of 16 warps, with 16 rows of 16 heads and 2 tiles of 32 keys.

    Of a tile, a warp has one head with 32/8 · 64/16 products for q·k and 64/8 · 32/16 for p·v,
    and one row with 32/8 for a mix. Statistics take q·k and the first mix.
    """
    attention = mta.Attention(heads=16, head_dim=64, pre_mix=16, post_mix=16, causal=False,
                              dtype="bf16")
    total = counters(attention, 16, 64, 512, tmp_path)
    assert total["matrix_operations"] == 16 * 2 * ((16 + 4) + (16 + 4 + 4 + 16))
    assert total["shared_bank_conflicts"] == 0


def test_work_and_bank_conflicts_of_v2(tmp_path):
    """Two workgroups with 32 rows, of which 16 are stored, and 4 tiles of 16 keys.

    Results trail by 8 keys after the first convolution and by 16 after the second, so that
    statistics take 3 tiles for 40 keys and weights 4. A convolution has products 16 and 8 deep.
    """
    attention = mta.Attention(heads=16, head_dim=64, pre_conv=(6, 11), pre_mix=16,
                              post_conv=(6, 11), post_mix=16, causal=False, dtype="bf16")
    total = counters(attention, 32, 40, 512, tmp_path, grid=2)
    scores = 2 * 2 * 64 // 16 + 2 * 2 * 6 * 2 + 2 * 2
    weights = scores + 2 * 6 * 2 + 2 + 64 // 8
    assert total["matrix_operations"] == 2 * 16 * (3 * scores + 4 * weights)
    assert total["shared_bank_conflicts"] == 0


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="needs ptxas")
@pytest.mark.parametrize("chip", ["sm_80", "sm_90a"])
@pytest.mark.parametrize("dtype", ["bf16", "f16"])
@pytest.mark.parametrize("preset, head_dim", [
    ("talking-heads", 64), ("talking-heads", 96), ("talking-heads", 128), ("v2", 64), ("v2", 96)])
def test_16_heads_stay_in_registers(preset, head_dim, dtype, chip, tmp_path):
    attention = mta.Attention.preset(preset, heads=16, head_dim=head_dim, dtype=dtype)
    module = compiler.Module.parse(attention.to_mlir(1, 1024, 1024))
    module.run_pipeline(f"builtin.module(mta-gpu{{chip={chip}}})")
    (tmp_path / "kernel.ptx").write_text(module.to_ptx(chip))
    result = subprocess.run(
        ["ptxas", "-v", "--gpu-name", chip, "kernel.ptx", "-o", "kernel.cubin"], cwd=tmp_path,
        check=True, capture_output=True, text=True)
    spills = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", result.stderr)
    assert spills and set(spills) == {("0", "0")}
