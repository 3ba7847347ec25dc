# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The command line: tables, last lines, exit status and errors."""

import os
import subprocess
import sys

import numpy as np
import pytest

import mta
from mta import check, targets
from mta.cli import main


@pytest.mark.parametrize(("dtype", "rows"), [("f64", 24), ("f32", 24), ("f16", 12), ("bf16", 12)])
def test_check_of_the_definition(golden_folder, capsys, dtype, rows):
    assert main(["check", str(golden_folder), "--target", "numpy", "--dtype", dtype]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{rows} passed, 0 failed"
    # Title, three rules, headings, rows and the last line.
    assert len(lines) == rows + 6
    assert all(line.endswith("| ok     |") for line in lines[4:-2])


def test_errors_of_large_f16_numbers_are_relative_to_their_norm():
    """The squares of these numbers, and their sum, are beyond f16."""
    expected = np.full(100, 300, np.float16)
    assert check.measure(expected + np.float16(3), expected).relative == pytest.approx(0.01)


@pytest.mark.parametrize("dtype", ["f64", "f32", "f16", "bf16"])
@pytest.mark.parametrize("target", ["reference", "cpu"])
def test_check_of_compiled_code(golden_folder, capsys, target, dtype):
    status = main(["check", str(golden_folder), "--target", target, "--dtype", dtype])
    captured = capsys.readouterr()
    assert status == 0, captured
    assert captured.out.splitlines()[-1] == "12 passed, 0 failed"


def test_check_of_fused_kernels(golden_folder, capsys):
    """In f32 it is `test_fused.py`'s: the largest golden takes more memory than sm_80 has."""
    status = main(["check", str(golden_folder), "--target", "ptx", "--dtype", "bf16"])
    captured = capsys.readouterr()
    assert status == 0, captured
    assert captured.out.splitlines()[-1] == "12 passed, 0 failed"


@pytest.mark.parametrize("target", ["reference", "cpu"])
def test_compiled_code_reads_no_uninitialised_memory(golden_folder, target):
    """With an allocator that fills every new block (glibc's mallopt, M_PERTURB)."""
    command = [sys.executable, "-m", "mta", "check", str(golden_folder), "--target", target]
    environment = {**os.environ, "MALLOC_PERTURB_": "165"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("changed", ["o", "dq", "d_pre_conv"])
@pytest.mark.parametrize("value", [1e-6, np.nan])
def test_check_fails_for_a_wrong_or_nan_value(golden_copy, golden_folder, capsys, changed, value):
    with np.load(golden_folder / "pre_conv_tiny_sequence.npz") as archive:
        wrong = archive[changed].copy()
    wrong.flat[0] += value
    folder = golden_copy(**{changed: wrong}).parent
    assert main(["check", str(folder), "--target", "numpy"]) == 1
    output = capsys.readouterr().out
    assert output.splitlines()[-1] == "1 passed, 1 failed"
    assert output.count("| FAILED |") == 1


def test_check_reports_a_target_that_raises(golden_copy, capsys, monkeypatch):
    def refuse(attention, signature):
        raise mta.CompileError("parsing", "error: no such thing")

    monkeypatch.setitem(targets._TARGETS, "broken", targets.Target("broken", "", refuse))
    assert main(["check", str(golden_copy().parent), "--target", "broken"]) == 1
    output = capsys.readouterr().out
    assert "changed, output: parsing failed:\nerror: no such thing" in output
    assert output.splitlines()[-1] == "0 passed, 1 failed"


def assert_refused(capsys, arguments, message):
    """Exit status 2, one line on standard error, nothing on standard output."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mta: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


BAD_GOLDENS = {
    "no-config": ({"config": None}, "but got no config"),
    "no-output": ({"o": None}, "but got no o"),
    "no-weight-gradient": ({"d_pre_conv": None}, "but got no d_pre_conv"),
    "config-no-json": ({"config": np.array("{")}, "config: expects a JSON object"),
    "config-list": ({"config": np.array("[]")}, "config: expects a JSON object, but got []"),
    "config-gate": ({"config": np.array('{"gate": "odd"}')}, "config: gate: expects None"),
    "config-norm": ({"config": np.array('{"norm": true}')}, "weights: expects"),
    "single": ({"o": np.zeros((1, 2, 3, 8), np.float32)}, "o: expects float64, but got float32"),
    "rank": ({"q": np.zeros(3), "dq": np.zeros(3)}, "q: expects 4 dimensions, but got 1"),
    "gradient-shape": ({"dv": np.zeros((1, 2, 3, 7))}, "dv: expects shape (1, 2, 3, 8)"),
    "kernel-shape": ({"pre_conv": np.zeros((2, 6, 11)), "d_pre_conv": np.zeros((2, 6, 11))},
                     "pre_conv: expects shape H×1×cq×ck, but got (2, 6, 11)"),
}


@pytest.mark.parametrize(("changes", "message"), BAD_GOLDENS.values(), ids=BAD_GOLDENS)
def test_check_of_a_bad_golden(golden_copy, capsys, changes, message):
    path = golden_copy(**changes)
    assert_refused(capsys, ["check", str(path.parent), "--target", "numpy"], message)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_check_of_a_corrupt_file(tmp_path, capsys, content):
    (tmp_path / "bad.npz").write_bytes(content)
    assert_refused(capsys, ["check", str(tmp_path), "--target", "numpy"],
                   "bad.npz: expects an .npz archive, but got")


def test_check_of_a_truncated_file(tmp_path, golden_folder, capsys):
    data = (golden_folder / "pre_conv_tiny_sequence.npz").read_bytes()
    for size in (len(data) // 2, len(data) - 10):
        (tmp_path / "bad.npz").write_bytes(data[:size])
        assert_refused(capsys, ["check", str(tmp_path), "--target", "numpy"], "bad.npz")
    flipped = bytearray(data)
    flipped[200] ^= 0xFF
    (tmp_path / "bad.npz").write_bytes(flipped)
    assert_refused(capsys, ["check", str(tmp_path), "--target", "numpy"], "bad.npz")


def test_wrong_arguments(tmp_path, capsys):
    folder = str(tmp_path)
    assert_refused(capsys, ["check", folder, "--target", "numpy"], "expects .npz files, but got")
    assert_refused(capsys, ["check", folder + "/no", "--target", "numpy"], "but got no folder")
    assert_refused(capsys, ["check", folder, "--target", "tpu"], "invalid choice: 'tpu'")
    assert_refused(capsys, ["check", folder, "--target", "numpy", "--dtype", "f8"],
                   "invalid choice: 'f8'")
    assert_refused(capsys, ["check", folder], "required: --target")
    assert_refused(capsys, [], "required: COMMAND")
    assert_refused(capsys, ["paint"], "invalid choice: 'paint'")


EMIT = ["emit", "--program", "v2", "--heads", "16", "--head-dim", "96"]


def test_emit_to_standard_output(capsys):
    assert main([*EMIT, "--dtype", "bf16", "--batch", "1", "--queries", "2048"]) == 0
    expected = mta.Attention.v2(16, 96, dtype="bf16").to_mlir(1, 2048, 2048)
    assert capsys.readouterr().out == expected


def test_emit_to_a_file(tmp_path):
    path = tmp_path / "layer.mlir"
    path.write_text("old")
    link = tmp_path / "link.mlir"
    link.symlink_to(path)
    assert main([*EMIT, "--layer", "3", "--kv-heads", "4", "-o", str(link)]) == 0
    expected = mta.Attention.v2(16, 96, dtype="bf16", layer=3, kv_heads=4).to_mlir()
    assert path.read_text() == expected
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["layer.mlir", "link.mlir"]


def test_emit_refused(tmp_path, capsys):
    assert_refused(capsys, [*EMIT, "--batch", "0"], "batch: expects None or a positive integer")
    assert_refused(capsys, [*EMIT, "--kv-heads", "3"], "kv_heads: expects a divisor")
    assert_refused(capsys, [*EMIT, "-o", str(tmp_path / "no" / "x.mlir")], "expects a file")
    assert_refused(capsys, [*EMIT, "-o", str(tmp_path)], "Is a directory")
    assert list(tmp_path.iterdir()) == []


def test_the_module_is_a_program(golden_folder):
    """In a pipe, with an encoding that lacks the table's symbols."""
    command = [sys.executable, "-m", "mta", "check", str(golden_folder), "--target", "numpy"]
    environment = {"PYTHONIOENCODING": "ascii", "COLUMNS": "40", "FORCE_COLOR": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "24 passed, 0 failed"
    assert "\x1b" not in result.stdout
    assert "norm layer 9" in result.stdout


def test_version_and_targets(capsys):
    with pytest.raises(SystemExit) as finished:
        main(["--version"])
    assert finished.value.code == 0
    assert capsys.readouterr().out == f"mta {mta.__version__}\n"
    assert main(["targets"]) == 0
    output = capsys.readouterr().out
    assert all(f"| {name} " in output for name in targets.names())
