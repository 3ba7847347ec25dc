# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The CPU benchmark: the compiler's `cpu` target and its peers, side by side.

    python benchmarks/cpu/run.py [--quick] [--output FOLDER]

writes cpu-DATE.json, .md, .svg and .png. What it needs is in requirements.txt.
A finished cell is kept in cpu-unfinished.json until all are: a run that was
interrupted goes on after it, if machine, revision and options are the same.
"""

import argparse
import json
import os
import subprocess
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
#: Lengths to which a program runs unless others are asked for: beyond, a call of v2 in eager
#: PyTorch takes minutes.
LONGEST = {"v2": 2048}


def main() -> int:
    """Runs what the arguments say; 2 with a line on standard error when it cannot."""
    options = _parse()
    problem = library_problem()
    if problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    cells = [Cell(program, HEADS, head_dim, length) for program, head_dim in
             product(options.programs, options.head_dims) for length in _lengths(program, options)]
    facts = machine.describe()
    options.output.mkdir(parents=True, exist_ok=True)
    state = State(options, facts)
    _run(cells, options, state)
    result = {"machine": facts, "gemm_size": GEMM_SIZE, "repetitions": options.repetitions,
              "rows": state.rows(cells), "memory": state.finished.get("memory")}
    stem = options.output / f"cpu-{'quick-' if options.quick else ''}{facts['date']}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(report.markdown(result), encoding="utf-8")
    report.plot(result, stem)
    state.remove()
    print(report.markdown(result))
    return 0


def _lengths(program: str, options: argparse.Namespace) -> list[int]:
    if options.lengths:
        return options.lengths
    lengths = [1024, 2048] if options.quick else [1024, 2048, 4096, 8192]
    return [length for length in lengths if length <= LONGEST.get(program, length)]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help="D = 64, N = 1024 and 2048, three repetitions")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=PROGRAMS)
    parser.add_argument("--head-dims", nargs="+", type=int)
    parser.add_argument("--lengths", nargs="+", type=int)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--budget", type=float, default=8.0,
                        help="seconds of a peer in a cell; three repetitions always run")
    parser.add_argument("--output", type=Path, metavar="FOLDER",
                        default=machine.REPOSITORY / "benchmarks" / "results")
    options = parser.parse_args()
    quick = options.quick
    options.head_dims = options.head_dims or ([64] if quick else [64, 96])
    options.repetitions = options.repetitions or (3 if quick else 7)
    return options


class State:
    """The cells of a run that are finished, in a file."""

    def __init__(self, options: argparse.Namespace, facts: dict):
        self._path = options.output / "cpu-unfinished.json"
        # What a machine does at the moment differs from run to run.
        same = {name: value for name, value in facts.items()
                if name not in ("date", "load_at_start")}
        self._identity = {**same, "threads": options.threads, "budget": options.budget,
                          "repetitions": options.repetitions}
        self.finished: dict[str, object] = {}
        if self._path.exists():
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["identity"] == self._identity:
                self.finished = content["finished"]

    def add(self, name: str, content: object) -> None:
        """Writes a finished part to the file, which is whole at any time."""
        self.finished[name] = content
        text = json.dumps({"identity": self._identity, "finished": self.finished})
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, self._path)

    def rows(self, cells: list[Cell]) -> list[dict]:
        """Of all cells."""
        return [row for cell in cells for row in self.finished[cell_name(cell)]]

    def remove(self) -> None:
        """Once everything is in the result."""
        self._path.unlink(missing_ok=True)


def cell_name(cell: Cell) -> str:
    """As in progress and in the file of finished cells."""
    return f"{cell.program} H={cell.heads} D={cell.head_dim} N={cell.length}"


def _run(cells: list[Cell], options: argparse.Namespace, state: State) -> None:
    """Everything that is not finished, with progress on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("cells", total=len(cells) + (not options.quick))
        for cell in cells:
            name = cell_name(cell)

            def tell(text: str, name=name) -> None:
                progress.update(task, description=f"{name}, {text}")

            if name not in state.finished:
                state.add(name, run_cell(cell, options.threads, options.repetitions,
                                         options.budget, tell))
                progress.console.print(f"{name} done")
            progress.advance(task)
        if not options.quick:
            progress.update(task, description="peak memory")
            if "memory" not in state.finished:
                state.add("memory", _peak_memory())
            progress.advance(task)


def _peak_memory() -> dict:
    """Of v2 with 2 heads of 32768 tokens."""
    script = Path(__file__).with_name("peak_memory.py")
    result = subprocess.run([sys.executable, str(script)], check=True, capture_output=True,
                            text=True)
    return json.loads(result.stdout)


if __name__ == "__main__":
    sys.exit(main())
