# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The configurations people run, by the names the paper and its ablations use."""

from mta.validation import require

_PRESETS: dict[str, dict[str, object]] = {
    # Every fourth layer of the paper's first version.
    "v1": {"pre_conv": (6, 11), "post_mix": 2, "norm": True, "layer": 0},
    # Every fourth layer of its second version.
    "v2": {
        "pre_conv": (6, 11),
        "pre_mix": True,
        "post_conv": (6, 11),
        "post_mix": True,
        "norm": True,
        "gate": "scalar",
    },
    # The other layers of the second version.
    "talking-heads": {"pre_mix": True, "post_mix": True, "norm": True, "gate": "scalar"},
    # Ablations; the paper's toy task has a kernel of 2×(2N−1).
    "pre-conv": {"pre_conv": (6, 11)},
}

#: The names `Attention.preset` takes.
PRESET_NAMES = tuple(_PRESETS)


def fields_of(name: str) -> dict[str, object]:
    """The fields of the preset `name`; ValueError when there is none."""
    require(name in _PRESETS, "preset", f"one of {', '.join(PRESET_NAMES)}", name)
    return _PRESETS[name]
