# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The reference lowering against NumPy float64: programs × shapes × element types."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mta
from attention_cases import (
    PROGRAMS,
    SHAPES,
    attention_of,
    attentions,
    boundaries,
    random_arguments,
    relative_error,
)
from mta import check, reference

DTYPES = ("f64", "f32", "f16", "bf16")


def expected_results(attention, arguments, **offsets):
    """Output and log-sum-exp in float64 of the arguments as they are, rounded or not."""
    weights = {name: arguments[name] for name in attention.weight_shapes}
    q, k, v = (arguments[name] for name in "qkv")
    return reference.forward(attention, q, k, v, weights, **offsets)


def assert_matches(attention, run, arguments, **offsets):
    """Compares every result of a call with NumPy in the tolerance of its type."""
    expected = expected_results(attention, arguments, **offsets)
    results = run(**arguments, **offsets)
    output = results[0] if attention.log_sum_exp else results
    assert output.dtype == attention.numpy_dtype
    assert relative_error(output, expected.output) <= check.TOLERANCES[attention.dtype]
    if attention.log_sum_exp:
        # A row without keys has −∞; all others are finite.
        empty = np.isneginf(expected.log_sum_exp)
        assert np.array_equal(np.isneginf(results[1]), empty)
        finite = relative_error(results[1][~empty], expected.log_sum_exp[~empty])
        assert finite <= check.TOLERANCES[attention.score_dtype]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_static_shapes(program, shape):
    attention = attention_of(program, **shape.fields)
    run = mta.compile(attention, "reference", batch=shape.batch, queries=shape.queries,
                      keys=shape.keys)
    arguments = random_arguments(attention, shape.queries, shape.keys, shape.batch)
    assert_matches(attention, run, arguments)


@pytest.mark.parametrize(("program", "dtype"), [
    *product(PROGRAMS, ("f32", "bf16")), *product(("v2", "two-convs"), ("f64", "f16"))])
def test_dynamic_shapes_in_every_type(program, dtype):
    attention = attention_of(program, dtype, log_sum_exp=True)
    run = mta.compile(attention, "reference")
    for queries, keys, batch in ((1, 1, 1), (3, 3, 2), (17, 17, 1), (4, 9, 3), (9, 4, 1)):
        assert_matches(attention, run, random_arguments(attention, queries, keys, batch))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_layer_of_ten_heads_of_96(dtype):
    attention = mta.Attention.v2(10, 96, dtype=dtype, kv_heads=5, layer=4)
    run = mta.compile(attention, "reference", batch=1, queries=19, keys=19)
    assert_matches(attention, run, random_arguments(attention, 19, 19))


@settings(max_examples=25)
@given(st.data(), attentions(), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_random_programs(data, attention, queries, keys, seed):
    offsets = data.draw(boundaries(queries, keys)) if attention.variable_length else {}
    run = mta.compile(attention, "reference")
    arguments = random_arguments(attention, queries, keys, batch=2, seed=seed)
    assert_matches(attention, run, arguments, **offsets)


@pytest.mark.parametrize("dtype", DTYPES)
def test_variable_length_in_every_type(dtype):
    attention = attention_of("v2", dtype, variable_length=True, log_sum_exp=True)
    run = mta.compile(attention, "reference", batch=2)
    arguments = random_arguments(attention, 20, 22, batch=2)
    offsets = {"query_boundaries": [0, 1, 13, 13, 20], "key_boundaries": [0, 0, 12, 15, 22]}
    assert_matches(attention, run, arguments, **offsets)


@pytest.mark.parametrize(("queries", "keys", "batch", "fields"), [
    (0, 5, 1, {}), (5, 0, 1, {}), (5, 0, 1, {"causal": False}), (4, 4, 0, {}),
    (3, 7, 1, {"query_halo": 3})])
def test_empty_arrays(queries, keys, batch, fields):
    attention = attention_of("v2", log_sum_exp=True, **fields)
    run = mta.compile(attention, "reference")
    assert_matches(attention, run, random_arguments(attention, queries, keys, batch))


def test_large_scores_do_not_overflow():
    attention = attention_of("pre-conv", "f32", scale=30.0)
    run = mta.compile(attention, "reference")
    arguments = random_arguments(attention, 12, 12)
    expected = expected_results(attention, arguments).output
    output = run(**arguments)
    # Rows are close to one-hot; the scores are far above where exp overflows.
    assert np.isfinite(output).all()
    assert relative_error(output, expected) < 1e-4
