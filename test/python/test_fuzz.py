# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Random attentions on the CPU target, and that the search itself finds errors."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mta
from conftest import needs_pair_products
from mta import fuzz, reference, targets
from mta.cli import main
from mta.compiler import library_problem
from mta.fuzz import command, worker

CALLS = 6


@pytest.fixture(scope="module")
def cpu_worker():
    """A process that compiled code may end without ending the tests."""
    with fuzz.Worker("cpu") as process:
        yield process


def draw_with(variable_length, dtype=None):
    """Cases whose every choice Hypothesis makes, and so can shrink."""
    return st.randoms(use_true_random=False).map(
        lambda choices: fuzz.draw_case(choices, dtype, CALLS, variable_length))


@settings(max_examples=35, suppress_health_check=list(HealthCheck))
@given(case=draw_with(False))
def test_random_programs_shapes_and_tiles(cpu_worker, case):
    assert_all_passed(cpu_worker.run(case))


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(case=draw_with(True))
def test_random_sequence_lengths(cpu_worker, case):
    assert_all_passed(cpu_worker.run(case))


@needs_pair_products
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(case=draw_with(None, "bf16"))
def test_random_programs_in_products_of_pairs(cpu_worker, case):
    """As on a processor where they cost as little as one multiply-add."""
    assert_all_passed(cpu_worker.run(replace(case, options=(*case.options, ("pair_cost", 1)))))


def assert_all_passed(outcomes):
    """Shows what failed, not everything."""
    assert len(outcomes) == CALLS
    assert [outcome for outcome in outcomes if not outcome.passed] == []


def outcomes_of(seeds, target, dtype=None):
    """The outcomes of the cases of some seeds, in this process."""
    for seed in seeds:
        yield from fuzz.run_case(fuzz.draw_case(random.Random(seed), dtype), target)


def test_the_definition_is_within_its_bounds():
    outcomes = list(outcomes_of(range(15), "numpy"))
    assert len(outcomes) == 60
    assert all(outcome.passed for outcome in outcomes), outcomes


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_bounds_are_close_to_the_errors(dtype):
    """Of well-conditioned cases: 200 roundings of the largest element."""
    attention = mta.Attention.preset("v2", 4, 32, dtype=dtype, norm=False, gate=None)
    call = fuzz.Call(1, 60, 60, 1.0, 0)
    arguments = fuzz.random_arguments(attention, call)
    weights = {name: arguments.pop(name) for name in attention.weight_shapes}
    bound = fuzz.error_bound(attention, **arguments, weights=weights).output
    output = reference.forward(attention, **arguments, weights=weights).output
    roundoff = {"f64": 2.0**-53, "f32": 2.0**-24}[dtype]
    assert 1.0 < bound.max() / (roundoff * np.abs(output).max()) < 200.0


def changed(change):
    """A build function whose every result `change` alters."""
    def build(attention, signature):
        run = targets.find("numpy").build(attention, signature)
        return lambda arrays: [change(x) for x in run(arrays)]
    return build


def one_wrong(x):
    """The last element a thousandth off."""
    wrong = x.copy()
    wrong.flat[-1:] *= 1.001
    return wrong


WRONG = {
    "value": one_wrong,
    "nan": lambda x: np.full_like(x, np.nan),
    "shape": lambda x: x[..., :0],
    "infinity": lambda x: np.full_like(x, np.inf),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_wrong_results_are_found(monkeypatch, change):
    wrong = targets.Target("wrong", "for this test", changed(change))
    monkeypatch.setitem(targets._TARGETS, "wrong", wrong)
    attention = mta.Attention.preset("pre-conv", 2, 8, log_sum_exp=True)
    case = fuzz.Case(attention, (None, None, None), (), (fuzz.Call(1, 20, 20, 1.0, 3),))
    (outcome,) = fuzz.run_case(case, "wrong")
    assert not outcome.passed


def test_a_refused_program_is_a_failure_of_every_call():
    case = fuzz.draw_case(random.Random(0))
    outcomes = fuzz.run_case(replace(case, options=(("key_tile", 15),)), "cpu")
    assert len(outcomes) == 4
    assert all("expects key_tile to be" in o.problem and not o.passed for o in outcomes)


def test_a_process_that_dies_is_reported_and_replaced():
    case = fuzz.draw_case(random.Random(1), "f32")
    with fuzz.Worker("numpy") as process:
        assert all(o.passed for o in process.run(case))
        process._process.kill()
        outcomes = process.run(case)
        assert {o.problem for o in outcomes} == {"the process ended with SIGKILL"}
        assert not any(o.passed for o in outcomes)
        assert all(o.passed for o in process.run(case))


@pytest.mark.parametrize("dtype", fuzz.KERNEL_DTYPES)
def test_random_kernels(dtype):
    """Of the fused kernels in the emulator."""
    cases = [fuzz.draw_kernel_case(random.Random(seed), dtype) for seed in range(100, 104)]
    outcomes = [outcome for case in cases for outcome in fuzz.run_case(case, "ptx")]
    assert [outcome for outcome in outcomes if not outcome.passed] == []
    # The bounds are those of what tensor cores take, not of anything.
    assert max(outcome.error for outcome in outcomes) > 0.004


def test_kernel_cases_cover_what_they_promise():
    cases = [fuzz.draw_kernel_case(random.Random(seed)) for seed in range(300)]
    assert cases == [fuzz.draw_kernel_case(random.Random(seed)) for seed in range(300)]
    options = [dict(case.options) for case in cases]
    assert {o.get("key_splits") for o in options} == {None, 1, 2, 3, 5, 40}
    assert {o["chip"] for o in options} == {"sm_80", "sm_90a"}
    assert {o.get("ahead") for o in options} == {None, 1}
    many = [case for case in cases if case.attention.heads > 4]
    assert {case.attention.dtype for case in many} == {"f16", "bf16"}
    assert {5, 6, 7, 8, 10, 12, 16} <= {case.attention.heads for case in many}
    assert {case.attention.dtype for case in cases} == set(fuzz.KERNEL_DTYPES)
    for case, o in zip(cases, options):
        tiles = -(-max(call.keys for call in case.calls) // o.get("key_tile", 128))
        if o.get("key_splits", 0) > tiles:
            break
    else:
        pytest.fail("no case has more splits than tiles")
    own = fuzz.draw_kernel_case(random.Random(3), chips=())
    assert "chip" not in dict(own.options)
    with pytest.raises(ValueError, match="dtype of fused kernels: expects f16 or bf16 or f32"):
        fuzz.draw_kernel_case(random.Random(3), "f64")


def test_a_hanging_case_is_reported(monkeypatch):
    monkeypatch.setattr(worker, "_LIMIT", 0.0)
    case = fuzz.draw_case(random.Random(1), "f32")
    with fuzz.Worker("numpy") as process:
        outcomes = process.run(case)
        assert {o.problem for o in outcomes} == {"no result after 0 s"}
        monkeypatch.setattr(worker, "_LIMIT", 600.0)
        assert all(o.passed for o in process.run(case))


def test_cases_repeat_and_cover_what_they_promise():
    cases = [fuzz.draw_case(random.Random(seed)) for seed in range(300)]
    assert cases == [fuzz.draw_case(random.Random(seed)) for seed in range(300)]
    attentions = [case.attention for case in cases]
    calls = [call for case in cases for call in case.calls]
    options = [dict(case.options) for case in cases]
    assert {o.get("sweeps") for o in options} == {None, 1, 2}
    assert any(o.get("edge_key_tile", 256) < o.get("key_tile", 0) for o in options)
    assert any(o.get("heads", 0) > 1 and not any(getattr(op, "group", None) for op in a.program)
               for o, a in zip(options, attentions))
    assert {a.dtype for a in attentions} == {"f64", "f32", "f16", "bf16"}
    assert {a.causal for a in attentions} == {a.variable_length for a in attentions}
    assert {1, 10} <= {a.heads for a in attentions}
    assert {len(a.program) for a in attentions} == set(range(1, 8))
    assert {math.copysign(1, call.queries - call.keys) for call in calls} == {-1, 1}
    assert any(call.keys < case.attention.halo for case in cases for call in case.calls)
    assert any(a.query_halo > a.halo for a in attentions)
    assert {1, 3} <= {call.keys for call in calls}


def test_the_command(capsys):
    assert library_problem() is None
    assert main(["fuzz", "--target", "cpu", "--count", "5", "--seed", "3", "--dtype", "f32"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "5 passed, 0 failed"
    assert captured.err == ""


def test_the_command_on_kernels(capsys):
    assert main(["fuzz", "--target", "ptx", "--count", "4", "--seed", "7"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 passed, 0 failed"
    assert main(["fuzz", "--target", "ptx", "--count", "4", "--dtype", "f64"]) == 2
    assert "dtype of fused kernels" in capsys.readouterr().err


def test_the_command_prints_what_reproduces_a_failure(capsys, monkeypatch):
    class Failing(fuzz.Worker):
        """Finds the second program wrong."""

        def run(self, case):
            outcomes = fuzz.run_case(case, "numpy")
            second = fuzz.draw_case(random.Random(8))
            return [replace(o, error=2.5) for o in outcomes] if case == second else outcomes

    monkeypatch.setattr(command, "Worker", Failing)
    assert main(["fuzz", "--target", "numpy", "--count", "12", "--seed", "7"]) == 1
    output = capsys.readouterr().out
    assert "again: python -m mta fuzz --target numpy --seed 8 --count 4\n" in output
    assert output.count("2.5 times the bound of its error") == 4
    assert output.splitlines()[-1] == "8 passed, 4 failed"


def test_the_command_refuses_a_wrong_count(capsys):
    assert main(["fuzz", "--target", "numpy", "--count", "0"]) == 2
    assert "--count: expects a positive number, but got 0" in capsys.readouterr().err
