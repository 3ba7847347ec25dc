# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the kernels are measured against, in PyTorch on the same GPU."""

import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cpu"))
from eager import EagerAttention  # noqa: E402

DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}

Call = Callable[[], torch.Tensor]

#: Plain attention, without convolution or mix: what ours is to be as cheap as.
PLAIN = {"sdpa-cudnn": SDPBackend.CUDNN_ATTENTION, "sdpa-flash": SDPBackend.FLASH_ATTENTION}
PEERS = (*PLAIN, "eager", "torch-compile", "liger")


class Skip(Exception):
    """Why a peer is not measured."""


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {"torch": torch.__version__, "torch_cuda": str(torch.version.cuda)}
    for name in ("triton", "liger_kernel"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def build(peer: str, attention, tensors: dict[str, torch.Tensor]) -> Call:
    """A call that launches the peer on `tensors`, q, k, v and weights; Skip when it cannot."""
    if peer in PLAIN:
        return _plain(PLAIN[peer], tensors)
    if peer == "liger":
        return _liger(attention, tensors)
    weights = {name: x for name, x in tensors.items() if name not in ("q", "k", "v")}
    module = EagerAttention(attention, tensors["q"].shape[2], weights).to(tensors["q"].device)
    run = torch.compile(module, dynamic=False) if peer == "torch-compile" else module
    return lambda: run(tensors["q"], tensors["k"], tensors["v"])


def _plain(backend: SDPBackend, tensors: dict[str, torch.Tensor]) -> Call:
    def run() -> torch.Tensor:
        with sdpa_kernel(backend):
            return functional.scaled_dot_product_attention(
                tensors["q"], tensors["k"], tensors["v"], is_causal=True)
    return run


def _liger(attention, tensors: dict[str, torch.Tensor]) -> Call:
    """Softmax, convolution with as many rows below as above, mask.

    Rows of zeros below make the window causal, which gives the same numbers as ours.
    """
    if not attention.post_conv or attention.pre_conv or attention.pre_mix or attention.post_mix:
        raise Skip("has only a convolution after the softmax")
    try:
        from liger_kernel.ops.multi_token_attention import LigerMultiTokenAttentionFunction
    except ImportError:
        raise Skip("is not installed") from None
    theta = tensors["post_conv"]
    heads, cq, ck = theta.shape
    weight = functional.pad(theta, (0, 0, 0, cq - 1)).unsqueeze(1).contiguous()
    q, k, v = (tensors[name] for name in "qkv")

    def run() -> torch.Tensor:
        scores = (q @ k.transpose(-1, -2)) * attention.score_scale
        weights = LigerMultiTokenAttentionFunction.apply(
            scores, weight, None, 1, (cq - 1, ck // 2), 1, heads)
        return weights @ v
    return run
