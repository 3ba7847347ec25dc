# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Fused kernels on arrays that are not contiguous, in the emulator.

A layout changes where elements are and nothing else: results are those for contiguous
arrays to the last bit. What lies in gaps is NaN.
"""

import numpy as np
import pytest

import mta
from attention_cases import attention_of, random_arguments
from mta.errors import ContractError


def padded(array, capacity):
    """The array as the first tokens of a longer one, with the heads of a token together."""
    batch, heads, tokens, size = array.shape
    memory = np.full((batch, capacity, heads, size), np.nan, array.dtype)
    view = memory[:, :tokens].transpose(0, 2, 1, 3)
    view[...] = array
    return view


def packed(arguments):
    """Queries, keys and values of each token side by side, as one projection makes them."""
    arrays = [arguments[name] for name in ("q", "k", "v")]
    memory = np.concatenate([x.transpose(0, 2, 1, 3) for x in arrays], axis=2)
    views, first = {}, 0
    for name, x in zip(("q", "k", "v"), arrays):
        views[name] = memory[:, :, first:first + x.shape[1]].transpose(0, 2, 1, 3)
        first += x.shape[1]
    return {**arguments, **views}


def in_layout(arguments, capacity):
    return {**arguments, **{name: padded(arguments[name], capacity) for name in ("q", "k", "v")}}


def run(attention, layout, arguments, **options):
    return mta.compile(attention, "ptx", options={"layout": layout, **options})(**arguments)


def outputs(result):
    return result if isinstance(result, tuple) else (result,)


def assert_same(attention, arguments, views, layouts=("bnhd", "strided"), **options):
    expected = outputs(run(attention, "bhnd", arguments, **options))
    for layout in layouts:
        results = outputs(run(attention, layout, views, **options))
        for result, right in zip(results, expected, strict=True):
            assert result.tobytes() == right.tobytes(), layout
        tokens_first = results[0].transpose(0, 2, 1, 3).flags.c_contiguous
        assert layout == "strided" or tokens_first


@pytest.mark.parametrize("chip", ["sm_80", "sm_90a"])
@pytest.mark.parametrize(("program", "dtype", "heads"), [
    ("pre-conv", "bf16", 2), ("pre-conv", "f32", 2), ("v1", "f16", 4), ("v2", "bf16", 16),
    ("talking-heads", "bf16", 6)])
def test_tokens_first_and_any_strides(program, dtype, heads, chip):
    attention = mta.Attention.preset(program, heads=heads, head_dim=32, dtype=dtype)
    arguments = random_arguments(attention, 70, 70, batch=2)
    assert_same(attention, arguments, in_layout(arguments, 75), chip=chip)


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (3, 3), (1, 200), (129, 130)])
def test_lengths(queries, keys):
    # Rows of a log-sum-exp have the stride "queries", which is a size of its own right.
    attention = attention_of("pre-conv", "bf16", heads=1, head_dim=16, log_sum_exp=True)
    arguments = random_arguments(attention, queries, keys)
    assert run(attention, "bhnd", arguments)[1].shape == (1, 1, queries)
    assert_same(attention, arguments, in_layout(arguments, max(queries, keys)))


@pytest.mark.parametrize("fields", [
    {"kv_heads": 2}, {"log_sum_exp": True}, {"value_dim": 48}, {"query_halo": 10},
    {"norm": True, "gate": "scalar"}, {"norm": True, "gate": "vector"}],
    ids=lambda fields: "-".join(fields))
def test_fields(fields):
    attention = mta.Attention(heads=4, head_dim=32, pre_conv=(6, 11), post_conv=(6, 11),
                              dtype="f16", **fields)
    arguments = random_arguments(attention, 45, 77)
    assert_same(attention, arguments, in_layout(arguments, 80))


def test_a_gate_that_is_a_kernel_of_its_own():
    attention = mta.Attention(heads=2, head_dim=32, value_dim=136, pre_conv=(3, 5), norm=True,
                              gate="vector", dtype="bf16")
    arguments = random_arguments(attention, 20, 20)
    assert_same(attention, arguments, in_layout(arguments, 24))


def test_packed_projections_and_shared_keys():
    attention = mta.Attention(heads=4, head_dim=32, kv_heads=2, pre_conv=(6, 11), dtype="bf16")
    arguments = random_arguments(attention, 50, 50, batch=3)
    assert_same(attention, arguments, packed(arguments), ["strided"])
    for name in ("k", "v"):
        arguments[name] = np.broadcast_to(arguments[name][:1], arguments[name].shape)
    assert arguments["k"].strides[0] == 0
    assert_same(attention, arguments, arguments, ["strided"])


@pytest.mark.parametrize("program, kernels", [("pre-conv", 2), ("v1", 3)])
def test_splits_of_the_keys(program, kernels):
    attention = attention_of(program, "bf16", heads=2, head_dim=32)
    arguments = random_arguments(attention, 1, 300)
    views = in_layout(arguments, 512)
    expected = None
    for layout, given in (("bhnd", arguments), ("bnhd", views), ("strided", views)):
        compiled = mta.compile(attention, "ptx", batch=1, queries=1, keys=300,
                               options={"layout": layout, "key_splits": 3})
        # One that combines them, for v1 one with statistics, and none that copies.
        assert len(compiled.contract.functions[0].kernels) == kernels
        result = compiled(**given).tobytes()
        expected = expected or result
        assert result == expected


@pytest.mark.parametrize("program, dtype, heads, fields", [
    ("pre-conv", "bf16", 2, {"log_sum_exp": True}), ("pre-conv", "f32", 3, {"query_halo": 5}),
    ("v1", "f16", 4, {}), ("v2", "bf16", 16, {}), ("vector-gate", "bf16", 2, {"norm": True})])
@pytest.mark.parametrize("splits", [2, 40])
def test_splits_of_many_rows(program, dtype, heads, fields, splits):
    """Rows of several heads and batches, 16 and 2 of which are combined at once."""
    attention = attention_of(program, dtype, heads=heads, head_dim=32, **fields)
    arguments = random_arguments(attention, 37, 70, batch=2)
    assert_same(attention, arguments, in_layout(arguments, 75), key_splits=splits, key_tile=16)


def test_sequences():
    attention = mta.Attention(heads=2, head_dim=32, pre_conv=(6, 11), post_mix=2, dtype="f16",
                              variable_length=True)
    arguments = random_arguments(attention, 90, 90)
    arguments |= {name: np.array([0, 17, 17, 60, 90], np.int32)
                  for name in ("query_boundaries", "key_boundaries")}
    assert_same(attention, arguments, in_layout(arguments, 96))


def test_wrong_strides():
    attention = attention_of("pre-conv", "bf16", heads=2, head_dim=16)
    arguments = random_arguments(attention, 20, 20)
    open_rows = np.zeros((1, 2, 20, 20), arguments["k"].dtype)[..., :16]
    apart = np.zeros((1, 2, 20, 32), arguments["k"].dtype)[..., ::2]
    compiled = mta.compile(attention, "ptx", options={"layout": "strided"})
    for wrong, message in (
            (open_rows, r"expects sizes with mod\(k_stride2, 8\) == 0"),
            (apart, r"k: expects strides \(k_stride0, k_stride1, k_stride2, 1\), but got"),
            (arguments["k"][:, :, ::-1], r"k_stride2: expects a size from 0")):
        with pytest.raises(ContractError, match=message):
            compiled(**{**arguments, "k": wrong})
    compiled = mta.compile(attention, "ptx", options={"layout": "bnhd"})
    with pytest.raises(ContractError, match=r"q: expects strides \(q_stride0, 16, 32, 1\), but"):
        compiled(**arguments)


def test_only_fused_kernels_have_layouts():
    attention = attention_of("pre-conv", "bf16", heads=2, head_dim=16)
    for target in ("cpu", "ptx-reference", "cuda"):
        with pytest.raises(ValueError, match="options of target"):
            mta.compile(attention, target, options={"layout": "bnhd"})
    with pytest.raises(ValueError, match="layout: expects one of bhnd, bnhd, strided"):
        mta.compile(attention, "ptx", options={"layout": "nhd"})


def test_layouts_in_the_text():
    attention = attention_of("pre-conv", "bf16", heads=2, head_dim=16)
    text = attention.to_mlir(1, 20, 20, layout="bnhd")
    assert text.count("strided<[?, 16, 32, 1]>") == 5 and text.rstrip().endswith("return\n}")
    with pytest.raises(ValueError, match="layout of q: expects one of bhnd, bnhd, strided"):
        attention.to_mlir(layout="bhdn")


