# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The operator of PyTorch: numbers, types, compilation, autocast, gradients, wrong arguments."""

import numpy as np
import pytest

import mta
from attention_cases import PROGRAMS, attention_of, random_arguments, relative_error
from mta import check

torch = pytest.importorskip("torch", reason="needs PyTorch: MTA_TORCH=1 utils/setup.sh")

import mta.torch as mt  # noqa: E402

DTYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32,
          "f64": torch.float64}

#: Programs that are one convolution and one mix on each side of the softmax.
NAMES = [name for name, fields in PROGRAMS.items() if "score_program" not in fields]

#: Fields of an attention that are arguments of the operator.
OPTIONS = ("causal", "pad", "scale", "layer", "query_halo")

OPERATOR = torch.ops.mta.multi_token_attention.default


def tensors(arguments):
    """NumPy arrays of any type as tensors on the same memory."""
    result = {}
    for name, array in arguments.items():
        if array.dtype.itemsize == 2 and array.dtype != np.float16:
            result[name] = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        else:
            result[name] = torch.from_numpy(array)
    return result


def numbers(tensor):
    return tensor.detach().to(torch.float64).numpy()


def options_of(attention):
    return {name: getattr(attention, name) for name in OPTIONS}


def positional(named, attention, log_sum_exp=False):
    """The arguments of the operator itself."""
    order = ("q", "k", "v", "pre_conv", "pre_mix", "post_conv", "post_mix", "norm_weight",
             "gate_weight", "gate_bias", "query_boundaries", "key_boundaries")
    return (*(named.get(name) for name in order), *options_of(attention).values(), log_sum_exp)


def close(output, expected, dtype):
    return relative_error(numbers(output), expected) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize(("program", "dtype"), [
    *((name, "f32") for name in NAMES), ("v2", "f16"), ("v2", "bf16"), ("v2", "f64")])
def test_numbers(program, dtype):
    attention = attention_of(program, dtype)
    for seed, (queries, keys, batch) in enumerate([(1, 1, 1), (13, 13, 2), (5, 40, 1)]):
        arguments = random_arguments(attention, queries, keys, batch, seed)
        output = mt.multi_token_attention(**tensors(arguments), **options_of(attention))
        assert output.dtype == DTYPES[dtype] and output.is_contiguous()
        assert close(output, mta.compile(attention, "numpy")(**arguments).astype(np.float64), dtype)


@pytest.mark.parametrize(("fields", "dtype"), [
    ({"kv_heads": 2, "value_dim": 5, "query_halo": 10}, "f16"),
    ({"causal": False, "scale": 0.3}, "f32"),
    ({"log_sum_exp": True}, "bf16"), ({"query_halo": 3, "log_sum_exp": True}, "f64")], ids=str)
def test_kinds_of_calls(fields, dtype):
    attention = attention_of("v1", dtype, **fields)
    arguments = random_arguments(attention, 15, 21, seed=3)
    results = mt.multi_token_attention(**tensors(arguments), **options_of(attention),
                                       return_log_sum_exp=attention.log_sum_exp)
    expected = mta.compile(attention, "numpy")(**arguments)
    if not attention.log_sum_exp:
        results, expected = (results,), (expected,)
    for result, reference in zip(results, expected, strict=True):
        assert close(result, reference.astype(np.float64), dtype)
    assert results[-1].dtype == (
        DTYPES[dtype] if len(results) == 1 else DTYPES[attention.score_dtype])


@pytest.mark.parametrize("kind", [torch.int32, torch.int64])
def test_sequences_of_different_lengths(kind):
    attention = attention_of("v1", "f32", variable_length=True)
    arguments = random_arguments(attention, 11, 14, seed=4)
    offsets = {"query_boundaries": [0, 4, 4, 11], "key_boundaries": [0, 5, 7, 14]}
    output = mt.multi_token_attention(
        **tensors(arguments), **options_of(attention),
        **{name: torch.tensor(values, dtype=kind) for name, values in offsets.items()})
    assert close(output, mta.compile(attention, "numpy")(**arguments, **offsets), "f32")


def test_layouts_give_the_same_bits():
    attention = attention_of("v2", "bf16")
    given = tensors(random_arguments(attention, 9, 9, 2))
    expected = mt.multi_token_attention(**given, **options_of(attention))
    spread = {name: x.repeat_interleave(2, -1)[..., ::2] for name, x in given.items()}
    transposed = {name: x.transpose(-1, 0).contiguous().transpose(-1, 0)
                  for name, x in given.items()}
    for other in (spread, transposed):
        assert not all(x.is_contiguous() for x in other.values())
        assert torch.equal(mt.multi_token_attention(**other, **options_of(attention)), expected)


@pytest.mark.parametrize(("dtype", "log_sum_exp"), [("bf16", False), ("f32", True), ("f64", True)])
def test_registration(dtype, log_sum_exp):
    attention = attention_of("pre-conv", dtype, query_halo=2)
    named = tensors(random_arguments(attention, 12, 12, 2))
    torch.library.opcheck(OPERATOR, positional(named, attention, log_sum_exp))


def test_tensors_without_memory():
    shapes = {"q": (2, 4, 9, 8), "k": (2, 4, 7, 8), "v": (2, 4, 7, 5)}
    named = {name: torch.zeros(shape, device="meta") for name, shape in shapes.items()}
    output, log_sum_exp = mt.multi_token_attention(**named, query_halo=2, return_log_sum_exp=True)
    assert (output.device.type, output.shape, log_sum_exp.shape) == (
        "meta", (2, 4, 7, 5), (2, 4, 7))


def test_compilation_without_graph_breaks():
    attention = attention_of("v2", "f32")

    def run(scale, **named):
        return scale * mt.multi_token_attention(**named, **options_of(attention))

    compiled = torch.compile(run, fullgraph=True, dynamic=True, backend="aot_eager")
    for seed, rows in enumerate((7, 19, 20)):
        named = tensors(random_arguments(attention, rows, rows, seed=seed))
        assert torch.equal(compiled(2.0, **named), run(2.0, **named))


@pytest.mark.parametrize("compiled", [False, True])
def test_autocast_is_in_one_type(compiled):
    attention = attention_of("v2", "bf16")
    named = tensors(random_arguments(attention, 12, 12, seed=5))
    expected = mt.multi_token_attention(**named, **options_of(attention))
    wide = {name: x.to(DTYPES[dtype]) for (name, x), dtype in
            zip(named.items(), ["f32", "f64", "bf16", "f16"] * 3)}

    def run(**named):
        return mt.multi_token_attention(**named, **options_of(attention))

    if compiled:
        run = torch.compile(run, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = run(**wide)
    # Numbers of bf16 are the same in a wider type, but not in f16.
    assert output.dtype == torch.bfloat16
    assert relative_error(numbers(output), numbers(expected)) <= 2.0**-7
    with pytest.raises(ValueError, match="expects element type f32, but got f64"):
        mt.multi_token_attention(**wide, **options_of(attention))


def test_a_gradient_is_an_error_where_it_is_computed():
    attention = attention_of("v1", "f32")
    named = tensors(random_arguments(attention, 6, 6))
    expected = mt.multi_token_attention(**named, **options_of(attention))
    for name in named:
        wanted = {**named, name: named[name].clone().requires_grad_()}
        output = mt.multi_token_attention(**wanted, **options_of(attention))
        assert output.requires_grad and torch.equal(output, expected)
        with pytest.raises(NotImplementedError, match="gradients are not compiled yet, but a"):
            output.sum().backward()
        with torch.no_grad():
            output = mt.multi_token_attention(**wanted, **options_of(attention))
        assert not output.requires_grad


def test_compiled_programs_run_forward_where_parameters_ask_for_gradients():
    attention = attention_of("v1", "f32")
    named = tensors(random_arguments(attention, 6, 6))
    named["pre_conv"].requires_grad_()
    compiled = torch.compile(mt.multi_token_attention, fullgraph=True, backend="aot_eager")
    output = compiled(**named, **options_of(attention))
    assert torch.equal(output, mt.multi_token_attention(**named, **options_of(attention)))
    with pytest.raises(NotImplementedError, match="gradients are not compiled yet, but a"):
        output.sum().backward()


WRONG = {
    "integers": ({"q": torch.zeros(1, 4, 6, 8, dtype=torch.int32)}, ValueError,
                 "q: expects float16, bfloat16, float32 or float64, but got 'torch.int32'"),
    "mixed": ({"k": torch.zeros(1, 4, 6, 8, dtype=torch.float64)}, ValueError,
              "k: expects element type f32, but got f64"),
    "rank": ({"q": torch.zeros(4, 6, 8)}, ValueError, r"q: expects 4 dimensions, but got \(4, 6, 8"),
    "keys": ({"v": torch.zeros(1, 4, 5, 8)}, ValueError, r"v: expects shape \(1, 4, 6, 8\), but got"),
    "batch": ({"k": torch.zeros(2, 4, 6, 8)}, ValueError, r"k: expects shape \(1, 4, keys, 8\), but"),
    "heads": ({"k": torch.zeros(1, 3, 6, 8)}, ValueError, r"kv_heads: expects a divisor of heads"),
    "kernel": ({"pre_conv": torch.zeros(4, 1, 6, 11)}, ValueError,
               r"pre_conv: expects 3 dimensions, but got \(4, 1, 6, 11\)"),
    "even-window": ({"pre_conv": torch.zeros(4, 6, 10)}, ValueError,
                    "pre_conv: expects an odd number of keys with padding 'both', but got 10"),
    "mix": ({"post_mix": torch.zeros(3, 2, 2)}, ValueError,
            r"post_mix: expects shape \(2, 2, 2\), but got \(3, 2, 2\)"),
    "group": ({"post_mix": torch.zeros(1, 3, 3)}, ValueError,
              r"post_mix: expects a group size that divides heads \(4\), but got 3"),
    "no-bias": ({"gate_weight": torch.zeros(1, 8)}, ValueError,
                "gate_bias: expects a tensor where gate_weight is one, and only there, but got None"),
    "pad": ({"pad": "top"}, ValueError, "pad: expects one of "),
    "layer": ({"layer": 3}, ValueError, "layer: expects None without norm, but got 3"),
    "halo": ({"query_halo": 7}, ValueError, r"q: expects at least query_halo \(7\) rows, but got 6"),
    "one-boundary": ({"query_boundaries": torch.tensor([0, 6])}, TypeError,
                     "key_boundaries: expects an array, but got none"),
    "boundaries": ({"query_boundaries": torch.tensor([0, 7]), "key_boundaries": torch.tensor([0, 6])},
                   ValueError, "query_boundaries: expects offsets that rise from 0 to 6, but got"),
    "array": ({"q": np.zeros((1, 4, 6, 8), np.float32)}, RuntimeError, "Expected a value of type"),
}


@pytest.mark.parametrize(("changes", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(changes, error, message):
    attention = attention_of("pre-conv", "f32")
    named = {**tensors(random_arguments(attention, 6, 6)), **changes}
    with pytest.raises(error, match=message):
        mt.multi_token_attention(**named)


def test_compiled_attentions_take_and_return_tensors():
    """`mta.compile` has programs that the operator has not."""
    attention = attention_of("mix-before-conv", "bf16", log_sum_exp=True)
    arguments = random_arguments(attention, 9, 9, 2)
    run = mta.compile(attention, "cpu")
    expected = run(**arguments)
    output, log_sum_exp = run(**tensors(arguments))
    assert (output.dtype, log_sum_exp.dtype) == (torch.bfloat16, torch.float32)
    assert np.array_equal(numbers(output), expected[0].astype(np.float64))
    given = torch.zeros(2, 4, 9, 8, dtype=torch.bfloat16), torch.zeros(2, 4, 9)
    assert run(**tensors(arguments), out=given)[0] is given[0]
    assert torch.equal(given[0], output) and torch.equal(given[1], log_sum_exp)
    with pytest.raises(ValueError, match="q: expects an array that its library exports by DLPack"):
        run(**{**tensors(arguments), "q": output.clone().requires_grad_()})
