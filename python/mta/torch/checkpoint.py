# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the parameters of an authors' checkpoint say about a layer."""

from collections.abc import Mapping
from typing import Optional

from torch import Tensor

from mta.attention import Attention
from mta.validation import require

#: The parameters that every layer has, and those of its steps, with their ranks.
_PROJECTIONS = {"wq.weight": 2, "wk.weight": 2, "wv.weight": 2, "wo.weight": 2}
_STEPS = {"mta_kernel": 4, "wpsm.weight": 2, "mta_kernel_after_sm": 4, "wposm.weight": 2,
          "head_kernel": 3, "subln.weight": 1, "gate.weight": 2, "gate.bias": 1}


def validate(module, pre_conv, pre_mix, post_conv, post_mix, norm, gate) -> None:
    """Raises the ValueError of `mta.Attention` for an illegal layer."""
    require(pre_mix in (True, False), "pre_mix", "True or False", pre_mix)
    Attention(heads=module.heads, head_dim=module.head_dim, kv_heads=module.kv_heads,
              pre_conv=pre_conv, pre_mix=pre_mix or None, post_conv=post_conv,
              post_mix=post_mix or None, norm=norm, gate=gate, layer=module.layer, pad=module.pad)
    theta = module.rope_theta
    require(theta is None or theta > 0, "rope_theta", "None or a positive number", theta)
    even = theta is None or module.head_dim % 2 == 0
    require(even, "head_dim", "an even number with a rotary embedding", module.head_dim)


def parameters_of(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The parameters of one layer by their names in it; ValueError unless they are a layer's."""
    own = {name[len(prefix):]: value for name, value in state.items() if name.startswith(prefix)}
    known = {**_PROJECTIONS, **_STEPS}
    for name, tensor in own.items():
        require(name in known, "state", f"parameters {', '.join(known)} after {prefix!r}", name)
        require(tensor.ndim == known[name], f"{prefix}{name}", f"{known[name]} dimensions",
                tuple(tensor.shape))
    for name in _PROJECTIONS:
        require(name in own, "state", f"a parameter {prefix}{name}", "none")
    return own


def fields_of(own: Mapping[str, Tensor], heads: Optional[int],
              head_dim: Optional[int]) -> dict[str, object]:
    """The fields of `MultiTokenAttention` that the parameters show."""
    heads = _heads(own, heads, head_dim)
    rows, dim = own["wq.weight"].shape
    require(rows % heads == 0, "heads", f"a divisor of the rows of wq.weight ({rows})", heads)
    head_dim = rows // heads
    require("wposm.weight" not in own or "head_kernel" not in own, "state",
            "one mix after the softmax", "wposm.weight and head_kernel")
    mix = own["head_kernel"].shape[1] if "head_kernel" in own else "wposm.weight" in own
    gate = None
    if "gate.weight" in own:
        gate = "scalar" if own["gate.weight"].shape[0] == 1 else "vector"
    return {
        "dim": dim, "heads": heads, "head_dim": head_dim,
        "kv_heads": own["wk.weight"].shape[0] // head_dim,
        "pre_conv": _window(own, "mta_kernel"),
        "pre_mix": "wpsm.weight" in own,
        "post_conv": _window(own, "mta_kernel_after_sm"),
        "post_mix": mix, "norm": "subln.weight" in own, "gate": gate,
    }


def _heads(own: Mapping[str, Tensor], heads: Optional[int], head_dim: Optional[int]) -> int:
    if heads is not None:
        return heads
    for name in ("mta_kernel", "mta_kernel_after_sm", "wpsm.weight", "wposm.weight"):
        if name in own:
            return own[name].shape[0]
    if "head_kernel" in own:
        groups, size, _ = own["head_kernel"].shape
        return groups * size
    for name in ("subln.weight", "gate.weight"):
        if name in own and head_dim is None:
            head_dim = own[name].shape[-1]
    require(head_dim is not None, "heads", "a number, as no parameter shows it", None)
    return own["wq.weight"].shape[0] // head_dim


def _window(own: Mapping[str, Tensor], name: str):
    return tuple(own[name].shape[2:]) if name in own else None
