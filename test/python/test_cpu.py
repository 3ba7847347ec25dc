# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The CPU target: options, reproducible bits, locality over many tiles, memory, compile time."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import mta
import mta.fuzz
import mta.reference
from attention_cases import PROGRAMS, attention_of, random_arguments, relative_error
from conftest import REPOSITORY, needs_pair_products
from mta.presets import PRESET_NAMES

#: Small, so that a short sequence has edges of tiles everywhere.
TILES = {"query_tile": 7, "key_tile": 16}
LENGTH = 75


def test_unknown_options_are_refused():
    attention = attention_of("plain")
    message = "options of target cpu: expects names of query_tile, key_tile, .*, but got 'tile'"
    with pytest.raises(ValueError, match=message):
        mta.compile(attention, "cpu", options={"tile": 4})
    with pytest.raises(ValueError, match="options of target numpy: expects names of none, but"):
        mta.compile(attention, "numpy", options={"query_tile": 4})
    for value in ("4", 4.0, None):
        with pytest.raises(ValueError, match="option query_tile: expects an integer, but got"):
            mta.compile(attention, "cpu", options={"query_tile": value})


@pytest.mark.parametrize("options", [
    {"query_tile": -3}, {"key_tile": 15}, {"key_tile": -16}, {"edge_key_tile": 15},
    {"key_tile": 16, "edge_key_tile": 32}, {"sweeps": 3}, {"sweeps": -1}, {"heads": 3},
    {"heads": -1}, {"vector_bits": 1}, {"vector_bits": -64}, {"pair_cost": -2}])
def test_illegal_schedules_are_refused_with_the_compiler_s_words(options):
    with pytest.raises(mta.CompileError) as caught:
        mta.compile(attention_of("plain"), "cpu", options=options)
    assert caught.value.stage.startswith("pipeline builtin.module(mta-cpu{")
    assert caught.value.diagnostics.startswith("<attention>:")
    assert "expects" in caught.value.diagnostics


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("causal", [True, False])
def test_tiles_and_vectors_change_rounding_only(program, causal):
    attention = attention_of(program, causal=causal)
    arguments = random_arguments(attention, LENGTH, LENGTH)
    expected = mta.compile(attention, "numpy")(**arguments)
    for options in ({}, TILES, {**TILES, "vector_bits": 128}, {"query_tile": 1, "key_tile": 64}):
        run = mta.compile(attention, "cpu", options=options)
        assert relative_error(run(**arguments), expected) < 1e-13


#: Narrow tiles at both ends of the keys, which wide ones between them do not meet.
EDGES = {"query_tile": 5, "key_tile": 32, "edge_key_tile": 16}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("causal", [True, False])
def test_schedules_change_rounding_only(program, causal):
    """More sweeps and heads than a program needs, and a loop for the ends of the keys."""
    attention = attention_of(program, causal=causal)
    arguments = random_arguments(attention, 2 * LENGTH, 2 * LENGTH)
    expected = mta.compile(attention, "numpy")(**arguments)
    for options in (EDGES, {**EDGES, "sweeps": 2, "heads": attention.heads}):
        run = mta.compile(attention, "cpu", options=options)
        assert relative_error(run(**arguments), expected) < 1e-13


@pytest.mark.parametrize("program", ["pre-conv", "two-convs"])
def test_edges_of_sequences_are_cut(program):
    """Beside keys and rows of the sequence before, which a window would read."""
    attention = attention_of(program, causal=False, variable_length=True)
    arguments = random_arguments(attention, 2 * LENGTH, 2 * LENGTH)
    arguments |= {"query_boundaries": (0, 61, 2 * LENGTH), "key_boundaries": (0, 58, 2 * LENGTH)}
    expected = mta.compile(attention, "numpy")(**arguments)
    for options in (EDGES, {**EDGES, "sweeps": 2}):
        run = mta.compile(attention, "cpu", options=options)
        assert relative_error(run(**arguments), expected) < 1e-13


@pytest.mark.parametrize("program", ["plain", "pre-conv", "v2"])
def test_rows_without_keys_are_zero(program):
    """Also in a tile whose other rows read keys."""
    attention = attention_of(program)
    arguments = random_arguments(attention, 40, 33)
    expected = mta.compile(attention, "numpy")(**arguments)
    for options in (EDGES, {**TILES, "sweeps": 2}):
        output = mta.compile(attention, "cpu", options=options)(**arguments)
        assert relative_error(output, expected) < 1e-13
        assert not output[:, :, :7].any()


@pytest.mark.parametrize("norm, gate", [
    (True, None), (False, "scalar"), (False, "vector"), (True, "scalar"), (True, "vector")])
@pytest.mark.parametrize("dtype", ["f64", "f32", "f16", "bf16"])
def test_norm_and_gate_in_a_tile_round_once(norm, gate, dtype):
    """Rows of 19 values, no whole vector, and a last tile of queries that is no whole one."""
    attention = attention_of("v1", dtype, head_dim=16, value_dim=19, norm=norm, gate=gate,
                             layer=3 if norm else None, log_sum_exp=True)
    arguments = random_arguments(attention, LENGTH, LENGTH)
    weights = {name: arguments[name] for name in attention.weight_shapes}
    inputs = (attention, *(arguments[name] for name in "qkv"), weights)
    expected = mta.reference.forward(*inputs)
    bound = mta.fuzz.error_bound(*inputs)
    output, log_sum_exp = mta.compile(attention, "cpu", options=EDGES)(**arguments)
    assert (np.abs(output.astype(np.float64) - expected.output) <= bound.output).all()
    assert (np.abs(log_sum_exp - expected.log_sum_exp) <= bound.log_sum_exp).all()


#: Products of bf16 pairs as if they cost no more than one multiply-add, in vectors of any width.
PAIRS = [{**EDGES, "pair_cost": 1, "vector_bits": bits} for bits in (128, 256, 512)]


@needs_pair_products
@pytest.mark.parametrize("program, head_dim", [
    ("plain", 15), ("plain", 64), ("pre-conv", 15), ("v2", 16), ("mix-before-conv", 17)])
def test_products_of_pairs_change_rounding_only(program, head_dim):
    """Also of pairs with a zero, whose scores are scaled by themselves, or by a mix."""
    attention = attention_of(program, "bf16", head_dim=head_dim, log_sum_exp=True)
    arguments = random_arguments(attention, LENGTH, LENGTH)
    weights = {name: arguments[name] for name in attention.weight_shapes}
    inputs = (attention, *(arguments[name] for name in "qkv"), weights)
    expected, bound = mta.reference.forward(*inputs), mta.fuzz.error_bound(*inputs)
    for options in PAIRS:
        output, log_sum_exp = mta.compile(attention, "cpu", options=options)(**arguments)
        single = mta.compile(attention, "cpu", options={**options, "pair_cost": 0})(**arguments)[1]
        assert not np.array_equal(log_sum_exp, single)
        assert (np.abs(output.astype(np.float64) - expected.output) <= bound.output).all()
        assert (np.abs(log_sum_exp - expected.log_sum_exp) <= bound.log_sum_exp).all()


@pytest.mark.parametrize("program", ["pre-conv", "v1", "v2", "two-convs", "mix-before-conv"])
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_editing_later_tokens_leaves_earlier_rows_bit_identical(program, dtype):
    """Also across the edges of tiles."""
    attention = attention_of(program, dtype)
    run = mta.compile(attention, "cpu", batch=1, options=TILES)
    arguments = random_arguments(attention, LENGTH, LENGTH)
    before = run(**arguments)
    for t in (1, 15, 16, 17, 50, LENGTH - 1):
        for value in (7.0, 1e4):
            edited = {name: x.copy() for name, x in arguments.items()}
            for name in ("q", "k", "v"):
                edited[name][:, :, t:] = value
            after = run(**edited)
            assert after[:, :, :t].tobytes() == before[:, :, :t].tobytes()
            assert not np.array_equal(after[:, :, t:], before[:, :, t:])


@pytest.mark.parametrize("program", ["pre-conv", "v1", "v2", "two-convs", "mix-before-conv"])
def test_suffixes_equal_all_rows_at_once(program):
    whole = attention_of(program)
    halo = whole.halo
    run = mta.compile(whole, "cpu", options=TILES)
    suffix = mta.compile(attention_of(program, query_halo=halo), "cpu", options=TILES)
    arguments = random_arguments(whole, LENGTH, LENGTH)
    at_once = run(**arguments)
    for cut in (halo, 17, 48, LENGTH - 1):
        last = suffix(**{**arguments, "q": arguments["q"][:, :, cut - halo:]})
        assert relative_error(last, at_once[:, :, cut:]) < 1e-13


HASHES = """
import hashlib, sys
import mta
from mta.fuzz import Call, random_arguments
for program in ("pre-conv", "v2"):
    for dtype in ("f32", "bf16"):
        attention = mta.Attention.preset(program, 4, 32, dtype=dtype)
        run = mta.compile(attention, "cpu", options={options})
        arguments = random_arguments(attention, Call(2, 300, 300, 1.0, 0))
        for repetition in range(5):
            print(hashlib.sha256(run(**arguments).tobytes()).hexdigest())
"""


def result_hashes(threads: int, options: dict) -> list[str]:
    """The hashes of several programs' results, five times each, in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    text = HASHES.replace("{options}", repr(options))
    result = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True,
                            text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_bits_depend_on_neither_run_nor_threads():
    hashes = result_hashes(1, {})
    assert len(hashes) == 20
    assert [len(set(hashes[i : i + 5])) for i in (0, 5, 10, 15)] == [1, 1, 1, 1]
    assert len(set(hashes)) == 4
    for threads, options in ((2, {}), (3, {}), (2, {"threads": 0})):
        assert result_hashes(threads, options) == hashes
    edges = {"edge_key_tile": 32, "key_tile": 64}
    assert result_hashes(3, edges) == result_hashes(1, edges)


@needs_pair_products
def test_bits_of_products_of_pairs_depend_on_neither_run_nor_threads():
    pairs = {"pair_cost": 1}
    hashes = result_hashes(1, pairs)
    assert [len(set(hashes[i : i + 5])) for i in (0, 5, 10, 15)] == [1, 1, 1, 1]
    assert result_hashes(2, pairs) == result_hashes(3, pairs) == hashes
    # Pairs round otherwise: they have run, for bf16 and nothing else.
    single = result_hashes(1, {"pair_cost": 0})
    assert [a == b for a, b in zip(hashes[::5], single[::5])] == [True, False, True, False]


def peak_memory(program: str, length: int) -> dict:
    """What benchmarks/cpu/peak_memory.py measures for 2 heads of 64."""
    script = REPOSITORY / "benchmarks" / "cpu" / "peak_memory.py"
    command = [sys.executable, str(script), "--program", program, "--length", str(length)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("program", ["pre-conv", "v2"])
def test_memory_grows_with_the_length_not_its_square(program):
    for length in (3072, 6144):
        memory = peak_memory(program, length)
        # Packed queries, keys and values, the result before it is copied, and
        # tiles. The scores of one head alone are 36 and 144 MiB.
        assert memory["extra_mib"] < memory["inputs_mib"] + memory["output_mib"] + 8.0


@pytest.mark.parametrize("dtype", ["f64", "f32", "f16", "bf16"])
@pytest.mark.parametrize("program", PRESET_NAMES)
def test_compilation_takes_less_than_two_seconds(program, dtype):
    attention = mta.Attention.preset(program, 16, 96, dtype=dtype)
    start = time.process_time()
    mta.compile(attention, "cpu")
    assert time.process_time() - start < 2.0
