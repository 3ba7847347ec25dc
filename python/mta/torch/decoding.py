# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`DecodingState`: what a sequence that grows has to remember."""

from typing import Optional, Tuple

import torch
from torch import Tensor

from mta.validation import is_integer, require


class DecodingState:
    """Keys, values and the last queries of sequences that are computed piece by piece.

        state = DecodingState(halo=5)
        for q, k, v in pieces:
            q, k, v = state.append(q, k, v)
            output = multi_token_attention(q, k, v, pre_conv, query_halo=state.halo)

    A row of a convolution over cq queries reads cq − 1 rows before its own, and so `halo`
    is (cq − 1) + (cq' − 1) for windows of cq queries before and cq' after the softmax.
    Keys and values are kept with room for more, which doubles when it is full, and what
    `append` returns are views of them, which kernels on a GPU read where they are. Rows
    that are there never change.
    """

    def __init__(self, halo: int):
        """Of no rows yet; a halo that is no integer of at least 0 is a ValueError."""
        require(is_integer(halo), "halo", "a non-negative integer", halo)
        self.halo = halo
        #: The last `halo` queries, B×H×halo×D, zeros before the first one; None at first.
        self.queries: Optional[Tensor] = None
        #: All keys and values, B×Hk×length×D and ×Dv; None at first.
        self.keys: Optional[Tensor] = None
        self.values: Optional[Tensor] = None
        # The memory that they are the first rows of.
        self._room: Tuple[Optional[Tensor], Optional[Tensor]] = (None, None)

    @property
    def length(self) -> int:
        """How many rows there have been."""
        return 0 if self.keys is None else self.keys.shape[2]

    def append(self, q: Tensor, k: Tensor, v: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Takes the next n rows; returns q with the halo in front, all keys and all values.

        q: B×H×n×D, k: B×Hk×n×D, v: B×Hk×n×Dv; q is returned as B×H×(halo + n)×D. Other
        shapes, element types or devices than before are a ValueError.
        """
        for name, tensor in (("q", q), ("k", k), ("v", v)):
            require(tensor.ndim == 4, name, "4 dimensions", tuple(tensor.shape))
            require(tensor.shape[2] == q.shape[2], name, f"{q.shape[2]} rows, as q has",
                    tensor.shape[2])
        if self.keys is None:
            # Rows before the first do not exist: they read as zero, whatever stands there.
            self.queries = q.new_zeros((*q.shape[:2], self.halo, q.shape[3]))
        else:
            for name, old, new in (("q", self.queries, q), ("k", self.keys, k),
                                   ("v", self.values, v)):
                _require_alike(name, old, new)
        self._room = (_appended(self._room[0], self.length, k),
                      _appended(self._room[1], self.length, v))
        length = self.length + k.shape[2]
        self.keys, self.values = (room[:, :, :length] for room in self._room)
        rows = torch.cat((self.queries, q), dim=2)
        self.queries = rows[:, :, rows.shape[2] - self.halo:]
        return rows, self.keys, self.values


def _appended(room: Optional[Tensor], length: int, rows: Tensor) -> Tensor:
    """Memory that has `rows` behind the first `length` ones; the same if there is room."""
    batch, heads, count, size = rows.shape
    if room is None or length + count > room.shape[2]:
        capacity = length + count if room is None else max(length + count, 2 * room.shape[2])
        larger = rows.new_empty((batch, heads, capacity, size))
        if room is not None:
            larger[:, :, :length] = room[:, :, :length]
        room = larger
    room[:, :, length:length + count] = rows
    return room


def _require_alike(name: str, old: Tensor, new: Tensor) -> None:
    def kind(tensor):
        batch, heads, _, size = tensor.shape
        return (batch, heads, size), str(tensor.dtype), str(tensor.device)

    require(kind(old) == kind(new), name,
            f"batch, heads and elements, type and device {kind(old)}, as before", kind(new))
