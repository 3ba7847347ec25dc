# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Peak memory of one call of a program, beyond its inputs and outputs (Linux).

    python benchmarks/cpu/peak_memory.py --program v2 --heads 2 --length 32768

prints a JSON object. `extra_mib` is the largest resident set during the call
less the one before it and less the output: what the call needs for itself.
"""

import argparse
import ctypes
import json
import time
from pathlib import Path

import mta
from mta.fuzz import Call, random_arguments
from mta.presets import PRESET_NAMES

MIB = 2**20


def measure(program: str, target: str, heads: int, head_dim: int, length: int,
            dtype: str) -> dict[str, object]:
    """Sizes in MiB and the seconds of the call."""
    attention = mta.Attention.preset(program, heads, head_dim, dtype=dtype)
    run = mta.compile(attention, target)
    # What is set up once, such as threads, is no part of a call.
    run(**random_arguments(attention, Call(1, 8, 8, 1.0, 0)))
    arguments = random_arguments(attention, Call(1, length, length, 1.0, 0))
    reset_peak()
    before = status_bytes("VmRSS")
    start = time.perf_counter()
    output = run(**arguments)
    seconds = time.perf_counter() - start
    peak = status_bytes("VmHWM")
    return {
        "program": program, "target": target, "heads": heads, "head_dim": head_dim,
        "length": length, "dtype": dtype, "seconds": round(seconds, 3),
        "inputs_mib": round(sum(x.nbytes for x in arguments.values()) / MIB, 2),
        "output_mib": round(output.nbytes / MIB, 2),
        "extra_mib": round((peak - before - output.nbytes) / MIB, 2),
    }


def reset_peak() -> None:
    """Lets VmHWM start again from the present resident set (proc(5), clear_refs).

    Memory that was freed goes back before, so that the call cannot reuse it.
    """
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def status_bytes(field: str) -> int:
    """A size of /proc/self/status, which is in KiB there."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status: expects {field}, but got none")


def main() -> None:
    """Prints the measurement of the program that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", choices=PRESET_NAMES, default="v2")
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--head-dim", type=int, default=64)
    parser.add_argument("--length", type=int, default=32768)
    parser.add_argument("--dtype", default="f32")
    print(json.dumps(measure(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
