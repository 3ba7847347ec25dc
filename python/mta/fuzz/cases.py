# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`draw_case`: a random attention with tile sizes, and calls of several shapes."""

import math
from dataclasses import dataclass
from random import Random

from mta.attention import Attention
from mta.dtypes import FLOAT_DTYPES
from mta.program import HeadMix, KeyQueryConv, ScoreOp, Softmax

#: Multiply-adds of the score operations of one call, which NumPy does in a
#: fraction of a second.
_WORK = 2e7
#: Pairs (key heads, query heads of each).
_HEADS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (2, 3), (4, 1), (1, 4), (5, 2), (10, 1))
#: Scores in a vector of the widest registers and the narrowest element type:
#: tiles of keys are multiples of it, and so legal for all registers.
_MOST_LANES = 16


@dataclass(frozen=True)
class Call:
    """Sizes and contents of the arrays of one call.

    `magnitude` multiplies the queries; the boundaries are those of
    variable-length attentions, else None.
    """

    batch: int
    queries: int
    keys: int
    magnitude: float
    seed: int
    query_boundaries: tuple[int, ...] | None = None
    key_boundaries: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Case:
    """An attention compiled once with `sizes` and `options`, and its calls.

    `sizes` are batch, queries and keys, None where they vary.
    """

    attention: Attention
    sizes: tuple[int | None, int | None, int | None]
    options: tuple[tuple[str, int | str], ...]
    calls: tuple[Call, ...]


def draw_case(random: Random, dtype: str | None = None, calls: int = 4,
              variable_length: bool | None = None) -> Case:
    """Draws everything; `dtype` and `variable_length` only where they are None.

    Lengths cluster around the sizes of tiles and the reach of convolutions,
    where tiles have their edges.
    """
    attention = _draw_attention(random, variable_length)
    if dtype is None:
        dtype = random.choice(FLOAT_DTYPES)
    attention = attention.with_dtype(dtype)
    options = _draw_options(random, attention)
    first = draw_call(random, attention, dict(options), (None, None, None))
    sizes = tuple(random.choice((None, size)) for size in (first.batch, first.queries, first.keys))
    others = [draw_call(random, attention, dict(options), sizes) for _ in range(calls - 1)]
    return Case(attention, sizes, options, (first, *others))


def _draw_attention(random: Random, variable_length: bool | None) -> Attention:
    kv_heads, share = random.choice(_HEADS)
    heads = kv_heads * share
    program = (*draw_ops(random, heads, "pre"), Softmax(), *draw_ops(random, heads, "post"))
    norm = random.choice((False, True))
    varying = random.randint(0, 4) == 0 if variable_length is None else variable_length
    reach = sum(op.halo for op in program)
    halo = 0 if varying else random.choice((0, 0, reach, random.randint(0, 12)))
    head_dim = _draw_dimension(random)
    return Attention(
        heads=heads, kv_heads=kv_heads, head_dim=head_dim,
        value_dim=random.choice((head_dim, _draw_dimension(random))),
        score_program=program, norm=norm,
        layer=random.choice((None, random.randint(0, 9))) if norm else None,
        gate=random.choice((None, "scalar", "vector")), causal=random.randint(0, 3) > 0,
        scale=random.choice((None, None, 0.5, -0.75)), query_halo=halo,
        log_sum_exp=random.choice((False, True)), variable_length=varying)


def _draw_dimension(random: Random) -> int:
    return random.choice((1, 3, 8, 16, 17, 32, 64, 96, random.randint(1, 96)))


def draw_ops(random: Random, heads: int, side: str) -> list[ScoreOp]:
    """Up to three score operations of one side of the softmax."""
    groups = [c for c in range(1, heads + 1) if heads % c == 0]
    ops: list[ScoreOp] = []
    for number in range(random.choice((0, 1, 1, 2, 3))):
        name = f"{side}{number}"
        if random.choice((False, True)):
            ops.append(HeadMix(name, random.choice(groups)))
            continue
        padding = random.choice(("both", "left", "right"))
        ck = 2 * random.randint(0, 6) + 1 if padding == "both" else random.randint(1, 12)
        ops.append(KeyQueryConv(name, random.randint(1, 7), ck, padding,
                                random.choice((None, None, *groups))))
    return ops


def _draw_options(random: Random, attention: Attention) -> tuple[tuple[str, int], ...]:
    """A schedule: what is not drawn is the compiler's choice."""
    options: dict[str, int] = {}
    if random.randint(0, 3):
        options["query_tile"] = random.choice((1, 2, 4, 7, 8, 16, random.randint(1, 70)))
    if random.randint(0, 3):
        key_tile = _MOST_LANES * random.choice((1, 1, 2, 3, random.randint(1, 8)))
        options["key_tile"] = key_tile
        if random.randint(0, 2):
            options["edge_key_tile"] = _MOST_LANES * random.randint(1, key_tile // _MOST_LANES)
    if random.randint(0, 2) == 0:
        fewest = 1 if isinstance(attention.program[-1], Softmax) else 2
        options["sweeps"] = random.randint(fewest, 2)
    if random.randint(0, 2) == 0:
        mixed = math.lcm(*(getattr(op, "group", None) or 1 for op in attention.program))
        parts = attention.heads // mixed
        options["heads"] = mixed * random.choice([n for n in range(1, parts + 1) if parts % n == 0])
    options["vector_bits"] = random.choice((0, 0, 128, 256, 512))
    options["threads"] = random.choice((0, 1, 1))
    return tuple(options.items())


def draw_call(random: Random, attention: Attention, options: dict[str, int],
               sizes: tuple[int | None, ...]) -> Call:
    """A call; `sizes` are batch, queries and keys where they are given."""
    queries = _draw_length(random, options.get("query_tile", 64))
    keys = _draw_length(random, options.get("key_tile", 128))
    if random.randint(0, 2):
        keys = queries = random.choice((queries, keys))
    queries, keys = _within_budget(attention, queries, keys)
    drawn = (random.choice((1, 1, 2, 3)), queries + attention.query_halo, keys)
    batch, queries, keys = (b if a is None else a for a, b in zip(sizes, drawn))
    boundaries: dict[str, tuple[int, ...]] = {}
    if attention.variable_length:
        cuts = random.randint(0, 4)
        boundaries = {"query_boundaries": _draw_offsets(random, queries, cuts),
                      "key_boundaries": _draw_offsets(random, keys, cuts)}
    magnitude = random.choice((1.0, 1.0, 1.0, 30.0))
    return Call(batch, queries, keys, magnitude,
                random.randint(0, 2**31), **boundaries)


def _draw_length(random: Random, tile: int) -> int:
    return max(1, random.choice((1, 3, tile - 1, tile, tile + 1, 2 * tile, 2 * tile + 1,
                                 random.randint(1, 40), random.randint(1, 200))))


def _within_budget(attention: Attention, queries: int, keys: int) -> tuple[int, int]:
    """Scaled down until NumPy has no more than `_WORK` to do."""
    terms = sum(math.prod(attention.weight_shapes[op.weight][1:])
                for op in attention.program if not isinstance(op, Softmax))
    pair = attention.heads * (terms + attention.head_dim + attention.value_dim)
    excess = math.sqrt(max(1.0, pair * queries * keys / _WORK))
    return max(1, int(queries / excess)), max(1, int(keys / excess))


def _draw_offsets(random: Random, length: int, cuts: int) -> tuple[int, ...]:
    return (0, *sorted(random.randint(0, length) for _ in range(cuts)), length)
