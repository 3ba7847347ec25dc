# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Programs, shape classes and random arguments that several tests share."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

import mta
from mta import check
from mta.program import HeadMix, KeyQueryConv, Softmax

#: The element types that the fused kernels of target "ptx" take; the others run on
#: "ptx-reference".
FUSED_DTYPES = ("f16", "bf16", "f32")

#: Score programs by name, as fields of `mta.Attention`.
PROGRAMS = {
    "plain": {},
    "pre-conv": {"pre_conv": (6, 11)},
    "pre-conv-left": {"pre_conv": (4, 8), "pad": "left"},
    "pre-conv-right": {"pre_conv": (4, 8), "pad": "right"},
    "post-conv": {"post_conv": (3, 5)},
    "v1": {"pre_conv": (6, 11), "post_mix": 2, "norm": True, "layer": 5},
    "v2": {"pre_conv": (6, 11), "pre_mix": True, "post_conv": (6, 11), "post_mix": True,
           "norm": True, "gate": "scalar"},
    "talking-heads": {"pre_mix": True, "post_mix": True, "norm": True, "gate": "scalar"},
    "vector-gate": {"pre_conv": (2, 3), "post_mix": 1, "gate": "vector"},
    "mix-before-conv": {"score_program": (
        HeadMix("first_mix", 2), KeyQueryConv("late_conv", 2, 3), Softmax(),
        HeadMix("second_mix", 2), KeyQueryConv("last_conv", 3, 3, padding="left"))},
    "two-convs": {"score_program": (
        KeyQueryConv("first", 2, 3), KeyQueryConv("second", 3, 4, padding="right"), Softmax(),
        KeyQueryConv("third", 2, 5), KeyQueryConv("fourth", 2, 2, padding="left"))},
    "grouped-conv": {"score_program": (
        KeyQueryConv("before", 3, 5, group=2), Softmax(),
        KeyQueryConv("after", 2, 3, group=2))},
}


@dataclass(frozen=True)
class Shape:
    """Sizes of a call, and fields of `mta.Attention` that belong to the class."""

    queries: int
    keys: int
    batch: int = 1
    fields: dict = field(default_factory=dict)


#: Shape classes by what is special about them. The longest halo of a program is 10.
SHAPES = {
    "one-row": Shape(1, 1),
    "three-rows": Shape(3, 3, batch=2),
    "odd-length": Shape(29, 29),
    "more-keys": Shape(5, 14, fields={"log_sum_exp": True}),
    "queries-without-keys": Shape(9, 4, fields={"log_sum_exp": True}),
    "no-mask": Shape(7, 9, fields={"causal": False, "scale": 0.3}),
    "ten-heads-of-96": Shape(6, 6, fields={"heads": 10, "head_dim": 96}),
    "shared-keys-narrow-values": Shape(8, 8, batch=2, fields={"kv_heads": 2, "value_dim": 5}),
    "suffix-with-halo": Shape(15, 21, fields={"query_halo": 10}),
    "halo-before-the-start": Shape(14, 6, fields={"query_halo": 10}),
}


def attention_of(program: str, dtype: str = "f64", **fields) -> mta.Attention:
    """A small attention (4 heads of 8) with the program and further fields."""
    return mta.Attention(**{"heads": 4, "head_dim": 8, **PROGRAMS[program], "dtype": dtype,
                            **fields})


def random_arguments(attention: mta.Attention, queries: int, keys: int, batch: int = 1,
                     seed: int = 0) -> dict[str, np.ndarray]:
    """q, k, v and the weights in the attention's type, without boundaries."""
    generator = np.random.default_rng(seed)
    shapes = {
        "q": (batch, attention.heads, queries, attention.head_dim),
        "k": (batch, attention.kv_heads, keys, attention.head_dim),
        "v": (batch, attention.kv_heads, keys, attention.value_dim),
        **attention.weight_shapes,
    }
    return {name: generator.standard_normal(shape).astype(attention.numpy_dtype)
            for name, shape in shapes.items()}


def relative_error(output: np.ndarray, expected: np.ndarray) -> float:
    """‖output − expected‖/‖expected‖, NaN when anything is not finite."""
    return check.measure(output, expected).relative


@st.composite
def score_ops(draw, heads: int, side: str) -> list:
    """Up to two score operations in any order, with weights named after `side`."""
    ops = []
    for number in range(draw(st.integers(0, 2))):
        groups = [c for c in range(1, heads + 1) if heads % c == 0]
        if draw(st.booleans()):
            ops.append(HeadMix(f"{side}{number}", draw(st.sampled_from(groups))))
            continue
        padding = draw(st.sampled_from(["both", "left", "right"]))
        keys = draw(st.sampled_from([1, 3, 5] if padding == "both" else [1, 2, 3, 4]))
        group = draw(st.sampled_from([None, *groups]))
        ops.append(KeyQueryConv(f"{side}{number}", draw(st.integers(1, 4)), keys, padding, group))
    return ops


@st.composite
def attentions(draw, dtype: str = "f64", variable_length: bool | None = None):
    """Attentions of every kind with few heads, without a query halo."""
    kv_heads = draw(st.integers(1, 2))
    heads = kv_heads * draw(st.integers(1, 3))
    norm = draw(st.booleans())
    lengths = st.booleans() if variable_length is None else st.just(variable_length)
    program = [*draw(score_ops(heads, "pre")), Softmax(), *draw(score_ops(heads, "post"))]
    return mta.Attention(
        heads=heads, kv_heads=kv_heads, head_dim=draw(st.integers(1, 5)),
        value_dim=draw(st.integers(1, 5)), score_program=tuple(program), norm=norm,
        layer=draw(st.none() | st.integers(0, 9)) if norm else None,
        gate=draw(st.sampled_from([None, "scalar", "vector"])), causal=draw(st.booleans()),
        scale=draw(st.none() | st.just(0.75)), variable_length=draw(lengths), dtype=dtype)


@st.composite
def boundaries(draw, queries: int, keys: int) -> dict[str, list[int]]:
    """Offsets of one to three sequences, some of which may have no queries or keys."""
    cuts = draw(st.integers(0, 2))
    inner = {"query_boundaries": queries, "key_boundaries": keys}
    return {name: [0, *sorted(draw(st.integers(0, n)) for _ in range(cuts)), n]
            for name, n in inner.items()}
