# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Writes the `mta` dialect text of an attention."""

import re
from collections.abc import Mapping

from mta.program import HeadMix, KeyQueryConv
from mta.reference.epilogue import NORM_EPSILON
from mta.signature import Signature, TensorType
from mta.validation import require


#: What lies next to what in an array of batch, heads, tokens (n) and elements (d), the
#: last one fastest; "strided" is any order with the elements of a row side by side.
LAYOUTS = ("bhnd", "bnhd", "strided")

#: The arrays that have a layout; weights are contiguous.
LAID_OUT = ("q", "k", "v", "out")


def module_text(attention, signature: Signature, name: str,
                layouts: Mapping[str, str] | None = None) -> str:
    """A module with one function `name` that computes `attention`.

    `layouts` are those of q, k, v and out, "bhnd" for what is left out. With another one
    for out, the function writes to its last argument, %out.
    """
    legal = isinstance(name, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
    require(bool(legal), "name", "an identifier", name)
    layouts = layouts or {}
    for array, layout in layouts.items():
        require(array in LAID_OUT, "layouts", f"names of {', '.join(LAID_OUT)}", array)
        require(layout in LAYOUTS, f"layout of {array}", f"one of {', '.join(LAYOUTS)}", layout)
    strides = {array: text for array, layout in layouts.items()
               if (text := _strides(_laid_out(signature, array), layout))}
    arguments = [f"%{n}: {t}" + (f" {{bufferization.buffer_layout = {strides[n]}}}"
                                 if n in strides else "")
                 for n, t in signature.arguments.items()]
    results = signature.results
    if "out" in strides:
        arguments.append(f"%out: {_buffer(results[0], strides['out'])}")
        results = results[1:]
    arrow = f" -> {_result_list(results)}" if results else ""
    lines = [f"func.func @{name}({', '.join(arguments)}){arrow} {{"]
    lines += ["  " + line for line in _body(attention, signature, strides.get("out"))]
    return "\n".join([*lines, "}", ""])


def _laid_out(signature: Signature, array: str) -> TensorType:
    return signature.results[0] if array == "out" else signature.arguments[array]


def _strides(tensor: TensorType, layout: str) -> str:
    """MLIR's text of a layout, "" for a contiguous array."""
    heads, size = tensor.shape[1], tensor.shape[3]
    return {"bhnd": "", "bnhd": f"strided<[?, {size}, {heads * size}, 1]>",
            "strided": "strided<[?, ?, ?, 1]>"}[layout]


def _buffer(tensor: TensorType, strides: str) -> str:
    return str(tensor).replace("tensor<", "memref<")[:-1] + f", {strides}>"


def _result_list(results: tuple[TensorType, ...]) -> str:
    text = ", ".join(map(str, results))
    return f"({text})" if len(results) > 1 else text


def _body(attention, signature: Signature, output_strides: str | None) -> list[str]:
    """Attention, norm and gate; 16-bit programs round once, after the last step."""
    steps = 1 + attention.norm + (attention.gate is not None)
    output = signature.results[0]
    wide = TensorType(output.shape, attention.score_dtype)
    types = [wide] * (steps - 1) + [output]
    lines = _attention_op(attention, signature, types[0])
    value, step = "%o", 1
    if attention.norm:
        line = _norm_op(attention, signature, value, types[step - 1], types[step])
        value, step = "%normed", step + 1
        lines.append(f"{value} = {line}")
    if attention.gate:
        line = _gate_op(signature, value, types[step - 1], types[step])
        value = "%gated"
        lines.append(f"{value} = {line}")
    values = [value] + ["%log_sum_exp"] * attention.log_sum_exp
    results = signature.results
    if output_strides:
        lines.append(f"bufferization.materialize_in_destination {value} in restrict writable %out "
                     f": ({output}, {_buffer(output, output_strides)}) -> ()")
        values, results = values[1:], results[1:]
    returned = f" {', '.join(values)} : {', '.join(map(str, results))}" if values else ""
    return [*lines, f"return{returned}"]


def _attention_op(attention, signature: Signature, output: TensorType) -> list[str]:
    inputs = [signature.arguments[n] for n in ("q", "k", "v")]
    (batch, heads, queries, _), keys = inputs[0].shape, inputs[1].shape[2]
    scores = TensorType((batch, heads, queries, keys), attention.score_dtype)
    results = [output, *signature.results[1:]]
    names = "%o, %log_sum_exp" if attention.log_sum_exp else "%o"
    clauses = "".join(" " + clause for clause in _clauses(attention, signature))
    body, value = [], "%scores"
    for number, op in enumerate(attention.program):
        body.append(f"  %{number} = {_score_op(op, value, scores, signature.arguments)}")
        value = f"%{number}"
    return [
        f"{names} = mta.attention %q, %k, %v{clauses} {{",
        f"^bb0(%scores: {scores}):",
        *body,
        f"  mta.yield {value} : {scores}",
        f"}} : {', '.join(map(str, inputs))} -> {', '.join(map(str, results))}",
    ]


def _clauses(attention, signature: Signature) -> list[str]:
    clauses = []
    if attention.causal:
        clauses.append("mask(causal)")
    if attention.scale is not None:
        clauses.append(f"scale({float_literal(attention.scale)})")
    if attention.query_halo:
        clauses.append(f"query_halo({attention.query_halo})")
    if attention.variable_length:
        queries = signature.arguments["query_boundaries"]
        keys = signature.arguments["key_boundaries"]
        clauses.append(
            f"sequences(%query_boundaries, %key_boundaries : {queries}, {keys})"
        )
    return clauses


def _score_op(op, value: str, scores: TensorType, types: Mapping[str, TensorType]) -> str:
    if isinstance(op, KeyQueryConv):
        padding = f"padding({op.padding})"
        return (f"mta.key_query_conv {value}, %{op.weight} {padding} "
                f": {scores}, {types[op.weight]}")
    if isinstance(op, HeadMix):
        return f"mta.head_mix {value}, %{op.weight} : {scores}, {types[op.weight]}"
    return f"mta.softmax {value} : {scores}"


def _norm_op(attention, signature: Signature, value: str, operand: TensorType,
             result: TensorType) -> str:
    layer = "" if attention.layer is None else f" layer({attention.layer})"
    weight = signature.arguments["norm_weight"]
    return (f"mta.head_norm {value}, %norm_weight epsilon({float_literal(NORM_EPSILON)}){layer} "
            f": {operand}, {weight} -> {result}")


def _gate_op(signature: Signature, value: str, operand: TensorType, result: TensorType) -> str:
    weight = signature.arguments["gate_weight"]
    bias = signature.arguments["gate_bias"]
    return (f"mta.gate {value}, %gate_weight, %gate_bias "
            f": {operand}, {weight}, {bias} -> {result}")


def float_literal(value: float) -> str:
    """`value` as an MLIR float literal, which needs a decimal point."""
    mantissa, exponent, power = repr(float(value)).partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + exponent + power
