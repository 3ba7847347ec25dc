# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""How far rounding may take the results of an attention from `mta.reference`.

A running error analysis (Higham, Accuracy and Stability of Numerical
Algorithms, chapter 3) with the roundings as independent random errors (Higham
and Mary, SIAM J. Sci. Comput. 41, 2019): next to every value of the reference
goes the variance of its error, and each step adds its own to what it passes
on. With unit roundoff u a sum R of n products, in any order, has a variance of

    u² n (Σ(x y)² + R²/3),

as its partial sums are parts of R plus a random walk. The bound is a fixed
number of standard deviations of the result.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from mta.dtypes import UNIT_ROUNDOFF, numpy_dtype
from mta.program import KeyQueryConv, Softmax
from mta.reference import epilogue, score_ops
from mta.reference.attention import Trace, as_float64, sequences, trace_sequence

#: Standard deviations in the bound. Of normal errors two in 10^9 exceed 6.
_DEVIATIONS = 6.0


@dataclass(frozen=True)
class Bound:
    """Elementwise bounds of the error of `output` and `log_sum_exp`, shaped like them."""

    output: np.ndarray
    log_sum_exp: np.ndarray


def error_bound(attention, q, k, v, weights: Mapping[str, np.ndarray], query_boundaries=None,
                key_boundaries=None, intermediate: str | None = None) -> Bound:
    """The bound for arguments as `mta.reference.forward` takes them.

    Intermediate values are in `intermediate`, or in `attention.score_dtype`, the
    output is rounded once to `attention.dtype`.
    """
    q, k, v, weights = as_float64(q, k, v, weights)
    held = intermediate or attention.score_dtype
    unit = UNIT_ROUNDOFF[held]
    outputs, variances, log_sums = [], [], []
    for rows, keys in sequences(attention, q, k, query_boundaries, key_boundaries):
        part = (q[:, :, rows], k[:, :, keys], v[:, :, keys])
        trace = trace_sequence(attention, *part, weights)
        variance, log_sum = _sequence_variances(attention, trace, *part, weights, held)
        outputs.append(trace.output)
        variances.append(variance)
        log_sums.append(log_sum)
    halo = attention.query_halo
    output = np.concatenate(outputs, axis=2)[:, :, halo:]
    variance = np.concatenate(variances, axis=2)[:, :, halo:]
    if attention.norm:
        output, variance = _norm_variance(attention, output, variance, weights, unit)
    if attention.gate:
        output, variance = _gate_variance(output, variance, weights, unit)
    error = _DEVIATIONS * np.sqrt(variance)
    error = error + _storage_error(attention, np.abs(output) + error)
    return Bound(error, np.concatenate(log_sums, axis=2)[:, :, halo:])


def _sequence_variances(attention, trace: Trace, q, k, v, weights, held: str):
    """The variance of the output of step 7 and the bound of the log-sum-exp."""
    unit = UNIT_ROUNDOFF[held]
    values = score_ops.scores(q, k, attention.score_scale)
    squares = score_ops.scores(q**2, k**2, attention.score_scale**2)
    # Two more roundings for the scale.
    variance = _sum_variance(q.shape[3] + 2, squares, values, unit)
    log_sum, after_softmax = None, False
    results = (*trace.operands[1:], trace.weights)
    for op, x, result in zip(attention.program, trace.operands, results):
        if isinstance(op, Softmax):
            variance, log_sum = _softmax_variance(x, variance, trace, held)
            after_softmax = True
            continue
        mask = trace.mask if isinstance(op, KeyQueryConv) else True
        weight = weights[op.weight]
        own = _sum_variance(int(np.prod(weight.shape[1:])), _squares(op, x, weight), result, unit)
        variance = _squares(op, np.where(mask, np.sqrt(variance), 0.0), weight) + own
        if after_softmax:
            variance = np.where(mask, variance, 0.0)
    shared = np.repeat(v, q.shape[1] // v.shape[1], axis=1)
    # One more for the division by the sum.
    own = _sum_variance(k.shape[2] + 1, trace.weights**2 @ shared**2, trace.output, unit)
    return variance @ shared**2 + own, log_sum


def _squares(op, x, weight):
    """Σ (weight · x)² over the products of a linear operation."""
    if isinstance(op, KeyQueryConv):
        return score_ops.key_query_conv(x**2, weight**2, op.left)
    return score_ops.head_mix(x**2, weight**2)


def _sum_variance(terms: int, squares, result, unit: float):
    """The variance of a sum of `terms` products; `squares` is the sum of their squares."""
    return unit**2 * terms * (squares + result**2 / 3.0)


def _softmax_variance(x, variance, trace: Trace, held: str):
    """From the variance of the scores to that of the weights and a bound for log-sum-exp."""
    mask, unit = trace.mask, UNIT_ROUNDOFF[held]
    weights, log_sum = score_ops.softmax(x, mask)
    largest = np.where(mask, np.abs(x), 0.0).max(axis=-1, keepdims=True, initial=0.0)
    # Scores in base 2, their difference to the maximum and exp2 itself.
    variance = variance + unit**2 * (3.0 * (x**2 + largest**2) + 16.0)
    # More than this says nothing more, and exp of much more overflows.
    error = np.where(mask, np.minimum(_DEVIATIONS * np.sqrt(variance), 50.0), 0.0)
    smallest_sum = (weights * np.exp(-error)).sum(axis=-1, keepdims=True)
    empty = smallest_sum == 0.0
    growth = np.exp(error) / np.where(empty, 1.0, smallest_sum) - 1.0
    sums = _DEVIATIONS * unit * np.sqrt(mask.shape[1] + 2)
    # A weight below the normal numbers may be flushed to zero.
    tiny = float(ml_dtypes.finfo(numpy_dtype(held)).tiny)
    own = np.where(mask, np.minimum(weights * (growth + sums), 1.0) + tiny, 0.0)
    known = np.where(np.isfinite(log_sum), np.abs(log_sum), 0.0)
    spread = np.log((weights * np.exp(error)).sum(axis=-1) + empty[..., 0])
    return (own / _DEVIATIONS) ** 2, spread + sums + 4.0 * unit * (known + 1.0)


def _norm_variance(attention, output, variance, weights, unit):
    """O / r · γ · (1 − λ) with r = √(mean O² + ε); |δr| is at most √(mean δO²)."""
    normed = epilogue.head_norm(output, weights["norm_weight"], attention.layer)
    factor = np.abs(weights["norm_weight"]) * epilogue.depth_scale(attention.layer)
    root = np.sqrt((output**2).mean(axis=-1, keepdims=True) + epilogue.NORM_EPSILON)
    d_root = np.sqrt(variance.mean(axis=-1, keepdims=True))
    # The root of the computed row, which an error of its own size may shrink.
    least = np.maximum(root - _DEVIATIONS * d_root, np.sqrt(epilogue.NORM_EPSILON))
    deviation = (np.sqrt(variance) + np.abs(output) * d_root / root) / least * factor
    return normed, deviation**2 + unit**2 * (output.shape[-1] + 4) * normed**2


def _gate_variance(output, variance, weights, unit):
    """O · σ(z), z = O·Wgᵀ + bg; σ has a slope of at most 1/4."""
    weight, bias = weights["gate_weight"], weights["gate_bias"]
    z = output @ weight.T + bias
    own = _sum_variance(output.shape[-1] + 1, output**2 @ weight.T**2 + bias**2, z, unit)
    d_z = np.sqrt(variance @ weight.T**2 + own)
    d_sigma = np.minimum(0.25 * d_z + 8.0 * unit, 1.0)
    gated = epilogue.gate(output, weight, bias)
    deviation = np.sqrt(variance) * (epilogue.sigmoid(z) + d_sigma) + np.abs(output) * d_sigma
    return gated, deviation**2 + (2.0 * unit * gated) ** 2


def _storage_error(attention, magnitude):
    """One rounding to nearest of at most `magnitude`, which may be subnormal."""
    subnormal = float(ml_dtypes.finfo(attention.numpy_dtype).smallest_subnormal)
    return UNIT_ROUNDOFF[attention.dtype] * magnitude + subnormal
