# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`mta.Attention`: defaults, derived properties, presets and refusals."""

import dataclasses

import pytest

import mta
from mta.program import HeadMix, KeyQueryConv, Softmax

REFUSED = {
    "heads-zero": ({"heads": 0}, "heads: expects a positive integer, but got 0"),
    "heads-bool": ({"heads": True}, "heads: expects a positive integer, but got True"),
    "head-dim-text": ({"head_dim": "8"}, "head_dim: expects a positive integer, but got '8'"),
    "kv-heads": ({"kv_heads": 3}, r"kv_heads: expects a divisor of heads \(4\), but got 3"),
    "value-dim": ({"value_dim": -1}, "value_dim: expects a positive integer, but got -1"),
    "conv-no-pair": ({"pre_conv": 6}, r"pre_conv: expects None or a pair .*, but got 6"),
    "conv-zero": ({"post_conv": (0, 3)}, r"post_conv: expects None or a pair .* got \(0, 3\)"),
    "conv-even-both": ({"pre_conv": (6, 10)}, "pre_conv: expects an odd number of keys .* got 10"),
    "mix-divisor": ({"pre_mix": 3}, r"pre_mix: expects a group size that divides heads \(4\)"),
    "mix-false": ({"post_mix": False}, "post_mix: expects a group size .* but got False"),
    "norm": ({"norm": 1}, "norm: expects True or False, but got 1"),
    "layer-negative": ({"norm": True, "layer": -1}, "layer: expects None or a non-negative"),
    "layer-no-norm": ({"layer": 2}, "layer: expects None without norm, but got 2"),
    "gate": ({"gate": "full"}, "gate: expects None, 'scalar' or 'vector', but got 'full'"),
    "causal": ({"causal": None}, "causal: expects True or False, but got None"),
    "pad": ({"pad": "top"}, r"pad: expects one of \('both', 'left', 'right'\), but got 'top'"),
    "scale": ({"scale": float("nan")}, "scale: expects None or a finite number, but got nan"),
    "dtype": ({"dtype": "f8"}, "dtype: expects one of .*, but got 'f8'"),
    "halo": ({"query_halo": -1}, "query_halo: expects a non-negative integer, but got -1"),
    "halo-sequences": ({"query_halo": 1, "variable_length": True},
                       "query_halo: expects 0 with variable_length, but got 1"),
    "no-softmax": ({"score_program": ()}, "score_program: expects exactly one softmax, but got 0"),
    "two-softmaxes": ({"score_program": (Softmax(), Softmax())},
                      "score_program: expects exactly one softmax, but got 2"),
    "no-ops": ({"score_program": "softmax"}, "score_program: expects a sequence of score op"),
    "both-ways": ({"score_program": (Softmax(),), "pre_mix": 2},
                  "pre_mix: expects None beside score_program, but got 2"),
    "weight-name": ({"score_program": (HeadMix("a b", 2), Softmax())},
                    "score_program weight: expects a lower case identifier, but got 'a b'"),
    "weight-reserved": ({"score_program": (HeadMix("q", 2), Softmax())},
                        "score_program weight: expects a name of its own, but got 'q'"),
    "weight-shapes": ({"score_program": (HeadMix("w", 2), Softmax(), HeadMix("w", 4))},
                      r"score_program\.w: expects the same shape"),
    "conv-group": ({"score_program": (KeyQueryConv("t", 2, 3, group=3), Softmax())},
                   r"score_program\.t: expects a group size that divides heads \(4\)"),
    "conv-padding": ({"score_program": (KeyQueryConv("t", 2, 3, "up"), Softmax())},
                     r"score_program\.t padding: expects one of"),
}


@pytest.mark.parametrize(("fields", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        mta.Attention(**{"heads": 4, "head_dim": 8, **fields})


def test_defaults_are_put_in_place():
    attention = mta.Attention(heads=4, head_dim=8, pre_mix=True, pre_conv=[6, 11])
    explicit = mta.Attention(heads=4, head_dim=8, kv_heads=4, value_dim=8, pre_mix=4,
                             pre_conv=(6, 11))
    assert attention == explicit
    assert attention.score_scale == pytest.approx(8**-0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        attention.heads = 2


def test_program_and_halo():
    attention = mta.Attention.v2(heads=16, head_dim=96)
    assert attention.program == (
        KeyQueryConv("pre_conv", 6, 11), HeadMix("pre_mix", 16), Softmax(),
        KeyQueryConv("post_conv", 6, 11), HeadMix("post_mix", 16))
    assert attention.halo == 10


def test_weight_shapes():
    attention = mta.Attention.v2(heads=10, head_dim=8, value_dim=6, gate="vector", post_mix=2)
    assert list(attention.weight_shapes.items()) == [
        ("pre_conv", (10, 6, 11)), ("pre_mix", (1, 10, 10)), ("post_conv", (10, 6, 11)),
        ("post_mix", (5, 2, 2)), ("norm_weight", (6,)), ("gate_weight", (6, 6)),
        ("gate_bias", (6,))]


@pytest.mark.parametrize(("padding", "left"), [("both", 2), ("left", 4), ("right", 0)])
def test_keys_to_the_left(padding, left):
    assert KeyQueryConv("theta", 2, 5, padding).left == left


def test_presets():
    made = {name: mta.Attention.preset(name, 4, 8).describe()
            for name in ("v1", "v2", "talking-heads", "pre-conv")}
    assert made == {
        "v1": "conv 6x11 · softmax · mix groups of 2 · norm layer 0",
        "v2": "conv 6x11 · mix groups of 4 · softmax · conv 6x11 · mix groups of 4"
              " · norm · scalar gate",
        "talking-heads": "mix groups of 4 · softmax · mix groups of 4 · norm · scalar gate",
        "pre-conv": "conv 6x11 · softmax",
    }
    assert mta.Attention.v1(4, 8, layer=7).layer == 7
    assert mta.Attention.talking_heads(4, 8) == mta.Attention.preset("talking-heads", 4, 8)
    toy = mta.Attention.pre_convolution(4, 8, pre_conv=(2, 9))
    assert toy.weight_shapes == {"pre_conv": (4, 2, 9)}
    with pytest.raises(ValueError, match="preset: expects one of v1, .*, but got 'v3'"):
        mta.Attention.preset("v3", 4, 8)
