# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Attention`: the configuration of one Multi-Token Attention."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mta import emission, goldens, presets, validation
from mta.dtypes import numpy_dtype
from mta.program import HeadMix, KeyQueryConv, ScoreOp, Softmax
from mta.signature import Signature, TensorType
from mta.validation import is_integer, require


@dataclass(frozen=True)
class Attention:
    """What an attention computes, without the sizes of a call.

    The steps are those of the paper and of `mta.reference`. Queries are
    B×heads×Nq×head_dim, keys B×kv_heads×Nk×head_dim, values
    B×kv_heads×Nk×value_dim, all of element type `dtype`, and so are the
    weights; `weight_shapes` has their names and shapes. An illegal field is a
    ValueError that names the field.
    """

    #: Number of query heads.
    heads: int
    #: Elements of a query or key.
    head_dim: int
    #: Number of key and value heads, a divisor of `heads`; None is `heads`.
    kv_heads: int | None = None
    #: Elements of a value and of an output row; None is `head_dim`.
    value_dim: int | None = None
    #: Size (cq, ck) of the key-query convolution before the softmax.
    pre_conv: tuple[int, int] | None = None
    #: Head mixing before the softmax: True for all heads, or a group size.
    pre_mix: bool | int | None = None
    #: Size (cq, ck) of the key-query convolution after the softmax.
    post_conv: tuple[int, int] | None = None
    #: Head mixing after the softmax: True for all heads, or a group size.
    post_mix: bool | int | None = None
    #: Score operations in any order, in place of the four fields above.
    score_program: tuple[ScoreOp, ...] | None = None
    #: Root-mean-square norm of every output row, with a weight.
    norm: bool = False
    #: Layer index from 0; with it the norm is scaled by 1 − λ(layer).
    layer: int | None = None
    #: Output gate: None, "scalar" or "vector".
    gate: str | None = None
    #: Query i reads key j only where j <= i + (Nk − Nq).
    causal: bool = True
    #: Key padding of `pre_conv` and `post_conv`: "both", "left" or "right".
    pad: str = "both"
    #: Factor of the scores; None is 1/√head_dim.
    scale: float | None = None
    #: Element type: "f16", "bf16", "f32" or "f64".
    dtype: str = "f32"
    #: Leading query rows that are context only and have no output row.
    query_halo: int = 0
    #: Whether the log-sum-exp of the softmax, in `score_dtype`, is a second result.
    log_sum_exp: bool = False
    #: Whether a call takes the boundaries of several sequences.
    variable_length: bool = False

    def __post_init__(self):
        self._normalise()
        validation.validate_attention(self)

    def _normalise(self):
        """Puts defaults in place so that equal configurations compare equal."""
        for name in ("heads", "head_dim"):
            require(is_integer(getattr(self, name), 1), name, "a positive integer",
                    getattr(self, name))
        kv_heads = self.heads if self.kv_heads is None else self.kv_heads
        value_dim = self.head_dim if self.value_dim is None else self.value_dim
        self._set("kv_heads", kv_heads)
        self._set("value_dim", value_dim)
        for name in ("pre_mix", "post_mix"):
            if getattr(self, name) is True:
                self._set(name, self.heads)
        for name in ("pre_conv", "post_conv", "score_program"):
            if isinstance(getattr(self, name), list):
                self._set(name, tuple(getattr(self, name)))

    def _set(self, name: str, value: object):
        object.__setattr__(self, name, value)

    @cached_property
    def program(self) -> tuple[ScoreOp, ...]:
        """The score operations in order; convolution precedes mixing on both sides."""
        if self.score_program is not None:
            return self.score_program
        return (*self._side("pre", self.pre_conv, self.pre_mix), Softmax(),
                *self._side("post", self.post_conv, self.post_mix))

    def _side(self, side: str, conv, mix) -> tuple[ScoreOp, ...]:
        ops: tuple[ScoreOp, ...] = ()
        if conv is not None:
            ops += (KeyQueryConv(f"{side}_conv", *conv, padding=self.pad),)
        if mix is not None:
            ops += (HeadMix(f"{side}_mix", mix),)
        return ops

    @property
    def halo(self) -> int:
        """Number of earlier queries that an output row depends on."""
        return sum(op.halo for op in self.program)

    @property
    def score_scale(self) -> float:
        """The factor of the scores with its default in place."""
        return 1.0 / math.sqrt(self.head_dim) if self.scale is None else float(self.scale)

    @property
    def score_dtype(self) -> str:
        """The element type of scores and of the log-sum-exp: "f64" for f64, else "f32"."""
        return "f64" if self.dtype == "f64" else "f32"

    @property
    def numpy_dtype(self) -> np.dtype:
        """The NumPy type of the arrays and weights of a call."""
        return numpy_dtype(self.dtype)

    @cached_property
    def weight_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Names and shapes of the weights, in the order of the function's arguments."""
        shapes = {op.weight: op.weight_shape(self.heads)
                  for op in self.program if not isinstance(op, Softmax)}
        if self.norm:
            shapes["norm_weight"] = (self.value_dim,)
        if self.gate:
            rows = 1 if self.gate == "scalar" else self.value_dim
            shapes["gate_weight"] = (rows, self.value_dim)
            shapes["gate_bias"] = (rows,)
        return shapes

    def signature(self, batch: int | None = None, queries: int | None = None,
                  keys: int | None = None) -> Signature:
        """Argument and result types of the function `to_mlir` writes.

        `batch`, `queries` and `keys` are numbers of elements, None a dynamic one.
        `queries` counts the halo rows; fewer queries than `query_halo`, or a size
        below 1, is a ValueError.
        """
        for name, size in (("batch", batch), ("queries", queries), ("keys", keys)):
            require(size is None or is_integer(size, 1), name, "None or a positive integer", size)
        enough = queries is None or queries >= self.query_halo
        require(enough, "queries", f"at least query_halo ({self.query_halo})", queries)
        b, nq, nk = batch or "batch", queries or "queries", keys or "keys"
        arguments = {
            "q": TensorType((b, self.heads, nq, self.head_dim), self.dtype),
            "k": TensorType((b, self.kv_heads, nk, self.head_dim), self.dtype),
            "v": TensorType((b, self.kv_heads, nk, self.value_dim), self.dtype),
        }
        for name, shape in self.weight_shapes.items():
            arguments[name] = TensorType(shape, self.dtype)
        if self.variable_length:
            arguments["query_boundaries"] = TensorType(("sequences + 1",), "i32")
            arguments["key_boundaries"] = TensorType(("sequences + 1",), "i32")
        rows = self._result_rows(queries)
        results = (TensorType((b, self.heads, rows, self.value_dim), self.dtype),)
        if self.log_sum_exp:
            results += (TensorType((b, self.heads, rows), self.score_dtype),)
        return Signature(arguments, results)

    def _result_rows(self, queries: int | None) -> int | str | None:
        if queries is not None:
            return queries - self.query_halo
        return None if self.query_halo else "queries"

    def to_mlir(self, batch: int | None = None, queries: int | None = None,
                keys: int | None = None, name: str = "attention",
                layout: str = "bhnd") -> str:
        """The MLIR text of a module with one function `name` that computes this.

        `batch`, `queries` and `keys` as in `signature`, whose arguments the function
        has in that order. A `name` that is no identifier is a ValueError. `layout` says how
        q, k, v and the output lie in memory: "bhnd", contiguous in the order of their
        dimensions; "bnhd", the heads of a token side by side, as projections make them, with
        any stride of the batch; or "strided", with any strides but that of the elements of a
        row, which is 1. In the last two the output is the last argument, %out, which kernels
        for GPUs write.
        """
        layouts = dict.fromkeys(emission.LAID_OUT, layout)
        return emission.module_text(self, self.signature(batch, queries, keys), name, layouts)

    def describe(self) -> str:
        """The program in words: "conv 6x11 · softmax · mix groups of 2 · norm"."""
        words = [str(op) for op in self.program]
        if self.norm:
            words.append("norm" if self.layer is None else f"norm layer {self.layer}")
        if self.gate:
            words.append(f"{self.gate} gate")
        return " · ".join(words)

    @classmethod
    def preset(cls, name: str, heads: int, head_dim: int, **fields: object) -> "Attention":
        """A configuration people run: "v1", "v2", "talking-heads" or "pre-conv".

        `fields` override the preset's. An unknown name is a ValueError.
        """
        return cls(heads=heads, head_dim=head_dim, **{**presets.fields_of(name), **fields})

    @classmethod
    def v1(cls, heads: int, head_dim: int, layer: int = 0, **fields: object) -> "Attention":
        """6×11 convolution · softmax · mix of head pairs · norm scaled by the depth of `layer`."""
        return cls.preset("v1", heads, head_dim, layer=layer, **fields)

    @classmethod
    def v2(cls, heads: int, head_dim: int, **fields: object) -> "Attention":
        """6×11 convolution and mix of all heads on both sides · norm · scalar gate."""
        return cls.preset("v2", heads, head_dim, **fields)

    @classmethod
    def talking_heads(cls, heads: int, head_dim: int, **fields: object) -> "Attention":
        """Mix of all heads on both sides of the softmax · norm · scalar gate."""
        return cls.preset("talking-heads", heads, head_dim, **fields)

    @classmethod
    def pre_convolution(cls, heads: int, head_dim: int, **fields: object) -> "Attention":
        """6×11 convolution · softmax; the preset "pre-conv"."""
        return cls.preset("pre-conv", heads, head_dim, **fields)

    @classmethod
    def from_golden(cls, golden: Mapping[str, np.ndarray], dtype: str = "f64") -> "Attention":
        """The configuration of a golden file's arrays, as `numpy.load` reads them.

        Raises GoldenError when something is missing or contradictory.
        """
        return goldens.configuration(cls, golden, dtype)

    def weights_from_golden(self, golden: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A golden's weights named and shaped as `weight_shapes`, rounded to `dtype`."""
        weights = goldens.weights_by_argument(golden)
        return {name: array.astype(self.numpy_dtype) for name, array in weights.items()}

    def with_dtype(self, dtype: str) -> "Attention":
        """The same attention in another element type."""
        return replace(self, dtype=dtype)
