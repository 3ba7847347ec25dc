# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The programs in PyTorch with whole score matrices, as one writes them there."""

import math

import torch
from torch.nn import functional

from mta.reference.epilogue import depth_scale


class EagerAttention(torch.nn.Module):
    """A causal preset of `mta.Attention` on q, k, v: B×H×N×D and its weights.

    Steps and order are those of `mta.reference`; `weights` are tensors by the
    names of `attention.weight_shapes`.
    """

    def __init__(self, attention, length: int, weights: dict[str, torch.Tensor]):
        super().__init__()
        self.attention = attention
        for name, value in weights.items():
            self.register_buffer(name, value)
        allowed = torch.ones(length, length, dtype=torch.bool).tril()
        self.register_buffer("forbidden", ~allowed)

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """The output, B×H×N×D."""
        attention = self.attention
        x = (q @ k.transpose(-1, -2)) * attention.score_scale
        if attention.pre_conv:
            x = self._convolve(x.masked_fill(self.forbidden, 0.0), self.pre_conv)
        if attention.pre_mix:
            x = self._mix(x, self.pre_mix)
        x = torch.softmax(x.masked_fill(self.forbidden, -math.inf), dim=-1)
        if attention.post_conv:
            x = self._convolve(x, self.post_conv).masked_fill(self.forbidden, 0.0)
        if attention.post_mix:
            x = self._mix(x, self.post_mix)
        return self._finish(x @ v)

    def _convolve(self, x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        """Zeros above and on both sides; conv2d is a cross-correlation as well."""
        heads, cq, ck = theta.shape
        left = (ck - 1) // 2
        padded = functional.pad(x, (left, ck - 1 - left, cq - 1, 0))
        return functional.conv2d(padded, theta.unsqueeze(1), groups=heads)

    def _mix(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        groups, size, _ = w.shape
        grouped = x.unflatten(1, (groups, size))
        return torch.einsum("gop,bgpij->bgoij", w, grouped).flatten(1, 2)

    def _finish(self, o: torch.Tensor) -> torch.Tensor:
        if self.attention.norm:
            o = o * torch.rsqrt((o * o).mean(dim=-1, keepdim=True) + 1e-5) * self.norm_weight
            o = o * depth_scale(self.attention.layer)
        if self.attention.gate:
            o = o * torch.sigmoid(o @ self.gate_weight.T + self.gate_bias)
        return o
