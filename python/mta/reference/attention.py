# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`forward`: the steps in the order of a program, one sequence after the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mta.program import HeadMix, KeyQueryConv, Softmax
from mta.reference import epilogue, score_ops


@dataclass(frozen=True)
class Result:
    """`output` B×H×(Nq − halo)×Dv and `log_sum_exp` B×H×(Nq − halo), float64."""

    output: np.ndarray
    log_sum_exp: np.ndarray


@dataclass(frozen=True)
class Trace:
    """What steps 1 to 7 leave behind on one sequence.

    `operands[n]` is what operation n of the program reads (masked for a
    convolution), `weights` the final weights, both B×H×Nq×Nk; `mask` Nq×Nk;
    `output` B×H×Nq×Dv; `log_sum_exp` B×H×Nq.
    """

    mask: np.ndarray
    operands: tuple[np.ndarray, ...]
    weights: np.ndarray
    output: np.ndarray
    log_sum_exp: np.ndarray


def forward(attention, q: np.ndarray, k: np.ndarray, v: np.ndarray,
            weights: Mapping[str, np.ndarray], query_boundaries=None,
            key_boundaries=None) -> Result:
    """Runs `attention` in float64.

    q: B×H×Nq×D, k: B×Hk×Nk×D, v: B×Hk×Nk×Dv, `weights` as
    `attention.weight_shapes`; any float type. `query_boundaries` and
    `key_boundaries` are the cumulative offsets of the sequences, integers from 0
    to Nq and Nk, as many for the queries as for the keys, when
    `attention.variable_length`. Shapes that do not fit are NumPy's errors.
    """
    q, k, v, weights = as_float64(q, k, v, weights)
    traces = [
        trace_sequence(attention, q[:, :, rows], k[:, :, keys], v[:, :, keys], weights)
        for rows, keys in sequences(attention, q, k, query_boundaries, key_boundaries)
    ]
    halo = attention.query_halo
    output = np.concatenate([t.output for t in traces], axis=2)[:, :, halo:]
    log_sum_exp = np.concatenate([t.log_sum_exp for t in traces], axis=2)[:, :, halo:]
    if attention.norm:
        output = epilogue.head_norm(output, weights["norm_weight"], attention.layer)
    if attention.gate:
        output = epilogue.gate(output, weights["gate_weight"], weights["gate_bias"])
    return Result(output, log_sum_exp)


def as_float64(q, k, v, weights):
    """The same arrays in float64."""
    double = {name: np.asarray(w, dtype=np.float64) for name, w in weights.items()}
    q, k, v = (np.asarray(x, dtype=np.float64) for x in (q, k, v))
    return q, k, v, double


def sequences(attention, q, k, query_boundaries, key_boundaries) -> list[tuple[slice, slice]]:
    """The query rows and keys of every sequence."""
    if not attention.variable_length:
        return [(slice(0, q.shape[2]), slice(0, k.shape[2]))]
    rows = [slice(a, b) for a, b in zip(query_boundaries[:-1], query_boundaries[1:])]
    keys = [slice(a, b) for a, b in zip(key_boundaries[:-1], key_boundaries[1:])]
    return list(zip(rows, keys, strict=True))


def trace_sequence(attention, q, k, v, weights: Mapping[str, np.ndarray]) -> Trace:
    """Steps 1 to 7 on one sequence; the halo rows still have an output."""
    mask = score_ops.allowed(q.shape[2], k.shape[2], attention.causal)
    x = score_ops.scores(q, k, attention.score_scale)
    operands, after_softmax = [], False
    for op in attention.program:
        if isinstance(op, KeyQueryConv):
            x = np.where(mask, x, 0.0)
        operands.append(x)
        if isinstance(op, KeyQueryConv):
            x = score_ops.key_query_conv(x, weights[op.weight], op.left)
            if after_softmax:
                x = np.where(mask, x, 0.0)
        elif isinstance(op, HeadMix):
            x = score_ops.head_mix(x, weights[op.weight])
        elif isinstance(op, Softmax):
            x, log_sum_exp = score_ops.softmax(x, mask)
            after_softmax = True
    shared = np.repeat(v, q.shape[1] // v.shape[1], axis=1)
    return Trace(mask, tuple(operands), x, x @ shared, log_sum_exp)
