# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What compiled code trusts besides shapes: enough rows, and offsets of sequences in order."""

from collections.abc import Mapping

import numpy as np

from mta import arrays
from mta.validation import require


def as_offsets(name: str, values) -> np.ndarray:
    """Integers of 32 bits from a sequence or an array on the host; ValueError for others."""
    array = arrays.as_numpy(name, values) if arrays.is_array(values) else np.asarray(values)
    legal = array.ndim == 1 and array.size >= 2 and np.issubdtype(array.dtype, np.integer)
    require(legal, name, "a sequence of at least 2 integers", values)
    limits = np.iinfo(np.int32)
    fits = array.min() >= limits.min and array.max() <= limits.max
    require(bool(fits), name, "integers of 32 bits", values)
    return array.astype(np.int32)


def check_rows(attention, shapes: Mapping[str, tuple[int, ...]],
               offsets: Mapping[str, np.ndarray]) -> None:
    """ValueError unless q has its halo and the offsets divide the rows and keys."""
    rows, halo = shapes["q"][2], attention.query_halo
    require(rows >= halo, "q", f"at least query_halo ({halo}) rows", rows)
    if attention.variable_length:
        _check_offsets("query_boundaries", offsets["query_boundaries"], rows)
        _check_offsets("key_boundaries", offsets["key_boundaries"], shapes["k"][2])


def _check_offsets(name: str, offsets: np.ndarray, length: int) -> None:
    ordered = offsets[0] == 0 and offsets[-1] == length and bool(np.all(np.diff(offsets) >= 0))
    expectation = f"offsets that rise from 0 to {length}"
    require(ordered, name, expectation, offsets.tolist())
