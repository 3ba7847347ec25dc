# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""docs/generated is what the .td files say."""

import subprocess

from documents import BUILD, GENERATED

_FIX = "run utils/update_docs.sh and commit docs/generated"


def test_generated_documents_are_current():
    subprocess.run(["cmake", "--build", BUILD, "--target", "mta-doc"], check=True,
                   stdout=subprocess.DEVNULL)
    made = {path.name: path.read_text(encoding="utf-8") for path in (BUILD / "docs").glob("*.md")}
    committed = {path.name: path.read_text(encoding="utf-8") for path in GENERATED.glob("*.md")}
    assert made, "expects the target mta-doc to write documents"
    assert sorted(committed) == sorted(made), _FIX
    for name, text in made.items():
        assert committed[name] == text, f"{name} differs from the .td files: {_FIX}"
