# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`gradients`: the adjoints of the steps, in the reverse order of a program."""

from collections.abc import Mapping

import numpy as np

from mta.program import HeadMix, KeyQueryConv
from mta.reference import epilogue, score_ops
from mta.reference.attention import Trace, as_float64, sequences, trace_sequence


def gradients(attention, q: np.ndarray, k: np.ndarray, v: np.ndarray,
              weights: Mapping[str, np.ndarray], d_output: np.ndarray,
              query_boundaries=None, key_boundaries=None) -> dict[str, np.ndarray]:
    """The gradients of Σ output · d_output, float64, by argument name.

    attention, q, k, v, weights, query_boundaries and key_boundaries as in
    `mta.reference.forward`; d_output: B×H×(Nq − halo)×Dv. The result has "q", "k",
    "v" and every weight, each of its argument's shape.
    """
    q, k, v, weights = as_float64(q, k, v, weights)
    slices = sequences(attention, q, k, query_boundaries, key_boundaries)
    traces = [trace_sequence(attention, q[:, :, rows], k[:, :, keys], v[:, :, keys], weights)
              for rows, keys in slices]
    output = np.concatenate([trace.output for trace in traces], axis=2)
    d_output = np.asarray(d_output, dtype=np.float64)
    total = {name: np.zeros_like(x) for name, x in {"q": q, "k": k, "v": v, **weights}.items()}
    # Halo rows have no output, so nothing flows into them from above.
    halo = attention.query_halo
    d_rows = np.zeros_like(output)
    d_rows[:, :, halo:] = _epilogue_adjoint(
        attention, output[:, :, halo:], weights, d_output, total)
    for trace, (rows, keys) in zip(traces, slices):
        operands = (q[:, :, rows], k[:, :, keys], v[:, :, keys])
        d_q, d_k, d_v = _sequence_adjoint(
            attention, trace, operands, weights, d_rows[:, :, rows], total)
        total["q"][:, :, rows] = d_q
        total["k"][:, :, keys] = d_k
        total["v"][:, :, keys] = d_v
    return total


def _epilogue_adjoint(attention, output, weights, d_output, total) -> np.ndarray:
    """Steps 9 and 8 backwards; adds their weights' gradients to `total`."""
    normed = output
    if attention.norm:
        normed = epilogue.head_norm(output, weights["norm_weight"], attention.layer)
    if attention.gate:
        d_output, d_weight, d_bias = epilogue.gate_adjoint(
            normed, weights["gate_weight"], weights["gate_bias"], d_output)
        total["gate_weight"] += d_weight
        total["gate_bias"] += d_bias
    if attention.norm:
        d_output, d_gamma = epilogue.head_norm_adjoint(
            output, weights["norm_weight"], attention.layer, d_output)
        total["norm_weight"] += d_gamma
    return d_output


def _sequence_adjoint(attention, trace: Trace, operands, weights, d_rows, total):
    """Steps 7 to 1 backwards on one sequence; returns dQ, dK and dV.

    dV = Yᵀ dO and dY = allowed · dO Vᵀ, then the program backwards.
    """
    q, k, v = operands
    share = q.shape[1] // v.shape[1]
    d_v = score_ops.sum_shared_heads(trace.weights.swapaxes(-1, -2) @ d_rows, share)
    d_x = d_rows @ np.repeat(v, share, axis=1).swapaxes(-1, -2)
    d_x = np.where(trace.mask, d_x, 0.0)
    for n in reversed(range(len(attention.program))):
        d_x = _op_adjoint(attention.program[n], n, trace, weights, d_x, total)
    d_scores = np.where(trace.mask, d_x, 0.0)
    d_q, d_k = score_ops.scores_adjoint(q, k, attention.score_scale, d_scores)
    return d_q, d_k, d_v


def _op_adjoint(op, n: int, trace: Trace, weights, d_x, total) -> np.ndarray:
    """Operation n backwards; adds its weight's gradient to `total`.

    Values that are not allowed reach nothing: a convolution reads them as
    zero and the softmax as −∞, so their gradient is zero after every step.
    """
    operand = trace.operands[n]
    if isinstance(op, KeyQueryConv):
        d_x, d_weight = score_ops.key_query_conv_adjoint(
            operand, weights[op.weight], op.left, d_x)
        total[op.weight] += d_weight
    elif isinstance(op, HeadMix):
        d_x, d_weight = score_ops.head_mix_adjoint(operand, weights[op.weight], d_x)
        total[op.weight] += d_weight
    else:
        softened, _ = score_ops.softmax(operand, trace.mask)
        d_x = score_ops.softmax_adjoint(softened, d_x)
    return np.where(trace.mask, d_x, 0.0)
