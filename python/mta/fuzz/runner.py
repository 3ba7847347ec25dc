# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`run_case`: the calls of a case on a target against `mta.reference`."""

import math
from dataclasses import dataclass

import numpy as np

from mta import reference, targets
from mta.attention import Attention
from mta.compiled import compile
from mta.errors import MTAError
from mta.fuzz.cases import Call, Case
from mta.fuzz.rounding import Bound, error_bound


@dataclass(frozen=True)
class Outcome:
    """One call: the largest error in units of its bound, or why there is none.

    `error` is NaN when a result is not finite where the reference is, or has
    another shape or type.
    """

    call: Call
    error: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether every element is within its bound."""
        return not self.problem and self.error <= 1.0


def run_case(case: Case, target: str) -> list[Outcome]:
    """Compiles once and runs every call; what a target refuses is an outcome.

    Targets without options run with none of them.
    """
    known = targets.find(target).options
    options = {name: value for name, value in case.options if name in known}
    held = case.attention.dtype if is_fused(target) else case.attention.score_dtype
    batch, queries, keys = case.sizes
    try:
        run = compile(case.attention, target, batch=batch, queries=queries, keys=keys,
                      options=options)
    except MTAError as error:
        return [Outcome(call, math.nan, str(error)) for call in case.calls]
    return [_run_call(case.attention, run, call, held) for call in case.calls]


def is_fused(target: str) -> bool:
    """Whether a target runs the fused kernels, on tensor cores."""
    levels = targets.find(target).levels
    return levels is not None and levels.pipeline == "mta-gpu"


def random_arguments(attention: Attention, call: Call) -> dict[str, np.ndarray]:
    """q, k, v and the weights of a call, scaled so that no operation lets numbers grow."""
    generator = np.random.default_rng(call.seed)
    shapes = {
        "q": (call.batch, attention.heads, call.queries, attention.head_dim),
        "k": (call.batch, attention.kv_heads, call.keys, attention.head_dim),
        "v": (call.batch, attention.kv_heads, call.keys, attention.value_dim),
        **attention.weight_shapes,
    }
    scales = {name: 1.0 / math.sqrt(math.prod(shape[1:]))
              for name, shape in attention.weight_shapes.items()}
    scales["q"] = call.magnitude
    return {name: (generator.standard_normal(shape) * scales.get(name, 1.0)).astype(
        attention.numpy_dtype) for name, shape in shapes.items()}


def _run_call(attention: Attention, run, call: Call, held: str) -> Outcome:
    arguments = random_arguments(attention, call)
    offsets = {}
    if attention.variable_length:
        offsets = {"query_boundaries": call.query_boundaries,
                   "key_boundaries": call.key_boundaries}
    results = run(**arguments, **offsets)
    weights = {name: arguments[name] for name in attention.weight_shapes}
    inputs = (attention, *(arguments[name] for name in "qkv"), weights)
    expected = reference.forward(*inputs, **offsets)
    bound = error_bound(*inputs, **offsets, intermediate=held)
    return Outcome(call, _largest_error(attention, results, expected, bound))


def _largest_error(attention: Attention, results, expected: reference.Result,
                   bound: Bound) -> float:
    """The largest |result − expected| / bound over output and log-sum-exp."""
    if not attention.log_sum_exp:
        return _scaled_error(results, expected.output, bound.output)
    output, log_sum_exp = results
    # A row without keys has −∞ in both.
    empty = np.isneginf(expected.log_sum_exp)
    if log_sum_exp.shape != empty.shape or not np.array_equal(np.isneginf(log_sum_exp), empty):
        return math.nan
    return float(np.max([
        _scaled_error(output, expected.output, bound.output),
        _scaled_error(log_sum_exp[~empty], expected.log_sum_exp[~empty],
                      bound.log_sum_exp[~empty])]))


def _scaled_error(result: np.ndarray, expected: np.ndarray, bound: np.ndarray) -> float:
    if result.shape != expected.shape or not np.isfinite(result.astype(np.float64)).all():
        return math.nan
    return float((np.abs(result.astype(np.float64) - expected) / bound).max(initial=0.0))
