# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Every public name is described: Python, C, operations, attributes, passes, schemas."""

import ast
import json
import re
import subprocess
import sys

import pytest

from documents import GENERATED, REPOSITORY, tool_environment

sys.path.insert(0, str(REPOSITORY / "utils"))

import python_api  # noqa: E402

_NAMES = list(python_api.public_names())
_FUNCTIONS = [name for name in _NAMES if isinstance(name.node, ast.FunctionDef)]
_HEADERS = sorted((REPOSITORY / "include" / "mta-c").glob("*.h"))
_SCHEMAS = sorted((REPOSITORY / "python" / "mta").glob("*.schema.json"))
_ARRAYS = re.compile(r"\b(ndarray|Tensor)\b")
_SHAPES = re.compile(r"×|\bshapes?\b|\brank\b")


def _written_about(name) -> str:
    """What is written about a name and the class that it is in."""
    return name.document + "\n" + (name.owner.document if name.owner else "")


@pytest.mark.parametrize("name", _NAMES, ids=lambda name: name.path)
def test_python_name_is_documented(name):
    # The words about a class may be those about its fields and its constructor.
    known = name.owner is not None and (
        name.name == "__init__" or re.search(rf"\b{name.name}\b", name.owner.document))
    assert name.document or known, "expects a docstring, or a comment `#:` before a field"


@pytest.mark.parametrize("name", _FUNCTIONS, ids=lambda name: name.path)
def test_python_parameters_are_documented(name):
    about = _written_about(name)
    for parameter in name.parameters:
        assert re.search(rf"\b{parameter.arg}\b", about), f"expects a word about {parameter.arg}"
    annotations = " ".join(ast.unparse(p.annotation) for p in name.parameters if p.annotation)
    if _ARRAYS.search(annotations):
        assert _SHAPES.search(about), "expects the shapes of arrays"


@pytest.mark.parametrize("name", _FUNCTIONS, ids=lambda name: name.path)
def test_python_errors_are_documented(name):
    text = ast.unparse(name.node)
    raises = set(re.findall(r"raise (\w+)\(", text))
    if re.search(r"(?<![\w.])require\(", text):
        raises.add("ValueError")
    for error in raises:
        assert error in _written_about(name), f"expects a word about {error}"


_DECLARATION = re.compile(r"(MTA_C_\w*EXPORT|typedef struct|enum)\b")


def _declarations(header) -> list[tuple[str, bool]]:
    """Functions, types and enumerations of a C header, and whether a comment is before each."""
    lines = header.read_text(encoding="utf-8").splitlines()
    return [(" ".join(lines[n:n + 2]), lines[n - 1].startswith("///"))
            for n, line in enumerate(lines) if _DECLARATION.match(line)]


@pytest.mark.parametrize("header", _HEADERS, ids=lambda path: path.name)
def test_c_names_are_documented(header):
    declarations = _declarations(header)
    assert declarations
    bare = [name for name, has_comment in declarations if not has_comment]
    assert not bare, "expects a comment `///` before each"


@pytest.mark.parametrize("header", _HEADERS, ids=lambda path: path.name)
def test_c_functions_are_in_the_index(header):
    index = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    code = re.sub(r"//.*", "", header.read_text(encoding="utf-8"))
    exported = re.findall(r"\b(mta[A-Z]\w+)\(", code)
    assert exported
    assert [name for name in exported if f"`{name}`" not in index] == []


def _sections(page: str, title: str) -> dict[str, str]:
    """The sections of a generated page by their names."""
    text = (GENERATED / page).read_text(encoding="utf-8")
    parts = re.split(title, text, flags=re.MULTILINE)
    # A section ends where one of a higher level begins.
    return dict(zip(parts[1::2], (part.split("\n## ")[0] for part in parts[2::2])))


def test_operations_are_documented():
    operations = _sections("mta-dialect.md", r"^### `(mta\.\w+)` .*$")
    assert len(operations) >= 14
    for name, text in operations.items():
        assert re.search(r"^_.+_$", text, re.MULTILINE), f"{name}: expects a summary"
        if name != "mta.yield":
            assert "```mlir" in text, f"{name}: expects an example"
        # What has operands with conditions says which.
        if "#### Operands:" in text and name != "mta.yield" and name != "mta.softmax":
            assert "Preconditions:" in text, f"{name}: expects its conditions"


def test_attributes_are_documented():
    attributes = _sections("mta-dialect.md", r"^### (\w+Attr)$")
    assert len(attributes) >= 10
    for name, text in attributes.items():
        words, _, parameters = text.partition("#### Parameters:")
        assert re.search(r"^_.+_$", words, re.MULTILINE), f"{name}: expects a summary"
        prose = re.sub(r"^```$.*?^```$", "", words, flags=re.MULTILINE | re.DOTALL)
        for parameter, said in re.findall(r"^\| (\w+) \| `.*` \|(.*)\|$", parameters, re.MULTILINE):
            # Some say of themselves what they are.
            known = said.strip() or parameter in ("name", "type", "value")
            found = re.search(rf"\b{parameter}s?(?![a-z_])", prose)
            assert known or found, f"{name}: expects a word about {parameter}"


def test_passes_are_documented():
    known = {name: text for page in ("mta-passes.md", "conversion-passes.md")
             for name, text in _sections(page, r"^### `-([\w-]+)`$").items()}
    listed = [name for name in _options_of_mta_opt() if name.startswith(("mta-", "convert-mta",
                                                                         "convert-vector-to-frag"))]
    assert len(listed) > 20
    text = (REPOSITORY / "docs" / "for-compiler-engineers.md").read_text(encoding="utf-8")
    for name in listed:
        assert name in known or f"`{name}`" in text, f"{name}: expects a description"
    for name, text in known.items():
        assert "Before" in text and "After" in text or "verify" in name, f"{name}: before and after"


def _options_of_mta_opt() -> dict[str, list[str]]:
    """Passes and pipelines of `mta-opt --help` with their options."""
    text = subprocess.run(["mta-opt", "--help"], env=tool_environment(), check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    found: dict[str, list[str]] = {}
    options: list[str] = []
    for line in text.splitlines():
        entry = re.match(r"( +)--([\w-]+)", line)
        if entry and len(entry[1]) == 6:
            options = found.setdefault(entry[2], [])
        elif entry and len(entry[1]) == 8:
            options.append(entry[2])
    return found


@pytest.mark.parametrize("pipeline", ("mta-cpu", "mta-gpu", "mta-reference-cpu",
                                      "mta-reference-gpu", "mta-host-to-llvm",
                                      "mta-kernels-to-ptx"))
def test_pipeline_options_are_documented(pipeline):
    text = (REPOSITORY / "docs" / "for-compiler-engineers.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and f"`{pipeline}`" in line]
    assert rows, f"expects a row about {pipeline}"
    for option in _options_of_mta_opt()[pipeline]:
        assert any(f"`{option}" in row for row in rows), f"expects a word about {option}"


@pytest.mark.parametrize("path", _SCHEMAS, ids=lambda path: path.name)
def test_schema_fields_are_documented(path):
    def bare(node, place):
        for name, field in node.get("properties", {}).items():
            if "description" not in field and "$ref" not in field and "const" not in field:
                yield f"{place}.{name}"
            yield from bare(field, f"{place}.{name}")
            yield from bare(field.get("items", {}), f"{place}.{name}[]")

    schema = json.loads(path.read_text(encoding="utf-8"))
    places = [(schema, "")] + [(node, name) for name, node in schema.get("$defs", {}).items()]
    assert [field for node, name in places for field in bare(node, name)] == []

