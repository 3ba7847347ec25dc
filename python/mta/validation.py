# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The checks of a configuration; every failure is a ValueError naming the field."""

import math
import re

from mta.dtypes import FLOAT_DTYPES
from mta.program import PADDINGS, HeadMix, KeyQueryConv, ScoreOp, Softmax

#: Arguments an attention has besides the weights of its program.
RESERVED_NAMES = (
    "q", "k", "v", "norm_weight", "gate_weight", "gate_bias",
    "query_boundaries", "key_boundaries",
)


def require(condition: bool, field: str, expectation: str, value: object) -> None:
    """Raises the ValueError that names a field, what it expects and its value."""
    if not condition:
        raise ValueError(f"{field}: expects {expectation}, but got {value!r}")


def is_integer(value: object, least: int = 0) -> bool:
    """Whether `value` is an int, no bool, of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def validate_attention(attention) -> None:
    """Raises ValueError at the first illegal field of an `Attention`."""
    _validate_sizes(attention)
    _validate_options(attention)
    prefix = "" if attention.score_program is None else "score_program."
    _validate_program(prefix, attention.program, attention.heads)


def _validate_sizes(attention):
    divides = is_integer(attention.kv_heads, 1) and attention.heads % attention.kv_heads == 0
    require(divides, "kv_heads", f"a divisor of heads ({attention.heads})", attention.kv_heads)
    require(is_integer(attention.value_dim, 1), "value_dim", "a positive integer",
            attention.value_dim)
    require(is_integer(attention.query_halo), "query_halo", "a non-negative integer",
            attention.query_halo)
    require(attention.pad in PADDINGS, "pad", f"one of {PADDINGS}", attention.pad)
    for name in ("pre_conv", "post_conv"):
        size = getattr(attention, name)
        pair = isinstance(size, tuple) and len(size) == 2
        legal = size is None or (pair and all(is_integer(n, 1) for n in size))
        require(legal, name, "None or a pair (cq, ck) of positive integers", size)
    _validate_score_program(attention)


def _validate_score_program(attention):
    if attention.score_program is None:
        return
    ops = attention.score_program
    legal = isinstance(ops, tuple) and all(isinstance(op, ScoreOp) for op in ops)
    require(legal, "score_program", "a sequence of score operations", ops)
    for name in ("pre_conv", "pre_mix", "post_conv", "post_mix"):
        require(getattr(attention, name) is None, name, "None beside score_program",
                getattr(attention, name))


def _validate_options(attention):
    for name in ("norm", "causal", "log_sum_exp", "variable_length"):
        value = getattr(attention, name)
        require(isinstance(value, bool), name, "True or False", value)
    legal = attention.layer is None or is_integer(attention.layer)
    require(legal, "layer", "None or a non-negative integer", attention.layer)
    require(attention.layer is None or attention.norm, "layer", "None without norm",
            attention.layer)
    require(attention.gate in (None, "scalar", "vector"), "gate", "None, 'scalar' or 'vector'",
            attention.gate)
    number = isinstance(attention.scale, (int, float)) and not isinstance(attention.scale, bool)
    finite = attention.scale is None or (number and math.isfinite(attention.scale))
    require(finite, "scale", "None or a finite number", attention.scale)
    require(attention.dtype in FLOAT_DTYPES, "dtype", f"one of {FLOAT_DTYPES}", attention.dtype)
    require(not (attention.query_halo and attention.variable_length), "query_halo",
            "0 with variable_length", attention.query_halo)


def _validate_program(prefix: str, program: tuple[ScoreOp, ...], heads: int):
    softmaxes = sum(isinstance(op, Softmax) for op in program)
    require(softmaxes == 1, "score_program", "exactly one softmax", softmaxes)
    shapes: dict[str, tuple[int, ...]] = {}
    for op in program:
        if isinstance(op, Softmax):
            continue
        _validate_weight_name(op.weight)
        field = prefix + op.weight
        _validate_op_sizes(field, op, heads)
        shape = op.weight_shape(heads)
        known = shapes.setdefault(op.weight, shape)
        require(known == shape, field, f"the same shape {known} at every use", shape)


def _validate_weight_name(name: str):
    legal = isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name)
    require(bool(legal), "score_program weight", "a lower case identifier", name)
    own = name not in RESERVED_NAMES
    require(own, "score_program weight", "a name of its own", name)


def _validate_op_sizes(field: str, op: KeyQueryConv | HeadMix, heads: int):
    if op.group is not None or isinstance(op, HeadMix):
        divides = is_integer(op.group, 1) and heads % op.group == 0
        require(divides, field, f"a group size that divides heads ({heads})", op.group)
    if isinstance(op, KeyQueryConv):
        positive = is_integer(op.cq, 1) and is_integer(op.ck, 1)
        require(positive, field, "a size (cq, ck) of positive integers", (op.cq, op.ck))
        require(op.padding in PADDINGS, f"{field} padding", f"one of {PADDINGS}", op.padding)
        even_both = op.padding == "both" and op.ck % 2 == 0
        require(not even_both, field, "an odd number of keys with padding 'both'", op.ck)
