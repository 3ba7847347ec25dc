# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Score programs: the straight line of operations between q·kᵀ and the output.

Every operation maps a score matrix B×H×Nq×Nk to another one. A program is a
tuple of them with exactly one `Softmax`.
"""

from dataclasses import dataclass

PADDINGS = ("both", "left", "right")


@dataclass(frozen=True)
class KeyQueryConv:
    """Key-query convolution, steps 2 and 5 of `mta.reference`.

    `weight` names the argument that holds θ. Its shape is H×cq×ck, or with
    `group` = c, H×c×cq×ck in PyTorch's grouped layout: [output head, input
    head within its group, a, b]. `padding` is "both", "left" or "right", the
    side of a key on which the window extends; an even `ck` needs one of the last two.
    """

    weight: str
    cq: int
    ck: int
    padding: str = "both"
    group: int | None = None

    def weight_shape(self, heads: int) -> tuple[int, ...]:
        """The shape of θ for `heads` query heads."""
        channels = () if self.group is None else (self.group,)
        return (heads, *channels, self.cq, self.ck)

    @property
    def left(self) -> int:
        """Number of keys before the current one that θ covers."""
        return {"both": (self.ck - 1) // 2, "left": self.ck - 1, "right": 0}[self.padding]

    @property
    def halo(self) -> int:
        """Number of earlier queries that one output row reads."""
        return self.cq - 1

    def __str__(self) -> str:
        padding = "" if self.padding == "both" else f" {self.padding}"
        group = "" if self.group is None else f" groups of {self.group}"
        return f"conv {self.cq}x{self.ck}{padding}{group}"


@dataclass(frozen=True)
class HeadMix:
    """Head mixing, steps 3 and 6 of `mta.reference`.

    `weight` names the argument that holds W, G×c×c in the order [group, out,
    in], with c = `group` and G = H/c.
    """

    weight: str
    group: int

    def weight_shape(self, heads: int) -> tuple[int, ...]:
        """The shape of W for `heads` query heads."""
        return (heads // self.group, self.group, self.group)

    @property
    def halo(self) -> int:
        """Mixing reads no other row."""
        return 0

    def __str__(self) -> str:
        return f"mix groups of {self.group}"


@dataclass(frozen=True)
class Softmax:
    """Softmax over the allowed keys of a row, step 4 of `mta.reference`."""

    @property
    def halo(self) -> int:
        """The softmax reads no other row."""
        return 0

    def __str__(self) -> str:
        return "softmax"


ScoreOp = KeyQueryConv | HeadMix | Softmax
