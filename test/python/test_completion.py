# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the scripts of `mta completion` offer in bash and in zsh."""

import os
import pty
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mta import completion, targets
from mta.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))

# Calls the function that is registered for a program as bash does.
_CALL = """\
COMP_WORDS=({words}) COMP_CWORD={last} COMPREPLY=()
{function} {program} "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def environment() -> dict[str, str]:
    """With the tools that are tested."""
    return {**os.environ, "PATH": f"{BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}


@pytest.fixture
def complete(capsys):
    """A function from the words of a command line, the last one unfinished, to what is offered."""
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out

    def complete(program: str, *words: str) -> list[str]:
        name = "_mta" if program == "mta" else "_mta_tool"
        quoted = " ".join(f"'{word}'" for word in (program, *words))
        call = _CALL.format(words=quoted, last=len(words), function=name, program=program)
        result = subprocess.run(["bash", "--norc", "-c", script + call], env=environment(),
                                check=True, capture_output=True, text=True, timeout=60)
        assert result.stderr == ""
        return result.stdout.split()

    return complete


def test_commands_and_options_of_mta(complete):
    assert {"check", "emit", "fuzz", "targets", "--version"} <= set(complete("mta", ""))
    assert complete("mta", "che") == ["check"]
    assert complete("mta", "check", "--ta") == ["--target"]
    assert complete("mta", "emit", "--head") == ["--heads", "--head-dim"]


def test_values_of_mta(complete):
    assert complete("mta", "check", "--target", "") == list(targets.names())
    assert complete("mta", "emit", "--dtype", "b") == ["bf16"]
    assert complete("mta", "completion", "z") == ["zsh"]


def test_options_of_the_tools(complete):
    assert complete("mta-opt", "--convert-mta-to-l") == ["--convert-mta-to-linalg"]
    assert complete("mta-translate", "--mta-to-c") == ["--mta-to-contract", "--mta-to-cubin"]
    assert complete("mta-ptx-run", "--co") == ["--counters"]
    assert complete("mta-lsp-server", "--prett") == ["--pretty"]


def test_options_of_passes_are_none_of_the_tool(complete):
    # Pass options of mta-choose-schedule.
    assert complete("mta-opt", "--query-til") == []


def test_a_file_is_left_to_the_shell(complete):
    assert complete("mta-opt", "exam") == []
    assert complete("mta", "check", "test/go") == []


def test_values_in_three_words_and_in_one(complete):
    # As bash breaks the line, and as zsh does not.
    assert complete("mta-translate", "--aarch64-neon-syntax", "=", "a") == ["apple"]
    assert complete("mta-translate", "--aarch64-neon-syntax=a") == ["--aarch64-neon-syntax=apple"]
    assert complete("mta", "check", "--target", "=") == list(targets.names())
    assert complete("mta", "check", "--target=nu") == ["--target=numpy"]


def type_line(shell: list[str], script: Path, line: str, expected: str) -> None:
    """Types a line and a tabulator into a shell on a terminal and waits for what it shows."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe(shell[0], shell, {**environment(), "HOME": str(script.parent)})
    shown, end = "", time.monotonic() + 60
    os.write(terminal, f"source {script}; echo rea''dy\n".encode())
    waiting = [("ready", line + "\t"), (expected, "")]
    try:
        while waiting and time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                shown += os.read(terminal, 1 << 16).decode(errors="replace")
            if waiting[0][0] in shown:
                os.write(terminal, waiting.pop(0)[1].encode())
                shown = ""
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)
    assert not waiting, shown


@pytest.mark.parametrize("shell", [["bash", "--norc"], ["zsh", "-f"]], ids=completion.SHELLS)
@pytest.mark.parametrize("line, expected", [
    ("mta check --target=nu", "=numpy "),
    ("mta emit --program talk", "talking-heads "),
    ("mta-translate --mta-to-con", "-contract "),
    ("mta-translate --aarch64-neon-syntax=a", "=apple ")])
def test_a_line_on_a_terminal(shell, line, expected, tmp_path, capsys):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    assert main(["completion", shell[0]]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out, encoding="utf-8")
    type_line(shell, tmp_path / "script", line, expected)


def test_an_unknown_shell_is_an_error(capsys):
    assert main(["completion", "fish"]) == 2
    assert "invalid choice: 'fish'" in capsys.readouterr().err
