# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`python -m mta fuzz`: random cases on a target until a number of calls is reached."""

import argparse
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mta import targets
from mta.dtypes import FLOAT_DTYPES
from mta.errors import MTAError
from mta.fuzz.cases import Case, draw_case
from mta.fuzz.kernels import draw_kernel_case
from mta.fuzz.runner import Outcome, is_fused
from mta.fuzz.worker import Worker
from mta.validation import require


def add_command(commands) -> None:
    """Adds `fuzz` to the commands of an argument parser."""
    parser = commands.add_parser(
        "fuzz", help="run random programs, shapes and tile sizes on a target against NumPy")
    parser.add_argument("--target", required=True, choices=targets.names())
    parser.add_argument("--count", type=int, default=200, help="of calls to compare")
    parser.add_argument("--seed", type=int, default=0,
                        help="of the first program; each further one adds 1")
    parser.add_argument("--dtype", choices=FLOAT_DTYPES, help="drawn without this option")
    parser.set_defaults(command=_fuzz)


def _fuzz(options: argparse.Namespace) -> int:
    require(options.count > 0, "--count", "a positive number", options.count)
    problem = targets.find(options.target).problem()
    if problem:
        raise MTAError(f"target {options.target}: {problem}")
    passed, failed, worst, seed = 0, 0, 0.0, options.seed
    with Worker(options.target) as worker, _progress() as progress:
        task = progress.add_task("calls", total=options.count, failed=0)
        while passed + failed < options.count:
            case = _draw(options, seed)
            outcomes = worker.run(case)[: options.count - passed - failed]
            wrong = [outcome for outcome in outcomes if not outcome.passed]
            if wrong:
                _report(options, seed, case, wrong)
            worst = max([worst, *(o.error for o in outcomes if o.passed)])
            passed, failed = passed + len(outcomes) - len(wrong), failed + len(wrong)
            progress.update(task, completed=passed + failed, failed=failed)
            seed += 1
    print(f"{seed - options.seed} programs, largest error {worst:.2f} of its bound")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _draw(options: argparse.Namespace, seed: int) -> Case:
    """What the target takes; a GPU has a chip already."""
    if options.target == "ptx":
        return draw_kernel_case(Random(seed), options.dtype)
    if is_fused(options.target):
        return draw_kernel_case(Random(seed), options.dtype, chips=())
    return draw_case(Random(seed), options.dtype)


def _progress() -> Progress:
    """On standard error, and only where a person sees it."""
    console = Console(stderr=True)
    # A disabled progress still ends its line in some versions of rich.
    console.quiet = not console.is_terminal
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                    TextColumn("{task.fields[failed]} failed"), TimeRemainingColumn(),
                    console=console, disable=console.quiet)


def _report(options: argparse.Namespace, seed: int, case: Case, wrong: list[Outcome]) -> None:
    """What failed, and the command that runs it again."""
    print(f"FAILED seed {seed}: {case.attention.describe()}")
    print(f"  {case.attention}")
    print(f"  sizes {case.sizes}, options {dict(case.options)}")
    for outcome in wrong:
        reason = outcome.problem or f"{outcome.error:.3g} times the bound of its error"
        print(f"  {outcome.call}: {reason}")
    dtype = f" --dtype {options.dtype}" if options.dtype else ""
    print(f"  again: python -m mta fuzz --target {options.target}{dtype} --seed {seed} "
          f"--count {len(case.calls)}", flush=True)
