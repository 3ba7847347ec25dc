# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What a compiled attention shows of itself: IR of every level, explanation, cubin."""

import shutil

import pytest

import mta
from attention_cases import attention_of
from mta import compiler, targets

#: What is in the IR of a level, and what is not any more.
CONTENTS = {
    ("cpu", "0"): ("mta.attention", "linalg."), ("cpu", "R"): ("linalg.generic", "mta.attention"),
    ("cpu", "1"): ("scf.forall", "mta.attention"), ("cpu", "2"): ("vector.load", "tensor<"),
    ("cpu", "4"): ("llvm.func @_mlir_ciface_attention", "vector.load"),
    ("ptx", "2G"): ("gpu.launch", "nvvm.mma.sync"), ("ptx", "3G"): ("nvvm.mma.sync", "gpu.binary"),
    ("ptx", "4"): ("gpu.binary", "mta.attention"),
    ("reference", "4"): ("llvm.func @_mlir_ciface_attention", "linalg."),
    ("ptx-reference", "4"): ("gpu.binary", "linalg."), ("numpy", "0"): ("mta.attention", "linalg."),
}


@pytest.mark.parametrize(("target", "level"), CONTENTS)
def test_levels(target, level):
    attention = attention_of("pre-conv", "bf16", head_dim=16)
    text = mta.compile(attention, target).ir(level)
    has, lacks = CONTENTS[target, level]
    assert has in text and lacks not in text
    assert str(compiler.Module.parse(text)) == str(compiler.Module.parse(text).clone())


def test_levels_are_those_of_the_options():
    attention = attention_of("pre-conv", "bf16", head_dim=16)
    run = mta.compile(attention, "cpu", options={"query_tile": 24, "threads": 0})
    assert "query_tile = 24" in run.ir("1") and "omp." not in run.ir("4")
    run = mta.compile(attention, "ptx", options={"chip": "sm_90a", "warps": 8, "seed": 3})
    assert "sm_90a" in run.ir("4") and "sm_80" not in run.ir("4")
    assert "warps = 8" in run.explain().splitlines()[1]


@pytest.mark.parametrize("target", targets.names())
def test_a_level_that_is_not_there(target):
    if targets.find(target).problem():
        pytest.skip("not available here")
    run = mta.compile(attention_of("pre-conv", "bf16", head_dim=16), target)
    with pytest.raises(ValueError, match="level: expects one of 0, R.*, but got '7'"):
        run.ir("7")


def test_explanations():
    attention = attention_of("pre-conv", "bf16", head_dim=16)
    assert mta.compile(attention, "numpy").explain() == "conv 6x11 · softmax"
    lines = mta.compile(attention, "cpu").explain().splitlines()
    assert lines[0] == "conv 6x11 · softmax" and lines[1].startswith("takes #mta.schedule<")
    assert len(lines) > 3 and all("multiply-adds for a score" in line for line in lines[2:])
    lines = mta.compile(attention, "ptx").explain().splitlines()
    assert lines[1].startswith("takes #mta.kernel_schedule<") and "rows keys warps" in lines[2]
    kernel, = mta.compile(attention, "ptx").contract.functions[0].kernels
    assert lines[-1] == str(kernel)
    assert f"workgroups of {kernel.block[0]} threads and" in str(kernel)


def test_cubin_needs_ptxas(monkeypatch):
    run = mta.compile(attention_of("pre-conv", "bf16", head_dim=16), "ptx")
    with pytest.raises(AttributeError, match="cubin: expects target ptx or cuda, but got cpu"):
        _ = mta.compile(attention_of("pre-conv", "bf16", head_dim=16), "cpu").cubin
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(mta.CompileError, match="assembly for sm_80 failed:\n.*ptxas"):
        _ = run.cubin


@pytest.mark.skipif(not shutil.which("ptxas", path="/usr/local/cuda/bin"), reason="needs ptxas")
def test_cubin(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/local/cuda/bin", prepend=":")
    run = mta.compile(attention_of("pre-conv", "bf16", head_dim=16), "ptx")
    assert run.cubin[:4] == b"\x7fELF" and run.cubin == compiler.assemble(run.ptx, "sm_80")
    with pytest.raises(mta.CompileError, match="assembly for sm_80 failed"):
        compiler.assemble("no PTX", "sm_80")


def test_remarks_of_a_pipeline():
    module = compiler.Module.parse(mta.Attention.v1(4, 8).to_mlir())
    assert module.run_pipeline("builtin.module(canonicalize)") == ""
    assert "remark: takes #mta.schedule<" in module.run_pipeline(
        "builtin.module(mta-choose-schedule{explain=true})")
