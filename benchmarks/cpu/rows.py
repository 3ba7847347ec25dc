# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The rows of a run by what they measured, and what follows from several of them."""

from cell import Cell


class Rows:
    """The rows of a result by what they measured; `memory` is its peak memory, if measured."""

    def __init__(self, result: dict):
        rows = result["rows"]
        self._rows = {(self.cell_of(row), row["threads"], row["peer"]): row for row in rows}
        self.cells = list(dict.fromkeys(self.cell_of(row) for row in rows))
        self.threads = sorted({row["threads"] for row in rows})
        self.memory = result.get("memory")
        self._gemm_operations = 2 * result["gemm_size"] ** 3

    @staticmethod
    def cell_of(row: dict) -> Cell:
        """The problem of a row."""
        return Cell(row["program"], row["heads"], row["head_dim"], row["length"])

    def get(self, cell: Cell, threads: int, peer: str, field: str):
        """A field, or None where the peer was skipped."""
        return self._rows[cell, threads, peer].get(field)

    def skipped(self) -> dict[str, list[str]]:
        """The cells by peer and reason."""
        reasons: dict[str, list[str]] = {}
        for (cell, threads, peer), row in self._rows.items():
            if "skipped" in row:
                text = f"{peer}: {row['skipped']}"
                place = f"{cell.program} D={cell.head_dim} N={cell.length} threads={threads}"
                reasons.setdefault(text, []).append(place)
        return reasons

    def rate(self, cell: Cell, threads: int) -> float:
        """Useful operations per second of the `cpu` target."""
        return cell.useful_operations() / self.get(cell, threads, "cpu", "median_seconds")

    def gemm_part(self, cell: Cell, threads: int) -> float:
        """Of the rate of the product of matrices with the faster of the two libraries."""
        names = ("gemm-openblas", "gemm-torch")
        fastest = min(self.get(cell, threads, n, "median_seconds") for n in names)
        return self.rate(cell, threads) / (self._gemm_operations / fastest)

    def speedup(self, cell: Cell, threads: int) -> float:
        """Of the `cpu` target over its run with the least threads."""
        alone = self.get(cell, self.threads[0], "cpu", "median_seconds")
        return alone / self.get(cell, threads, "cpu", "median_seconds")
