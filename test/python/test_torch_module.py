# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The layer for PyTorch: the authors' parameters, rotary embedding, decoding, wrong arguments."""

import json

import numpy as np
import pytest

import mta
from attention_cases import relative_error

torch = pytest.importorskip("torch", reason="needs PyTorch: MTA_TORCH=1 utils/setup.sh")

import mta.torch as mt  # noqa: E402
from mta.torch.rotary import rotate  # noqa: E402

V2 = {"pre_conv": (6, 11), "pre_mix": True, "post_conv": (3, 5), "post_mix": True, "norm": True,
      "gate": "scalar"}
V1 = {"pre_conv": (6, 11), "post_mix": 2, "norm": True, "layer": 5}

#: What the goldens' weights are called in the authors' checkpoints; shapes are the same.
AUTHORS_NAMES = {"pre_conv": "mta_kernel", "post_conv": "mta_kernel_after_sm",
                 "pre_mix": "wpsm.weight", "post_mix": "wposm.weight",
                 "post_mix_groups": "head_kernel", "norm_weight": "subln.weight",
                 "gate_weight": "gate.weight", "gate_bias": "gate.bias"}


def randomized(module, seed=0):
    """The module with random numbers in all its parameters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            fan = parameter.shape[-1] if parameter.ndim == 2 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                            / fan**0.5)
    return module


def rows(module, count, batch=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, count, module.dim, generator=generator, dtype=torch.float64)
    return x.to(module.wq.weight.dtype)


def golden_checkpoint(golden):
    """A checkpoint of the authors' whose projections pick q, k and v out of x = [q k v]."""
    _, heads, _, dim = golden["q"].shape
    key_heads = golden["k"].shape[1]
    sizes = [heads * dim, key_heads * dim, key_heads * dim]
    eye = torch.eye(sum(sizes), dtype=torch.float64)
    state = dict(zip(("wq.weight", "wk.weight", "wv.weight"), eye.split(sizes)))
    state["wo.weight"] = eye[:, :sizes[0]].clone()
    for name, key in AUTHORS_NAMES.items():
        if name in golden:
            state[key] = torch.from_numpy(golden[name].copy())
    return {f"layers.2.attention.{name}": value.clone() for name, value in state.items()}


def test_the_authors_numbers_from_the_authors_parameters(golden_path):
    with np.load(golden_path) as archive:
        golden = dict(archive)
    config = json.loads(str(golden["config"]))
    module = mt.MultiTokenAttention.from_checkpoint(
        golden_checkpoint(golden), "layers.2.attention.", heads=golden["q"].shape[1],
        layer=config["layer"] if config.get("depth_scale") else None,
        pad=config.get("pad", "both"), rope_theta=None)
    batch, heads, count, dim = golden["q"].shape
    x = np.concatenate([golden[name].swapaxes(1, 2).reshape(batch, count, -1)
                        for name in ("q", "k", "v")], axis=-1)
    with torch.no_grad():
        output = module(torch.from_numpy(x))[..., :heads * dim]
    output = output.reshape(batch, count, heads, dim).transpose(1, 2)
    assert relative_error(output.numpy(), golden["o"]) <= 1e-12


@pytest.mark.parametrize("fields", [{}, V1, V2, {"post_mix": 4, "kv_heads": 2, "gate": "vector"},
                                    {"pre_mix": True, "head_dim": 6, "pad": "left"}], ids=str)
def test_a_checkpoint_of_the_module_makes_the_same_module(fields):
    module = randomized(mt.MultiTokenAttention(32, 4, **fields, dtype=torch.float64))
    state = {f"layers.0.attention.{name}": x for name, x in module.state_dict().items()}
    others = {"norm.weight": torch.ones(3), "layers.0.attention_norm.weight": torch.ones(2),
              "layers.01.attention.wq.weight": torch.ones(2, 2)}
    again = mt.MultiTokenAttention.from_checkpoint(
        {**others, **state}, "layers.0.attention.", heads=4, layer=fields.get("layer"),
        pad=fields.get("pad", "both"))
    assert list(again.state_dict()) == list(module.state_dict())
    with torch.no_grad():
        assert torch.equal(again(rows(module, 9)), module(rows(module, 9)))


def test_parameters_have_the_authors_names_and_shapes():
    module = mt.MultiTokenAttention(64, 4, kv_heads=2, **V2)
    shapes = {name: tuple(x.shape) for name, x in module.state_dict().items()}
    assert shapes == {
        "wq.weight": (64, 64), "wk.weight": (32, 64), "wv.weight": (32, 64), "wo.weight": (64, 64),
        "mta_kernel": (4, 1, 6, 11), "mta_kernel_after_sm": (4, 1, 3, 5), "wpsm.weight": (4, 4),
        "wposm.weight": (4, 4), "subln.weight": (16,), "gate.weight": (1, 16), "gate.bias": (1,)}
    assert module.head_kernel is None
    grouped = mt.MultiTokenAttention(64, 4, post_mix=2)
    assert tuple(grouped.state_dict()["head_kernel"].shape) == (2, 2, 2)


@pytest.mark.parametrize("fields", [{"pre_conv": (6, 11)}, {"pre_conv": (2, 4), "pad": "left"},
                                    {"post_conv": (2, 4), "pad": "right"},
                                    {"pre_mix": True, "post_mix": True}, {"post_mix": 2}], ids=str)
def test_a_new_layer_is_plain_attention(fields):
    module = mt.MultiTokenAttention(32, 4, **fields, dtype=torch.float64)
    plain = mt.MultiTokenAttention(32, 4, dtype=torch.float64)
    plain.load_state_dict({name: x for name, x in module.state_dict().items() if name[0:2] in (
        "wq", "wk", "wv", "wo") and "sm" not in name})
    x = rows(module, 12)
    q, k, v = (linear(x).view(2, 12, 4, 8).transpose(1, 2)
               for linear in (plain.wq, plain.wk, plain.wv))
    expected = torch.nn.functional.scaled_dot_product_attention(
        rotate(q, 0, 1e4), rotate(k, 0, 1e4), v, is_causal=True)
    expected = plain.wo(expected.transpose(1, 2).reshape(2, 12, 32))
    with torch.no_grad():
        assert relative_error(module(x).numpy(), expected.detach().numpy()) <= 1e-12


@pytest.mark.parametrize("start", [0, 7])
def test_rotation_is_a_product_with_complex_numbers(start):
    x = torch.randn(2, 3, 5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    angles = np.arange(start, start + 5)[:, None] * 100.0 ** (-np.arange(0, 8, 2) / 8)
    pairs = x.numpy()[..., 0::2] + 1j * x.numpy()[..., 1::2]
    expected = pairs * np.exp(1j * angles)
    turned = rotate(x, start, 100.0).numpy()
    assert np.abs(turned[..., 0::2] - expected.real).max() <= 1e-14
    assert np.abs(turned[..., 1::2] - expected.imag).max() <= 1e-14


@pytest.mark.parametrize("pieces", [[1] * 14, [9, 1, 1, 3], [2, 12], [14]], ids=str)
@pytest.mark.parametrize("fields", [V1, {**V2, "kv_heads": 2}], ids=["v1", "v2"])
def test_pieces_equal_the_whole(fields, pieces):
    module = randomized(mt.MultiTokenAttention(32, 4, **fields, dtype=torch.float64))
    x = rows(module, 14)
    state = module.new_state()
    assert state.halo == module.halo == sum(
        fields[name][0] - 1 for name in ("pre_conv", "post_conv") if name in fields)
    with torch.no_grad():
        outputs = [module(part, state) for part in x.split(pieces, dim=1)]
        whole = module(x)
    assert state.length == 14
    assert relative_error(torch.cat(outputs, 1).numpy(), whole.numpy()) <= 1e-12


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_types(dtype):
    wide = randomized(mt.MultiTokenAttention(32, 4, **V2, dtype=dtype))
    module = mt.MultiTokenAttention(32, 4, **V2, dtype=torch.float64)
    module.load_state_dict(wide.state_dict())
    x = rows(wide, 14)
    with torch.no_grad():
        output, expected = wide(x), module(x.double())
    assert output.dtype == dtype
    # Projections and rotation are rounded, too.
    assert relative_error(output.double().numpy(), expected.numpy()) <= 16 * torch.finfo(dtype).eps


def test_compilation_without_graph_breaks():
    module = randomized(mt.MultiTokenAttention(32, 4, **V2))
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = rows(module, 12)
    output = compiled(x)
    assert output.requires_grad and torch.equal(output, module(x))
    with pytest.raises(NotImplementedError, match="gradients are not compiled yet"):
        output.sum().backward()


def test_autocast():
    module = randomized(mt.MultiTokenAttention(32, 4, **V1))
    x = rows(module, 12)
    with torch.no_grad():
        expected = module(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = module(x)
    assert output.dtype == torch.bfloat16
    assert relative_error(output.double().numpy(), expected.numpy()) <= 0.05


ILLEGAL = {
    "dim": ({"dim": 0}, "dim: expects a positive integer, but got 0"),
    "heads": ({"heads": 5}, r"heads: expects a divisor of dim \(32\), but got 5"),
    "kv": ({"kv_heads": 3}, r"kv_heads: expects a divisor of heads \(4\), but got 3"),
    "window": ({"pre_conv": (6, 10)}, "pre_conv: expects an odd number of keys with padding 'both'"),
    "pair": ({"post_conv": 6}, r"post_conv: expects None or a pair \(cq, ck\)"),
    "pre-mix": ({"pre_mix": 2}, "pre_mix: expects True or False, but got 2"),
    "post-mix": ({"post_mix": 3}, r"post_mix: expects a group size that divides heads \(4\)"),
    "gate": ({"gate": "odd"}, "gate: expects None, 'scalar' or 'vector', but got 'odd'"),
    "layer": ({"layer": 1}, "layer: expects None without norm, but got 1"),
    "theta": ({"rope_theta": 0}, "rope_theta: expects None or a positive number, but got 0"),
    "odd": ({"head_dim": 5}, "head_dim: expects an even number with a rotary embedding, but got 5"),
}


@pytest.mark.parametrize(("fields", "message"), ILLEGAL.values(), ids=ILLEGAL)
def test_illegal_layers(fields, message):
    with pytest.raises(ValueError, match=message):
        mt.MultiTokenAttention(**{"dim": 32, "heads": 4, **fields})


BROKEN = {
    "missing": ({"wo.weight": None}, "state: expects a parameter wo.weight, but got 'none'"),
    "unknown": ({"w9": torch.ones(1)}, "state: expects parameters wq.weight, .* but got 'w9'"),
    "rank": ({"mta_kernel": torch.ones(4, 6, 11)}, "mta_kernel: expects 4 dimensions, but got"),
    "two-mixes": ({"wposm.weight": torch.eye(4)}, "state: expects one mix after the softmax"),
    "even": ({"mta_kernel": torch.ones(4, 1, 6, 10)}, "pre_conv: expects an odd number of keys"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_checkpoints(changes, message):
    state = {**mt.MultiTokenAttention(32, 4, **V1).state_dict(), **changes}
    with pytest.raises(ValueError, match=message):
        mt.MultiTokenAttention.from_checkpoint(
            {name: x for name, x in state.items() if x is not None})


def test_what_no_parameter_shows_has_to_be_given():
    plain = mt.MultiTokenAttention(32, 4).state_dict()
    with pytest.raises(ValueError, match="heads: expects a number, as no parameter shows it"):
        mt.MultiTokenAttention.from_checkpoint(plain)
    for given in ({"heads": 4}, {"head_dim": 8}):
        assert mt.MultiTokenAttention.from_checkpoint(plain, **given).heads == 4
    norm = mt.MultiTokenAttention(32, 4, norm=True).state_dict()
    assert mt.MultiTokenAttention.from_checkpoint(norm).heads == 4
    with pytest.raises(ValueError, match=r"heads: expects a divisor of the rows of wq.weight \(32"):
        mt.MultiTokenAttention.from_checkpoint(norm, heads=5)


def test_wrong_rows():
    module = mt.MultiTokenAttention(32, 4)
    with pytest.raises(ValueError, match=r"x: expects shape \(batch, rows, 32\), but got \(2, 5, 31"):
        module(torch.zeros(2, 5, 31))


@pytest.mark.parametrize(("name", "tensor", "message"), [
    ("q", torch.zeros(4, 3, 8), "q: expects 4 dimensions, but got"),
    ("k", torch.zeros(1, 4, 2, 8), "k: expects 3 rows, as q has, but got 2"),
    ("v", torch.zeros(2, 4, 3, 8), "v: expects batch, heads and elements, type and device"),
    ("k", torch.zeros(1, 4, 3, 8).double(), "k: expects batch, heads and elements, type")])
def test_states_refuse_other_rows(name, tensor, message):
    state = mt.DecodingState(halo=2)
    row = torch.zeros(1, 4, 3, 8)
    state.append(row, row, row)
    with pytest.raises(ValueError, match=message):
        state.append(**{"q": row, "k": row, "v": row, name: tensor})
    assert state.length == 3
    with pytest.raises(ValueError, match="halo: expects a non-negative integer, but got -1"):
        mt.DecodingState(-1)


def test_states_move_their_rows_seldom():
    state = mt.DecodingState(halo=2)
    rows = torch.arange(40.0).reshape(1, 1, 20, 2)
    places, pieces = set(), []
    for row in rows.split(1, dim=2):
        _, keys, values = state.append(row, row, row + 1)
        places.add(keys.data_ptr())
        pieces.append((keys, values))
    # Room for 1, 2, 4, 8, 16 and 32 rows.
    assert len(places) <= 6
    for length, (keys, values) in enumerate(pieces, start=1):
        assert torch.equal(keys, rows[:, :, :length])
        assert torch.equal(values, rows[:, :, :length] + 1)
