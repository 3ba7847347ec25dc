# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The binding of the native compiler: modules, executables, diagnostics, memory."""

import gc
import resource
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import mta
from attention_cases import PROGRAMS, SHAPES, attention_of, random_arguments
from mta import compiler
from mta.compiler import Module
from mta.signature import Signature

TO_LLVM = "builtin.module(mta-reference-cpu)"


def compile_text(text: str, name: str = "f"):
    """The compiled function `name` of a module's text."""
    module = Module.parse(text)
    signature = module.signature(name)
    module.run_pipeline(TO_LLVM)
    return module.compile().function(name, signature)


def test_version_is_the_packages():
    assert compiler.library_version() == mta.__version__
    assert compiler.library_problem() is None


@pytest.mark.parametrize("program", PROGRAMS)
def test_emitted_text_parses_to_the_signature(program):
    for shape in SHAPES.values():
        attention = attention_of(program, "bf16", **shape.fields)
        for sizes in ((), (shape.batch, shape.queries, shape.keys)):
            read = Module.parse(attention.to_mlir(*sizes)).signature("attention")
            made = attention.signature(*sizes)
            assert [str(t) for t in read.arguments.values()] == [
                str(t) for t in made.arguments.values()]
            assert [str(t) for t in read.results] == [str(t) for t in made.results]


def test_printing_parses_again():
    text = str(Module.parse(mta.Attention.v2(4, 8).to_mlir()))
    assert "mta.attention" in text
    assert str(Module.parse(text)) == text
    assert str(Module.parse(text.encode()).clone()) == text


@pytest.mark.parametrize(("old", "new", "diagnostic"), [
    ("func.func", "func.fun", "line.mlir:1:1: error"),
    ("mta.softmax %0", "mta.softmax %none", "use of undeclared SSA value name"),
    ("%1 = mta.softmax %0 : tensor<?x4x?x?xf32>\n", "%1 = mta.head_mix %0, %post_mix : "
     "tensor<?x4x?x?xf32>, tensor<2x2x2xf32>\n", "'mta.attention' op"),
    ("tensor<2x2x2xf32>", "tensor<3x2x2xf32>", "'mta.head_mix' op"),
    ("xf32>", "xf8>", "error")])
def test_parse_errors_carry_the_diagnostics(old, new, diagnostic):
    text = mta.Attention.v1(4, 8).to_mlir()
    assert old in text
    with pytest.raises(mta.CompileError) as failure:
        Module.parse(text.replace(old, new), "line.mlir")
    assert diagnostic in failure.value.diagnostics
    assert "line.mlir:" in failure.value.diagnostics
    assert failure.value.diagnostics in str(failure.value)


def test_pipeline_errors():
    module = Module.parse(mta.Attention.v1(4, 8).to_mlir())
    with pytest.raises(mta.CompileError, match="no-such-pass"):
        module.run_pipeline("builtin.module(no-such-pass)")
    with pytest.raises(mta.CompileError, match="a pipeline failed on this module before"):
        str(module)


def test_compile_errors():
    module = Module.parse(mta.Attention.v1(4, 8).to_mlir())
    with pytest.raises(mta.CompileError, match="compilation failed:\n.+"):
        module.compile()
    with pytest.raises(ValueError, match="opt_level: expects 0, 1, 2 or 3, but got 4"):
        module.compile(4)
    module.run_pipeline(TO_LLVM)
    with pytest.raises(mta.CompileError, match="lookup of absent failed:\n.*absent"):
        module.compile().function("absent", Signature({}, ()))


def test_machine_code_as_bytes():
    attention = mta.Attention.v1(4, 8)
    module, signature = Module.parse(attention.to_mlir()), attention.signature()
    with pytest.raises(mta.CompileError, match="compilation failed:\n.+"):
        module.to_machine_code()
    with pytest.raises(ValueError, match="opt_level: expects 0, 1, 2 or 3, but got 4"):
        module.to_machine_code(4)
    module.run_pipeline(TO_LLVM)
    arrays = list(random_arguments(attention, 20, 20).values())
    expected, = module.compile().function("attention", signature)(*arrays)
    loaded = compiler.Executable.load(module.to_machine_code())
    output, = loaded.function("attention", signature)(*arrays)
    assert np.array_equal(output, expected)
    with pytest.raises(mta.CompileError, match="lookup of absent failed:\n.*absent"):
        loaded.function("absent", signature)
    with pytest.raises(mta.CompileError, match="loading machine code failed:\n.+"):
        compiler.Executable.load(b"no object file")


def test_failures_leave_other_modules_usable():
    good = Module.parse("func.func @f() { return }")
    with pytest.raises(mta.CompileError):
        Module.parse("func.func @f(")
    assert "@f" in str(good)


def test_several_results_ranks_and_layouts():
    run = compile_text("""
      func.func @f(%a: tensor<2x?xf32>, %b: tensor<f64>) -> (tensor<?x2xf32>, tensor<f64>) {
        %c1 = arith.constant 1 : index
        %n = tensor.dim %a, %c1 : tensor<2x?xf32>
        %e = tensor.empty(%n) : tensor<?x2xf32>
        %t = linalg.transpose ins(%a : tensor<2x?xf32>) outs(%e : tensor<?x2xf32>)
          permutation = [1, 0]
        %s = tensor.empty() : tensor<f64>
        %d = linalg.add ins(%b, %b : tensor<f64>, tensor<f64>) outs(%s : tensor<f64>)
          -> tensor<f64>
        return %t, %d : tensor<?x2xf32>, tensor<f64>
      }""")
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    transposed, doubled = run(a, np.array(2.5))
    assert np.array_equal(transposed, a.T)
    assert doubled.shape == () and doubled == 5.0
    assert run(np.zeros((2, 0), np.float32), np.array(0.0))[0].shape == (0, 2)


def test_an_argument_handed_through_is_copied():
    run = compile_text("func.func @f(%a: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {\n"
                       "  return %a, %a : tensor<3xf32>, tensor<3xf32> }")
    a = np.array([1, 2, 3], np.float32)
    first, second = run(a)
    first[0] = 9
    assert a[0] == 1 and second[0] == 1


def test_calls_are_checked_before_they_run():
    run = compile_text("func.func @f(%a: tensor<2x?xf32>) -> tensor<2x?xf32> {\n"
                       "  return %a : tensor<2x?xf32> }")
    name = next(iter(run.signature.arguments))
    with pytest.raises(ValueError, match=rf"{name}: expects shape \(2, \?\), but got \(3, 2\)"):
        run(np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match=f"{name}: expects element type f32, but got f64"):
        run(np.zeros((2, 2)))
    with pytest.raises(TypeError, match="arguments: expects 1 arrays, but got 0"):
        run()


def test_results_outlive_what_computed_them():
    text = "func.func @f(%a: tensor<4096xf32>) -> tensor<4096xf32> { return %a : tensor<4096xf32> }"
    values = np.arange(4096, dtype=np.float32)
    view = compile_text(text)(values)[0][1:]
    gc.collect()
    run = compile_text(text)
    # Memory released too early would be theirs.
    others = [run(np.zeros_like(values))[0] for _ in range(20)]
    assert not np.any(others) and view.flags.writeable
    assert np.array_equal(view, values[1:])


def test_results_are_freed():
    attention = mta.Attention(1, 1, value_dim=2**18, dtype="f64")
    run = mta.compile(attention, "reference")
    arguments = random_arguments(attention, 4, 1)
    run(**arguments)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(40):
        run(**arguments)
    # Each result has 8 MiB; kept, they would be 320.
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert growth < 64 * 1024


def test_modules_in_several_threads():
    attentions = [attention_of(program, "f32") for program in list(PROGRAMS)[:6]]

    def compile_and_run(attention):
        arguments = random_arguments(attention, 9, 9)
        return mta.compile(attention, "reference")(**arguments).tobytes()

    alone = [compile_and_run(attention) for attention in attentions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(compile_and_run, attentions)) == alone


def test_one_executable_in_several_threads():
    attention = attention_of("v1", "f32")
    run = mta.compile(attention, "reference")
    calls = [random_arguments(attention, 9, 9, seed=seed) for seed in range(8)]
    alone = [run(**arguments).tobytes() for arguments in calls]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda a: run(**a).tobytes(), calls)) == alone


@pytest.mark.parametrize("chip", ["sm_80", "sm_90a"])
def test_ptx(chip):
    text = Module.parse(mta.Attention.v2(4, 8, dtype="bf16").to_mlir(1, 16, 16)).to_ptx(chip)
    assert f".target {chip}" in text
    assert ".entry" in text
    assert ".extern .func" not in text


def test_translation_errors():
    module = Module.parse(mta.Attention.v1(4, 8, dtype="bf16").to_mlir(1, 16, 16))
    with pytest.raises(mta.CompileError, match="sm_banana"):
        module.to_ptx("sm_banana")
    with pytest.raises(mta.CompileError, match="/no/such/ptxas"):
        module.to_cubin("sm_80", "/no/such/ptxas")
    assert "mta.attention" in str(module)


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="ptxas is optional and not on PATH")
def test_cubin():
    module = Module.parse(mta.Attention.v1(4, 8, dtype="bf16").to_mlir(1, 16, 16))
    assert module.to_cubin("sm_80").startswith(b"\x7fELF")
