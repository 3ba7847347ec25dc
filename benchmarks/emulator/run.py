# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The speed of the PTX emulator on a product of matrices with mma.sync.

    python benchmarks/emulator/run.py [--tool build/dev/bin/mta-ptx-run] [--size N]

runs gemm-mma.ptx on one host thread and on all, and writes emulator-DATE.json
and .md. The measure is lane-instructions per second of processor time, so that
other work on the machine disturbs it little; start-up and files are included.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
GOAL = 50e6  # lane-instructions per second and core


def main() -> int:
    """Runs, prints and writes; 1 if the goal is missed or the product is wrong."""
    options = _parse()
    result = {"date": datetime.date.today().isoformat(), "machine": _machine(),
              "size": options.size, "goal_per_core": GOAL, "rows": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = _write_inputs(folder, options.size)
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            row = _measure(options, folder, threads)
            row["error"] = _error(folder, expected)
            result["rows"].append(row)
    table = _markdown(result)
    print(table)
    options.output.mkdir(parents=True, exist_ok=True)
    stem = options.output / f"emulator-{result['date']}"
    _write(stem.with_suffix(".json"), json.dumps(result, indent=1) + "\n")
    _write(stem.with_suffix(".md"), table)
    good = all(row["lanes_per_core_second"] >= GOAL and row["error"] < 1e-5
               for row in result["rows"])
    return 0 if good else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", type=Path, default=REPOSITORY / "build/dev/bin/mta-ptx-run")
    parser.add_argument("--size", type=int, default=1024, help="of the matrices, a multiple of 64")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "benchmarks" / "results")
    options = parser.parse_args()
    if options.size < 64 or options.size % 64 or options.repetitions < 1:
        parser.error("expects a positive multiple of 64 as size, and a repetition")
    if not options.tool.is_file():
        parser.error(f"expects the tool at {options.tool}")
    return options


def _write_inputs(folder: Path, size: int) -> np.ndarray:
    """Random bfloat16 factors, as their bits; returns their product."""
    rng, factors = np.random.default_rng(0), []
    for name in ("a", "b"):
        bits = (rng.standard_normal((size, size), dtype=np.float32).view(np.uint32) >> 16)
        np.save(folder / f"{name}.npy", bits.astype(np.uint16))
        factors.append((bits << 16).view(np.float32).astype(np.float64))
    return factors[0] @ factors[1]


def _measure(options: argparse.Namespace, folder: Path, threads: int) -> dict:
    """The medians over the repetitions."""
    blocks, size = options.size // 64, options.size
    counters = folder / "counters.json"
    command = [options.tool, HERE / "gemm-mma.ptx", "--grid", f"{blocks},{blocks}", "--block", "128",
               "--threads", str(threads), "--quiet", "--counters", counters, "--args",
               f"in:{folder / 'a.npy'}", f"in:{folder / 'b.npy'}",
               f"out:{folder / 'c.npy'}:f32:{size}x{size}", f"i32:{size}", f"i32:{size}"]
    wall, processor = [], []
    for _ in range(options.repetitions):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True)
        wall.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    total = json.loads(counters.read_text(encoding="utf-8"))["total"]
    lanes = total["lane_instructions"]
    return {"threads": threads, "lane_instructions": lanes,
            "multiply_adds": total["multiply_adds"],
            "wall_seconds": statistics.median(wall),
            "processor_seconds": statistics.median(processor),
            "lanes_per_core_second": lanes / statistics.median(processor),
            "lanes_per_second": lanes / statistics.median(wall)}


def _error(folder: Path, expected: np.ndarray) -> float:
    """The largest error relative to the largest element."""
    return float(np.abs(np.load(folder / "c.npy") - expected).max() / np.abs(expected).max())


def _machine() -> dict[str, object]:
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {"cpu": names[0] if names else "unknown", "cores": len(os.sched_getaffinity(0)),
            "load_at_start": round(os.getloadavg()[0], 2),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(), "numpy": np.__version__}


def _markdown(result: dict) -> str:
    facts, size = result["machine"], result["size"]
    lines = [f"# PTX emulator, {result['date']}", "",
             f"`gemm-mma.ptx`, {size}³, on {facts['cpu']}, {facts['cores']} cores, load "
             f"{facts['load_at_start']} at the start. Medians; the goal is "
             f"{GOAL / 1e6:.0f} million lane-instructions a second and core.", "",
             "| host threads | million lane-instructions | wall s | processor s "
             "| million / s / core | million / s | error |", "|---:|" + "---:|" * 6]
    for row in result["rows"]:
        lines.append(f"| {row['threads']} | {row['lane_instructions'] / 1e6:.1f} "
                     f"| {row['wall_seconds']:.2f} | {row['processor_seconds']:.2f} "
                     f"| {row['lanes_per_core_second'] / 1e6:.0f} "
                     f"| {row['lanes_per_second'] / 1e6:.0f} | {row['error']:.1e} |")
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
