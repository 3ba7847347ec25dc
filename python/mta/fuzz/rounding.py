# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""How far rounding may take the results of an attention from `mta.reference`.

A running error analysis (Higham, Accuracy and Stability of Numerical
Algorithms, chapter 3): next to every value of the reference goes a bound of
its error, and each step adds its own roundings to what it passes on. With
unit roundoff u a sum of n products is off by at most

    gamma(n) Σ|x y|,    gamma(n) = λ √n u,

the probabilistic form of n u (Higham and Mary, SIAM J. Sci. Comput. 41, 2019),
which holds for any order of summation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from mta.dtypes import UNIT_ROUNDOFF, numpy_dtype
from mta.program import HeadMix, KeyQueryConv, Softmax
from mta.reference import epilogue, score_ops
from mta.reference.attention import Trace, as_float64, sequences, trace_sequence

#: λ above. 4 leaves less than one sum in a thousand out even if every
#: rounding were the largest possible one.
_CONFIDENCE = 4.0


@dataclass(frozen=True)
class Bound:
    """Elementwise bounds of the error of `output` and `log_sum_exp`, shaped like them."""

    output: np.ndarray
    log_sum_exp: np.ndarray


def error_bound(attention, q, k, v, weights: Mapping[str, np.ndarray], query_boundaries=None,
                key_boundaries=None) -> Bound:
    """The bound for arguments as `mta.reference.forward` takes them.

    Intermediate values are in `attention.score_dtype`, the output is rounded
    once to `attention.dtype`.
    """
    q, k, v, weights = as_float64(q, k, v, weights)
    unit = UNIT_ROUNDOFF[attention.score_dtype]
    outputs, errors, log_sums = [], [], []
    for rows, keys in sequences(attention, q, k, query_boundaries, key_boundaries):
        part = (q[:, :, rows], k[:, :, keys], v[:, :, keys])
        trace = trace_sequence(attention, *part, weights)
        error, log_sum = _sequence_errors(attention, trace, *part, weights, unit)
        outputs.append(trace.output)
        errors.append(error)
        log_sums.append(log_sum)
    halo = attention.query_halo
    output = np.concatenate(outputs, axis=2)[:, :, halo:]
    error = np.concatenate(errors, axis=2)[:, :, halo:]
    if attention.norm:
        output, error = _norm_error(attention, output, error, weights, unit)
    if attention.gate:
        output, error = _gate_error(output, error, weights, unit)
    error = error + _storage_error(attention, np.abs(output) + error)
    return Bound(error, np.concatenate(log_sums, axis=2)[:, :, halo:])


def _gamma(terms: int, unit: float) -> float:
    return _CONFIDENCE * np.sqrt(terms) * unit


def _sequence_errors(attention, trace: Trace, q, k, v, weights, unit):
    """The errors of output and log-sum-exp of steps 1 to 7."""
    # Two more roundings for the scale.
    error = _gamma(q.shape[3] + 2, unit) * score_ops.scores(
        np.abs(q), np.abs(k), abs(attention.score_scale))
    log_sum, after_softmax = None, False
    for op, x in zip(attention.program, trace.operands):
        if isinstance(op, Softmax):
            error, log_sum = _softmax_errors(attention, x, error, trace)
            after_softmax = True
            continue
        weight = np.abs(weights[op.weight])
        terms = int(np.prod(weight.shape[1:]))
        passed_on = error + _gamma(terms, unit) * np.abs(x)
        if isinstance(op, HeadMix):
            error = score_ops.head_mix(passed_on, weight)
        elif isinstance(op, KeyQueryConv):
            error = score_ops.key_query_conv(np.where(trace.mask, passed_on, 0.0), weight, op.left)
            if after_softmax:
                error = np.where(trace.mask, error, 0.0)
    shared = np.repeat(np.abs(v), q.shape[1] // v.shape[1], axis=1)
    # One more for the division by the sum.
    total = error + _gamma(k.shape[2] + 1, unit) * np.abs(trace.weights)
    return total @ shared, log_sum


def _softmax_errors(attention, x, error, trace: Trace):
    """From the errors of the scores to those of the weights and the log-sum-exp."""
    mask, unit = trace.mask, UNIT_ROUNDOFF[attention.score_dtype]
    weights, log_sum = score_ops.softmax(x, mask)
    largest = np.where(mask, np.abs(x), 0.0).max(axis=-1, keepdims=True, initial=0.0)
    # Scores in base 2, their difference to the maximum and exp2 itself.
    error = np.where(mask, error + unit * (3.0 * (np.abs(x) + largest) + 8.0), 0.0)
    # A bound of 1 says nothing more, and exp of much more overflows.
    error = np.minimum(error, 50.0)
    smallest_sum = (weights * np.exp(-error)).sum(axis=-1, keepdims=True)
    empty = smallest_sum == 0.0
    growth = np.exp(error) / np.where(empty, 1.0, smallest_sum) - 1.0
    sums = _gamma(mask.shape[1] + 2, unit)
    # A weight below the normal numbers may be flushed to zero.
    tiny = float(np.finfo(numpy_dtype(attention.score_dtype)).tiny)
    own = np.where(mask, weights * (growth + sums) + tiny, 0.0)
    known = np.where(np.isfinite(log_sum), np.abs(log_sum), 0.0)
    spread = np.log((weights * np.exp(error)).sum(axis=-1) + empty[..., 0])
    return np.minimum(own, 1.0), spread + sums + 4.0 * unit * (known + 1.0)


def _norm_error(attention, output, error, weights, unit):
    """O / r · γ · (1 − λ) with r = √(mean O² + ε); |δr| is at most √(mean δO²)."""
    normed = epilogue.head_norm(output, weights["norm_weight"], attention.layer)
    factor = np.abs(weights["norm_weight"]) * epilogue.depth_scale(attention.layer)
    root = np.sqrt((output**2).mean(axis=-1, keepdims=True) + epilogue.NORM_EPSILON)
    d_root = np.sqrt((error**2).mean(axis=-1, keepdims=True))
    # The root of the computed row, which an error of its own size may shrink.
    least = np.maximum(root - d_root, np.sqrt(epilogue.NORM_EPSILON))
    passed_on = (error + np.abs(output) * d_root / root) / least * factor
    return normed, passed_on + _gamma(output.shape[-1] + 4, unit) * np.abs(normed)


def _gate_error(output, error, weights, unit):
    """O · σ(z), z = O·Wgᵀ + bg; σ has a slope of at most 1/4."""
    weight, bias = weights["gate_weight"], weights["gate_bias"]
    gated = epilogue.gate(output, weight, bias)
    magnitude = np.abs(output) @ np.abs(weight).T + np.abs(bias)
    terms = _gamma(output.shape[-1] + 2, unit)
    d_z = error @ np.abs(weight).T + terms * magnitude
    d_sigma = np.minimum(0.25 * d_z + 8.0 * unit, 1.0)
    sigma = epilogue.sigmoid(output @ weight.T + bias)
    passed_on = error * (sigma + d_sigma) + np.abs(output) * d_sigma
    return gated, passed_on + 4.0 * unit * np.abs(gated)


def _storage_error(attention, magnitude):
    """One rounding to nearest of at most `magnitude`, which may be subnormal."""
    subnormal = float(ml_dtypes.finfo(attention.numpy_dtype).smallest_subnormal)
    return UNIT_ROUNDOFF[attention.dtype] * magnitude + subnormal
