# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Element types by their MLIR names, and what NumPy calls them."""

import ml_dtypes
import numpy as np

_NUMPY_DTYPES = {
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "i8": np.dtype(np.int8),
    "i16": np.dtype(np.int16),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
}

#: The element types an attention computes in.
FLOAT_DTYPES = ("f16", "bf16", "f32", "f64")

#: 2^-p, p being the bits of the significand with the hidden one: the largest
#: relative error of one rounding to nearest (IEEE 754; bfloat16 keeps 8 bits).
UNIT_ROUNDOFF = {"f16": 2.0**-11, "bf16": 2.0**-8, "f32": 2.0**-24, "f64": 2.0**-53}


def numpy_dtype(name: str) -> np.dtype:
    """The NumPy type of an MLIR element type such as "bf16"."""
    try:
        return _NUMPY_DTYPES[name]
    except KeyError:
        known = ", ".join(_NUMPY_DTYPES)
        raise ValueError(f"dtype: expects one of {known}, but got {name!r}") from None


def dtype_name(dtype: np.dtype) -> str:
    """The MLIR name of a NumPy type, or NumPy's own where MLIR has none."""
    dtype = np.dtype(dtype)
    for name, known in _NUMPY_DTYPES.items():
        if known == dtype:
            return name
    return str(dtype)
