# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What can be said about the fused kernels without a GPU, and its gates.

    python benchmarks/gpu-static/run.py [--chips sm_80 sm_90a] [--output FOLDER]

Compiles every configuration, has ptxas assemble it, runs it in the emulator and
compares its counters with what the tiling needs. Writes gpu-static-DATE.json,
.md, .svg and .png; exits with 1 when a gate does not hold.
"""

import argparse
import datetime
import json
import os
import sys
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import report
from measure import Case, measure_case
from mta.compiler import library_problem

PROGRAMS = {"pre-conv": 1, "v1": 2, "talking-heads": 16, "v2": 16}
HEAD_DIMS = (64, 96, 128)
CHIPS = ("sm_80", "sm_90a")


def main() -> int:
    """0 when all gates hold, 1 when one does not, 2 when nothing can be measured."""
    options = _parse()
    problem = library_problem()
    if problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    cases = [Case(program, PROGRAMS[program], head_dim, dtype, chip)
             for chip, program, head_dim, dtype in
             product(options.chips, options.programs, options.head_dims, options.dtypes)]
    # No cache: what an earlier run has compiled would take no time.
    os.environ["MTA_CACHE_DIR"] = ""
    rows = _measure(cases)
    result = {"date": datetime.date.today().isoformat(), **report.versions(), "rows": rows}
    options.output.mkdir(parents=True, exist_ok=True)
    stem = options.output / f"gpu-static-{result['date']}"
    _write(stem.with_suffix(".json"), json.dumps(result, indent=1) + "\n")
    _write(stem.with_suffix(".md"), report.markdown(result))
    report.plot(result, stem)
    print(report.markdown(result))
    return int(any(report.failures(row) for row in rows))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chips", nargs="+", choices=CHIPS, default=CHIPS)
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--head-dims", nargs="+", type=int, default=HEAD_DIMS)
    parser.add_argument("--dtypes", nargs="+", choices=("bf16", "f16", "f32"), default=["bf16"])
    parser.add_argument("--output", type=Path, metavar="FOLDER",
                        default=Path(__file__).resolve().parents[1] / "results")
    return parser.parse_args()


def _measure(cases: list[Case]) -> list[dict]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())
    rows = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("kernels", total=len(cases))
        for case in cases:
            progress.update(task, description=case.name)
            rows.append(measure_case(case))
            failed = ", ".join(report.failures(rows[-1])) or "all gates hold"
            progress.console.print(f"{case.name}: {failed}", highlight=False)
            progress.advance(task)
    return rows


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
