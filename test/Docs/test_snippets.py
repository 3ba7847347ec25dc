# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the documents show is what happens: snippets are parsed and run."""

import re
import subprocess
import sys

import pytest

from documents import (BUILD, GENERATED, REPOSITORY, Snippet, markdown_files, read_snippets,
                       snippets, tool_environment)

# First words of commands that are shown but not run here: they install, build
# or prepare a shell, and utils/test.sh or another test does the same.
_NOT_RUN = ("git", "cmake", "utils/", "lit", "export", ". ", ".venv/bin/python -m pytest",
            "ASAN_OPTIONS=", ".venv-bench/", "pip install", 'eval "$(mta completion')
_TOOLS = ("mta-opt", "mta-translate", "mta-ptx-run", "mlir-opt", "python -m mta", "python -c",
          "python examples/", "sed", "grep", "clang-22", "LD_LIBRARY_PATH=build/dev/stand-in ",
          "(cd tutorial && ")

# Documents whose snippets go on where the one before ended.
_IN_ORDER = (REPOSITORY / "docs" / "tutorial.md",)


def _named(found: list[Snippet]) -> dict:
    found = [snippet for snippet in found if not _runs_in_order(snippet)]
    return {"argvalues": found, "ids": [str(snippet) for snippet in found]}


def _runs_in_order(snippet: Snippet) -> bool:
    """Whether it needs those before it; programs and PyTorch stand alone."""
    alone = snippet.language == "mlir" or "import torch" in snippet.text
    return snippet.path in _IN_ORDER and not alone


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like the repository's root but may be written to."""
    for name in ("examples", "test", "include"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "dev").symlink_to(BUILD)
    return tmp_path


def _run(command: str, folder) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, text=True,
                          env=tool_environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300, check=False)


def _commands(lines: list[str]) -> list[str]:
    """The commands of a shell snippet, with continued lines joined, without comments."""
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("snippet", **_named(snippets("mlir")))
def test_mlir_snippet_parses(snippet, checkout):
    (checkout / "snippet.mlir").write_text(snippet.text, encoding="utf-8")
    # The printed form parses again.
    result = _run("mta-opt snippet.mlir | mta-opt", checkout)
    assert result.returncode == 0, result.stdout


def _run_shell(text: str, folder) -> None:
    for command in _commands(text.splitlines()):
        if command.startswith(_NOT_RUN):
            continue
        assert command.startswith(_TOOLS), f"expects a known command, but got {command!r}"
        result = _run(command, folder)
        assert result.returncode == 0, f"{command}\n{result.stdout}"


def _run_console(text: str, folder) -> None:
    """Lines after a command are in its output, in their order; `...` skips some.

    In a line, `...` stands for anything but the end of the line.
    """
    for block in ("\n" + text.replace("\\\n", " ")).split("\n$ ")[1:]:
        command, *shown = block.splitlines()
        assert command.startswith(_TOOLS), f"expects a known command, but got {command!r}"
        output = _run(command, folder).stdout
        position = 0
        for line in filter(None, map(str.strip, shown)):
            if line == "...":
                continue
            pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
            found = pattern.search(output, position)
            assert found, f"{command}: expects {line!r} in the output, but got\n{output}"
            position = found.end()


def _run_python(text: str, folder) -> None:
    result = subprocess.run([sys.executable, "-c", text], cwd=folder, text=True,
                            env=tool_environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=300, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("snippet", **_named(snippets("sh")))
def test_shell_snippet_runs(snippet, checkout):
    _run_shell(snippet.text, checkout)


@pytest.mark.parametrize("snippet", **_named(snippets("console")))
def test_console_snippet_shows_the_output(snippet, checkout):
    _run_console(snippet.text, checkout)


@pytest.mark.parametrize("snippet", **_named(snippets("python")))
def test_python_snippet_runs(snippet, checkout):
    if "import torch" in snippet.text:
        pytest.importorskip("torch", reason="needs PyTorch: MTA_TORCH=1 utils/setup.sh")
    _run_python(snippet.text, checkout)


@pytest.mark.parametrize("path", _IN_ORDER, ids=lambda path: path.name)
def test_document_runs_from_top_to_bottom(path, checkout):
    run = {"sh": _run_shell, "console": _run_console, "python": _run_python}
    found = [snippet for snippet in read_snippets(path) if _runs_in_order(snippet)]
    assert found
    for snippet in found:
        run[snippet.language](snippet.text, checkout)


@pytest.mark.parametrize("path", _IN_ORDER, ids=lambda path: path.name)
def test_programs_of_a_document_are_examples(path):
    files = (REPOSITORY / "examples").glob("*.mlir")
    examples = [file.read_text(encoding="utf-8") for file in files]
    for snippet in read_snippets(path):
        if snippet.language == "mlir":
            assert any(snippet.text in example for example in examples), str(snippet)


def test_every_language_has_a_test():
    known = {"mlir", "sh", "console", "python"}
    found = {snippet.language for path in markdown_files() if path.parent != GENERATED
             for snippet in read_snippets(path)}
    assert found == known
