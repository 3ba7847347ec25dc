# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs one kernel of cases.py through mta-ptx-run and compares with NumPy.

    run_case.py NAME KERNEL.ptx FOLDER

The kernel runs twice: with copies that land at once on one host thread, and
with copies that land at the last moment, in another order of warps, on two.
"""

import argparse
import pathlib
import subprocess
import sys

import numpy as np

import cases

VARIANTS = (["--async=eager", "--threads=1"], ["--async=lazy", "--seed=11", "--threads=2"])


def arguments(case, folder):
    """The words after --args, and the files of the buffers that come back."""
    words, outputs = [], []
    for number, argument in enumerate(case.arguments):
        path = folder / f"{number}.npy"
        prefix = ""
        if isinstance(argument, cases.Map):
            prefix, argument = f"map[{argument.box}]=", argument.buffer
        if isinstance(argument, cases.Out):
            shape = "x".join(map(str, argument.shape))
            words.append(f"{prefix}out:{path}:{argument.dtype}:{shape}")
            outputs.append(path)
        elif isinstance(argument, cases.InOut):
            np.save(path, argument.array)
            words.append(f"{prefix}inout:{path}")
            outputs.append(path)
        elif isinstance(argument, np.ndarray):
            np.save(path, argument)
            words.append(f"{prefix}in:{path}")
        else:
            words.append(argument)
    return words, outputs


def run(case, ptx, folder, options):
    folder.mkdir(parents=True, exist_ok=True)
    words, outputs = arguments(case, folder)
    shape = [",".join(map(str, extents)) for extents in (case.grid, case.block)]
    command = ["mta-ptx-run", ptx, "--quiet", *options, "--grid", shape[0], "--block", shape[1],
               "--shared", str(case.shared), "--args", *words]
    subprocess.run(command, check=True)
    return [np.load(path) for path in outputs]


def error(got, expected, dtype):
    """The largest error relative to max(1, |expected|); not-a-numbers agree with each other."""
    if dtype == "bf16":
        got = (got.astype(np.uint32) << 16).view(np.float32)
    if got.shape != expected.shape:
        raise SystemExit(f"expects shape {expected.shape}, but got {got.shape}")
    if got.dtype.kind in "iu":
        return float(np.max(got.astype(object) != expected.astype(object)))
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    distance = np.abs(got - expected) / np.maximum(1.0, np.abs(expected))
    distance = np.where((got == expected) | (np.isnan(got) & np.isnan(expected)), 0.0, distance)
    return float(np.max(np.where(np.isnan(distance), np.inf, distance)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("name", choices=sorted(cases.CASES))
    parser.add_argument("ptx")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    case = cases.CASES[options.name](np.random.default_rng(1))
    failed = False
    for number, variant in enumerate(VARIANTS):
        results = run(case, options.ptx, options.folder.with_suffix(f".{number}"), variant)
        if len(results) != len(case.expected):
            raise SystemExit(f"expects {len(case.expected)} outputs, but got {len(results)}")
        for index, (got, (expected, dtype, tolerance)) in enumerate(zip(results, case.expected)):
            seen = error(got, expected, dtype)
            failed |= not seen <= tolerance
            print(f"{options.name} {' '.join(variant)} output {index}: error {seen:.3g}, "
                  f"at most {tolerance:.3g}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
