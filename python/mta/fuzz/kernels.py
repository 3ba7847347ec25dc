# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`draw_kernel_case`: a random attention that fused GPU kernels take, with their options."""

from random import Random

from mta.attention import Attention
from mta.fuzz.cases import Call, Case, draw_call, draw_ops
from mta.program import KeyQueryConv, ScoreOp, Softmax
from mta.validation import require

#: What tensor cores multiply.
KERNEL_DTYPES = ("f16", "bf16", "f32")
#: Pairs (key heads, query heads of each). More than four heads of 16 bits that are mixed have a
#: warp each, and kernels of their own.
_FEW_HEADS = ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1), (1, 4))
_MANY_HEADS = ((5, 1), (1, 6), (7, 1), (4, 2), (5, 2), (6, 2), (4, 4), (16, 1))
_DIMENSIONS = (8, 16, 24, 32, 40, 64, 72)
#: Chips of `mma.sync` and of `wgmma`.
_CHIPS = ("sm_80", "sm_90a")


def draw_kernel_case(random: Random, dtype: str | None = None, calls: int = 3,
                     chips: tuple[str, ...] = _CHIPS) -> Case:
    """Draws everything; `dtype` only where it is None, a chip only if there are some.

    Half of the cases mix many heads, and most split the keys over workgroups, also over more than
    there are tiles of keys.
    """
    if dtype is None:
        dtype = random.choice(KERNEL_DTYPES)
    require(dtype in KERNEL_DTYPES, "dtype of fused kernels", " or ".join(KERNEL_DTYPES), dtype)
    has_many = dtype != "f32" and random.choice((False, True))
    attention = _draw_attention(random, has_many).with_dtype(dtype)
    options = _draw_options(random, has_many, chips)
    first = _draw_call(random, attention, options, (None, None, None))
    sizes = tuple(random.choice((None, size)) for size in (first.batch, first.queries, first.keys))
    others = [_draw_call(random, attention, options, sizes) for _ in range(calls - 1)]
    return Case(attention, sizes, tuple(options.items()), (first, *others))


def _draw_attention(random: Random, has_many: bool) -> Attention:
    kv_heads, share = random.choice(_MANY_HEADS if has_many else _FEW_HEADS)
    heads = kv_heads * share
    program = (*_draw_side(random, heads, "pre", has_many), Softmax(),
               *_draw_side(random, heads, "post", has_many))
    norm = random.choice((False, True))
    varying = random.randint(0, 4) == 0
    reach = sum(op.halo for op in program)
    head_dim = random.choice(_DIMENSIONS)
    return Attention(
        heads=heads, kv_heads=kv_heads, head_dim=head_dim,
        value_dim=random.choice((head_dim, random.choice(_DIMENSIONS))), score_program=program,
        norm=norm, gate=random.choice((None, "scalar", "vector")),
        causal=random.randint(0, 3) > 0, query_halo=0 if varying else random.choice((0, reach)),
        log_sum_exp=random.choice((False, True)), variable_length=varying)


def _draw_side(random: Random, heads: int, side: str, has_many: bool) -> list[ScoreOp]:
    """With many heads one convolution, as workgroup memory has room for."""
    ops = draw_ops(random, heads, side)
    if not has_many:
        return ops
    convolutions = [op for op in ops if isinstance(op, KeyQueryConv)]
    return [op for op in ops if op not in convolutions[1:]]


def _draw_options(random: Random, has_many: bool, chips: tuple[str, ...]) -> dict[str, int | str]:
    """A schedule for a chip: what is not drawn is the compiler's choice."""
    options: dict[str, int | str] = {}
    if chips:
        options["chip"] = random.choice(chips)
    if random.choice((False, True)):
        options["key_tile"] = 16 if has_many else random.choice((16, 32))
    splits = random.choice((None, 1, 2, 3, 5, 40))
    if splits is not None:
        options["key_splits"] = splits
    elif not has_many and random.choice((False, True)):
        # No tile is ahead of another split, and four heads of f32 have no room for more keys.
        options |= {"ahead": 1, "key_tile": 16}
    options["lazy_copies"] = random.choice((0, 1))
    options["seed"] = random.randint(0, 9)
    return options


def _draw_call(random: Random, attention: Attention, options: dict[str, int | str],
               sizes: tuple[int | None, ...]) -> Call:
    """Lengths around tiles of 16 rows and of keys."""
    tiles = {"query_tile": 16, "key_tile": options.get("key_tile", 32)}
    return draw_call(random, attention, tiles, sizes)
