# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Multi-Token Attention for PyTorch.

    output = mta.torch.multi_token_attention(q, k, v, pre_conv, post_mix=weights)
    attention = mta.torch.MultiTokenAttention(dim=1536, heads=16, pre_conv=(6, 11), post_mix=2)

Tensors on the processor run through target "cpu" of `mta.compile`, tensors on a GPU
through "cuda". It needs the extra `mta[torch]`.
"""

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError("mta.torch: expects PyTorch 2.6 or newer, but got: "
                      f"{error}; `pip install 'mta[torch]'` installs it") from None

from mta.torch.decoding import DecodingState
from mta.torch.module import MultiTokenAttention
from mta.torch.operator import multi_token_attention

__all__ = ["DecodingState", "MultiTokenAttention", "multi_token_attention"]
