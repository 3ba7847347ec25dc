# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Multi-Token Attention in NumPy float64, forward and gradients.

This package is the definition the compiler is measured against: one function
for each step, nothing fused, nothing fast. Sources: arXiv 2504.00927v2
(equations 1, 5, 6, 7) and its authors' PyTorch module.

B batch, H query heads, Hk key/value heads, Nq queries, Nk keys, D and Dv
elements of keys and values. allowed(i, j): query i may read key j; always, or
where causal, j <= i + (Nk − Nq).

    1  scores        S = scale · q kᵀ, query head h reading key head h // (H/Hk)
    2  pre conv      S[i,j] ← Σ_ab θ[a,b] · S0[i − (cq−1) + a, j − left + b],
                     S0 = S where allowed, else 0, and 0 outside the matrix
    3  pre mix       S[g·c+o] ← Σ_p W[g,o,p] · S[g·c+p]
    4  softmax       over the allowed keys; a row without one is all zeros
    5  post conv     as step 2 on the weights, then 0 where not allowed
    6  post mix      as step 3 on the weights
    7  output        O = P v
    8  head norm     O ← O / √(mean_d(O²) + 1e-5) · γ · (1 − λ(layer))
    9  gate          O ← O · sigmoid(O·Wgᵀ + bg)

Steps 2, 3, 5 and 6 are the score operations of a program, in any order and
number; `forward` and `gradients` run them as `Attention.program` lists them.
"""

from mta.reference.attention import Result, forward
from mta.reference.gradients import gradients

__all__ = ["Result", "forward", "gradients"]
