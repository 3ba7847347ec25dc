# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The CPU benchmark: the compiler's `cpu` target and its peers, side by side.

    python benchmarks/cpu/run.py [--quick] [--output FOLDER]

writes cpu-DATE.json, .md, .svg and .png. What it needs is in requirements.txt.
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import machine
import report
from cell import Cell, run_cell
from mta.compiler import library_problem
from peer import GEMM_SIZE

PROGRAMS = ("pre-conv", "v2")
HEADS = 16


def main() -> int:
    """Runs what the arguments say; 2 with a line on standard error when it cannot."""
    options = _parse()
    problem = library_problem()
    if problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    cells = [Cell(program, HEADS, head_dim, length) for program, head_dim, length in
             product(options.programs, options.head_dims, options.lengths)]
    facts = machine.describe()
    rows = _run(cells, options)
    result = {"machine": facts, "gemm_size": GEMM_SIZE, "repetitions": options.repetitions,
              "rows": rows}
    options.output.mkdir(parents=True, exist_ok=True)
    stem = options.output / f"cpu-{'quick-' if options.quick else ''}{facts['date']}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(report.markdown(result), encoding="utf-8")
    report.plot(result, stem)
    print(report.markdown(result))
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help="D = 64, N = 1024 and 2048, three repetitions")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=PROGRAMS)
    parser.add_argument("--head-dims", nargs="+", type=int)
    parser.add_argument("--lengths", nargs="+", type=int)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--budget", type=float, default=30.0,
                        help="seconds of a peer in a cell; three repetitions always run")
    parser.add_argument("--output", type=Path, metavar="FOLDER",
                        default=machine.REPOSITORY / "benchmarks" / "results")
    options = parser.parse_args()
    quick = options.quick
    options.head_dims = options.head_dims or ([64] if quick else [64, 96])
    options.lengths = options.lengths or ([1024, 2048] if quick else [1024, 2048, 4096, 8192])
    options.repetitions = options.repetitions or (3 if quick else 9)
    return options


def _run(cells: list[Cell], options: argparse.Namespace) -> list[dict]:
    """All rows, with progress on standard error."""
    rows = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("cells", total=len(cells))
        for cell in cells:
            name = f"{cell.program} D={cell.head_dim} N={cell.length}"

            def tell(text: str, name=name) -> None:
                progress.update(task, description=f"{name}, {text}")

            rows += run_cell(cell, options.threads, options.repetitions, options.budget, tell)
            progress.console.print(f"{name} done")
            progress.advance(task)
    return rows


if __name__ == "__main__":
    sys.exit(main())
