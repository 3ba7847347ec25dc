# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Launch contracts: their schema, what they say, and that they are all that a launch needs."""

import dataclasses
import json

import jsonschema
import numpy as np
import pytest

import mta
from attention_cases import FUSED_DTYPES, random_arguments, relative_error
from mta import check, compiler, emission
from mta.contract import SCHEMA_PATH, Contract, evaluate

SCHEMA = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))

#: One program for every form that a contract takes.
PROGRAMS = {
    "plain": {"heads": 2},
    "grouped": {"heads": 4, "kv_heads": 2, "pre_conv": (6, 11)},
    "v2": {"heads": 2, "pre_conv": (6, 11), "pre_mix": True, "post_conv": (6, 11),
           "post_mix": True, "norm": True, "gate": "scalar"},
    # Wider than registers allow in the kernel of the attention.
    "vector-gate": {"heads": 2, "value_dim": 136, "norm": True, "gate": "vector"},
    "suffix": {"heads": 2, "pre_conv": (3, 3), "query_halo": 2, "log_sum_exp": True},
}


def attention_of(program, dtype="bf16"):
    return mta.Attention(head_dim=16, dtype=dtype, **PROGRAMS[program])


#: One that does not change with what is known about GPUs.
SCHEDULE = {"rows": 128, "key_tile": 64, "warps": 8}


def contract_text(attention, sizes=(), chip="sm_80", **schedule):
    signature = attention.signature(*sizes)
    text = emission.module_text(attention, signature, "attention")
    module = compiler.Module.parse(text, keep_names=True)
    if schedule:
        words = " ".join(f"{name.replace('_', '-')}={value}" for name, value in schedule.items())
        module.run_pipeline(f"builtin.module(mta-gpu{{chip={chip} {words}}})")
    return module.to_contract(chip)


def function_of(program, **schedule):
    return Contract.parse(contract_text(attention_of(program), **schedule)).function("attention")


def validate(text):
    validator = jsonschema.Draft202012Validator
    validator.check_schema(SCHEMA)
    validator(SCHEMA).validate(json.loads(text))


def test_outputs_are_in_the_order_of_the_results():
    """The gate's kernel follows the attention's, and its output is allocated after the sums."""
    attention = mta.Attention(heads=2, head_dim=16, value_dim=136, gate="vector", dtype="bf16",
                              log_sum_exp=True)
    function = Contract.parse(contract_text(attention, (1, 3, 4), rows=16)).function("attention")
    assert len(function.kernels) > 1
    shapes = [buffer.shape_of(function.bind({
        "q": (1, 2, 3, 16), "k": (1, 2, 4, 16), "v": (1, 2, 4, 136), **attention.weight_shapes}))
        for buffer in function.of_kind("output")]
    assert shapes == [(1, 2, 3, 136), (1, 2, 3)]


@pytest.mark.parametrize("dtype", FUSED_DTYPES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_contracts_have_the_schema(program, dtype):
    attention = attention_of(program, dtype)
    validate(contract_text(attention))
    validate(contract_text(attention, (1, 40, 50)))


@pytest.mark.parametrize("path, value", [
    (("version",), 2), (("chip",), "gfx90a"), (("functions", 0, "kernels", 0, "grid"), ["1"]),
    (("functions", 0, "kernels", 0, "block", 0), 0), (("functions", 0, "other"), 1),
    (("functions", 0, "buffers", 0, "kind"), "inout"),
    (("functions", 0, "kernels", 0, "parameters", 0, "kind"), "size"),
    (("functions", 0, "kernels", 0, "parameters", 0, "other"), 1)])
def test_the_schema_refuses(path, value):
    data = json.loads(contract_text(attention_of("plain")))
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(json.dumps(data))


def test_what_the_contract_of_a_convolution_says():
    data = json.loads(contract_text(attention_of("grouped"), chip="sm_90a", **SCHEDULE))
    assert (data["version"], data["chip"], data["ptx_version"]) == (1, "sm_90a", "8.0")
    function, = data["functions"]
    assert [size["name"] for size in function["sizes"]] == ["batch", "queries", "keys"]
    assert function["supported"] == ["65535 - batch >= 0"]
    buffers = {buffer["name"]: buffer for buffer in function["buffers"]}
    assert list(buffers) == ["q", "k", "v", "pre_conv", "o"]
    assert buffers["k"] == {
        "name": "k", "kind": "input", "type": "bf16", "shape": ["batch", "2", "keys", "16"],
        "strides": ["keys * 32", "keys * 16", "16", "1"], "alignment": 16}
    assert buffers["o"]["kind"] == "output"
    kernel, = function["kernels"]
    assert kernel["entry"] == "attention_kernel"
    assert kernel["grid"] == ["ceildiv(queries, 123)", "4", "batch"]
    assert kernel["block"] == [256, 1, 1]
    assert kernel["needs_opt_in"] == (kernel["dynamic_workgroup_bytes"] > 48 * 1024)
    assert kernel["numerics"] == {
        "products": ["bf16", "f16"], "accumulation": "f32", "staged_scores": ["f16"],
        "approximations": ["ex2.approx.ftz.f32"]}


def test_staged_scores_of_f16_are_two_numbers_and_unstaged_ones_none():
    staged = {dtype: json.loads(contract_text(attention_of(program, dtype)))["functions"][0][
        "kernels"][0]["numerics"]["staged_scores"]
        for program, dtype in (("grouped", "f16"), ("plain", "bf16"), ("grouped", "f32"))}
    assert staged == {"f16": ["f16", "f16"], "bf16": [], "f32": ["f32"]}


def test_operands_of_f32_are_multiplied_as_tf32():
    kernel = json.loads(contract_text(attention_of("grouped", "f32")))["functions"][0]["kernels"][0]
    assert kernel["numerics"]["products"] == ["tf32"]


def test_a_suffix_needs_its_halo_and_writes_fewer_rows():
    function = function_of("suffix", **SCHEDULE)
    assert "queries - 2 >= 0" in function.supported
    output, log_sum_exp = function.of_kind("output")
    assert output.shape == ("batch", "2", "queries - 2", "16")
    assert log_sum_exp.type == "f32"
    assert function.kernels[0].grid[0] == "ceildiv(queries - 2, 126)"
    with pytest.raises(mta.ContractError, match="expects sizes with queries - 2 >= 0"):
        function.check({"batch": 1, "queries": 1, "keys": 5})


def test_several_kernels_share_workspaces():
    function = function_of("vector-gate")
    assert len(function.kernels) > 1
    names = {buffer.name for buffer in function.of_kind("workspace")}
    used = {p.buffer for kernel in function.kernels for p in kernel.parameters if p.buffer}
    assert names and names <= used
    # What comes last writes the output.
    assert "gated" in {p.buffer for p in function.kernels[-1].parameters}


def test_compiled_kernels_show_what_they_are():
    run = mta.compile(attention_of("grouped"), "ptx")
    assert ".entry attention_kernel(" in run.ptx
    assert run.contract.functions[0].name == "attention"
    assert Contract.parse(run.contract_text) == run.contract
    for target in ("numpy", "cpu", "ptx-reference"):
        with pytest.raises(AttributeError, match=f"expects target ptx or cuda, but got {target}"):
            _ = mta.compile(attention_of("grouped"), target).ptx


def launcher_with(program, change):
    """A launcher whose first kernel has fields changed, as if the contract were wrong."""
    run = mta.compile(attention_of(program), "ptx", options=SCHEDULE)
    function = run.contract.functions[0]
    first = dataclasses.replace(function.kernels[0], **change(function.kernels[0]))
    function = dataclasses.replace(function, kernels=(first, *function.kernels[1:]))
    return compiler.Launcher(run.ptx, function, compiler.Device())


@pytest.mark.parametrize("change, message", [
    (lambda k: {"entry": "other"}, "other"),
    (lambda k: {"grid": ("1", *k.grid[1:])}, "wrote"),
    (lambda k: {"block": (128, 1, 1)}, "shared memory that nothing wrote"),
    (lambda k: {"dynamic_workgroup_bytes": 1024}, "shared"),
    (lambda k: {"parameter_bytes": k.parameter_bytes + 8}, "bytes of parameters"),
    (lambda k: {"parameters": (*k.parameters[:-1], dataclasses.replace(
        k.parameters[-1], value="queries + 1000"))}, "global"),
    (lambda k: {"cluster": (2, 1, 1)}, "expects a launch without clusters")])
def test_a_wrong_contract_does_not_run(change, message):
    attention = attention_of("grouped")
    launcher = launcher_with("grouped", change)
    arguments = random_arguments(attention, 250, 250)
    with pytest.raises((mta.ContractError, mta.errors.KernelError), match=message):
        launcher(*arguments.values())


def test_inputs_that_are_not_aligned_are_copied():
    attention = attention_of("plain")
    arguments = random_arguments(attention, 20, 20)
    expected = mta.compile(attention, "numpy")(**arguments)
    shifted = {}
    for name, array in arguments.items():
        memory = np.empty(array.nbytes + 64, np.uint8)
        start = -memory.ctypes.data % 64 + 2
        shifted[name] = memory[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
        shifted[name][...] = array
        assert shifted[name].ctypes.data % 16 == 2
    output = mta.compile(attention, "ptx")(**shifted)
    assert relative_error(output, expected) <= check.TOLERANCES["bf16"]


def test_no_rows_are_no_launch():
    attention = attention_of("suffix")
    arguments = random_arguments(attention, 2, 5)
    output, log_sum_exp = mta.compile(attention, "ptx")(**arguments)
    assert output.shape == (1, 2, 0, 16) and log_sum_exp.shape == (1, 2, 0)


def test_equal_input_gives_equal_bytes():
    attention = attention_of("v2")
    runs = [mta.compile(attention, "ptx") for _ in range(2)]
    assert runs[0].ptx == runs[1].ptx
    assert contract_text(attention) == contract_text(attention)


@pytest.mark.parametrize("expression, value", [
    ("7", 7), ("n", 10), ("n - 3 * 2", 4), ("(n - 3) * 2", 14), ("ceildiv(n, 3)", 4),
    ("ceildiv(n - 10, 123)", 0), ("floordiv(n, 3) + mod(n, 3)", 4), ("-2 + n", 8)])
def test_expressions(expression, value):
    assert evaluate(expression, {"n": 10}) == value


@pytest.mark.parametrize("expression", [
    "m", "n ** 2", "n / 2", "__import__('os')", "n.real", "ceildiv(n, 0)", "ceildiv(n)", "n n",
    "1.5", "max(n, 1)", ""])
def test_no_expressions(expression):
    with pytest.raises(mta.ContractError, match="expects an expression of the sizes n, but got"):
        evaluate(expression, {"n": 10})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 1}'])
def test_no_contract(text):
    with pytest.raises(mta.ContractError, match="expects a launch contract in JSON"):
        Contract.parse(text)


def test_contract_of_another_version():
    with pytest.raises(mta.ContractError, match="expects a contract of version 1, but got 2"):
        Contract.parse('{"version": 2}')


@pytest.mark.parametrize("shapes, message", [
    ({"q": (1, 2, 5, 16)}, "k: expects 4 dimensions, but got None"),
    ({"q": (1, 2, 5, 16), "k": (1, 2, 5, 16), "v": (1, 2, 6, 16)},
     r"v: expects shape \(1, 2, 5, 16\), but got \(1, 2, 6, 16\)"),
    ({"q": (1, 3, 5, 16), "k": (1, 2, 5, 16), "v": (1, 2, 5, 16)}, "q: expects shape"),
    ({"q": (70000, 2, 5, 16), "k": (70000, 2, 5, 16), "v": (70000, 2, 5, 16)},
     "expects sizes with 65535 - batch >= 0")])
def test_shapes_that_do_not_fit(shapes, message):
    with pytest.raises(mta.ContractError, match=message):
        function_of("plain").bind(shapes)


def test_a_function_that_is_not_there():
    with pytest.raises(mta.ContractError, match="expects one of attention, but got 'other'"):
        Contract.parse(contract_text(attention_of("plain"))).function("other")
