# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Launch contracts: what `mta-translate --mta-to-contract` writes, read and evaluated.

    contract = Contract.parse(text)
    function = contract.function("attention")
    sizes = function.bind({"q": q.shape, "k": k.shape, "v": v.shape})
    for kernel in function.kernels:
        grid = kernel.grid_of(sizes)

The fields are those of the JSON, whose schema is `contract.schema.json` beside
this file. Nothing here needs the compiler.
"""

import ast
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from mta.dlpack import row_major
from mta.errors import ContractError

#: The schema of the JSON.
SCHEMA_PATH = Path(__file__).with_name("contract.schema.json")

_VERSION = 1

#: Numbers of elements by the names that expressions have for them.
Sizes = Mapping[str, int]
#: Numbers of elements of every dimension.
Shape = tuple[int, ...]

_OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}
_FUNCTIONS = {
    "ceildiv": lambda a, b: -(-a // b),
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
}


def evaluate(expression: str, sizes: Sizes) -> int:
    """The value of an expression of `sizes` with +, −, *, ceildiv, floordiv and mod.

    ContractError for another `expression`, or one with a size that is not given.
    """
    try:
        return _evaluate(_parse(expression), sizes)
    except (SyntaxError, KeyError, TypeError, ZeroDivisionError) as error:
        raise ContractError(f"expects an expression of the sizes {', '.join(sizes) or 'none'}, "
                            f"but got {expression!r}: {error!r}") from None


@cache
def _parse(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def _evaluate(node: ast.expr, sizes: Sizes) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return sizes[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand, sizes)
    if isinstance(node, ast.BinOp):
        apply = _OPERATORS[type(node.op)]
        return apply(_evaluate(node.left, sizes), _evaluate(node.right, sizes))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _FUNCTIONS[node.func.id](*(_evaluate(a, sizes) for a in node.args))
    raise SyntaxError(ast.dump(node))


def _holds(condition: str, sizes: Sizes) -> bool:
    """Whether `EXPRESSION >= 0` or `EXPRESSION == 0`."""
    expression, relation, _ = condition.rsplit(" ", 2)
    # Sizes are not negative, so that a condition before stands for no zero here.
    value = evaluate(expression, sizes)
    return value == 0 if relation == "==" else value >= 0


def tokens_first(shape: Shape) -> Shape:
    """The strides of an array of `shape` B×H×N×D that lies in memory as B×N×H×D."""
    batch, heads, tokens, size = shape
    return (heads * tokens * size, size, heads * size, 1)


@dataclass(frozen=True)
class Buffer:
    """An array that the caller provides; strides are in elements."""

    #: That of the argument or result; workspaces have names of their own.
    name: str
    #: "input", "output" or "workspace".
    kind: str
    #: The element type by its name in MLIR, such as "bf16".
    type: str
    #: The elements of every dimension, expressions of the sizes.
    shape: tuple[str, ...]
    #: Elements from one index to the next of every dimension, expressions of the sizes.
    strides: tuple[str, ...]
    #: Of the first byte, in bytes.
    alignment: int
    #: Whether a workspace has to be zero before the first kernel.
    must_be_zero: bool = False

    def shape_of(self, sizes: Sizes) -> Shape:
        """The numbers of elements in every dimension, for `sizes`."""
        return tuple(evaluate(extent, sizes) for extent in self.shape)

    def strides_of(self, sizes: Sizes) -> Shape:
        """How many elements neighbours in every dimension lie apart, for the `sizes` of a call."""
        return tuple(evaluate(stride, sizes) for stride in self.strides)

    def names_in(self, strides: Shape, shape: Shape, names: Collection[str]) -> dict[str, int]:
        """The sizes that are strides of this buffer, of `names`, for an array of `shape`.

        `strides` are the array's. With one row there is nothing to step over: its stride is 0.
        """
        return {name: step if extent > 1 else 0
                for name, step, extent in zip(self.strides, strides, shape) if name in names}

    def fits(self, strides: Shape, shape: Shape, sizes: Sizes) -> bool:
        """Whether an array of `strides` and `shape` is what the contract says for `sizes`."""
        return 0 in shape or all(
            extent == 1 or step == expected
            for step, extent, expected in zip(strides, shape, self.strides_of(sizes)))


@dataclass(frozen=True)
class Parameter:
    """A kernel's parameter: the address of `buffer`, or the number `value`."""

    #: In the PTX.
    name: str
    #: That of its buffer, or "size".
    kind: str
    #: "pointer", "i32" or "i64".
    type: str
    #: Of the first byte in the block of parameters, in bytes.
    offset: int
    #: In bytes.
    size: int
    #: The buffer whose address it is; None for a number.
    buffer: str | None = None
    #: That the address has to have, in bytes; None for a number.
    alignment: int | None = None
    #: The number, an expression of the sizes; None for an address.
    value: str | None = None
    #: What the number is a multiple of; None for an address.
    divisibility: int | None = None


@dataclass(frozen=True)
class Kernel:
    """An entry of the PTX and how it is launched."""

    #: The GPU module that it was in.
    module: str
    #: Its name in the PTX.
    entry: str
    #: In their order.
    parameters: tuple[Parameter, ...]
    #: All of them with the gaps between them.
    parameter_bytes: int
    #: Workgroups in x, y and z, expressions of the sizes.
    grid: tuple[str, ...]
    #: Threads of a workgroup in x, y and z.
    block: tuple[int, ...]
    #: Workgroups of a cluster in x, y and z; (1, 1, 1) for a launch without clusters.
    cluster: tuple[int, ...]
    #: Workgroup memory that the PTX declares.
    static_workgroup_bytes: int
    #: Workgroup memory that the launch asks for.
    dynamic_workgroup_bytes: int
    #: Whether the function's attribute for dynamic workgroup memory has to be raised first.
    needs_opt_in: bool
    #: Element types of products, accumulation and staged scores, and approximate instructions.
    numerics: Mapping[str, object] | None = None

    def __str__(self) -> str:
        grid = " x ".join(self.grid)
        threads = self.block[0] * self.block[1] * self.block[2]
        memory = self.static_workgroup_bytes + self.dynamic_workgroup_bytes
        return (f"{self.entry}: {grid} workgroups of {threads} threads and {memory} bytes of "
                "workgroup memory")

    def grid_of(self, sizes: Sizes) -> Shape:
        """The grid for `sizes` in workgroups; with a zero in it there is nothing to launch."""
        return tuple(evaluate(extent, sizes) for extent in self.grid)

    def pack(self, addresses: Mapping[str, int], sizes: Sizes) -> bytes:
        """All parameters as the kernel lays them out, for `sizes`.

        `addresses` are those of the buffers by name.
        """
        block = bytearray(self.parameter_bytes)
        for parameter in self.parameters:
            if parameter.buffer is None:
                value = evaluate(parameter.value, sizes)
            else:
                value = addresses[parameter.buffer]
            end = parameter.offset + parameter.size
            block[parameter.offset:end] = value.to_bytes(parameter.size, "little")
        return bytes(block)


@dataclass(frozen=True)
class Function:
    """A function as kernels to be launched one after the other."""

    #: In the module.
    name: str
    #: The sizes by name, each with the least and the most that it may be.
    sizes: Mapping[str, tuple[int, int]]
    #: Conditions for sizes, as `EXPRESSION >= 0` or `EXPRESSION == 0`.
    supported: tuple[str, ...]
    #: Inputs and outputs in the function's order, then workspaces.
    buffers: tuple[Buffer, ...]
    #: In the order of their launches.
    kernels: tuple[Kernel, ...]

    @cached_property
    def stride_names(self) -> frozenset[str]:
        """The sizes that are strides, and no extent of an input."""
        extents = {extent for buffer in self.of_kind("input") for extent in buffer.shape}
        return frozenset(name for name in self.sizes if name not in extents)

    def of_kind(self, kind: str) -> tuple[Buffer, ...]:
        """The buffers of `kind` "input", "output" or "workspace", in order."""
        return tuple(buffer for buffer in self.buffers if buffer.kind == kind)

    def bind(self, shapes: Mapping[str, Shape],
             strides: Mapping[str, Shape] | None = None) -> dict[str, int]:
        """The sizes that follow from the shapes of the inputs by name.

        `strides`, in elements, are those of inputs and outputs that are not contiguous;
        an output without, whose strides the contract leaves open, is contiguous or has
        its second and third dimension swapped. ContractError when shapes contradict each
        other or the contract, or when the sizes are not supported.
        """
        sizes: dict[str, int] = {}
        for buffer in self.of_kind("input"):
            shape = shapes.get(buffer.name)
            if shape is None or len(shape) != len(buffer.shape):
                raise ContractError(f"{buffer.name}: expects {len(buffer.shape)} dimensions, but "
                                    f"got {shape}")
            for extent, number in zip(buffer.shape, shape):
                if extent in self.sizes:
                    sizes.setdefault(extent, number)
        for buffer in self.of_kind("input"):
            expected = buffer.shape_of(sizes)
            if expected != tuple(shapes[buffer.name]):
                raise ContractError(f"{buffer.name}: expects shape {expected}, but got "
                                    f"{tuple(shapes[buffer.name])}")
        for buffer in (*self.of_kind("input"), *self.of_kind("output")):
            sizes |= self._bind_strides(buffer, sizes, (strides or {}).get(buffer.name))
        self.check(sizes)
        return sizes

    def _bind_strides(self, buffer: Buffer, sizes: Sizes, strides: Shape | None) -> dict[str, int]:
        """The sizes that are strides; ContractError when an array's are not the contract's."""
        shape = buffer.shape_of(sizes)
        candidates = [row_major(shape)] if strides is None else [tuple(strides)]
        if strides is None and buffer.kind == "output" and len(shape) == 4:
            candidates.append(tokens_first(shape))
        for candidate in candidates:
            bound = buffer.names_in(candidate, shape, self.stride_names)
            if buffer.fits(candidate, shape, {**sizes, **bound}):
                return bound
        raise ContractError(f"{buffer.name}: expects strides ({', '.join(buffer.strides)}), but "
                            f"got {candidates[0]} of shape {shape}")

    def check(self, sizes: Sizes) -> None:
        """ContractError unless the kernels are right for the sizes."""
        for name, (least, most) in self.sizes.items():
            if name not in sizes or not least <= sizes[name] <= most:
                raise ContractError(f"{name}: expects a size from {least} to {most}, but got "
                                    f"{sizes.get(name)}")
        for condition in self.supported:
            if not _holds(condition, sizes):
                raise ContractError(f"{self.name}: expects sizes with {condition}, but got "
                                    f"{dict(sizes)}")


@dataclass(frozen=True)
class Contract:
    """All functions of a PTX text."""

    #: The `.target` of the PTX, such as "sm_90a".
    chip: str
    #: The `.version` of the PTX, such as "8.0".
    ptx_version: str
    #: Those whose kernels are in it.
    functions: tuple[Function, ...]

    @classmethod
    def parse(cls, text: str) -> "Contract":
        """The contract of a JSON text; ContractError for another version or another thing."""
        try:
            data = json.loads(text)
            version = data["version"]
            if version != _VERSION:
                raise ContractError(f"expects a contract of version {_VERSION}, but got {version}")
            functions = tuple(map(_function, data["functions"]))
            return cls(data["chip"], data["ptx_version"], functions)
        except (ValueError, KeyError, TypeError) as error:
            raise ContractError(f"expects a launch contract in JSON, but got: {error!r}") from None

    def function(self, name: str) -> Function:
        """The function of a name; ContractError when there is none."""
        for function in self.functions:
            if function.name == name:
                return function
        names = ", ".join(function.name for function in self.functions)
        raise ContractError(f"function: expects one of {names}, but got {name!r}")


def _lists_as_tuples(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: tuple(value) if isinstance(value, list) else value
            for name, value in fields.items()}


def _kernel(fields: Mapping[str, object]) -> Kernel:
    parameters = tuple(Parameter(**parameter) for parameter in fields["parameters"])
    return Kernel(**{**_lists_as_tuples(fields), "parameters": parameters})


def _function(fields: Mapping[str, object]) -> Function:
    sizes = {size["name"]: (size["minimum"], size["maximum"]) for size in fields["sizes"]}
    buffers = tuple(Buffer(**_lists_as_tuples(buffer)) for buffer in fields["buffers"])
    kernels: Sequence[Kernel] = tuple(map(_kernel, fields["kernels"]))
    return Function(fields["name"], sizes, tuple(fields["supported"]), buffers, kernels)
