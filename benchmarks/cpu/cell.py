# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Runs all peers of one cell (program, head dimension, length) side by side."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from machine import memory_bytes

#: The peer that all ratios are relative to.
OURS = "cpu"
PEERS = (OURS, "reference", "eager", "torch-compile", "flash", "gemm-openblas", "gemm-torch")
#: Peers that compute the same numbers, and how far they may be apart in f32.
_SAME_NUMBERS = (OURS, "reference", "eager", "torch-compile")
_TOLERANCE = 1e-4
#: Longest sequence of the reference lowering, whose scalar loops over whole
#: score matrices take seconds here and minutes beyond.
_REFERENCE_LENGTH = 1024
#: Score matrices that an eager program holds at once: the scores, their padded
#: copy, the result of the convolution and what the softmax makes of it.
_EAGER_MATRICES = 4
#: Part of the machine's memory that a peer may fill.
_MEMORY_PART = 0.6
#: Threads of OpenMP wait awake for more work, in milliseconds. The pause before
#: a call, in seconds, is longer: nobody else's threads are awake then.
_AWAKE_MILLISECONDS = 20
_PAUSE = 0.05
#: Every peer has at least as many calls, whatever they take.
_LEAST_REPETITIONS = 3


@dataclass(frozen=True)
class Cell:
    """One f32 problem with batch 1."""

    program: str
    heads: int
    head_dim: int
    length: int

    def useful_operations(self) -> int:
        """Additions and multiplications of the program for allowed scores, and nothing else.

        q·kᵀ and p·v: 2·2D for a score, a 6×11 convolution 2·66, a mix of all heads 2·H.
        """
        sides = {"pre-conv": 66, "v2": 2 * (66 + self.heads)}[self.program]
        scores = self.heads * self.length * (self.length + 1) // 2
        return 2 * (2 * self.head_dim + sides) * scores


def skip_reason(cell: Cell, peer: str, threads: int) -> str | None:
    """Why a peer does not run, or None."""
    if peer == "reference" and cell.length > _REFERENCE_LENGTH:
        return f"scalar loops over whole score matrices: only up to N = {_REFERENCE_LENGTH}"
    if peer == "reference" and threads > 1:
        return "runs on one thread"
    if peer in ("eager", "torch-compile"):
        needed = _EAGER_MATRICES * 4 * cell.heads * cell.length**2
        if needed > _MEMORY_PART * memory_bytes():
            return (f"needs about {needed / 2**30:.0f} GiB for its score matrices, "
                    f"of {memory_bytes() / 2**30:.0f} GiB")
    return None


class Peer:
    """A process that runs one peer when it is told to."""

    def __init__(self, cell: Cell, name: str, threads: int):
        self.name, self.threads, self.seconds = name, threads, []
        config = {"peer": name, "threads": threads, **asdict(cell)}
        count = str(threads)
        # No cache: what an earlier run has compiled would take no time.
        environment = {**os.environ, "MTA_CACHE_DIR": "",
                       "KMP_BLOCKTIME": str(_AWAKE_MILLISECONDS),
                       **{f"{library}_NUM_THREADS": count
                          for library in ("OMP", "OPENBLAS", "MKL")}}
        script = Path(__file__).with_name("peer.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), json.dumps(config)], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.facts = self._answer()

    def run(self) -> None:
        """Adds the time of one call."""
        time.sleep(_PAUSE)
        self.seconds.append(self._ask("run")["seconds"])

    def output(self) -> np.ndarray:
        """Of the last call."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "output.npy"
            self._ask(f"save {path}")
            return np.load(path)

    def close(self) -> None:
        """Ends the process, which is a failure of the benchmark if it did not do well."""
        self._process.stdin.close()
        if self._process.wait():
            raise RuntimeError(f"{self.name}: expects exit status 0, but got "
                               f"{self._process.returncode}")

    def kill(self) -> None:
        """Ends the process at once, whatever it does."""
        self._process.kill()
        self._process.wait()

    def _ask(self, line: str) -> dict:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: expects an answer, but the process ended with "
                               f"status {self._process.wait()}")
        return json.loads(line)


def run_cell(cell: Cell, threads: list[int], repetitions: int, budget: float, report) -> list[dict]:
    """The rows of a cell: every peer with every number of threads.

    One repetition runs each of them once, so that whatever else the machine
    does hits all alike. A peer stops after `budget` seconds, but not before
    its third call; the call before the first is not timed. `report(text)` tells
    what is going on.
    """
    rows, peers = [], []
    try:
        for name in PEERS:
            for count in threads:
                reason = skip_reason(cell, name, count)
                if reason:
                    rows.append({**asdict(cell), "peer": name, "threads": count,
                                 "skipped": reason})
                    continue
                report(f"{name}, {count} threads: setting up")
                peers.append(Peer(cell, name, count))
        errors = _compare(peers)
        for repetition in range(repetitions):
            for peer in peers:
                if repetition < _LEAST_REPETITIONS or sum(peer.seconds) < budget:
                    report(f"{peer.name}, {peer.threads} threads: repetition {repetition + 1}")
                    peer.run()
        for peer in peers:
            peer.close()
    finally:
        for peer in peers:
            peer.kill()
    return rows + [_row(cell, peer, peers, errors) for peer in peers]


def _compare(peers: list[Peer]) -> dict[tuple[str, int], float]:
    """‖x − ours‖/‖ours‖ of the peers that compute the same; RuntimeError when one does not."""
    ours = next(peer for peer in peers if peer.name == OURS).output()
    errors = {}
    for peer in peers:
        if peer.name in _SAME_NUMBERS:
            error = float(np.linalg.norm(peer.output() - ours) / np.linalg.norm(ours))
            if not error <= _TOLERANCE:
                raise RuntimeError(f"{peer.name}: expects the numbers of {OURS}, but got a "
                                   f"relative difference of {error:.1e}")
            errors[peer.name, peer.threads] = error
    return errors


def _row(cell: Cell, peer: Peer, peers: list[Peer], errors) -> dict:
    ours = next(p for p in peers if p.name == OURS and p.threads == peer.threads)
    ratios = [a / b for a, b in zip(peer.seconds, ours.seconds)]
    return {**asdict(cell), "peer": peer.name, "threads": peer.threads,
            "median_seconds": statistics.median(peer.seconds),
            "ratio_to_cpu": statistics.median(ratios),
            "difference_to_cpu": errors.get((peer.name, peer.threads)),
            "seconds": peer.seconds, **peer.facts}
