# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The work of fused GPU kernels: what the emulator counts, the model predicts, ptxas spills."""

import itertools
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import mta
from attention_cases import random_arguments
from conftest import REPOSITORY
from mta import compiler, emission
from test_fused import CHIPS

BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))


def emulate(attention, queries, keys, options, folder, chip="sm_80", blocks=1, boundaries=()):
    """The kernel's counters; queries are those of `blocks` workgroups."""
    text = emission.module_text(attention, attention.signature(1, queries, keys), "attention")
    module = compiler.Module.parse(text)
    module.run_pipeline(f"builtin.module(mta-gpu{{chip={chip} key-splits=1 {options}}})")
    shared = re.search(r"dynamic_shared_memory_size %c(\d+)_i32", str(module)).group(1)
    block = re.search(r"threads in \(%c(\d+)", str(module)).group(1)
    (folder / "kernel.ptx").write_text(module.to_ptx(chip))
    arrays = random_arguments(attention, queries, keys)
    bits = np.dtype(np.uint32 if attention.dtype == "f32" else np.uint16)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.view(bits))
    words = [f"in:{name}.npy" for name in arrays]
    for name, cuts in zip(("query_boundaries", "key_boundaries"), boundaries):
        np.save(folder / f"{name}.npy", np.array(cuts, np.int32))
        words += [f"in:{name}.npy", f"i32:{len(cuts)}"]
    subprocess.run(
        [BUILD / "bin" / "mta-ptx-run", "kernel.ptx", "--quiet", "--grid", str(blocks),
         "--block", block, "--shared", shared, "--counters", "counters.json", "--args", *words,
         f"out:o.npy:u{8 * bits.itemsize}:1x{attention.heads}x{queries}x{attention.head_dim}"],
        cwd=folder, check=True)
    return json.loads((folder / "counters.json").read_text())


def predicted_cycles(attention, queries, options, chip):
    """What the table of `explain` says of a tile's cycles on the pipes."""
    text = emission.module_text(attention, attention.signature(1, queries, 500), "attention")
    run = subprocess.run(
        [BUILD / "bin" / "mta-opt",
         f"--mta-choose-kernel-schedule=explain=true chip={chip} key-splits=1 "
         f"{options}"],
        input=text, capture_output=True, text=True, check=True)
    header, row = (line.split() for line in run.stderr.splitlines()[1:3])
    return dict(zip(header, row, strict=True))


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("program, head_dim, rows, key_tile, options, tolerance", [
    ({"heads": 1}, 64, 128, 64, "warps=8", 0.05),
    ({"heads": 1, "pre_conv": (6, 11)}, 64, 128, 64, "warps=8 ahead=0", 0.05),
    ({"heads": 1, "pre_conv": (6, 11)}, 64, 128, 64, "warps=8 ahead=1", 0.05),
    ({"heads": 1, "pre_conv": (6, 11)}, 64, 128, 64, "warps=4", 0.05),
    ({"heads": 1, "pre_conv": (6, 11)}, 128, 192, 48, "warps=12 query=workgroup", 0.08),
    ({"heads": 2, "pre_conv": (6, 11), "post_mix": 2}, 64, 64, 64, "warps=8", 0.08),
    ({"heads": 4, "pre_mix": 4, "post_mix": 4}, 64, 32, 64, "warps=8", 0.08),
])
def test_predicted_work(program, head_dim, rows, key_tile, options, tolerance,
                        tmp_path, chip):
    """Of a tile of keys: two more of them make the difference of two launches.

    Products and passes through the banks are counted exactly; instructions are estimated.
    """
    attention = mta.Attention(head_dim=head_dim, causal=False, dtype="bf16", **program)
    queries = rows - (program.get("pre_conv", (1, 1))[0] - 1) - 1
    options = f"rows={rows} key-tile={key_tile} stages=2 {options}"
    less, more = (emulate(attention, queries, tiles * key_tile - 24, options, tmp_path,
                          chip)
                  for tiles in (3, 5))
    count = {name: (more["total"][name] - less["total"][name]) / 2 for name in more["total"]}
    shuffles = [counters["classes"]["shuffle"]["warp_instructions"] for counters in (less, more)]
    cycles = predicted_cycles(attention, queries, options, chip)
    per_cycle = {"sm_80": 312e3 / 2 / (108 * 1.41), "sm_90a": 989.4e3 / 2 / (132 * 1.83)}[chip]
    parts = {"wgmma": 1, "mma": 1 if chip == "sm_80" else 0.629}
    work = [sum(opcode["multiply_adds"] / parts[name.split(".")[0]]
                for name, opcode in counters["opcodes"].items() if opcode.get("multiply_adds"))
            for counters in (less, more)]
    assert float(cycles["tensor"]) == pytest.approx((work[1] - work[0]) / 2 / per_cycle, abs=1)
    assert float(cycles["shared"]) == pytest.approx(
        count["shared_wavefronts"] + (shuffles[1] - shuffles[0]) / 2, abs=1)
    assert float(cycles["issue"]) == pytest.approx(
        count["warp_instructions"] / 4, rel=tolerance)


@pytest.mark.parametrize("program, head_dim, key_tile, query", [
    ({"heads": 16, "pre_mix": 16, "post_mix": 16}, 64, 32, "registers"),
    ({"heads": 16, "pre_mix": 16, "post_mix": 16}, 128, 16, "global"),
    ({"heads": 16, "pre_mix": 16, "post_mix": 16}, 128, 16, "workgroup"),
    ({"heads": 8, "pre_mix": 8}, 64, 32, "registers"),
    ({"heads": 8, "pre_mix": 8}, 64, 32, "workgroup"),
    ({"heads": 16, "pre_conv": (6, 11), "pre_mix": 16, "post_conv": (6, 11), "post_mix": 16},
     96, 16, "global"),
    ({"heads": 16, "pre_conv": (6, 11), "pre_mix": 16, "post_conv": (6, 11), "post_mix": 16},
     64, 16, "workgroup"),
    ({"heads": 16, "pre_conv": (6, 11), "pre_mix": 16, "post_conv": (6, 11), "post_mix": 16},
     96, 16, "workgroup")], ids=str)
def test_the_model_counts_kernels_of_many_heads(program, head_dim, key_tile, query, tmp_path):
    """As above, in two workgroups: the rows of the first one's halo do not exist.

    What is loaded to registers passes where workgroup memory does, 128 bytes a cycle.
    Of rows of the halo that no result needs, some are stored with others; for what is the same in
    every tile, LLVM finds more to share in 8 warps than in 16.
    """
    attention = mta.Attention(head_dim=head_dim, causal=False, dtype="bf16", **program)
    options = f"key-tile={key_tile} query={query}"
    less, more = (emulate(attention, 32, tiles * key_tile - 24, options, tmp_path, blocks=2)
                  for tiles in (3, 5))
    count = {name: (more["total"][name] - less["total"][name]) / 4 for name in more["total"]}
    shuffles = [counters["classes"]["shuffle"]["warp_instructions"] for counters in (less, more)]
    cycles = predicted_cycles(attention, 32, options, "sm_80")
    assert float(cycles["tensor"]) == pytest.approx(
        count["multiply_adds"] / (312e3 / 2 / (108 * 1.41)), abs=1)
    assert float(cycles["shared"]) == pytest.approx(
        count["shared_wavefronts"] + (shuffles[1] - shuffles[0]) / 4
        + count["global_bytes_read"] / 128, rel=0.01)
    assert float(cycles["issue"]) == pytest.approx(count["warp_instructions"] / 4, rel=0.06)
    assert count["shared_bank_conflicts"] == 0


@pytest.mark.parametrize("chip", CHIPS)
def test_work_and_bank_conflicts_of_pre_conv(tmp_path, chip):
    """One workgroup of 8 warps and exactly 3 tiles of 64 keys: 184, and the 8 that results trail.

    A product is 16 x 8 x 16; a warp has 16 rows of a tile: 64/8 · 128/16 for q·k, 64/8 · 6 · 2
    for the convolution, whose bands are 24 deep, 128/8 · 64/16 for p·v. A warpgroup's product is
    four times 16 rows of all columns: 128/16 and 64/16 of them. Stores
    fill sectors.
    """
    attention = mta.Attention(heads=1, head_dim=128, pre_conv=(6, 11), causal=False, dtype="bf16")
    total = emulate(attention, 123, 184, "rows=128 key-tile=64 warps=8", tmp_path, chip)["total"]
    attended = 8 + 4 if chip == "sm_90a" else 64 + 64
    assert total["matrix_operations"] == 8 * 3 * (96 + attended)
    assert total["multiply_adds"] == 8 * 3 * 16 * 64 * (2 * 128 + 6 * 24)
    assert total["shared_bank_conflicts"] == 0
    assert 32 * total["global_sectors_written"] == total["global_bytes_written"] == 123 * 128 * 2


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("head_dim", [16, 32, 48, 80, 96, 112, 160])
def test_copies_meet_no_bank_conflicts(head_dim, chip, tmp_path):
    """Also of rows that are no multiple of 128 bytes, of which eight threads copy several."""
    attention = mta.Attention(heads=1, head_dim=head_dim, causal=False, dtype="bf16")
    total = emulate(attention, 64, 200, "rows=64 key-tile=64 warps=4 stages=2", tmp_path,
                    chip)["total"]
    assert total["shared_bank_conflicts"] == 0


def test_keys_of_other_sequences_are_skipped(tmp_path):
    """The first workgroup reads keys 0 to 184, 3 tiles, the other one 184 to 368, tiles 2 to 5."""
    attention = mta.Attention(heads=1, head_dim=128, pre_conv=(6, 11), causal=False, dtype="bf16",
                              variable_length=True)
    total = emulate(attention, 246, 368, "rows=128 key-tile=64 warps=8", tmp_path, blocks=2,
                    boundaries=[[0, 123, 246], [0, 184, 368]])["total"]
    assert total["matrix_operations"] == 8 * (3 + 4) * (64 + 96 + 64)


@pytest.mark.parametrize("head_dim", [64, 96, 128])
def test_work_and_bank_conflicts_of_pre_conv_in_f32(head_dim, tmp_path):
    """The same in 6 tiles of 32 keys. A product is 16 x 8 x 8, and there are three for one."""
    attention = mta.Attention(heads=1, head_dim=head_dim, pre_conv=(6, 11), causal=False,
                              dtype="f32")
    total = emulate(attention, 123, 184, "rows=128 key-tile=32 warps=8", tmp_path)["total"]
    assert total["matrix_operations"] == 8 * 6 * 3 * (
        32 // 8 * head_dim // 8 + 32 // 8 * 6 * 3 + head_dim // 8 * 32 // 8)
    assert total["shared_bank_conflicts"] == 0


def test_work_and_bank_conflicts_of_talking_heads(tmp_path):
    """One workgroup of 16 warps, with 16 rows of 16 heads and 2 tiles of 32 keys.

    Of a tile, a warp has one head with 32/8 · 64/16 products for q·k and 64/8 · 32/16 for p·v,
    and one row with 32/8 for a mix. Statistics take q·k and the first mix.
    """
    attention = mta.Attention(heads=16, head_dim=64, pre_mix=16, post_mix=16, causal=False,
                              dtype="bf16")
    total = emulate(attention, 16, 64, "key-tile=32", tmp_path)["total"]
    assert total["matrix_operations"] == 16 * 2 * ((16 + 4) + (16 + 4 + 4 + 16))
    assert total["shared_bank_conflicts"] == 0


@pytest.mark.parametrize("preset, head_dim", [("talking-heads", 128), ("v2", 96)])
def test_queries_of_many_heads_are_read_once(preset, head_dim, tmp_path):
    """Two workgroups: own rows and those of the second one's halo; keys in both sweeps, and values.

    A tenth more is for weights, and for keys beyond the last one, which are those of the last.
    """
    attention = mta.Attention.preset(preset, heads=16, head_dim=head_dim, dtype="bf16",
                                     causal=False, norm=False, gate=None)
    halo = 10 if preset == "v2" else 0
    total = emulate(attention, 32, 240, "key-tile=16 query=workgroup", tmp_path, blocks=2)["total"]
    needed = 2 * 16 * head_dim * (32 + halo + 2 * 3 * 240)
    assert needed <= 32 * total["global_sectors_read"] <= 1.1 * needed
    assert total["shared_bank_conflicts"] == 0


def test_work_and_bank_conflicts_of_v2(tmp_path):
    """Two workgroups with 32 rows, of which 16 are stored, and 4 tiles of 16 keys.

    Results trail by 8 keys after the first convolution and by 16 after the second, so that
    statistics take 3 tiles for 40 keys and weights 4. A convolution has products 16 and 8 deep;
    weights of values are two numbers.
    """
    attention = mta.Attention(heads=16, head_dim=64, pre_conv=(6, 11), pre_mix=16,
                              post_conv=(6, 11), post_mix=16, causal=False, dtype="bf16")
    total = emulate(attention, 32, 40, "key-tile=16", tmp_path, blocks=2)["total"]
    scores = 2 * 2 * 64 // 16 + 2 * 2 * 6 * 2 + 2 * 2
    weights = scores + 2 * 6 * 2 + 2 + 2 * 64 // 8
    assert total["matrix_operations"] == 2 * 16 * (3 * scores + 4 * weights)
    assert total["shared_bank_conflicts"] == 0


def count_spilled_bytes(attention, sizes, options, folder):
    """Of all kernels, as the assembler says, with the schedule that is chosen."""
    module = compiler.Module.parse(attention.to_mlir(*sizes))
    module.run_pipeline(f"builtin.module(mta-gpu{{{options}}})")
    chip = re.search("chip=([^ ]+)", options)[1]
    (folder / "kernel.ptx").write_text(module.to_ptx(chip))
    result = subprocess.run(
        ["ptxas", "-v", "--gpu-name", chip, "kernel.ptx", "-o", "kernel.cubin"], cwd=folder,
        check=True, capture_output=True, text=True)
    spills = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", result.stderr)
    assert spills
    return sum(int(stored) + int(loaded) for stored, loaded in spills)


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="needs ptxas")
@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("sizes", [(), (1, 1, 4096), (4, 1000, 1000), (4, 4096, 4096)],
                         ids=["open", "one-query", "1000", "4096"])
@pytest.mark.parametrize("preset", ["talking-heads", "v2"])
def test_16_heads_stay_in_registers(preset, sizes, chip, tmp_path):
    """Of 16 warps, with 128 registers for a thread; one query has the three kernels of splits."""
    def spilled(case):
        head_dim, dtype = case
        attention = mta.Attention.preset(preset, heads=16, head_dim=head_dim, dtype=dtype)
        folder = tmp_path / f"{head_dim}-{dtype}"
        folder.mkdir()
        return case, count_spilled_bytes(attention, sizes, f"chip={chip}", folder)

    cases = itertools.product((64, 80, 96, 128), ("bf16", "f16"))
    with ThreadPoolExecutor() as pool:
        assert [result for result in pool.map(spilled, cases) if result[1] != 0] == []


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="needs ptxas")
@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("length", [1000, 4096])
@pytest.mark.parametrize("preset", ["pre-conv", "v1"])
@pytest.mark.parametrize("head_dim, dtype", [
    (64, "bf16"), (80, "bf16"), (96, "bf16"), (128, "bf16"), (80, "f16"), (128, "f16")])
def test_few_heads_stay_in_registers(preset, head_dim, dtype, length, chip, tmp_path):
    """Of 4, 8 and 12 warps, with 255 and 168 registers for a thread."""
    attention = mta.Attention.preset(preset, heads=16, head_dim=head_dim, dtype=dtype)
    assert count_spilled_bytes(attention, (4, length, length), f"chip={chip}", tmp_path) == 0
