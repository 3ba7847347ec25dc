# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""How errors are measured."""

import numpy as np

from mta import check


def test_the_error_of_arrays_whose_norm_is_beyond_their_type():
    expected = np.full(100, 30000, np.float16)
    assert check.measure(expected / 2, expected).relative == 0.5
