# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Steps 1 to 6: scores, mask, and the score operations with their adjoints.

Scores and weights are float64 of shape B×H×Nq×Nk, the mask is Nq×Nk. An
adjoint takes the gradient of an operation's result and returns those of its
operands.
"""

import numpy as np


def allowed(queries: int, keys: int, causal: bool) -> np.ndarray:
    """The mask Nq×Nk: whether query i may read key j (causal: bottom-right aligned)."""
    i = np.arange(queries)[:, None]
    j = np.arange(keys)[None, :]
    return j <= i + (keys - queries) if causal else np.ones((queries, keys), dtype=bool)


def scores(q: np.ndarray, k: np.ndarray, scale: float) -> np.ndarray:
    """Step 1: S[h,i,j] = scale · Σ_d q[h,i,d] k[h // (H/Hk),j,d]."""
    k = np.repeat(k, q.shape[1] // k.shape[1], axis=1)
    return scale * (q @ k.swapaxes(-1, -2))


def scores_adjoint(q, k, scale, d_scores) -> tuple[np.ndarray, np.ndarray]:
    """dQ = scale · dS K and dK = scale · dSᵀ Q, summed over heads that share a key head."""
    share = q.shape[1] // k.shape[1]
    d_q = scale * (d_scores @ np.repeat(k, share, axis=1))
    d_k = scale * (d_scores.swapaxes(-1, -2) @ q)
    return d_q, sum_shared_heads(d_k, share)


def sum_shared_heads(gradient: np.ndarray, share: int) -> np.ndarray:
    """Sums B×H×N×D over each run of `share` heads: B×(H/share)×N×D."""
    batch, heads, rows, elements = gradient.shape
    return gradient.reshape(batch, heads // share, share, rows, elements).sum(axis=2)


def key_query_conv(x: np.ndarray, theta: np.ndarray, left: int) -> np.ndarray:
    """Steps 2 and 5: y[i,j] = Σ_ab θ[a,b] · x[i − (cq−1) + a, j − left + b].

    θ is H×cq×ck, or H×c×cq×ck to sum over the c heads of a group as well. A
    cross-correlation, zero outside the matrix; masking is the caller's.
    """
    theta = _grouped_kernel(theta)
    y = np.zeros_like(_grouped(x, theta))
    for a, b, window in _windows(x, theta, left):
        y += np.einsum("gop,zgpij->zgoij", theta[..., a, b], window)
    return y.reshape(x.shape)


def key_query_conv_adjoint(x, theta, left, d_y) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of x and θ.

    dθ[a,b] = Σ_ij x[i − (cq−1) + a, j − left + b] · dy[i,j]
    dx[i,j] = Σ_ab θ[a,b] · dy[i + (cq−1) − a, j + left − b]
    """
    kernel = _grouped_kernel(theta)
    d_y = _grouped(d_y, kernel)
    d_kernel = np.zeros_like(kernel)
    for a, b, window in _windows(x, kernel, left):
        d_kernel[..., a, b] = np.einsum("zgpij,zgoij->gop", window, d_y)
    cq, ck = kernel.shape[-2:]
    padded = np.pad(d_y, [(0, 0)] * 3 + [(0, cq - 1), (ck - 1 - left, left)])
    d_x = np.zeros_like(d_y)
    queries, keys = x.shape[-2:]
    for a in range(cq):
        for b in range(ck):
            i, j = cq - 1 - a, ck - 1 - b
            window = padded[..., i : i + queries, j : j + keys]
            d_x += np.einsum("gop,zgoij->zgpij", kernel[..., a, b], window)
    return d_x.reshape(x.shape), d_kernel.reshape(theta.shape)


def _grouped_kernel(theta: np.ndarray) -> np.ndarray:
    """θ as G×c×c×cq×ck, [group, out, in, a, b]; one head a group for H×cq×ck."""
    channels = 1 if theta.ndim == 3 else theta.shape[1]
    return theta.reshape(theta.shape[0] // channels, channels, channels, *theta.shape[-2:])


def _grouped(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """x as B×G×c×Nq×Nk."""
    return x.reshape(x.shape[0], *kernel.shape[:2], *x.shape[2:])


def _windows(x: np.ndarray, kernel: np.ndarray, left: int):
    """Yields a, b and x shifted so that [i,j] holds x[i − (cq−1) + a, j − left + b]."""
    cq, ck = kernel.shape[-2:]
    queries, keys = x.shape[-2:]
    padding = [(0, 0)] * 3 + [(cq - 1, 0), (left, ck - 1 - left)]
    padded = np.pad(_grouped(x, kernel), padding)
    for a in range(cq):
        for b in range(ck):
            yield a, b, padded[..., a : a + queries, b : b + keys]


def head_mix(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Steps 3 and 6: y[g·c+o] = Σ_p W[g,o,p] · x[g·c+p], W: G×c×c."""
    y = np.einsum("gop,zgpij->zgoij", w, _grouped(x, w))
    return y.reshape(x.shape)


def head_mix_adjoint(x, w, d_y) -> tuple[np.ndarray, np.ndarray]:
    """dx[g,p] = Σ_o W[g,o,p] dy[g,o] and dW[g,o,p] = Σ dy[g,o] · x[g,p]."""
    d_y = _grouped(d_y, w)
    d_x = np.einsum("gop,zgoij->zgpij", w, d_y)
    d_w = np.einsum("zgoij,zgpij->gop", d_y, _grouped(x, w))
    return d_x.reshape(x.shape), d_w


def softmax(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step 4: the weights B×H×Nq×Nk and the natural log-sum-exp B×H×Nq of each row.

    A row with no allowed key has zero weights and a log-sum-exp of −∞.
    """
    masked = np.where(mask, x, -np.inf)
    largest = masked.max(axis=-1, keepdims=True, initial=-np.inf)
    shift = np.where(np.isneginf(largest), 0.0, largest)
    exponentials = np.exp(masked - shift)
    total = exponentials.sum(axis=-1, keepdims=True)
    empty = total == 0.0
    weights = exponentials / np.where(empty, 1.0, total)
    log_sum = np.log(np.where(empty, 1.0, total)) + shift
    return weights, np.where(empty, -np.inf, log_sum)[..., 0]


def softmax_adjoint(weights: np.ndarray, d_weights: np.ndarray) -> np.ndarray:
    """δ_i = Σ_j A_ij dA_ij and dL = A · (dA − δ)."""
    delta = (weights * d_weights).sum(axis=-1, keepdims=True)
    return weights * (d_weights - delta)
