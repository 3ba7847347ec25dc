# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The check of a target against golden files, behind `python -m mta check`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mta import goldens, reference, targets
from mta.attention import Attention
from mta.compiled import CompiledAttention, compile
from mta.dtypes import UNIT_ROUNDOFF
from mta.errors import GoldenError, MTAError

#: Largest ‖out−ref‖/‖ref‖ by element type. f64 and f32 are measured against the
#: golden itself; the 16-bit types, whose inputs are rounded, against NumPy
#: float64 on the rounded inputs, and so get no more than one rounding.
TOLERANCES = {
    "f64": 1e-12,
    "f32": 2e-6,
    "f16": UNIT_ROUNDOFF["f16"],
    "bf16": UNIT_ROUNDOFF["bf16"],
}


@dataclass(frozen=True)
class Error:
    """`relative` is ‖out−ref‖/‖ref‖ (‖out‖ for ref = 0), `largest` is max |out−ref|."""

    relative: float
    largest: float


@dataclass(frozen=True)
class Row:
    """One comparison. `error` is None, and `problem` says why, when it could not run."""

    case: str
    program: str
    compared: str
    tolerance: float
    error: Error | None
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ran and its error, which is NaN for any NaN, is in tolerance."""
        return self.error is not None and self.error.relative <= self.tolerance


def measure(output: np.ndarray, expected: np.ndarray) -> Error:
    """The error of `output`; NaN when any element is not finite or a shape differs."""
    if output.shape != expected.shape:
        return Error(float("nan"), float("nan"))
    # Infinities cancel to NaN here, which is what they should count as.
    with np.errstate(invalid="ignore"):
        difference = output.astype(np.float64) - expected.astype(np.float64)
    # Squares of f16 numbers would overflow.
    norm = np.linalg.norm(difference)
    reference_norm = np.linalg.norm(expected.astype(np.float64))
    if not np.isfinite(norm):
        return Error(float("nan"), float("nan"))
    relative = norm / reference_norm if reference_norm else norm
    return Error(float(relative), float(np.abs(difference).max(initial=0.0)))


def load_folder(folder: Path) -> dict[str, goldens.Golden]:
    """All goldens of a folder by name; GoldenError when one is unusable or none is there."""
    if not folder.is_dir():
        raise GoldenError(f"{folder}: expects a folder of .npz files, but got no folder")
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise GoldenError(f"{folder}: expects .npz files, but got none")
    loaded = {path.stem: goldens.load(path) for path in paths}
    for path in paths:
        try:
            Attention.from_golden(loaded[path.stem])
        except GoldenError as error:
            raise GoldenError(f"{path}: {error}") from None
    return loaded


def run_check(golden_files: Mapping[str, goldens.Golden], target: str,
              dtype: str) -> Iterator[Row]:
    """Runs every golden on a target, yielding its rows: output, then gradients."""
    for case, golden in golden_files.items():
        yield _checked_row(case, golden, target, dtype, "output")
        # In 16 bits the reference gradients would be compared with themselves.
        has_gradients = targets.find(target).build_gradients is not None
        if has_gradients and dtype in ("f64", "f32"):
            yield _checked_row(case, golden, target, dtype, "gradients")


def _checked_row(case: str, golden: goldens.Golden, target: str, dtype: str, compared: str) -> Row:
    attention = Attention.from_golden(golden, dtype)
    check = {"output": _check_output, "gradients": _check_gradients}[compared]
    try:
        error, problem = check(attention, golden, target), ""
    except (MTAError, ValueError, TypeError, RuntimeError) as failure:
        error, problem = None, str(failure)
    return Row(case, attention.describe(), compared, TOLERANCES[dtype], error, problem)


def _compile(attention: Attention, golden: goldens.Golden, target: str) -> CompiledAttention:
    batch, _, queries, _ = golden["q"].shape
    keys = golden["k"].shape[2]
    return compile(attention, target, batch=batch, queries=queries, keys=keys)


def _inputs(attention: Attention, golden: goldens.Golden) -> dict[str, np.ndarray]:
    """q, k, v and the weights in the attention's element type."""
    tensors = {name: golden[name].astype(attention.numpy_dtype) for name in ("q", "k", "v")}
    return {**tensors, **attention.weights_from_golden(golden)}


def _check_output(attention: Attention, golden: goldens.Golden, target: str) -> Error:
    inputs = _inputs(attention, golden)
    output = _compile(attention, golden, target)(**inputs)
    return measure(output, _expected_output(attention, golden, inputs))


def _expected_output(attention: Attention, golden: goldens.Golden, inputs) -> np.ndarray:
    if attention.dtype in ("f64", "f32"):
        return golden["o"]
    weights = {name: inputs[name] for name in attention.weight_shapes}
    return reference.forward(attention, inputs["q"], inputs["k"], inputs["v"], weights).output


def _check_gradients(attention: Attention, golden: goldens.Golden, target: str) -> Error:
    """The worst error over q, k, v and the weights; a NaN anywhere is the worst."""
    inputs = _inputs(attention, golden)
    d_output = golden["do"].astype(attention.numpy_dtype)
    gradients = _compile(attention, golden, target).gradients(d_output, **inputs)
    expected = goldens.tensor_gradients(golden)
    errors = [measure(gradients[name], expected[name]) for name in expected]
    return Error(float(np.max([e.relative for e in errors])),
                 float(np.max([e.largest for e in errors])))
