# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Golden files: float64 inputs, weights, outputs and gradients of one attention.

A golden is an `.npz` with q, k, v, o, do, dq, dk, dv (B×heads×N×D), the weights
of its program, their gradients under `d_` and the name, and `config`, a JSON
object. `do` is the gradient that was fed in. All are causal. The weights:

    pre_conv, post_conv      H×1×cq×ck              θ
    pre_mix, post_mix        H×H, [out, in]         W with one group
    post_mix_groups          G×c×c, [in, out]       W with its last axes swapped
    norm_weight              D
    gate_weight, gate_bias   1×D and 1, or D×D and D
"""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mta.errors import GoldenError

_TENSORS = ("q", "k", "v", "o", "do", "dq", "dk", "dv")
_WEIGHTS = ("pre_conv", "pre_mix", "post_conv", "post_mix", "post_mix_groups",
            "norm_weight", "gate_weight", "gate_bias")

Golden = Mapping[str, np.ndarray]


def load(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a golden file, complete; GoldenError names what is wrong."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            golden = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, AttributeError, TypeError,
            NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise GoldenError(f"{path}: expects an .npz archive, but got: {error}") from None
    try:
        _check_complete(golden)
    except GoldenError as error:
        raise GoldenError(f"{path}: {error}") from None
    return golden


def _check_complete(golden: Golden) -> None:
    weights = [name for name in _WEIGHTS if name in golden]
    needed = ["config", *_TENSORS, *(f"d_{name}" for name in weights)]
    missing = [name for name in needed if name not in golden]
    if missing:
        raise GoldenError(f"expects {', '.join(needed)}, but got no {', '.join(missing)}")
    for name in needed[1:] + weights:
        if golden[name].dtype != np.float64:
            raise GoldenError(f"{name}: expects float64, but got {golden[name].dtype}")
    for name, gradient in _gradient_names(weights).items():
        if golden[name].shape != golden[gradient].shape:
            expected, got = golden[name].shape, golden[gradient].shape
            raise GoldenError(f"{gradient}: expects shape {expected}, but got {got}")
    for name in ("q", "k", "v"):
        if golden[name].ndim != 4:
            raise GoldenError(f"{name}: expects 4 dimensions, but got {golden[name].ndim}")
    weights_by_argument(golden)


def _gradient_names(weights: list[str]) -> dict[str, str]:
    tensors = {name: f"d{name}" for name in ("q", "k", "v", "o")}
    return {**tensors, **{name: f"d_{name}" for name in weights}}


def read_config(golden: Golden) -> dict[str, object]:
    """The `config` entry; GoldenError when it is no JSON object."""
    try:
        config = json.loads(str(golden["config"]))
    except KeyError:
        raise GoldenError("config: expects a JSON object, but got nothing") from None
    except json.JSONDecodeError as error:
        raise GoldenError(f"config: expects a JSON object, but got: {error}") from None
    if not isinstance(config, dict):
        raise GoldenError(f"config: expects a JSON object, but got {config!r}")
    return config


def configuration(attention_type: type, golden: Golden, dtype: str):
    """The `Attention` of a golden, in element type `dtype`."""
    config = read_config(golden)
    weights = weights_by_argument(golden)
    sizes = {side: weights[f"{side}_conv"].shape[1:] for side in ("pre", "post")
             if f"{side}_conv" in weights}
    groups = {side: weights[f"{side}_mix"].shape[1] for side in ("pre", "post")
              if f"{side}_mix" in weights}
    try:
        attention = attention_type(
            heads=golden["q"].shape[1], head_dim=golden["q"].shape[3],
            kv_heads=golden["k"].shape[1], value_dim=golden["v"].shape[3],
            pre_conv=sizes.get("pre"), pre_mix=groups.get("pre"),
            post_conv=sizes.get("post"), post_mix=groups.get("post"),
            norm=config.get("norm", False), gate=config.get("gate"),
            layer=config.get("layer", 0) if config.get("depth_scale") else None,
            pad=config.get("pad", "both"), dtype=dtype,
        )
    except ValueError as error:
        raise GoldenError(f"config: {error}") from None
    _check_weights(attention.weight_shapes, weights)
    return attention


def _check_weights(expected: Mapping[str, tuple[int, ...]], weights: Golden) -> None:
    got = {name: array.shape for name, array in weights.items()}
    if dict(expected) != got:
        raise GoldenError(f"weights: expects {dict(expected)}, but got {got}")


def weights_by_argument(golden: Golden, prefix: str = "") -> dict[str, np.ndarray]:
    """The weights (or with prefix "d_" their gradients) as `Attention` names and shapes them."""
    found = {name: golden[prefix + name] for name in _WEIGHTS if prefix + name in golden}
    if "post_mix" in found and "post_mix_groups" in found:
        raise GoldenError("post_mix: expects one post-softmax mix, but got two")
    weights = {}
    for name, array in found.items():
        argument = "post_mix" if name == "post_mix_groups" else name
        weights[argument] = _LAYOUTS.get(name, _as_is)(prefix + name, array)
    return weights


def tensor_gradients(golden: Golden) -> dict[str, np.ndarray]:
    """The gradients of q, k, v and of the weights by argument name."""
    tensors = {name: golden[f"d{name}"] for name in ("q", "k", "v")}
    return {**tensors, **weights_by_argument(golden, "d_")}


def _conv_layout(name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim != 4 or array.shape[1] != 1:
        raise GoldenError(f"{name}: expects shape H×1×cq×ck, but got {array.shape}")
    return array[:, 0]


def _mix_layout(name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim != 2:
        raise GoldenError(f"{name}: expects shape H×H, but got {array.shape}")
    return array[None]


def _groups_layout(name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim != 3:
        raise GoldenError(f"{name}: expects shape G×c×c, but got {array.shape}")
    return array.swapaxes(1, 2)


def _as_is(name: str, array: np.ndarray) -> np.ndarray:
    return array


_LAYOUTS = {
    "pre_conv": _conv_layout,
    "post_conv": _conv_layout,
    "pre_mix": _mix_layout,
    "post_mix": _mix_layout,
    "post_mix_groups": _groups_layout,
}
