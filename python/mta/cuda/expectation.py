# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The sizes for which kernels of open sizes are compiled to be fast.

Such kernels take any sizes, but how many workgroups share the keys of a tile of
queries is fixed when they are compiled. With few queries, as a decoder has them,
that is most of a GPU; with many, what splits of the keys leave would take more
memory than it is worth. So a call with few rows is given to kernels that expect
about as many, and the expectations are few, as each is a compilation.
"""

from collections.abc import Mapping

from mta.signature import Signature

#: Numbers of output rows to expect: of one token, of some that are guessed ahead, and of
#: a piece of a text. With more rows nothing is expected.
FEW_ROWS = (1, 16, 128)

# Powers of two are expected from and up to these. Fewer keys are not worth a compilation,
# with more keys no other schedule is chosen, nor with more batches, which fill a GPU.
_FEWEST_KEYS, _MOST_KEYS = 256, 65536
_MOST_BATCHES = 128

#: What a caller chooses by these is not chosen here.
_CHOSEN = ("key_splits", "expected_queries", "expected_keys", "expected_batch")


def expected_sizes(attention, signature: Signature, schedule: Mapping[str, int | str],
                   q: tuple[int, ...], keys: int) -> dict[str, int]:
    """Options of `mta-gpu` for a call with queries of shape `q`; none for many rows.

    `schedule` are the options that the caller gave. Sizes that the signature fixes are not
    expected, and none are where the caller chose about them.
    """
    rows = max(q[2] - attention.query_halo, 1)
    if any(schedule.get(name) for name in _CHOSEN) or rows > FEW_ROWS[-1]:
        return {}
    batch_size, _, query_size, _ = signature.arguments["q"].shape
    expected = {}
    if not isinstance(query_size, int):
        few = next(count for count in FEW_ROWS if rows <= count)
        expected["expected_queries"] = attention.query_halo + few
    if not isinstance(signature.arguments["k"].shape[2], int):
        expected["expected_keys"] = _power_of_two(keys, _FEWEST_KEYS, _MOST_KEYS)
    if not isinstance(batch_size, int):
        expected["expected_batch"] = _power_of_two(q[0], 1, _MOST_BATCHES)
    return expected


def _power_of_two(size: int, least: int, most: int) -> int:
    """The next power of two from `size` on, in these bounds."""
    return min(max(1 << max(size - 1, 0).bit_length(), least), most)
