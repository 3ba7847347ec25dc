# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Decoding token by token: the state is K, V and the last `halo` queries.

    .venv/bin/python examples/decoder.py

RUN: %python %s | FileCheck %s
CHECK: a row reads 5 queries before it
CHECK: 12 rows one by one, largest difference {{[0-9.e-]+}}
REQUIRES: python
"""

import dataclasses

import numpy as np

import mta


def main() -> None:
    """Computes the rows of a sequence one at a time and all at once."""
    whole = mta.Attention.pre_convolution(heads=2, head_dim=16, dtype="f64")
    print(f"a row reads {whole.halo} queries before it")
    one_row = dataclasses.replace(whole, query_halo=whole.halo)

    random = np.random.default_rng(2)
    tokens = 12
    q, k, v = (random.standard_normal((1, 2, tokens, 16)) for _ in range(3))
    weights = {"pre_conv": random.standard_normal(whole.weight_shapes["pre_conv"])}
    expected = mta.compile(whole)(q, k, v, **weights)

    step = mta.compile(one_row, queries=whole.halo + 1)
    # Rows before the first token do not exist and read as zero, whatever
    # stands there.
    state = np.zeros((1, 2, whole.halo, 16))
    rows = []
    for token in range(tokens):
        queries = np.concatenate([state, q[:, :, token:token + 1]], axis=2)
        rows.append(step(queries, k[:, :, :token + 1], v[:, :, :token + 1], **weights))
        state = queries[:, :, 1:]
    difference = np.abs(np.concatenate(rows, axis=2) - expected).max()
    print(f"{tokens} rows one by one, largest difference {difference:.1e}")
    if difference > 1e-12:
        raise SystemExit("the rows computed one by one differ")


if __name__ == "__main__":
    main()
