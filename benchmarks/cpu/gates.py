# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the `cpu` target has to reach, and whether a run's rows show it."""

from collections.abc import Callable
from dataclasses import dataclass

from rows import Rows

#: Lengths from which on the speed of pre-conv and the use of threads count.
_LONG = 2048
#: Length at which the speed of v2 counts.
_V2_LENGTH = 2048


@dataclass(frozen=True)
class Gate:
    """A number that every measurement has to reach.

    `values(rows)` lists the measurements with their places; the worst one
    counts. A run in which there is none, as a quick one, has not passed.
    """

    text: str
    bound: float
    is_least: bool
    form: str
    values: Callable[[Rows], list[tuple[float, str]]]

    def judge(self, rows: Rows) -> dict[str, object]:
        """The gate with the worst measurement, as the report shows it."""
        values = self.values(rows)
        result = {"gate": self.text, "bound": f"{'≥' if self.is_least else '≤'} "
                                              f"{format(self.bound, self.form)}"}
        if not values:
            return {**result, "worst": "-", "where": "-", "passed": False}
        worst, where = min(values) if self.is_least else max(values)
        passed = worst >= self.bound if self.is_least else worst <= self.bound
        return {**result, "worst": format(worst, self.form), "where": where, "passed": passed}


def _cells(rows: Rows, program: str, lengths: Callable[[int], bool]):
    for cell in rows.cells:
        if cell.program == program and lengths(cell.length):
            for threads in rows.threads:
                yield cell, threads, f"D={cell.head_dim} N={cell.length} threads={threads}"


def _ratios(program: str, peer: str, lengths: Callable[[int], bool], invert: bool = False):
    def values(rows: Rows) -> list[tuple[float, str]]:
        found = [(rows.get(cell, threads, peer, "ratio_to_cpu"), place)
                 for cell, threads, place in _cells(rows, program, lengths)]
        return [(1 / ratio if invert else ratio, place) for ratio, place in found if ratio]
    return values


def _gemm_parts(rows: Rows) -> list[tuple[float, str]]:
    return [(rows.gemm_part(cell, threads), place)
            for cell, threads, place in _cells(rows, "pre-conv", lambda n: n >= _LONG)]


def _speedups(program: str):
    def values(rows: Rows) -> list[tuple[float, str]]:
        return [(rows.speedup(cell, threads), place)
                for cell, threads, place in _cells(rows, program, lambda n: n >= _LONG)
                if threads == 2 and 1 in rows.threads]
    return values


def _compile_seconds(rows: Rows) -> list[tuple[float, str]]:
    return [(rows.get(cell, threads, "cpu", "compile_seconds"), f"{program} {place}")
            for program in ("pre-conv", "v2")
            for cell, threads, place in _cells(rows, program, lambda n: True)]


def _long(length: int) -> bool:
    return length >= _LONG


GATES = (
    Gate(f"pre-conv, N ≥ {_LONG}: times faster than PyTorch eager", 8.0, True, ".2f",
         _ratios("pre-conv", "eager", _long)),
    Gate(f"pre-conv, N ≥ {_LONG}: time of flash SDPA, which has no convolution", 1.7, False,
         ".2f", _ratios("pre-conv", "flash", _long, invert=True)),
    Gate(f"pre-conv, N ≥ {_LONG}: part of the rate of the best product", 0.55, True, ".0%",
         _gemm_parts),
    Gate(f"v2, N = {_V2_LENGTH}: times faster than PyTorch eager", 6.0, True, ".2f",
         _ratios("v2", "eager", lambda n: n == _V2_LENGTH)),
    Gate(f"pre-conv, N ≥ {_LONG}: two threads, times faster than one", 1.8, True, ".2f",
         _speedups("pre-conv")),
    Gate(f"v2, N ≥ {_LONG}: two threads, times faster than one", 1.8, True, ".2f",
         _speedups("v2")),
    Gate("compilation, seconds", 2.0, False, ".2f", _compile_seconds),
    Gate("v2, 2 heads, N = 32768: MiB beyond inputs and output", 256.0, False, ".0f",
         lambda rows: [(rows.memory["extra_mib"], f"D={rows.memory['head_dim']}")]
         if rows.memory else []),
)


def judge(rows: Rows) -> list[dict[str, object]]:
    """All gates."""
    return [gate.judge(rows) for gate in GATES]
