# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The fused GPU kernels in the PTX emulator against the definition."""

import itertools
import re

import numpy as np
import pytest

import mta
from attention_cases import FUSED_DTYPES, random_arguments, relative_error
from mta import check, compiler, emission, goldens
from mta.dtypes import numpy_dtype
from mta.program import HeadMix, KeyQueryConv, Softmax
from mta.signature import Signature, TensorType

#: A chip for each kind of tensor core instruction: mma.sync and wgmma.
CHIPS = ["sm_80", "sm_90a"]

#: With one product of tf32: two roundings to 11 bits in the product with the values, and as much
#: again for what those of q·k and the convolution put into the exponent.
TF32_TOLERANCE = 4 * 2**-11

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
    "mix-1-and-2": {"heads": 2, "score_program": (HeadMix("own", 1), Softmax(),
                                                  HeadMix("both", 2))},
    "mix-and-grouped-conv-6": {"heads": 6, "score_program": (
        HeadMix("mix", 2), KeyQueryConv("conv", 4, 1, group=3), Softmax())},
    "grouped-conv": {"heads": 4, "score_program": (
        KeyQueryConv("before", 3, 5, group=2), Softmax(), KeyQueryConv("after", 2, 3, group=2))},
    "four-convs": {"heads": 1, "score_program": (
        KeyQueryConv("first", 2, 3), KeyQueryConv("second", 3, 4, padding="right"), Softmax(),
        KeyQueryConv("third", 2, 5), KeyQueryConv("fourth", 2, 2, padding="left"))},
    "v2": {"heads": 2, "pre_conv": (6, 11), "pre_mix": True, "post_conv": (6, 11),
           "post_mix": True, "norm": True, "gate": "scalar"},
}


#: Those with a warp for every head.
MANY_HEADS = ["mix-16", "pre-mix-5", "mixes-of-6", "mix-7", "conv-and-mix-12", "post-conv-8",
              "long-window-8", "grouped-conv-8", "talking-heads-16", "v2-16"]


#: Boundaries of queries and keys by what they have: tiles of 64 keys and 128 rows with their halo.
SEQUENCES = {
    "one": ([0, 70], [0, 70]),
    "empty": ([0, 0, 5, 5, 9, 40, 40], [0, 7, 12, 12, 12, 50, 60]),
    "short": ([0, 1, 2, 5, 6, 9, 10, 13], [0, 1, 2, 5, 6, 9, 10, 13]),
    "edges-of-tiles": ([0, 63, 127, 192, 193], [0, 63, 127, 192, 193]),
    "edges-of-rows": ([0, 122, 246, 251], [0, 122, 246, 251]),
    "many-keys": ([0, 3, 5, 9], [0, 150, 280, 283]),
    "few-keys": ([0, 90, 130, 140], [0, 4, 5, 20]),
    "long-after-short": ([0, 2, 130], [0, 2, 130]),
}


def fused_error(attention, queries, keys, *, scale=1.0, options=None, batch=1, seed=0,
                boundaries=None):
    """The relative error of the output; log-sum-exps have to agree where there is one."""
    arguments = random_arguments(attention, queries, keys, batch, seed)
    if boundaries:
        arguments |= dict(zip(("query_boundaries", "key_boundaries"), boundaries))
    arguments["q"] = (scale * arguments["q"].astype(np.float32)).astype(attention.numpy_dtype)
    output = mta.compile(attention, "ptx", options=options)(**arguments)
    expected = mta.compile(attention, "numpy")(**arguments)
    if attention.log_sum_exp:
        finite = np.isfinite(expected[1])
        np.testing.assert_array_equal(output[1][~finite], expected[1][~finite])
        assert relative_error(output[1][finite], expected[1][finite]) <= (
            2e-6 if attention.dtype == "f32" else 2e-3)
        output, expected = output[0], expected[0]
    return relative_error(output, expected)


def compile_kernels(attention, queries, keys):
    signature = attention.signature(1, queries, keys)
    module = compiler.Module.parse(emission.module_text(attention, signature, "attention"))
    module.run_pipeline("builtin.module(mta-gpu{key-splits=1})")
    return module


def count_kernels(attention):
    return str(compile_kernels(attention, 37, 37)).count("gpu.launch_func")


def golden_arguments(golden, attention):
    arguments = {name: golden[name].astype(attention.numpy_dtype) for name in ("q", "k", "v")}
    return arguments | attention.weights_from_golden(golden)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_goldens(golden_path, dtype, chip):
    golden = goldens.load(golden_path)
    attention = mta.Attention.from_golden(golden, dtype)
    arguments = golden_arguments(golden, attention)
    expected = mta.compile(attention, "numpy")(**arguments)
    output = mta.compile(attention, "ptx", options={"chip": chip})(**arguments)
    assert relative_error(output, expected) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("precision", ["tf32x3", "tf32"])
def test_goldens_in_f32(golden_path, precision, chip):
    """Against the float64 outputs themselves. With `tf32` the error is that of one product."""
    golden = goldens.load(golden_path)
    attention = mta.Attention.from_golden(golden, "f32")
    options = {"chip": chip, "f32_precision": precision}
    run = mta.compile(attention, "ptx", options=options)
    error = relative_error(run(**golden_arguments(golden, attention)), golden["o"])
    if precision == "tf32x3":
        assert error <= check.TOLERANCES["f32"]
    else:
        assert 2**-14 < error <= TF32_TOLERANCE


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("dtype", FUSED_DTYPES)
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


@pytest.mark.parametrize("program", ["pre-conv", "four-convs", "mix-2"])
@pytest.mark.parametrize("queries, keys, causal", [
    (20, 40, True), (40, 20, False), (150, 10, True), (5, 0, True)])
def test_queries_and_keys_of_different_number_in_f32(program, queries, keys, causal):
    attention = mta.Attention(head_dim=8, dtype="f32", causal=causal, log_sum_exp=True,
                              **PROGRAMS[program])
    assert fused_error(attention, queries, keys) <= check.TOLERANCES["f32"]


@pytest.mark.parametrize("length", [1, 3, 31, 32, 33, 122, 123, 124])
@pytest.mark.parametrize("program", ["pre-conv", "post-conv"])
def test_lengths_around_the_edges_of_tiles_in_f32(program, length):
    attention = mta.Attention(head_dim=16, dtype="f32", **PROGRAMS[program])
    assert fused_error(attention, length, length) <= check.TOLERANCES["f32"]


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("length", [1, 3, 63, 64, 122, 123, 124, 250])
@pytest.mark.parametrize("program", ["pre-conv", "post-conv"])
def test_lengths_around_the_edges_of_tiles(program, length, chip):
    attention = mta.Attention(head_dim=16, dtype="bf16", **PROGRAMS[program])
    options = {"chip": chip, "rows": 128, "key_tile": 64}
    assert fused_error(attention, length, length, options=options) <= check.TOLERANCES["bf16"]


#: One to five strips of a warp, tiles of keys that are no power of two, and every value of the
#: other fields; with the warps of one head.
SCHEDULES = [
    {"rows": 192, "key_tile": 48, "warps": 12},
    {"rows": 128, "key_tile": 64, "warps": 4, "query": "workgroup"},
    {"rows": 96, "key_tile": 48, "warps": 2, "stages": 1},
    {"rows": 80, "key_tile": 32, "warps": 1, "scores": "f16x2"},
    {"rows": 64, "key_tile": 96, "warps": 4, "stages": 1, "query": "workgroup"},
    {"rows": 16, "key_tile": 128, "warps": 1, "stages": 2, "query": "registers"},
    {"rows": 128, "key_tile": 32, "warps": 4, "chip": "sm_90a", "products": "wgmma"},
    {"rows": 64, "key_tile": 96, "warps": 4, "stages": 1, "chip": "sm_90a", "products": "wgmma"},
    {"rows": 128, "key_tile": 64, "warps": 8, "chip": "sm_90a", "products": "mma"},
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("program, mixed", [
    ("plain", 1), ("pre-conv", 1), ("post-conv", 1), ("mix-2", 2)])
def test_schedules(program, mixed, schedule):
    attention = mta.Attention(head_dim=16, dtype="bf16", **PROGRAMS[program])
    for lazy in (0, 1):
        options = {**schedule, "warps": mixed * schedule["warps"], "lazy_copies": lazy}
        assert fused_error(attention, 201, 201, options=options) <= check.TOLERANCES["bf16"]


def test_a_schedule_has_known_words():
    attention = mta.Attention(heads=1, head_dim=16, dtype="bf16")
    for options, message in [
            ({"query": "cache"}, "one of registers, workgroup, global"),
            ({"products": "wmma"}, "one of mma, wgmma"),
            ({"f32_precision": "f16"}, "one of tf32x3, tf32"),
            ({"rows": "many"}, "an integer")]:
        with pytest.raises(ValueError, match=message):
            mta.compile(attention, "ptx", options=options)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("head_dim, value_dim", [(8, 8), (24, 40), (40, 24), (64, 8), (128, 128),
                                                 (256, 256), (200, 64), (48, 200)])
@pytest.mark.parametrize("dtype", ["bf16", "f32"])
def test_head_dimensions(head_dim, value_dim, dtype, chip):
    attention = mta.Attention(heads=2, head_dim=head_dim, value_dim=value_dim, pre_conv=(2, 3),
                              dtype=dtype)
    assert fused_error(attention, 70, 70, batch=2,
                       options={"chip": chip}) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("program", ["pre-conv", "post-conv", "mix-2", "v2"])
def test_wgmma_and_mma_agree(program):
    """Tiles that tensor cores read by themselves change how sums are formed, not what is summed."""
    attention = mta.Attention(head_dim=32, dtype="f16", **PROGRAMS[program])
    arguments = random_arguments(attention, 150, 150)
    outputs = [mta.compile(attention, "ptx", options={"chip": chip})(**arguments)
               for chip in CHIPS]
    assert relative_error(*outputs) <= 0.1 * check.TOLERANCES["f16"]


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("head_dim, seed", [(96, 2), (128, 1)])
def test_v2_in_bf16_is_as_exact_as_one_rounding(head_dim, seed, chip):
    """A window and 16 heads before the softmax and after it, and a gate that reads what is left."""
    attention = mta.Attention.preset("v2", heads=16, head_dim=head_dim, dtype="bf16")
    assert fused_error(attention, 200, 200, options={"chip": chip},
                       seed=seed) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("dtype, weights", [
    ("bf16", "f32"), ("bf16", "f16"), ("f16", "f32"), ("f16", "bf16"), ("f32", "f16"),
    ("f32", "bf16")])
@pytest.mark.parametrize("program", ["pre-conv", "own-mix", "mix-2"])
def test_weights_of_other_types_than_the_operands(program, dtype, weights):
    attention = mta.Attention(head_dim=16, dtype=dtype, **PROGRAMS[program])
    arguments = random_arguments(attention, 40, 40)
    for name in attention.weight_shapes:
        # Many bits, so that rounding to the wrong type shows.
        arguments[name] = (arguments[name].astype(np.float64) / 3).astype(numpy_dtype(weights))
    types = attention.signature(1, 40, 40)
    signature = Signature(
        {name: TensorType(t.shape, weights) if name in attention.weight_shapes else t
         for name, t in types.arguments.items()}, types.results)
    module = compiler.Module.parse(emission.module_text(attention, signature, "attention"))
    module.run_pipeline("builtin.module(mta-gpu,mta-host-to-llvm)")
    function = module.compile_for(compiler.Device()).function("attention", signature)
    output, = function(*(arguments[name] for name in signature.arguments))
    wide = mta.Attention(head_dim=16, dtype="f64", **PROGRAMS[program])
    expected = mta.compile(wide, "numpy")(
        **{name: array.astype(np.float64) for name, array in arguments.items()})
    assert relative_error(output, expected) <= check.TOLERANCES[dtype]


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


@pytest.mark.parametrize("query", ["registers", "workgroup", "global"])
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("program", MANY_HEADS)
def test_places_of_the_queries_of_many_heads(program, dtype, query):
    attention = mta.Attention(head_dim=40, dtype=dtype, **PROGRAMS[program])
    assert fused_error(attention, 37, 53, options={"query": query}) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("head_dim", [8, 24, 56, 64, 88, 96, 128])
@pytest.mark.parametrize("program", ["mix-7", "v2-16"])
def test_head_dimensions_of_queries_in_workgroup_memory(program, head_dim):
    """Runs of 32 columns, and of the 16 and 8 that are left; of 16 heads of 128, some stay out."""
    attention = mta.Attention(head_dim=head_dim, value_dim=16, dtype="bf16", **PROGRAMS[program])
    options = {"query": "workgroup"}
    assert fused_error(attention, 33, 40, options=options) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("query_halo", [0, 10])
@pytest.mark.parametrize("queries, keys", [(11, 30), (16, 16), (17, 9), (43, 80)])
def test_first_queries_in_workgroup_memory(queries, keys, query_halo):
    """Rows above the first query are copies of it, which nothing reads."""
    attention = mta.Attention(head_dim=16, dtype="bf16", query_halo=query_halo,
                              **PROGRAMS["v2-16"])
    options = {"query": "workgroup"}
    assert fused_error(attention, queries, keys, options=options) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("program", ["pre-mix-5", "mix-7", "v2-16"])
def test_sequences_with_queries_in_workgroup_memory(program, causal):
    attention = mta.Attention(head_dim=16, dtype="bf16", variable_length=True, causal=causal,
                              **PROGRAMS[program])
    error = fused_error(attention, 65, 75, options={"query": "workgroup"},
                        boundaries=([0, 3, 3, 35, 65], [0, 30, 40, 73, 75]))
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", ["pre-conv", "post-conv", "mix-2", "v2-16"])
def test_a_suffix_of_the_queries(program):
    attention = mta.Attention(head_dim=16, dtype="bf16", query_halo=10, **PROGRAMS[program])
    assert fused_error(attention, 140, 150) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("sequences", SEQUENCES)
@pytest.mark.parametrize("program", ["plain", "pre-conv-7x13", "post-conv", "four-convs", "mix-2"])
def test_sequences(program, sequences, causal):
    attention = mta.Attention(head_dim=8, dtype="bf16", variable_length=True, log_sum_exp=True,
                              causal=causal, **PROGRAMS[program])
    boundaries = SEQUENCES[sequences]
    error = fused_error(attention, boundaries[0][-1], boundaries[1][-1], boundaries=boundaries)
    assert error <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("program", [
    name for name in PROGRAMS if name not in ("plain", "pre-conv-7x13", "post-conv")])
def test_sequences_in_every_program(program):
    attention = mta.Attention(head_dim=16, dtype="f16", variable_length=True, **PROGRAMS[program])
    boundaries = [0, 3, 3, 35, 65], [0, 30, 40, 73, 75]
    error = fused_error(attention, 65, 75, boundaries=boundaries, batch=2)
    assert error <= check.TOLERANCES["f16"]


@pytest.mark.parametrize("program", ["pre-conv", "post-conv", "mix-2"])
def test_a_sequence_does_not_depend_on_others(program):
    """Bit by bit, whatever stands in the rows and keys of the others."""
    attention = mta.Attention(head_dim=16, dtype="bf16", variable_length=True, **PROGRAMS[program])
    cuts = [0, 4, 60, 131, 140]
    run = mta.compile(attention, "ptx")
    arguments = random_arguments(attention, cuts[-1], cuts[-1])
    arguments |= {"query_boundaries": cuts, "key_boundaries": cuts}
    before = run(**arguments)
    for first, last in zip(cuts, cuts[1:]):
        edited = {name: x.copy() if isinstance(x, np.ndarray) else x
                  for name, x in arguments.items()}
        for name in ("q", "k", "v"):
            edited[name][:, :, :first] = edited[name][:, :, last:] = 50
        after = run(**edited)
        assert after[:, :, first:last].tobytes() == before[:, :, first:last].tobytes()


@pytest.mark.parametrize("value_dim", [16, 72])
@pytest.mark.parametrize("program", ["plain", "pre-conv", "mix-2", "mix-16", "pre-mix-5"])
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("output", [
    {"norm": True}, {"norm": True, "layer": 3}, {"gate": "scalar"},
    {"norm": True, "gate": "scalar"}, {"norm": True, "gate": "vector"}], ids=str)
def test_norm_and_gate_are_part_of_the_kernel(output, dtype, program, value_dim):
    fields = {**PROGRAMS[program], **output, "log_sum_exp": True}
    attention = mta.Attention(head_dim=16, value_dim=value_dim, dtype=dtype, **fields)
    # Rows of more than 64 numbers leave 16 warps no registers for a vector gate.
    fuses = program != "mix-16" or output.get("gate") != "vector" or value_dim <= 64
    assert (count_kernels(attention) == 1) == fuses
    assert fused_error(attention, 37, 37) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("program, value_dim, dtype, norm", [
    ("v2-16", 8, "bf16", True), ("v2-16", 40, "f16", True), ("talking-heads-16", 56, "bf16", False),
    ("mix-16", 64, "f16", True), ("conv-and-mix-12", 48, "bf16", True),
    ("pre-mix-5", 128, "bf16", False), ("mix-7", 104, "f16", True), ("post-conv-8", 120, "bf16", True)])
@pytest.mark.parametrize("chip", CHIPS)
def test_vector_gates_of_many_heads(program, value_dim, dtype, norm, chip):
    """Values in runs of 8, 16 and 32 columns, and what is left of them; rows of several batches."""
    fields = {**PROGRAMS[program], "norm": norm, "gate": "vector"}
    attention = mta.Attention(head_dim=16, value_dim=value_dim, dtype=dtype, **fields)
    assert count_kernels(attention) == 1
    error = fused_error(attention, 37, 45, batch=2, options={"chip": chip})
    assert error <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("program, value_dim", [("v2-16", 96), ("mix-7", 128)])
def test_vector_gates_of_splits_of_many_heads(program, value_dim):
    """The kernel that combines splits has a row of a head for a lane, as with few heads."""
    fields = {**PROGRAMS[program], "norm": True, "gate": "vector"}
    attention = mta.Attention(head_dim=16, value_dim=value_dim, dtype="bf16", **fields)
    options = {"key_splits": 3, "key_tile": 16}
    kernels = mta.compile(attention, "ptx", options=options).contract.functions[0].kernels
    assert len(kernels) == 3
    assert fused_error(attention, 9, 100, options=options) <= check.TOLERANCES["bf16"]


@pytest.mark.parametrize("fields", [
    {"gate": "vector", "dtype": "f16"}, {"gate": "vector", "dtype": "bf16", "value_dim": 200},
    {"gate": "vector", "dtype": "bf16", "value_dim": 72, "heads": 16, "pre_mix": True}])
def test_vector_gates_beyond_registers_or_range_are_kernels_of_their_own(fields):
    attention = mta.Attention(**{"heads": 2, "head_dim": 16, **fields})
    assert count_kernels(attention) > 1
    assert fused_error(attention, 37, 37) <= check.TOLERANCES[attention.dtype]


@pytest.mark.parametrize("dtype", FUSED_DTYPES)
def test_large_logits(dtype):
    attention = mta.Attention(heads=1, head_dim=16, pre_conv=(2, 3), log_sum_exp=True, dtype=dtype)
    assert fused_error(attention, 70, 70, scale=300) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_large_logits_of_many_heads(dtype):
    attention = mta.Attention(heads=16, head_dim=16, pre_conv=(2, 3), pre_mix=16, dtype=dtype)
    assert fused_error(attention, 40, 40, scale=10) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("cuts", [None, [0, 5, 70, 130]])
@pytest.mark.parametrize("dtype", ["bf16", "f32"])
@pytest.mark.parametrize("program", ["pre-conv", "post-conv", "mix-2", "talking-heads-16",
                                     "v2-16", "pre-mix-5"])
def test_when_copies_land_and_the_order_of_warps_change_nothing(program, dtype, cuts, chip):
    attention = mta.Attention(head_dim=16, dtype=dtype, variable_length=bool(cuts),
                              **PROGRAMS[program])
    arguments = random_arguments(attention, 130, 130)
    if cuts:
        arguments |= {"query_boundaries": cuts, "key_boundaries": cuts}
    outputs = set()
    for lazy, seed in itertools.product((0, 1), (0, 7, 12)):
        options = {"chip": chip, "lazy_copies": lazy, "seed": seed, "threads": 1 + seed % 2}
        output = mta.compile(attention, "ptx", options=options)(**arguments)
        parts = output if isinstance(output, tuple) else (output,)
        outputs.add(b"".join(part.tobytes() for part in parts))
    assert len(outputs) == 1


@pytest.mark.parametrize("program", ["pre-conv", "v2"])
def test_editing_later_tokens_leaves_earlier_rows_bit_identical(program):
    attention = mta.Attention(head_dim=16, dtype="bf16", **PROGRAMS[program])
    run = mta.compile(attention, "ptx")
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
    ({"dtype": "f64"}, "expects f16, bf16 or f32 operands for tensor cores, but got 'f64'"),
    ({"head_dim": 12}, "expects static head dimensions that are multiples of 8"),
    ({"head_dim": 264}, "expects static head dimensions .* at most 256"),
    ({"heads": 18, "post_mix": 18}, "expects groups of at most 16 heads on a GPU, but got 18"),
    ({"pre_conv": (1, 141)}, "expects windows that read at most 128 keys"),
    ({"pre_conv": (257, 1), "post_mix": 2},
     "expects windows of at most 256 queries in all, but got 257"),
])
def test_what_is_not_supported_is_an_error(fields, message):
    attention = mta.Attention(**{"heads": 2, "head_dim": 16, "dtype": "bf16", **fields})
    with pytest.raises(mta.CompileError) as caught:
        mta.compile(attention, "ptx")
    assert re.search(message, caught.value.diagnostics)
    assert caught.value.diagnostics.endswith(
        "note: target ptx-reference runs the reference kernels of every attention")
