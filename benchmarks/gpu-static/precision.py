# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Errors of the fused kernels beside those of the same program in PyTorch.

    python benchmarks/gpu-static/precision.py [--length N]

Both get the same 16-bit operands; the definition in float64 gets them too.
PyTorch keeps scores in the operands' type, as the authors' module does. The
queries are scaled for the rows with large logits.
"""

import argparse
import sys
from itertools import product
from pathlib import Path

import numpy as np
import torch

import mta
from mta.check import measure

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cpu"))
from eager import EagerAttention  # noqa: E402

PROGRAMS = {"pre-conv": 2, "v1": 2, "v2": 16, "talking-heads": 16}
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16}


def main() -> int:
    """Prints a table; 1 when a kernel errs by more than PyTorch does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=192)
    length = parser.parse_args().length
    torch.set_grad_enabled(False)
    print("| program | heads | dtype | factor of q | fused | PyTorch |\n|---|---:|---|---:|---:|---:|")
    failed = False
    for (program, heads), dtype, factor in product(PROGRAMS.items(), DTYPES, (1, 8, 64)):
        fused, eager = errors(program, heads, dtype, factor, length)
        print(f"| {program} | {heads} | {dtype} | {factor} | {fused:.1e} | {eager:.1e} |", flush=True)
        failed |= not fused <= eager
    return int(failed)


def errors(program: str, heads: int, dtype: str, factor: float,
           length: int) -> tuple[float, float]:
    """Relative errors of the fused kernel, emulated, and of PyTorch, against float64."""
    attention = mta.Attention.preset(program, heads, 64, dtype=dtype)
    arguments = random_arguments(attention, length, factor)
    exact = mta.Attention.preset(program, heads, 64, dtype="f64")
    expected = mta.compile(exact, "numpy")(
        **{name: x.astype(np.float64) for name, x in arguments.items()})
    fused = mta.compile(attention, "ptx")(**arguments)
    tensors = {name: torch.from_numpy(x.astype(np.float32)).to(DTYPES[dtype])
               for name, x in arguments.items()}
    q, k, v = (tensors.pop(name) for name in "qkv")
    eager = EagerAttention(attention, length, tensors)(q, k, v).float().numpy()
    return tuple(measure(output, expected).relative for output in (fused, eager))


def random_arguments(attention: mta.Attention, length: int,
                     factor: float) -> dict[str, np.ndarray]:
    """Normal numbers; q times `factor`."""
    generator = np.random.default_rng(0)
    rows = {name: (1, heads, length, attention.head_dim) for name, heads in
            (("q", attention.heads), ("k", attention.kv_heads), ("v", attention.kv_heads))}
    arguments = {name: generator.standard_normal(shape)
                 for name, shape in {**rows, **attention.weight_shapes}.items()}
    arguments["q"] *= factor
    return {name: x.astype(attention.numpy_dtype) for name, x in arguments.items()}


if __name__ == "__main__":
    sys.exit(main())
