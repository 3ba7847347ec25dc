# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`multi_token_attention`, and the custom operators of PyTorch behind it.

`mta::multi_token_attention` has kernels for CPU and CUDA, a rule for fake tensors,
rules for autocast and one for autograd. The last calls
`mta::multi_token_attention_backward`, which has shapes but no numbers yet: programs
with parameters that ask for gradients compile and run forward, and fail where a
gradient is computed.
"""

import functools
from typing import List, Optional, Tuple

import torch
from torch import Tensor

from mta.attention import Attention
from mta.compiled import CompiledAttention, compile
from mta.validation import require

_DTYPES = {torch.float16: "f16", torch.bfloat16: "bf16", torch.float32: "f32",
           torch.float64: "f64"}

#: How many compiled attentions are kept; a model has a few kinds of layers.
_COMPILED = 64


def multi_token_attention(
        q: Tensor, k: Tensor, v: Tensor, pre_conv: Optional[Tensor] = None,
        pre_mix: Optional[Tensor] = None, post_conv: Optional[Tensor] = None,
        post_mix: Optional[Tensor] = None, *, norm_weight: Optional[Tensor] = None,
        gate_weight: Optional[Tensor] = None, gate_bias: Optional[Tensor] = None,
        query_boundaries: Optional[Tensor] = None, key_boundaries: Optional[Tensor] = None,
        causal: bool = True, pad: str = "both", scale: Optional[float] = None,
        layer: Optional[int] = None, query_halo: int = 0, return_log_sum_exp: bool = False):
    """Multi-Token Attention of tensors on the processor or on a GPU.

    q: B×H×Nq×D, k: B×Hk×Nk×D, v: B×Hk×Nk×Dv, with query head h on key head
    h // (H/Hk). The steps are those of `mta.reference`, each there if its weight
    is:

    - pre_conv, post_conv: H×cq×ck, key-query convolutions before and after the softmax;
    - pre_mix, post_mix: G×c×c in the order [group, out, in], mixes of groups of c = H/G heads;
    - norm_weight: Dv; with `layer`, counted from 0, the norm is scaled by its depth;
    - gate_weight and gate_bias: 1×Dv and 1 for a scalar gate, Dv×Dv and Dv for a vector gate.

    All tensors have the element type of q, float16, bfloat16, float32 or float64, and any
    strides. Scores are computed in float32, or in float64 for float64. Under autocast they
    are all cast to its type. With `query_boundaries` and `key_boundaries`, integers of
    rank 1 from 0 to Nq and Nk, the rows are several sequences one after the other.
    `causal` masks are aligned to the last query and key. `pad` says which keys windows
    cover: "both", "left" or "right"; `scale` is the factor of the scores, 1/√D without it.
    The first `query_halo` rows of q are context only and have no output row.

    Returns B×H×(Nq − query_halo)×Dv, or with `return_log_sum_exp` also the log-sum-exp of
    the softmax, B×H×(Nq − query_halo) in float32, or float64 for float64. ValueError or
    TypeError name the argument that is wrong. Backward raises NotImplementedError.
    """
    output, log_sum_exp = torch.ops.mta.multi_token_attention(
        q, k, v, pre_conv, pre_mix, post_conv, post_mix, norm_weight, gate_weight, gate_bias,
        query_boundaries, key_boundaries, causal, pad, scale, layer, query_halo,
        return_log_sum_exp)
    return (output, log_sum_exp) if return_log_sum_exp else output


@torch.library.custom_op("mta::multi_token_attention", mutates_args=(),
                         device_types=("cpu", "cuda"))
def _forward(
        q: Tensor, k: Tensor, v: Tensor, pre_conv: Optional[Tensor], pre_mix: Optional[Tensor],
        post_conv: Optional[Tensor], post_mix: Optional[Tensor], norm_weight: Optional[Tensor],
        gate_weight: Optional[Tensor], gate_bias: Optional[Tensor],
        query_boundaries: Optional[Tensor], key_boundaries: Optional[Tensor], causal: bool,
        pad: str, scale: Optional[float], layer: Optional[int], query_halo: int,
        log_sum_exp: bool) -> Tuple[Tensor, Tensor]:
    weights = {"pre_conv": pre_conv, "pre_mix": pre_mix, "post_conv": post_conv,
               "post_mix": post_mix, "norm_weight": norm_weight, "gate_weight": gate_weight,
               "gate_bias": gate_bias}
    weights = {name: weight.detach() for name, weight in weights.items() if weight is not None}
    options = {"causal": causal, "pad": pad, "scale": scale, "layer": layer,
               "query_halo": query_halo, "log_sum_exp": log_sum_exp,
               "variable_length": query_boundaries is not None or key_boundaries is not None}
    attention = _configuration(q, k, v, weights, options)
    run = _compiled(attention, "cuda" if q.is_cuda else "cpu")
    offsets = {name: value.cpu() for name, value in (
        ("query_boundaries", query_boundaries), ("key_boundaries", key_boundaries))
        if value is not None}
    results = run(q.detach(), k.detach(), v.detach(), **offsets, **weights)
    return results if log_sum_exp else (results, _no_log_sum_exp(q, query_halo))


@functools.lru_cache(maxsize=_COMPILED)
def _compiled(attention: Attention, target: str) -> CompiledAttention:
    return compile(attention, target)


def _configuration(q: Tensor, k: Tensor, v: Tensor, weights: dict, options: dict) -> Attention:
    """What the tensors' shapes say; ValueError where they say nothing."""
    for name, tensor in (("q", q), ("k", k), ("v", v)):
        require(tensor.ndim == 4, name, "4 dimensions", tuple(tensor.shape))
    require(q.dtype in _DTYPES, "q", "float16, bfloat16, float32 or float64", str(q.dtype))
    for name, rank in (("pre_conv", 3), ("post_conv", 3), ("pre_mix", 3), ("post_mix", 3),
                       ("norm_weight", 1), ("gate_weight", 2), ("gate_bias", 1)):
        if name in weights:
            shape = tuple(weights[name].shape)
            require(len(shape) == rank, name, f"{rank} dimensions", shape)
    both = ("gate_weight" in weights) == ("gate_bias" in weights)
    require(both, "gate_bias", "a tensor where gate_weight is one, and only there",
            tuple(weights["gate_bias"].shape) if "gate_bias" in weights else None)
    sizes = {name: tuple(weights[name].shape[1:]) for name in ("pre_conv", "post_conv")
             if name in weights}
    groups = {name: int(weights[name].shape[1]) for name in ("pre_mix", "post_mix")
              if name in weights}
    return Attention(
        heads=q.shape[1], head_dim=q.shape[3], kv_heads=k.shape[1], value_dim=v.shape[3],
        norm="norm_weight" in weights, gate=_gate(weights), dtype=_DTYPES[q.dtype],
        **sizes, **groups, **options)


def _gate(weights: dict) -> Optional[str]:
    if "gate_weight" not in weights:
        return None
    return "scalar" if weights["gate_weight"].shape[0] == 1 else "vector"


def _score_dtype(q: Tensor) -> torch.dtype:
    return torch.float64 if q.dtype == torch.float64 else torch.float32


def _no_log_sum_exp(q: Tensor, query_halo: int) -> Tensor:
    """What stands for a second result that nobody asked for."""
    return q.new_empty((0,), dtype=_score_dtype(q))


@_forward.register_fake
def _fake(q, k, v, pre_conv, pre_mix, post_conv, post_mix, norm_weight, gate_weight, gate_bias,
          query_boundaries, key_boundaries, causal, pad, scale, layer, query_halo, log_sum_exp):
    batch, heads, rows = q.shape[0], q.shape[1], q.shape[2] - query_halo
    output = q.new_empty((batch, heads, rows, v.shape[3]))
    if not log_sum_exp:
        return output, _no_log_sum_exp(q, query_halo)
    return output, q.new_empty((batch, heads, rows), dtype=_score_dtype(q))


#: How many arguments of the operator come first that can have gradients: q to gate_bias.
_DIFFERENTIABLE = 10


@torch.library.custom_op("mta::multi_token_attention_backward", mutates_args=())
def _backward(d_output: Tensor, tensors: List[Tensor]) -> List[Tensor]:
    raise NotImplementedError(
        "mta.torch.multi_token_attention: expects a program without backward, as gradients are "
        "not compiled yet, but a gradient was asked for; torch.no_grad() or detach() ask for "
        "none, mta.reference.gradients has them in NumPy")


@_backward.register_fake
def _fake_backward(d_output, tensors):
    return [torch.empty_like(tensor) for tensor in tensors]


def _save(ctx, inputs, output) -> None:
    tensors = inputs[:_DIFFERENTIABLE]
    ctx.present = [tensor is not None for tensor in tensors]
    ctx.others = len(inputs) - _DIFFERENTIABLE
    ctx.save_for_backward(*(tensor for tensor in tensors if tensor is not None))


def _differentiate(ctx, d_output, d_log_sum_exp):
    gradients = iter(torch.ops.mta.multi_token_attention_backward(
        d_output, list(ctx.saved_tensors)))
    return (*(next(gradients) if there else None for there in ctx.present),
            *(None for _ in range(ctx.others)))


_forward.register_autograd(_differentiate, setup_context=_save)


def _autocast(device: str):
    def run(*arguments):
        # Everything in one type, as matrix products do; float64 is kept by none of them.
        dtype = torch.get_autocast_dtype(device)
        tensors = (None if x is None else x.to(dtype) if x.is_floating_point() else x
                   for x in arguments[:_DIFFERENTIABLE])
        with torch.autocast(device, enabled=False):
            return torch.ops.mta.multi_token_attention(*tensors, *arguments[_DIFFERENTIABLE:])

    return run


# It lives as long as the process: the rules go when it does.
_rules = torch.library.Library("mta", "FRAGMENT")
for _device, _key in (("cpu", "AutocastCPU"), ("cuda", "AutocastCUDA")):
    _rules.impl("multi_token_attention", _autocast(_device), _key)
