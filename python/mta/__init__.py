# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Multi-Token Attention: configurations, a NumPy reference and a compiler.

    attention = mta.Attention.v2(heads=16, head_dim=96, dtype="bf16")
    text = attention.to_mlir(batch=1, queries=2048, keys=2048)
    run = mta.compile(attention, target="reference")
    output = run(q, k, v, pre_conv=..., pre_mix=..., ...)

Importing it and the target "numpy" need no native library.
"""

from mta import reference
from mta._version import __version__
from mta.attention import Attention
from mta.compiled import CompiledAttention, compile
from mta.errors import CompileError, ContractError, GoldenError, LibraryError, MTAError
from mta.program import HeadMix, KeyQueryConv, Softmax

__all__ = [
    "Attention",
    "CompileError",
    "CompiledAttention",
    "ContractError",
    "GoldenError",
    "HeadMix",
    "KeyQueryConv",
    "LibraryError",
    "MTAError",
    "Softmax",
    "__version__",
    "compile",
    "reference",
]
