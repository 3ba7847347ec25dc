# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`MultiTokenAttention`: an attention layer whose parameters are those of the authors' code.

Names and shapes are those of the class Attention in projects/mta/mta_transformer.py of
facebookresearch/RAM, the code of arXiv 2504.00927.
"""

from collections.abc import Mapping
from typing import Optional, Tuple, Union

import torch
from torch import Tensor, nn

from mta.torch import checkpoint
from mta.torch.decoding import DecodingState
from mta.torch.operator import multi_token_attention
from mta.torch.rotary import rotate
from mta.validation import is_integer, require


class MultiTokenAttention(nn.Module):
    """Projections, rotary embedding, Multi-Token Attention and the output projection.

    The parameters, each there if the layer has its step, with H heads of D elements:

    | name | shape | what |
    |---|---|---|
    | wq.weight | H·D × dim | projection of the queries |
    | wk.weight, wv.weight | Hk·D × dim | projections of keys and values |
    | wo.weight | dim × H·D | projection of the output |
    | mta_kernel | H × 1 × cq × ck | convolution before the softmax |
    | wpsm.weight | H × H, [out, in] | mix of all heads before the softmax |
    | mta_kernel_after_sm | H × 1 × cq' × ck' | convolution after the softmax |
    | wposm.weight | H × H, [out, in] | mix of all heads after the softmax |
    | head_kernel | G × c × c, [group, in, out] | mix of groups of c heads after it |
    | subln.weight | D | norm |
    | gate.weight, gate.bias | 1 × D and 1, or D × D and D | gate |
    """

    def __init__(self, dim: int, heads: int, *, head_dim: Optional[int] = None,
                 kv_heads: Optional[int] = None, pre_conv: Optional[Tuple[int, int]] = None,
                 pre_mix: bool = False, post_conv: Optional[Tuple[int, int]] = None,
                 post_mix: Union[bool, int] = False, norm: bool = False,
                 layer: Optional[int] = None, gate: Optional[str] = None, pad: str = "both",
                 rope_theta: Optional[float] = 10000.0, device=None, dtype=None):
        """Makes a layer with identities for convolutions and mixes: at first it is plain attention.

        `dim` is the size of the model, `head_dim` dim // heads if not given, `kv_heads`
        heads. `pre_conv` and `post_conv` are windows (cq, ck) of queries and keys. `pre_mix`
        says whether all heads are mixed before the softmax, `post_mix` is True for all heads
        after it, or a group size. `norm` adds one; `layer`, counted from 0, scales it by its
        depth. `gate` is None, "scalar" or "vector". `pad` says which keys windows cover,
        "both", "left" or "right". `rope_theta` is the base of the rotary embedding, None for
        none. `device` and `dtype` are those of the parameters. An illegal value is a
        ValueError.
        """
        super().__init__()
        for name, value in (("dim", dim), ("heads", heads)):
            require(is_integer(value, 1), name, "a positive integer", value)
        require(head_dim is not None or dim % heads == 0, "heads", f"a divisor of dim ({dim})",
                heads)
        self.dim, self.heads = dim, heads
        self.head_dim = dim // heads if head_dim is None else head_dim
        self.kv_heads = heads if kv_heads is None else kv_heads
        self.pad, self.layer, self.rope_theta = pad, layer, rope_theta
        checkpoint.validate(self, pre_conv, pre_mix, post_conv, post_mix, norm, gate)
        kinds = {"device": device, "dtype": dtype}
        self._add_projections(kinds)
        self._add_convolutions(pre_conv, post_conv, kinds)
        self._add_mixes(pre_mix, post_mix, kinds)
        if norm:
            self.subln = _NormWeight(self.head_dim, kinds)
        if gate is not None:
            self.gate = nn.Linear(self.head_dim, 1 if gate == "scalar" else self.head_dim, **kinds)

    def _add_projections(self, kinds: dict) -> None:
        rows, key_rows = self.heads * self.head_dim, self.kv_heads * self.head_dim
        self.wq = nn.Linear(self.dim, rows, bias=False, **kinds)
        self.wk = nn.Linear(self.dim, key_rows, bias=False, **kinds)
        self.wv = nn.Linear(self.dim, key_rows, bias=False, **kinds)
        self.wo = nn.Linear(rows, self.dim, bias=False, **kinds)

    def _add_convolutions(self, pre_conv, post_conv, kinds: dict) -> None:
        for name, size in (("mta_kernel", pre_conv), ("mta_kernel_after_sm", post_conv)):
            if size is None:
                self.register_parameter(name, None)
                continue
            weight = torch.zeros(self.heads, 1, *size, **kinds)
            left = {"both": (size[1] - 1) // 2, "left": size[1] - 1, "right": 0}[self.pad]
            weight[:, :, -1, left] = 1
            self.register_parameter(name, nn.Parameter(weight))

    def _add_mixes(self, pre_mix: bool, post_mix: Union[bool, int], kinds: dict) -> None:
        for name, there in (("wpsm", pre_mix), ("wposm", post_mix is True)):
            mix = nn.Linear(self.heads, self.heads, bias=False, **kinds) if there else None
            if mix is not None:
                nn.init.eye_(mix.weight)
            self.add_module(name, mix)
        grouped = None
        if post_mix and post_mix is not True:
            groups = self.heads // post_mix
            grouped = nn.Parameter(torch.eye(post_mix, **kinds).repeat(groups, 1, 1))
        self.register_parameter("head_kernel", grouped)

    @classmethod
    def from_checkpoint(cls, state: Mapping[str, Tensor], prefix: str = "", *,
                        heads: Optional[int] = None, head_dim: Optional[int] = None,
                        layer: Optional[int] = None, pad: str = "both",
                        rope_theta: Optional[float] = 10000.0) -> "MultiTokenAttention":
        """The layer of an authors' checkpoint, with its parameters, type and device.

        `state` is the dictionary of the model, `prefix` what the layer's names begin
        with: `from_checkpoint(torch.load(file)["model"], "layers.2.attention.")`. Sizes are
        those of the parameters. What parameters do not show has to be given: `heads` where
        the layer has no convolution and no mix and `head_dim` is not given, `layer` if the
        configuration has layer_norm_rescale, `pad` and `rope_theta` as the configuration
        has them. A name that is missing, unknown or of the wrong shape is a ValueError.
        """
        own = checkpoint.parameters_of(state, prefix)
        fields = checkpoint.fields_of(own, heads, head_dim)
        like = own["wq.weight"]
        module = cls(**fields, layer=layer, pad=pad, rope_theta=rope_theta, device=like.device,
                     dtype=like.dtype)
        module.load_state_dict(own)
        return module

    @property
    def halo(self) -> int:
        """How many earlier rows an output row reads queries of."""
        kernels = (self.mta_kernel, self.mta_kernel_after_sm)
        return sum(kernel.shape[2] - 1 for kernel in kernels if kernel is not None)

    def new_state(self) -> DecodingState:
        """A state for sequences that are given piece by piece."""
        return DecodingState(self.halo)

    def weights(self) -> dict[str, Optional[Tensor]]:
        """The weights as arguments of `multi_token_attention`."""
        mix = None
        if self.wposm is not None:
            mix = self.wposm.weight.unsqueeze(0)
        elif self.head_kernel is not None:
            mix = self.head_kernel.transpose(1, 2)
        norm, gate = getattr(self, "subln", None), getattr(self, "gate", None)
        return {
            "pre_conv": None if self.mta_kernel is None else self.mta_kernel.squeeze(1),
            "pre_mix": None if self.wpsm is None else self.wpsm.weight.unsqueeze(0),
            "post_conv": (None if self.mta_kernel_after_sm is None
                          else self.mta_kernel_after_sm.squeeze(1)),
            "post_mix": mix,
            "norm_weight": None if norm is None else norm.weight,
            "gate_weight": None if gate is None else gate.weight,
            "gate_bias": None if gate is None else gate.bias,
        }

    def forward(self, x: Tensor, state: Optional[DecodingState] = None) -> Tensor:
        """B×N×dim to B×N×dim, causal. With a state, x are the next N rows of the sequences.

        x and the parameters have one element type, else autocast's; another shape of x is a
        ValueError. Backward raises NotImplementedError, see `multi_token_attention`.
        """
        require(x.ndim == 3 and x.shape[2] == self.dim, "x", f"shape (batch, rows, {self.dim})",
                tuple(x.shape))
        batch, rows, _ = x.shape
        start = 0 if state is None else state.length
        q, k, v = (projection(x).view(batch, rows, -1, self.head_dim).transpose(1, 2)
                   for projection in (self.wq, self.wk, self.wv))
        if self.rope_theta is not None:
            q, k = (rotate(tensor, start, self.rope_theta) for tensor in (q, k))
        if state is not None:
            q, k, v = state.append(q, k, v)
        output = multi_token_attention(
            q, k, v, **self.weights(), pad=self.pad, layer=self.layer,
            query_halo=0 if state is None else state.halo)
        return self.wo(output.transpose(1, 2).reshape(batch, rows, -1))


class _NormWeight(nn.Module):
    """The parameter of the norm, which is part of the attention's kernel."""

    def __init__(self, size: int, kinds: dict):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size, **kinds))
