# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Worker`: runs cases in a process of its own, so that wrong machine code only ends that."""

import math
import multiprocessing
import os
import signal

from mta import cache
from mta.fuzz.cases import Case
from mta.fuzz.runner import Outcome, run_case

#: Seconds after which a case counts as hanging; the slowest takes some,
#: on a machine that is busy a minute.
_LIMIT = 600.0


class Worker:
    """A process that runs one case after the other and is replaced when it dies."""

    def __init__(self, target: str):
        self._target = target
        self._process: multiprocessing.Process | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def run(self, case: Case) -> list[Outcome]:
        """As `run_case`; a crash or a hang is the outcome of every call."""
        if self._process is None:
            self._start()
        try:
            self._connection.send(case)
            if self._connection.poll(_LIMIT):
                return self._connection.recv()
            problem = f"no result after {_LIMIT:.0f} s"
        except (EOFError, OSError):
            self._process.join()
            problem = _describe_exit(self._process.exitcode)
        self._stop()
        return [Outcome(call, math.nan, problem) for call in case.calls]

    def _start(self) -> None:
        # A fork would copy the threads' state of the parent's compiler.
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, self._target), daemon=True)
        self._process.start()
        other.close()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None


def _serve(connection, target: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A random program does not come again: none is worth keeping.
    os.environ[cache.FOLDER_VARIABLE] = ""
    while True:
        try:
            case = connection.recv()
        except EOFError:
            return
        try:
            outcomes = run_case(case, target)
        except Exception as error:
            # What the target raises is a finding, not the end of the search.
            text = f"{type(error).__name__}: {error}"
            outcomes = [Outcome(call, math.nan, text) for call in case.calls]
        connection.send(outcomes)


def _describe_exit(code: int) -> str:
    name = signal.Signals(-code).name if code < 0 else f"status {code}"
    return f"the process ended with {name}"
