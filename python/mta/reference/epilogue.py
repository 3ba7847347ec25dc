# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Steps 8 and 9, which act on every output row alone, with their adjoints.

Rows are float64 of shape B×H×N×Dv.
"""

import math

import numpy as np

#: Added to the mean square of a row before its root.
NORM_EPSILON = 1e-5


def depth_scale(layer: int | None) -> float:
    """1 − λ with λ = 0.8 − 0.6·exp(−0.3·layer), or 1 without a layer."""
    return 1.0 if layer is None else 1.0 - (0.8 - 0.6 * math.exp(-0.3 * layer))


def head_norm(o: np.ndarray, gamma: np.ndarray, layer: int | None) -> np.ndarray:
    """Step 8: o / √(mean_d(o²) + 1e-5) · γ · (1 − λ), γ of shape Dv for all heads."""
    return o * _reciprocal_root(o) * gamma * depth_scale(layer)


def head_norm_adjoint(o, gamma, layer, d_y) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of o and γ.

    With r = 1/√(mean_d(o²) + 1e-5) and u = dy · γ · (1 − λ):
    do = r · u − r³ · o · mean_d(u · o),  dγ = (1 − λ) · Σ_rows dy · o · r.
    """
    root = _reciprocal_root(o)
    upstream = d_y * gamma * depth_scale(layer)
    along = (upstream * o).mean(axis=-1, keepdims=True)
    d_o = root * upstream - root**3 * o * along
    d_gamma = depth_scale(layer) * (d_y * o * root).sum(axis=(0, 1, 2))
    return d_o, d_gamma


def _reciprocal_root(o: np.ndarray) -> np.ndarray:
    return 1.0 / np.sqrt((o * o).mean(axis=-1, keepdims=True) + NORM_EPSILON)


def gate(o: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Step 9: o · sigmoid(o·Wgᵀ + bg), Wg 1×Dv and bg 1, or Dv×Dv and Dv."""
    return o * sigmoid(o @ weight.T + bias)


def gate_adjoint(o, weight, bias, d_y) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients of o, Wg and bg.

    With s = sigmoid(o·Wgᵀ + bg) and t = dy · o · s · (1 − s), summed over d
    for a scalar gate: do = dy · s + t·Wg,  dWg = Σ_rows tᵀ o,  dbg = Σ_rows t.
    """
    s = sigmoid(o @ weight.T + bias)
    t = d_y * o * s * (1.0 - s)
    if weight.shape[0] == 1:
        t = t.sum(axis=-1, keepdims=True)
    d_weight = np.einsum("zhir,zhid->rd", t, o)
    return d_y * s + t @ weight, d_weight, t.sum(axis=(0, 1, 2))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−x))."""
    # exp only of non-positive numbers, so that nothing overflows.
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)
