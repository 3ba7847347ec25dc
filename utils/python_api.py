#!/usr/bin/env python3
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The public names of the Python package, and docs/generated/python.md made of them.

    utils/python_api.py > docs/generated/python.md

It reads the sources and imports nothing, so that it needs neither PyTorch nor CUDA. Public are
the names in `__all__` of a module, or all without an underscore in one that has none.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "mta"

#: The modules for users, in the order of the page.
MODULES = ("mta", "mta.reference", "mta.contract", "mta.cache", "mta.cuda", "mta.torch")

_FIELD_COMMENT = re.compile(r"^ *#: ?(.*)$")


@dataclass(frozen=True)
class Name:
    """A public name: where it is, its syntax tree and what is written about it.

    `owner` is the class of a method or field. `document` is the docstring, or for a field and a
    constant the comment `#:` before it; "" without one.
    """

    module: str
    name: str
    node: ast.stmt
    document: str
    owner: "Name | None" = None

    @property
    def path(self) -> str:
        """As one writes it in a program."""
        return f"{self.owner.path if self.owner else self.module}.{self.name}"

    @property
    def is_property(self) -> bool:
        """Whether it is a method that is read like a field."""
        decorators = map(ast.unparse, getattr(self.node, "decorator_list", ()))
        return any(word in ("property", "cached_property") for word in decorators)

    @property
    def parameters(self) -> list[ast.arg]:
        """Those of a function, without self and cls."""
        if not isinstance(self.node, ast.FunctionDef):
            return []
        arguments = self.node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        return [argument for argument in named if argument.arg not in ("self", "cls")]

    @property
    def signature(self) -> str:
        """A function's name with its parameters, or that of another thing alone."""
        if not isinstance(self.node, ast.FunctionDef) or self.is_property:
            return self.name
        words = ast.unparse(self.node.args)
        words = re.sub(r"^(self|cls)(, /)?(, |$)", "", words)
        result = f" -> {ast.unparse(self.node.returns)}" if self.node.returns else ""
        return f"{self.name}({words}){result}"


def public_names() -> Iterator[Name]:
    """All of them: modules' names, each class followed by its methods and fields."""
    for module in MODULES:
        yield from _names_of(module)


def document_of(module: str) -> str:
    """The docstring of a module."""
    return ast.get_docstring(_parsed(_file_of(module))) or ""


def _file_of(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _names_of(module: str) -> Iterator[Name]:
    path = _file_of(module)
    tree = _parsed(path)
    listed = _listed(tree)
    if listed is None:
        listed = [name for name in _defined(tree) if not name.startswith("_")]
    sources = _imported(tree)
    for name in listed:
        # Modules have sections of their own, and what `__version__` is everybody knows.
        if f"{module}.{name}" in MODULES or name.startswith("__"):
            continue
        file = _file_of(sources[name]) if name in sources else path
        yield from _members(module, name, file)


def _listed(tree: ast.Module) -> list[str] | None:
    """What `__all__` has; None without one."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return None


def _imported(tree: ast.Module) -> dict[str, str]:
    """The modules that names come from."""
    return {alias.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom)
            for alias in node.names}


def _defined(tree: ast.Module | ast.ClassDef) -> dict[str, ast.stmt]:
    """Classes, functions, and what is assigned, by name; of types only those with a comment."""
    found = {}
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            found[ast.unparse(node.target)] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node
    return found


def _members(module: str, name: str, file: Path) -> Iterator[Name]:
    """A name and, of a class, its public methods and fields."""
    lines = file.read_text(encoding="utf-8").splitlines()
    node = _defined(_parsed(file))[name]
    own = Name(module, name, node, _document(node, lines))
    yield own
    if not isinstance(node, ast.ClassDef):
        return
    for member, inner in _defined(node).items():
        if not member.startswith("_") or member in ("__init__", "__call__"):
            yield Name(module, member, inner, _document(inner, lines), own)
    for member, inner in _set_in_init(node).items():
        yield Name(module, member, inner, _document(inner, lines), own)


def _set_in_init(node: ast.ClassDef) -> dict[str, ast.stmt]:
    """What the constructor assigns to self with a type: fields."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return {step.target.attr: step for step in inner.body
                    if isinstance(step, ast.AnnAssign) and isinstance(step.target, ast.Attribute)
                    and not step.target.attr.startswith("_")}
    return {}


def _document(node: ast.stmt, lines: list[str]) -> str:
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        return ast.get_docstring(node) or ""
    words: list[str] = []
    for line in reversed(lines[:node.lineno - 1]):
        match = _FIELD_COMMENT.match(line)
        if not match:
            break
        words.insert(0, match[1])
    return " ".join(words)


def _field_line(name: Name) -> str:
    text = ast.unparse(name.node.annotation) if isinstance(name.node, ast.AnnAssign) else ""
    value = getattr(name.node, "value", None)
    default = f" = {ast.unparse(value)}" if value is not None else ""
    kind = f": {text}" if text else ""
    return f"- `{name.name}{kind}{default}`: {name.document}"


def _section(name: Name) -> str:
    if isinstance(name.node, (ast.Assign, ast.AnnAssign)):
        return _field_line(name) if name.owner else f"### `{name.path}`\n\n{name.document}"
    level = "####" if name.owner else "###"
    title = f"{level} `{name.path}`"
    if isinstance(name.node, ast.FunctionDef) and not name.is_property:
        title += f"\n\n    {name.signature}"
    return f"{title}\n\n{inspect.cleandoc(name.document)}".rstrip()


def page() -> str:
    """The whole page."""
    parts = ["<!-- Made by utils/python_api.py; do not edit -->", "# The Python package"]
    for module in MODULES:
        parts += [f"## `{module}`", document_of(module)]
        previous_was_field = False
        for name in _names_of(module):
            text = _section(name)
            is_field = text.startswith("- ")
            if is_field and previous_was_field:
                parts[-1] += "\n" + text
            else:
                parts.append(text)
            previous_was_field = is_field
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(), end="")
