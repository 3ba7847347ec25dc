# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Rotary position embedding (arXiv 2104.09864), of neighbouring elements."""

import torch
from torch import Tensor


def rotate(x: Tensor, start: int, theta: float) -> Tensor:
    """Turns elements 2i and 2i + 1 of the row at position p by p·theta^(−2i/D).

    x: B×H×N×D with an even D; its rows are at positions `start` and after. Computed in
    float32, or in float64 for float64.
    """
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    size, rows = x.shape[-1], x.shape[-2]
    exponents = torch.arange(0, size, 2, device=x.device, dtype=wide) / size
    positions = torch.arange(start, start + rows, device=x.device, dtype=wide)
    angles = torch.outer(positions, theta**-exponents)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.to(wide).unflatten(-1, (size // 2, 2)).unbind(-1)
    turned = torch.stack((first * cos - second * sin, first * sin + second * cos), dim=-1)
    return turned.flatten(-2).to(x.dtype)
