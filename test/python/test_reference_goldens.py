# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`mta.reference` against the outputs and gradients of the authors' module."""

import pytest

import mta
from attention_cases import relative_error
from mta import goldens, reference

TOLERANCE = 1e-12


@pytest.fixture
def golden(golden_path):
    """The arrays of every golden file in turn."""
    return goldens.load(golden_path)


def test_the_golden_files_are_there(golden_folder):
    assert len(list(golden_folder.glob("*.npz"))) == 12


def test_output(golden):
    attention = mta.Attention.from_golden(golden)
    weights = attention.weights_from_golden(golden)
    result = reference.forward(attention, golden["q"], golden["k"], golden["v"], weights)
    assert relative_error(result.output, golden["o"]) < TOLERANCE


def test_gradients(golden):
    attention = mta.Attention.from_golden(golden)
    weights = attention.weights_from_golden(golden)
    result = reference.gradients(
        attention, golden["q"], golden["k"], golden["v"], weights, golden["do"])
    expected = goldens.tensor_gradients(golden)
    assert result.keys() == expected.keys()
    errors = {name: relative_error(result[name], x) for name, x in expected.items()}
    assert {name: e for name, e in errors.items() if not e < TOLERANCE} == {}
