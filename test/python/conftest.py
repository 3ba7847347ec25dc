# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Fixtures of the Python tests; the package `mta` has to be installed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# The same examples on every machine and run, and no time limit for one.
settings.register_profile("reproducible", derandomize=True, deadline=None, database=None)
settings.load_profile("reproducible")

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN_FOLDER = REPOSITORY / "test" / "goldens"


#: For tests that run dot products of bf16 pairs.
needs_pair_products = pytest.mark.skipif(
    "avx512_bf16" not in Path("/proc/cpuinfo").read_text(encoding="ascii").split(),
    reason="needs a processor with avx512_bf16")


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_run(tmp_path_factory):
    """A cache folder of its own, so that what is tested was compiled by this compiler."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTA_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def golden_folder() -> Path:
    """The folder of the golden files."""
    return GOLDEN_FOLDER


@pytest.fixture(params=sorted(GOLDEN_FOLDER.glob("*.npz")), ids=lambda path: path.stem)
def golden_path(request) -> Path:
    """Every golden file in turn."""
    return request.param


@pytest.fixture
def golden_copy(tmp_path, golden_folder):
    """A function that writes a golden with changed arrays (None removes one) to a new folder."""

    def write(**changes):
        with np.load(golden_folder / "pre_conv_tiny_sequence.npz") as archive:
            arrays = {**archive, **changes}
        path = tmp_path / "changed.npz"
        np.savez(path, **{name: x for name, x in arrays.items() if x is not None})
        return path

    return write


@pytest.fixture(params=["numpy", "reference", "cpu"])
def target(request) -> str:
    """Every target. Without the native library all but "numpy" fail with what to do about it."""
    return request.param
