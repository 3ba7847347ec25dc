# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""From a configuration to numbers: compile an attention, run it, compare it.

    .venv/bin/python examples/attention.py

RUN: %python %s | FileCheck %s
CHECK: conv 6x11 {{.*}} softmax {{.*}} mix groups of 2
CHECK: relative error {{[0-9.e-]+}}
REQUIRES: python
"""

import numpy as np

import mta


def main() -> None:
    """Runs program v1 on random data with the compiler and with NumPy float64."""
    attention = mta.Attention.v1(heads=4, head_dim=32, layer=3, dtype="f32")
    print(attention.describe())

    random = np.random.default_rng(1)
    batch, tokens = 2, 50
    q, k, v = (random.standard_normal((batch, 4, tokens, 32), np.float32) for _ in range(3))
    weights = {name: 0.3 * random.standard_normal(shape, np.float32)
               for name, shape in attention.weight_shapes.items()}

    # Any batch and any number of tokens: no size is given to `compile`.
    run = mta.compile(attention, target="reference")
    output = run(q, k, v, **weights)

    expected = mta.reference.forward(attention, q, k, v, weights).output
    error = np.linalg.norm(output - expected) / np.linalg.norm(expected)
    print(f"relative error {error:.1e}")
    if error > 1e-5:
        raise SystemExit("the compiled attention disagrees with NumPy")


if __name__ == "__main__":
    main()
