# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Properties every target has: locality of suffixes, causality, independent sequences."""

import numpy as np
import pytest

import mta
from attention_cases import PROGRAMS, attention_of, random_arguments, relative_error

LENGTH = 24


@pytest.fixture(params=sorted(PROGRAMS))
def program(request) -> str:
    """Every named program in turn."""
    return request.param


def test_suffix_with_halo_equals_all_rows_at_once(target, program):
    whole = attention_of(program)
    suffix = attention_of(program, query_halo=whole.halo)
    run, run_suffix = mta.compile(whole, target), mta.compile(suffix, target)
    arguments = random_arguments(whole, LENGTH, LENGTH)
    at_once = run(**arguments)
    # Rows before the start do not exist and read as zero, whatever they hold.
    earlier = np.full_like(arguments["q"][:, :, : whole.halo], 7.0)
    extended = {**arguments, "q": np.concatenate([earlier, arguments["q"]], axis=2)}
    for cut in (3, 17):
        first = run(**rows_of(arguments, 0, cut, cut))
        last = run_suffix(**rows_of(extended, cut, LENGTH + whole.halo, LENGTH))
        assert relative_error(np.concatenate([first, last], axis=2), at_once) < 1e-13


def rows_of(arguments, begin, end, keys):
    """The arguments with queries begin … end and the first keys."""
    return {**arguments, "q": arguments["q"][:, :, begin:end],
            "k": arguments["k"][:, :, :keys], "v": arguments["v"][:, :, :keys]}


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_editing_later_tokens_leaves_earlier_rows_bit_identical(target, program, dtype):
    attention = attention_of(program, dtype)
    run = mta.compile(attention, target, batch=1, queries=LENGTH, keys=LENGTH)
    arguments = random_arguments(attention, LENGTH, LENGTH)
    before = run(**arguments)
    for t in (0, 1, 11, LENGTH - 1):
        edited = {name: x.copy() for name, x in arguments.items()}
        for name in ("q", "k", "v"):
            edited[name][:, :, t:] = 3.0 - edited[name][:, :, t:]
        after = run(**edited)
        assert after[:, :, :t].tobytes() == before[:, :, :t].tobytes()
        assert not np.array_equal(after[:, :, t:], before[:, :, t:])


@pytest.mark.parametrize("causal", [True, False])
def test_variable_length_equals_separate_sequences(target, program, causal):
    packed = attention_of(program, causal=causal, variable_length=True)
    single = attention_of(program, causal=causal)
    query_cuts, key_cuts = [0, 5, 5, 6, LENGTH], [0, 9, 12, 12, LENGTH + 3]
    arguments = random_arguments(packed, LENGTH, LENGTH + 3, batch=2)
    together = mta.compile(packed, target)(
        **arguments, query_boundaries=query_cuts, key_boundaries=key_cuts)
    run = mta.compile(single, "numpy")
    for q0, q1, k0, k1 in zip(query_cuts, query_cuts[1:], key_cuts, key_cuts[1:]):
        alone = run(**{**arguments, "q": arguments["q"][:, :, q0:q1],
                       "k": arguments["k"][:, :, k0:k1], "v": arguments["v"][:, :, k0:k1]})
        assert relative_error(together[:, :, q0:q1], alone) < 1e-13


def test_identity_kernels_and_mixes_change_nothing(target):
    names = ("pre_conv", "pre_mix", "post_conv", "post_mix")
    attention = attention_of("plain", pre_conv=(6, 11), pre_mix=True, post_conv=(3, 5), post_mix=2)
    arguments = random_arguments(attention, 13, 13)
    plain = {name: x for name, x in arguments.items() if name not in names}
    for name in ("pre_conv", "post_conv"):
        arguments[name][...] = 0.0
        arguments[name][:, -1, arguments[name].shape[-1] // 2] = 1.0
    for name in ("pre_mix", "post_mix"):
        arguments[name][...] = np.eye(arguments[name].shape[-1])
    expected = mta.compile(attention_of("plain"), target)(**plain)
    assert relative_error(mta.compile(attention, target)(**arguments), expected) < 1e-13
