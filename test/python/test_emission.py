# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The MLIR text of `Attention.to_mlir` and the signatures that go with it."""

import pytest

import mta
from attention_cases import attention_of
from mta.emission import float_literal
from mta.signature import Signature, TensorType


def test_text_of_a_whole_program():
    attention = attention_of("v1", "bf16", heads=2, kv_heads=1, scale=0.125)
    assert attention.to_mlir(batch=1, queries=5, keys=7, name="layer").splitlines() == [
        "func.func @layer(%q: tensor<1x2x5x8xbf16>, %k: tensor<1x1x7x8xbf16>, "
        "%v: tensor<1x1x7x8xbf16>, %pre_conv: tensor<2x6x11xbf16>, "
        "%post_mix: tensor<1x2x2xbf16>, %norm_weight: tensor<8xbf16>) "
        "-> tensor<1x2x5x8xbf16> {",
        "  %o = mta.attention %q, %k, %v mask(causal) scale(0.125) {",
        "  ^bb0(%scores: tensor<1x2x5x7xf32>):",
        "    %0 = mta.key_query_conv %scores, %pre_conv padding(both) "
        ": tensor<1x2x5x7xf32>, tensor<2x6x11xbf16>",
        "    %1 = mta.softmax %0 : tensor<1x2x5x7xf32>",
        "    %2 = mta.head_mix %1, %post_mix : tensor<1x2x5x7xf32>, tensor<1x2x2xbf16>",
        "    mta.yield %2 : tensor<1x2x5x7xf32>",
        "  } : tensor<1x2x5x8xbf16>, tensor<1x1x7x8xbf16>, tensor<1x1x7x8xbf16> "
        "-> tensor<1x2x5x8xf32>",
        "  %normed = mta.head_norm %o, %norm_weight epsilon(1.0e-05) layer(5) "
        ": tensor<1x2x5x8xf32>, tensor<8xbf16> -> tensor<1x2x5x8xbf16>",
        "  return %normed : tensor<1x2x5x8xbf16>",
        "}",
    ]


def test_dynamic_sizes_and_sequences():
    text = attention_of("plain", "f64", variable_length=True, causal=False).to_mlir()
    assert "^bb0(%scores: tensor<?x4x?x?xf64>)" in text
    assert ("mta.attention %q, %k, %v sequences(%query_boundaries, %key_boundaries "
            ": tensor<?xi32>, tensor<?xi32>) {") in text
    assert "mask(" not in text


def test_halo_rows_have_no_output():
    attention = attention_of("plain", "f16", query_halo=3, log_sum_exp=True)
    text = attention.to_mlir(queries=8)
    assert "query_halo(3)" in text
    assert "-> (tensor<?x4x5x8xf16>, tensor<?x4x5xf32>)" in text
    assert "%o, %log_sum_exp = mta.attention" in text
    assert "return %o, %log_sum_exp : tensor<?x4x5x8xf16>, tensor<?x4x5xf32>" in text


def test_sixteen_bits_are_rounded_once():
    text = attention_of("v2", "f16").to_mlir(1, 3, 3)
    assert text.count("-> tensor<1x4x3x8xf32>") == 2
    assert "mta.gate" in text.splitlines()[-3]
    assert text.splitlines()[-3].endswith("-> tensor<1x4x3x8xf16>")


def test_rank_4_kernels_and_paddings():
    text = attention_of("two-convs").to_mlir()
    for padding in ("both", "right", "left"):
        assert f"padding({padding})" in text
    assert "tensor<4x2x3x5xf64>" in attention_of("grouped-conv").to_mlir()


@pytest.mark.parametrize(("value", "text"), [
    (1e-5, "1.0e-05"), (0.125, "0.125"), (2, "2.0"), (-1.5e300, "-1.5e+300"), (1e22, "1.0e+22")])
def test_float_literals_have_a_decimal_point(value, text):
    assert float_literal(value) == text


@pytest.mark.parametrize(("sizes", "message"), [
    ({"batch": 0}, "batch: expects None or a positive integer, but got 0"),
    ({"keys": 2.5}, "keys: expects None or a positive integer, but got 2.5"),
    ({"queries": 2}, r"queries: expects at least query_halo \(3\), but got 2"),
    ({"name": "a b"}, "name: expects an identifier, but got 'a b'")])
def test_refused_sizes(sizes, message):
    with pytest.raises(ValueError, match=message):
        attention_of("plain", query_halo=3).to_mlir(**sizes)


def test_signature_is_read_back_from_the_text():
    attention = mta.Attention.v2(4, 8, dtype="bf16", log_sum_exp=True, variable_length=True)
    made, read = (attention.signature(2, None, 7),
                  Signature.parse(attention.to_mlir(2, None, 7), "attention"))
    assert list(map(str, read.arguments.values())) == list(map(str, made.arguments.values()))
    assert list(read.arguments) == list(made.arguments)
    assert list(map(str, read.results)) == list(map(str, made.results))


def test_signature_with_attributes_and_other_functions():
    text = ("func.func private @f(%x: f32)\n"
            "func.func @g(%a: tensor<2xf32> {llvm.name = \"a, b\"}, %b: tensor<f64>)"
            " attributes {x} {")
    read = Signature.parse(text, "g")
    assert read.arguments == {"a": TensorType((2,), "f32"), "b": TensorType((), "f64")}
    assert read.results == ()
    with pytest.raises(ValueError, match="type: expects a ranked tensor, but got 'f32'"):
        Signature.parse(text, "f")
    with pytest.raises(ValueError, match="function: expects one of the module's, but got 'h'"):
        Signature.parse(text, "h")
