# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Tensor types and function signatures, and the check of arrays against them.

Compiled code trusts the sizes it is given, so every array is checked here
before a call.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mta.dtypes import dtype_name, numpy_dtype

#: A size, the name of a dynamic size (equal names have equal sizes), or None
#: for a dynamic size that nothing constrains.
Dim = int | str | None


@dataclass(frozen=True)
class TensorType:
    """A ranked tensor: its dimensions and the MLIR name of its element type."""

    shape: tuple[Dim, ...]
    dtype: str

    def __post_init__(self):
        numpy_dtype(self.dtype)

    def __str__(self) -> str:
        sizes = "".join(f"{d if isinstance(d, int) else '?'}x" for d in self.shape)
        return f"tensor<{sizes}{self.dtype}>"

    @classmethod
    def parse(cls, text: str) -> "TensorType":
        """The type written as `tensor<2x?xbf16>`; ValueError for anything else."""
        match = re.fullmatch(r"tensor<((?:(?:\d+|\?)x)*)(\w+)>", text.strip())
        if not match:
            raise ValueError(f"type: expects a ranked tensor, but got {text.strip()!r}")
        sizes = match[1].split("x")[:-1]
        return cls(tuple(None if s == "?" else int(s) for s in sizes), match[2])

    def check(self, name: str, array: object, sizes: dict[str, int]) -> None:
        """Raises TypeError or ValueError unless `array` has this type.

        `sizes` holds the dynamic sizes bound so far and gains those of `array`.
        """
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name}: expects a NumPy array, but got {type(array).__name__}")
        self.check_type(name, dtype_name(array.dtype), array.shape, sizes)

    def check_type(self, name: str, dtype: str, shape: Sequence[int],
                   sizes: dict[str, int]) -> None:
        """As `check`, for an array that has MLIR's element type `dtype` and is anywhere."""
        if dtype != self.dtype:
            raise ValueError(f"{name}: expects element type {self.dtype}, but got {dtype}")
        expected = tuple(sizes.get(d, d) if isinstance(d, str) else d for d in self.shape)
        fits = len(expected) == len(shape) and all(
            not isinstance(e, int) or e == n for e, n in zip(expected, shape)
        )
        if not fits:
            text = ", ".join("?" if e is None else str(e) for e in expected)
            got = ", ".join(map(str, shape))
            raise ValueError(f"{name}: expects shape ({text}), but got ({got})")
        for dim, size in zip(self.shape, shape):
            if isinstance(dim, str) and sizes.setdefault(dim, size) != size:
                raise ValueError(f"{name}: expects {dim} = {sizes[dim]}, but got {size}")


@dataclass(frozen=True)
class Signature:
    """Argument types by name, in order, and result types of a function."""

    arguments: Mapping[str, TensorType]
    results: tuple[TensorType, ...]

    def check(self, arrays: Sequence[np.ndarray]) -> dict[str, int]:
        """Raises TypeError or ValueError unless the arrays are legal arguments.

        Returns the sizes of the named dynamic dimensions.
        """
        if len(arrays) != len(self.arguments):
            expected, got = len(self.arguments), len(arrays)
            raise TypeError(f"arguments: expects {expected} arrays, but got {got}")
        sizes: dict[str, int] = {}
        for (name, tensor), array in zip(self.arguments.items(), arrays):
            tensor.check(name, array, sizes)
        return sizes

    @classmethod
    def parse(cls, module: str, function: str) -> "Signature":
        """The signature of `function` in the text of a module as MLIR prints it.

        Raises ValueError when there is no such function or it has an argument
        or result that is no ranked tensor.
        """
        match = re.search(rf"func\.func (?:\w+ )?@{re.escape(function)}\(", module)
        if not match:
            raise ValueError(f"function: expects one of the module's, but got {function!r}")
        arguments, rest = _split_list(module, match.end())
        results: list[str] = []
        arrow = re.match(r"\s*->\s*(\(?)", rest)
        if arrow and arrow[1]:
            results, _ = _split_list(rest, arrow.end())
        elif arrow:
            results = [re.match(r"\S+", rest[arrow.end() :])[0]]
        named = dict(_argument(text) for text in arguments)
        return cls(named, tuple(TensorType.parse(_without_attributes(r)) for r in results))


def _argument(text: str) -> tuple[str, TensorType]:
    name, _, rest = text.partition(":")
    return name.strip().lstrip("%"), TensorType.parse(_without_attributes(rest))


def _without_attributes(text: str) -> str:
    return text.partition("{")[0]


def _split_list(text: str, start: int) -> tuple[list[str], str]:
    """Splits at the commas up to the parenthesis that closes the one before `start`."""
    parts, depth, begin = [], 0, start
    for i in range(start, len(text)):
        if text[i] == ")" and depth == 0:
            last = text[begin:i].strip()
            return parts + ([last] if last else []), text[i + 1 :]
        if text[i] == "," and depth == 0:
            parts.append(text[begin:i].strip())
            begin = i + 1
        depth += (text[i] in "([{<") - (text[i] in ")]}>")
    raise ValueError("function: expects a closed argument list, but got the end of the text")
