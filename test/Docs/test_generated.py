# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""docs/generated is what the .td files and the sources of the Python package say."""

import subprocess
import sys

from documents import BUILD, GENERATED, REPOSITORY

sys.path.insert(0, str(REPOSITORY / "utils"))

import python_api  # noqa: E402

_FIX = "run utils/update_docs.sh and commit docs/generated"


def test_generated_documents_are_current():
    subprocess.run(["cmake", "--build", BUILD, "--target", "mta-doc"], check=True,
                   stdout=subprocess.DEVNULL)
    made = {path.name: path.read_text(encoding="utf-8") for path in (BUILD / "docs").glob("*.md")}
    committed = {path.name: path.read_text(encoding="utf-8") for path in GENERATED.glob("*.md")}
    assert made, "expects the target mta-doc to write documents"
    made["python.md"] = python_api.page()
    assert sorted(committed) == sorted(made), _FIX
    for name, text in made.items():
        assert committed[name] == text, f"{name} differs from its sources: {_FIX}"
