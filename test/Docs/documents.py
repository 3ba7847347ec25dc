# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The documents of the repository and the snippets in them."""

import os
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))
LLVM_PROGRAMS = Path("/usr/lib/llvm-22/bin")
GENERATED = REPOSITORY / "docs" / "generated"

_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A fenced block: its language, its text, and where it begins."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(REPOSITORY)}:{self.line}"


def markdown_files() -> list[Path]:
    """All documents, the generated ones too."""
    return [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]


def snippets(language: str) -> list[Snippet]:
    """The snippets of a language in documents that people write and in .td files."""
    paths = [path for path in markdown_files() if path.parent != GENERATED]
    paths += sorted((REPOSITORY / "include").rglob("*.td"))
    return [snippet for path in paths for snippet in read_snippets(path)
            if snippet.language == language]


def read_snippets(path: Path) -> list[Snippet]:
    """All fenced blocks of a file that name their language."""
    text = path.read_text(encoding="utf-8")
    return [Snippet(path, text.count("\n", 0, match.start()) + 1, match[2],
                    textwrap.dedent(match[3])) for match in _FENCE.finditer(text)]


def tool_environment() -> dict[str, str]:
    """The environment in which the documents' commands are run."""
    places = [BUILD / "bin", REPOSITORY / ".venv" / "bin", LLVM_PROGRAMS]
    path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
    library = BUILD / "lib" / "libMTACompiler.so"
    return {**os.environ, "PATH": path, "MTA_COMPILER_LIBRARY": str(library), "MTA_CACHE_DIR": "",
            "CUDA_VISIBLE_DEVICES": ""}
