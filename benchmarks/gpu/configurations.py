# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The kernels that are built, checked and timed."""

from dataclasses import dataclass
from itertools import product

import mta

#: The presets, plain attention, and what Liger's operation computes.
PROGRAMS = ("plain", "pre-conv", "post-conv", "v1", "talking-heads", "v2")
HEAD_DIMS = (64, 96, 128)
HEADS = 16


@dataclass(frozen=True)
class Configuration:
    """A program for one head dimension and type; numbers of queries and keys are open."""

    program: str
    head_dim: int
    dtype: str = "bf16"
    heads: int = HEADS

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.program}-d{self.head_dim}-{self.dtype}-h{self.heads}"

    @property
    def attention(self) -> mta.Attention:
        """Causal, with as many key heads as query heads."""
        fields = {"plain": {}, "post-conv": {"post_conv": (6, 11)}}.get(self.program)
        if fields is not None:
            return mta.Attention(self.heads, self.head_dim, dtype=self.dtype, **fields)
        return mta.Attention.preset(self.program, self.heads, self.head_dim, dtype=self.dtype)

    def operations(self, length: int) -> int:
        """Useful multiplications and additions of one sequence: those of allowed scores."""
        attention = self.attention
        score = 2 * attention.head_dim
        for theta in (attention.pre_conv, attention.post_conv):
            score += theta[0] * theta[1] if theta else 0
        for mix in (attention.pre_mix, attention.post_mix):
            score += self.heads if mix is True else (mix or 0)
        return 2 * score * self.heads * length * (length + 1) // 2


def configurations(programs=PROGRAMS, head_dims=HEAD_DIMS,
                   dtypes=("bf16",)) -> list[Configuration]:
    """Every combination."""
    return [Configuration(*fields) for fields in product(programs, head_dims, dtypes)]
