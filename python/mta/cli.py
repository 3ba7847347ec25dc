# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`python -m mta`, or `mta`: check a target, fuzz one, write MLIR, list the targets.

Exit status: 0 for success, 1 when a check failed, 2 for wrong arguments or
input, with one line on standard error that says what is wrong.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from mta import check, completion, targets
from mta._version import __version__
from mta.attention import Attention
from mta.dtypes import FLOAT_DTYPES
from mta.emission import LAYOUTS
from mta.errors import MTAError
from mta.fuzz import command as fuzz_command
from mta.presets import PRESET_NAMES


class _UsageError(Exception):
    """Wrong arguments; the message is what `main` prints."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise _UsageError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without the table's symbols gets them escaped.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parser().parse_args(arguments)
        status = options.command(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has gone: nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (_UsageError, MTAError, ValueError, OSError) as error:
        print(f"mta: error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m mta", description="Multi-Token Attention compiler")
    parser.add_argument("--version", action="version", version=f"mta {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands)
    _add_emit(commands)
    fuzz_command.add_command(commands)
    _add_completion(commands, parser)
    listing = commands.add_parser("targets", help="list the targets and whether they work here")
    listing.set_defaults(command=_list_targets)
    return parser


def _add_check(commands) -> None:
    parser = commands.add_parser("check", help="run the golden files of a folder on a target")
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of golden .npz files")
    parser.add_argument("--target", required=True, choices=targets.names())
    parser.add_argument("--dtype", default="f64", choices=FLOAT_DTYPES)
    parser.set_defaults(command=_check)


def _add_emit(commands) -> None:
    parser = commands.add_parser("emit", help="write the MLIR of a program people run")
    parser.add_argument("--program", required=True, choices=PRESET_NAMES)
    for name in ("heads", "head-dim"):
        parser.add_argument(f"--{name}", required=True, type=int)
    for name in ("kv-heads", "value-dim", "layer"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--dtype", default="bf16", choices=FLOAT_DTYPES)
    for name in ("batch", "queries"):
        parser.add_argument(f"--{name}", type=int, help="dynamic without this option")
    parser.add_argument("--keys", type=int, help="as many as queries without this option")
    parser.add_argument("--query-halo", type=int, default=0)
    parser.add_argument("--log-sum-exp", action="store_true")
    parser.add_argument("--layout", default="bhnd", choices=LAYOUTS,
                        help="of q, k, v and the output in memory; bhnd is contiguous")
    parser.add_argument("--name", default="attention", help="of the function")
    parser.add_argument("-o", "--output", default="-", metavar="FILE",
                        help="'-', the default, is the standard output")
    parser.set_defaults(command=_emit)


def _add_completion(commands, parser: argparse.ArgumentParser) -> None:
    subparser = commands.add_parser(
        "completion", help="write a script that completes command lines in a shell")
    subparser.add_argument("shell", choices=completion.SHELLS)
    subparser.set_defaults(
        command=lambda options: sys.stdout.write(completion.script(options.shell, parser)) and 0)


def _check(options: argparse.Namespace) -> int:
    problem = targets.find(options.target).problem()
    if problem:
        raise MTAError(f"target {options.target}: {problem}")
    golden_files = check.load_folder(options.folder)
    rows = list(check.run_check(golden_files, options.target, options.dtype))
    _print_rows(rows, f"target {options.target}, {options.dtype}")
    passed = sum(row.passed for row in rows)
    print(f"{passed} passed, {len(rows) - passed} failed")
    return 0 if passed == len(rows) else 1


def _print_rows(rows: Sequence[check.Row], title: str) -> None:
    table = _table(title, "case", "program", "compared")
    for heading in ("‖out−ref‖/‖ref‖", "largest error", "tolerance"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status")
    for row in rows:
        error = row.error
        numbers = ["-", "-"] if error is None else [f"{x:.2e}" for x in
                                                    (error.relative, error.largest)]
        status = "ok" if row.passed else "FAILED"
        table.add_row(row.case, row.program, row.compared, *numbers, f"{row.tolerance:.2e}", status)
    _print_table(table)
    for row in rows:
        if row.problem:
            print(f"{row.case}, {row.compared}: {row.problem}")


def _table(title: str, *headings: str) -> Table:
    plain = not sys.stdout.isatty()
    table = Table(title=title, title_justify="left", box=box.ASCII if plain else box.ROUNDED)
    for heading in headings:
        # Words may wrap in a narrow terminal, names and numbers may not.
        table.add_column(heading, no_wrap=heading not in ("program", "what it is"))
    return table


def _print_table(table: Table) -> None:
    """Fits a terminal; a file or pipe gets every cell whole and no colours."""
    if sys.stdout.isatty():
        Console(markup=False, highlight=False).print(table)
        return
    console = Console(width=10_000, color_system=None, force_terminal=False,
                      markup=False, highlight=False)
    console.print(table, no_wrap=True, overflow="ignore")


def _emit(options: argparse.Namespace) -> int:
    fields = {"layer": options.layer, "kv_heads": options.kv_heads,
              "value_dim": options.value_dim}
    given = {name: value for name, value in fields.items() if value is not None}
    attention = Attention.preset(
        options.program, options.heads, options.head_dim, dtype=options.dtype,
        query_halo=options.query_halo, log_sum_exp=options.log_sum_exp, **given)
    keys = options.queries if options.keys is None else options.keys
    text = attention.to_mlir(options.batch, options.queries, keys, options.name,
                             options.layout)
    if options.output == "-":
        sys.stdout.write(text)
    else:
        write_file(Path(options.output), text)
    return 0


def write_file(path: Path, text: str) -> None:
    """Writes a file so that it is never seen half written; OSError on failure.

    A symbolic link is followed, never replaced. What is no regular file, such
    as a pipe, /dev/null or /dev/stdout, is written in place.
    """
    target = Path(os.path.realpath(path))
    special = target.exists() and not target.is_file()
    if special or Path(os.path.abspath(path)).parts[1:2] == ("dev",):
        path.write_text(text, encoding="utf-8")
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, target)
    except OSError as error:
        raise OSError(f"{path}: expects a file that can be written, but got: "
                      f"{error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _list_targets(options: argparse.Namespace) -> int:
    table = _table("targets", "name", "status", "what it is")
    for name in targets.names():
        target = targets.find(name)
        problem = target.problem()
        table.add_row(name, "unavailable" if problem else "available", target.description)
    _print_table(table)
    for name in targets.names():
        problem = targets.find(name).problem()
        if problem:
            print(f"{name}: {problem}")
    return 0
