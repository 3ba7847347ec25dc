# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Calls of a compiled attention: names, shapes, types and boundaries of its arguments."""

import numpy as np
import pytest

import mta
from attention_cases import attention_of, random_arguments
from mta import targets

WRONG = {
    "missing": ({"pre_conv": None}, TypeError, "pre_conv: expects an array, but got none"),
    "unknown": ({"extra": np.zeros(1)}, TypeError, "extra: expects arguments q, k, v, pre_conv"),
    "list": ({"v": [1.0]}, TypeError, "v: expects an array of NumPy or one with DLPack"),
    "dtype": ({"k": np.zeros((2, 4, 5, 8), np.float32)}, ValueError,
              "k: expects element type f64, but got f32"),
    "integers": ({"k": np.zeros((2, 4, 5, 8), np.uint8)}, ValueError,
                 "k: expects element type f64, but got uint8"),
    "byte-order": ({"q": np.zeros((2, 4, 6, 8), ">f8")}, ValueError,
                   "q: expects element type f64, but got >f8"),
    "rank": ({"q": np.zeros((4, 6, 8))}, ValueError,
             r"q: expects shape \(batch, 4, queries, 8\), but got \(4, 6, 8\)"),
    "heads": ({"k": np.zeros((2, 3, 5, 8))}, ValueError,
              r"k: expects shape \(2, 4, keys, 8\), but got \(2, 3, 5, 8\)"),
    "keys": ({"v": np.zeros((2, 4, 6, 8))}, ValueError,
             r"v: expects shape \(2, 4, 5, 8\), but got \(2, 4, 6, 8\)"),
    "batch": ({"v": np.zeros((1, 4, 5, 8))}, ValueError,
              r"v: expects shape \(2, 4, 5, 8\), but got \(1, 4, 5, 8\)"),
    "weight": ({"pre_conv": np.zeros((4, 1, 6, 11))}, ValueError,
               r"pre_conv: expects shape \(4, 6, 11\), but got \(4, 1, 6, 11\)"),
    "boundaries": ({"query_boundaries": [0, 6]}, TypeError, "query_boundaries: expects arguments"),
}


@pytest.mark.parametrize(("changes", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(target, changes, error, message):
    attention = attention_of("pre-conv")
    arguments = {**random_arguments(attention, 6, 5, batch=2), **changes}
    arguments = {name: x for name, x in arguments.items() if x is not None}
    with pytest.raises(error, match=message):
        mta.compile(attention, target)(**arguments)


@pytest.mark.parametrize(("offsets", "message"), [
    ([0, 7], "query_boundaries: expects offsets that rise from 0 to 6, but got"),
    ([1, 6], "query_boundaries: expects offsets that rise from 0 to 6, but got"),
    ([0, 4, 3, 6], "query_boundaries: expects offsets that rise from 0 to 6, but got"),
    ([6], "query_boundaries: expects a sequence of at least 2 integers, but got"),
    ([0.0, 6.0], "query_boundaries: expects a sequence of at least 2 integers, but got"),
    ([0, 2**31], "query_boundaries: expects integers of 32 bits, but got"),
    ([0, 3, 6], r"key_boundaries: expects shape \(3\), but got \(4\)")])
def test_wrong_boundaries(target, offsets, message):
    attention = attention_of("plain", variable_length=True)
    arguments = random_arguments(attention, 6, 5)
    key_offsets = [0, 5] if len(offsets) == 2 else [0, 2, 2, 5]
    with pytest.raises(ValueError, match=message):
        mta.compile(attention, target)(
            **arguments, query_boundaries=offsets, key_boundaries=key_offsets)


def test_fewer_rows_than_the_halo(target):
    attention = attention_of("plain", query_halo=4)
    with pytest.raises(ValueError, match=r"q: expects at least query_halo \(4\) rows, but got 3"):
        mta.compile(attention, target)(**random_arguments(attention, 3, 5))


def test_arguments_of_any_layout_give_the_same_bits_and_stay_unchanged(target):
    attention = attention_of("v2", "f32")
    run = mta.compile(attention, target)
    arguments = random_arguments(attention, 7, 7, batch=2)
    before = {name: x.copy() for name, x in arguments.items()}
    expected = run(**arguments)
    strided = {name: np.repeat(x, 2, axis=-1)[..., ::2] for name, x in arguments.items()}
    fortran = {name: np.asfortranarray(x) for name, x in arguments.items()}
    assert run(**strided).tobytes() == expected.tobytes()
    assert run(**fortran).tobytes() == expected.tobytes()
    assert all(np.array_equal(arguments[name], x) for name, x in before.items())


def test_unknown_target():
    known = ", ".join(targets.names())
    with pytest.raises(ValueError, match=f"target: expects one of {known}, but got 'tpu'"):
        mta.compile(attention_of("plain"), "tpu")


def test_gradients_of_a_target_without_them():
    attention = attention_of("plain")
    arguments = random_arguments(attention, 3, 3)
    with pytest.raises(NotImplementedError, match="target reference computes no gradients"):
        mta.compile(attention, "reference").gradients(arguments["q"], **arguments)


def test_gradients_check_the_gradient_of_the_output():
    attention = attention_of("plain", query_halo=1)
    arguments = random_arguments(attention, 3, 3)
    run = mta.compile(attention, "numpy")
    with pytest.raises(ValueError, match=r"d_output: expects an array of \(\(1, 4, 2, 8\)"):
        run.gradients(arguments["q"], **arguments)
    assert run.gradients(arguments["q"][:, :, 1:], **arguments)["k"].shape == (1, 4, 3, 8)
