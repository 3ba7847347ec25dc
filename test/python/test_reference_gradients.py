# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The adjoints of `mta.reference` against finite differences, for any program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_cases import PROGRAMS, attention_of, attentions, boundaries, random_arguments
from mta import reference
from mta.program import KeyQueryConv, Softmax

STEP = 1e-5


def split(arguments):
    """q, k, v and the weights."""
    weights = {name: x for name, x in arguments.items() if name not in ("q", "k", "v")}
    return arguments["q"], arguments["k"], arguments["v"], weights


def assert_gradients_match(attention, arguments, offsets, seed):
    """Compares ⟨gradient, direction⟩ with a difference, argument by argument.

    Five points: the norm of a row near zero bends too much for two.
    """
    generator = np.random.default_rng(seed)
    output = reference.forward(attention, *split(arguments), **offsets).output
    d_output = generator.standard_normal(output.shape)
    gradients = reference.gradients(attention, *split(arguments), d_output, **offsets)
    for name, x in arguments.items():
        direction = generator.standard_normal(x.shape)
        expected = 0.0
        for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            moved = {**arguments, name: x + steps * STEP * direction}
            result = reference.forward(attention, *split(moved), **offsets)
            expected += weight * np.sum(result.output * d_output) / (12 * STEP)
        scale = np.linalg.norm(gradients[name]) * np.linalg.norm(direction)
        assert np.sum(gradients[name] * direction) == pytest.approx(
            expected, rel=1e-5, abs=1e-6 * (1 + scale)), name


@settings(max_examples=60)
@given(st.data(), attentions(), st.integers(1, 7), st.integers(1, 7), st.integers(0, 99))
def test_random_programs(data, attention, queries, keys, seed):
    arguments = random_arguments(attention, queries, keys, batch=2, seed=seed)
    offsets = data.draw(boundaries(queries, keys)) if attention.variable_length else {}
    assert_gradients_match(attention, arguments, offsets, seed)


@pytest.mark.parametrize("program", PROGRAMS)
def test_named_programs(program):
    attention = attention_of(program)
    assert_gradients_match(attention, random_arguments(attention, 7, 8, batch=2), {}, seed=3)


def test_query_halo():
    attention = attention_of("v2", query_halo=3)
    arguments = random_arguments(attention, 9, 9)
    assert_gradients_match(attention, arguments, {}, seed=1)


def test_gradient_of_a_shared_weight_is_the_sum_of_its_uses():
    op = KeyQueryConv("theta", 2, 3)
    attention = attention_of("plain", score_program=(op, Softmax(), op))
    assert_gradients_match(attention, random_arguments(attention, 6, 6), {}, seed=2)
