# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Bundles: their description, and a C program that gives the goldens' numbers through one."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import referencing

import mta
from conftest import GOLDEN_FOLDER, REPOSITORY
from mta import check, goldens
from mta.contract import SCHEMA_PATH, Contract

BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))
STAND_IN = BUILD / "stand-in"
INPUTS = Path(__file__).with_name("Inputs")

SCHEMA = json.loads(SCHEMA_PATH.with_name("bundle.schema.json").read_text(encoding="utf-8"))

#: A variant of the same program for each.
DTYPES = ("f32", "bf16")


def build_flags():
    """Those of the tree that the stand-in is from: a sanitizer has to be on in both."""
    cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in cache if line.startswith("CMAKE_C_FLAGS_RELEASE:")).partition(
        "=")[2].split()


def make_bundle(folder, *attentions, chips="sm_80,sm_90a", schedule=""):
    """The folder of a bundle of attentions for any batch and numbers of tokens.

    With a `schedule` the kernels for all chips have that of the first one.
    """
    files = []
    for attention in attentions:
        files.append(folder / f"{attention.dtype}.mlir")
        files[-1].write_text(attention.to_mlir(), encoding="utf-8")
        if schedule:
            subprocess.run([BUILD / "bin" / "mta-opt", files[-1], "-o", files[-1],
                            f"--mta-choose-kernel-schedule={schedule}"], check=True)
    first, *others = map(str, files)
    more = [word for file in others for word in ("--bundle-with", file)]
    result = subprocess.run([BUILD / "bin" / "mta-translate", "--mta-to-bundle", "--no-cubin",
                             "--chip", chips, first, *more, "-o", folder / "bundle"],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder / "bundle"


@pytest.fixture(scope="module")
def golden():
    return goldens.load(GOLDEN_FOLDER / "pre_conv_6x11.npz")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, golden):
    attentions = [mta.Attention.from_golden(golden, dtype) for dtype in DTYPES]
    return make_bundle(tmp_path_factory.mktemp("bundle"), *attentions)


@pytest.fixture(scope="module")
def program(tmp_path_factory, bundle):
    return build_program(tmp_path_factory.mktemp("program") / "golden", bundle)


def build_program(path, bundle):
    """A C program, built as its comments say."""
    compiler = shutil.which("clang-22") or shutil.which("cc")
    subprocess.run([compiler, "-std=c11", *build_flags(), "-Wall", "-Wextra", "-Werror",
                    f"-I{bundle}", f"-I{REPOSITORY / 'test' / 'Driver' / 'include'}", INPUTS / "golden.c",
                    bundle / "kernel.c", f"-L{STAND_IN}", "-lcuda", "-ldl", "-o", path],
                   check=True)
    return path


def validate(manifest):
    contract = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    resource = referencing.Resource.from_contents(contract)
    registry = referencing.Registry().with_resource("contract.schema.json", resource)
    validator = jsonschema.Draft202012Validator
    validator.check_schema(SCHEMA)
    validator(SCHEMA, registry=registry).validate(manifest)


def read_manifest(bundle):
    return json.loads((bundle / "kernel.json").read_text(encoding="utf-8"))


def test_description_follows_the_schema(bundle):
    manifest = read_manifest(bundle)
    validate(manifest)
    assert [image["chip"] for image in manifest["images"]] == ["sm_90a", "sm_80"]
    assert manifest["functions"] == [
        {"name": "attention", "variants": ["attention_f32", "attention_bf16"]}]


@pytest.mark.parametrize("place, value", [
    (("version",), 2),
    (("content_hash",), "sha256:0"),
    (("files", 0, "bytes"), "many"),
    (("images", 0, "contract", "functions", 0, "kernels", 0, "block"), [32]),
    (("images",), []),
])
def test_schema_refuses(bundle, place, value):
    manifest = read_manifest(bundle)
    *outer, last = place
    holder = manifest
    for key in outer:
        holder = holder[key]
    holder[last] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(manifest)


def test_files_are_those_of_the_description(bundle):
    manifest = read_manifest(bundle)
    names = [file["name"] for file in manifest["files"]]
    assert sorted(path.name for path in bundle.iterdir()) == sorted(
        [*names, "README.txt", "kernel.json"])
    lines = []
    for file in manifest["files"]:
        contents = (bundle / file["name"]).read_bytes()
        assert len(contents) == file["bytes"]
        assert hashlib.sha256(contents).hexdigest() == file["sha256"]
        lines.append(f"{file['sha256']}  {file['name']}\n")
    total = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert manifest["content_hash"] == f"sha256:{total}"
    assert total in (bundle / "README.txt").read_text(encoding="utf-8")


def test_contracts_are_read_by_the_package(bundle):
    for image in read_manifest(bundle)["images"]:
        contract = Contract.parse(json.dumps(image["contract"]))
        assert contract.chip == image["chip"]
        function = contract.function("attention_bf16")
        text = (bundle / image["ptx"]).read_text(encoding="utf-8")
        assert all(f".entry {kernel.entry}(" in text for kernel in function.kernels)


def run_program(program, golden, folder, dtype, chip):
    """Runs the golden and checks its numbers; returns bytes of workspace and sizes."""
    attention = mta.Attention.from_golden(golden, dtype)
    inputs = {name: golden[name].astype(attention.numpy_dtype) for name in ("q", "k", "v")}
    inputs |= attention.weights_from_golden(golden)
    for name, array in inputs.items():
        array.tofile(folder / name)
    shape = inputs["q"].shape
    sizes = shape[0], shape[2], inputs["k"].shape[2]
    printed = subprocess.run(
        [program, dtype, *map(str, sizes)], cwd=folder, check=True, text=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "LD_LIBRARY_PATH": str(STAND_IN), "MTA_DRIVER_CHIP": chip}).stdout
    output = np.fromfile(folder / "output", attention.numpy_dtype)
    expected = mta.compile(attention, "numpy")(**inputs) if dtype == "bf16" else golden["o"]
    error = check.measure(output.reshape(shape), expected)
    assert error.relative <= check.TOLERANCES[dtype]
    return int(printed), shape


@pytest.mark.parametrize("chip", ["sm_80", "sm_90"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_c_program_gives_the_numbers_of_the_golden(program, golden, tmp_path, dtype, chip):
    workspace, _ = run_program(program, golden, tmp_path, dtype, chip)
    assert workspace == 0


def test_c_program_with_splits_of_the_keys(golden, tmp_path):
    """Of numbers of queries and keys that the launcher learns when it is called."""
    attentions = [mta.Attention.from_golden(golden, dtype) for dtype in DTYPES]
    bundle = make_bundle(tmp_path, *attentions, chips="sm_80", schedule="key-splits=3 rows=32")
    program = build_program(tmp_path / "golden", bundle)
    for dtype in DTYPES:
        workspace, shape = run_program(program, golden, tmp_path, dtype, "sm_80")
        # Sums, and of every row a maximum and a sum of weights, from multiples of 256 bytes on.
        rows = np.prod(shape[:-1])
        assert 0 <= workspace - 3 * 4 * rows * (shape[-1] + 2) < 2 * 256
    # Products of sizes do not fit into the 32 bits that kernels take.
    huge = subprocess.run(
        [program, "f32", str(2**31 - 1), str(2**31 - 1), "50"], cwd=tmp_path, check=False,
        capture_output=True, text=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(STAND_IN), "MTA_DRIVER_CHIP": "sm_80"})
    assert (huge.returncode, huge.stderr) == (1, "workspace: a size is not supported\n")
