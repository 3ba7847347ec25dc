# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Fused kernels that begin the scores of the next tile of keys before they finish this one's."""

import re
import shutil
import subprocess

import pytest

import mta
from mta import check, compiler
from test_fused import MANY_HEADS, PROGRAMS, fused_error
from test_fused_work import emulate

#: Heads that share a workgroup; of 3 heads there are no warps for other shapes.
FEW_HEADS = [name for name in PROGRAMS if name not in MANY_HEADS]
#: What shares 6 heads is a kernel of many heads but in f32.
IN_16_BITS = [name for name in FEW_HEADS
              if name not in ("mix-2-and-3", "mix-and-grouped-conv-6")]
WGMMA = {"chip": "sm_90a", "products": "wgmma", "rows": 64, "key_tile": 32}


@pytest.mark.parametrize("lazy", [0, 1])
@pytest.mark.parametrize("queries, keys", [(1, 1), (3, 150), (97, 97)])
@pytest.mark.parametrize("program, dtype, options", [
    *((name, "f16", {"chip": "sm_80"}) for name in IN_16_BITS),
    *((name, "f16", WGMMA) for name in IN_16_BITS),
    *((name, "f32", {"chip": "sm_80"}) for name in FEW_HEADS)])
def test_programs(program, dtype, options, queries, keys, lazy):
    """No result may depend on when copies arrive and products end."""
    attention = mta.Attention(head_dim=16, dtype=dtype, **PROGRAMS[program])
    options = {"scores": "f32" if dtype == "f32" else "f16x2", **options, "ahead": 1,
               "lazy_copies": lazy}
    assert fused_error(attention, queries, keys, options=options) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("length", [1, 31, 32, 33, 56, 57, 58, 59, 60, 122, 200])
@pytest.mark.parametrize("program", ["pre-conv", "post-conv"])
def test_lengths_around_the_edges_of_tiles(program, length):
    attention = mta.Attention(head_dim=16, dtype="bf16", **PROGRAMS[program])
    options = {**WGMMA, "ahead": 1}
    assert fused_error(attention, length, length, options=options) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("queries, keys, causal", [
    (20, 40, True), (40, 20, True), (40, 20, False), (150, 10, True), (5, 0, True), (5, 0, False)])
@pytest.mark.parametrize("program", ["plain", "pre-conv", "four-convs", "mix-2"])
def test_queries_and_keys_of_different_number(program, queries, keys, causal):
    """Tiles of queries without keys begin nothing."""
    attention = mta.Attention(head_dim=8, dtype="bf16", causal=causal, log_sum_exp=True,
                              **PROGRAMS[program])
    options = {"ahead": 1}
    assert fused_error(attention, queries, keys, options=options) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("program", ["plain", "pre-conv", "post-conv", "mix-2"])
def test_sequences(program, causal):
    attention = mta.Attention(head_dim=16, dtype="bf16", variable_length=True, causal=causal,
                              **PROGRAMS[program])
    error = fused_error(attention, 165, 175, options={"ahead": 1, "rows": 32, "key_tile": 32},
                        boundaries=([0, 3, 3, 135, 165], [0, 30, 40, 173, 175]))
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("query", ["registers", "workgroup"])
@pytest.mark.parametrize("schedule", [
    {"rows": 128, "key_tile": 48, "warps": 8}, {"rows": 128, "key_tile": 32, "warps": 4},
    {"rows": 64, "key_tile": 96, "warps": 4}, {"rows": 256, "key_tile": 16, "warps": 4}])
def test_schedules_of_wgmma(schedule, query):
    attention = mta.Attention(head_dim=48, dtype="bf16", **PROGRAMS["pre-conv"])
    options = {"chip": "sm_90a", "products": "wgmma", "ahead": 1, "query": query, **schedule}
    assert fused_error(attention, 301, 301, options=options) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("chip", ["sm_80", "sm_90a"])
@pytest.mark.parametrize("window, saved", [({"pre_conv": (6, 11)}, 1), ({"post_conv": (6, 11)}, 0)])
def test_threads_meet_once_less(window, saved, chip, tmp_path):
    """Two tiles more make the difference of two launches; products are the same ones."""
    attention = mta.Attention(heads=1, head_dim=64, causal=False, dtype="bf16", **window)

    def count(ahead, tiles):
        options = f"rows=64 key-tile=32 warps=4 stages=2 ahead={ahead}"
        counters = emulate(attention, 50, 32 * tiles - 24, options, tmp_path, chip)
        return (counters["classes"]["barrier"]["warp_instructions"] // 4,
                counters["total"]["multiply_adds"], counters["total"]["global_bytes_read"])

    before, after = ([(more - less) // 2 for less, more in zip(count(ahead, 3), count(ahead, 5))]
                     for ahead in (0, 1))
    sweeps = 1 if "pre_conv" in window else 2
    assert before[0] == sweeps + 1
    assert after[0] == before[0] - saved
    assert after[1:] == before[1:]


@pytest.mark.skipif(not shutil.which("ptxas"), reason="needs ptxas")
@pytest.mark.parametrize("head_dim", [64, 96, 128])
@pytest.mark.parametrize("program", ["plain", "pre-conv"])
def test_assemblers_leave_products_under_way(program, head_dim, tmp_path):
    """ptxas makes products wait, with a warning, where it cannot tell what registers they use."""
    attention = mta.Attention(**{**PROGRAMS[program], "heads": 16}, head_dim=head_dim,
                              dtype="bf16")
    module = compiler.Module.parse(attention.to_mlir(4, 4096, 4096))
    module.run_pipeline("builtin.module(mta-gpu{chip=sm_90a products=wgmma ahead=1 rows=128 "
                        "warps=8 key-tile=48})")
    (tmp_path / "kernel.ptx").write_text(module.to_ptx("sm_90a"))
    run = subprocess.run(["ptxas", "-v", "-arch=sm_90a", "kernel.ptx", "-o", "kernel.cubin"],
                         cwd=tmp_path, check=True, capture_output=True, text=True)
    assert re.search(r" 0 bytes spill stores", run.stderr)
    assert "wgmma" not in run.stderr
    assert "serialized" not in run.stderr
