# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Launches of the CUDA kernels next to this folder, with what NumPy says about them.

Tolerances are units in the last place of the type, times what the sum or the
function loses; integers have to be equal.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

F16, BF16, F32, F64 = 2.0**-11, 2.0**-8, 2.0**-24, 2.0**-53
CASES = {}


@dataclass
class Out:
    """An output buffer: type and shape as mta-ptx-run names them."""

    dtype: str
    shape: tuple


@dataclass
class InOut:
    """A buffer that the kernel changes."""

    array: np.ndarray


@dataclass
class Map:
    """A tensor map of a buffer: the box and options, as mta-ptx-run writes them."""

    box: str
    buffer: object


@dataclass
class Case:
    """A launch. `expected` has (array, type, tolerance) for each buffer that comes back."""

    grid: tuple
    block: tuple
    arguments: list
    expected: list
    shared: int = 0


def case(function):
    CASES[function.__name__.rstrip("_").replace("_", "-")] = function
    return function


def bf16_bits(x):
    """float32 to the nearest bfloat16, ties to even; the inputs are finite."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def bf16_values(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


@case
def warp_reduction(rng):
    x = rng.standard_normal(200, dtype=np.float32)
    padded = np.zeros(256, np.float64)
    padded[:200] = x
    sums = padded.reshape(8, 32).sum(axis=1)
    return Case((2,), (128,), [x, Out("f32", (8,)), "i32:200"], [(sums, "f32", 32 * F32)])


@case
def block_reduction(rng):
    x = rng.integers(-2**31, 2**31, (5, 777), dtype=np.int32)
    return Case((5,), (256,), [x, Out("i32", (5,)), "i32:777"], [(x.max(axis=1), "i32", 0)])


@case
def transpose(rng):
    x = rng.standard_normal((45, 70), dtype=np.float32)
    return Case((3, 2), (32, 8), [x, Out("f32", (70, 45)), "i32:45", "i32:70"],
                [(x.T, "f32", 0)])


@case
def gemm_f32(rng):
    m, n, k = 33, 50, 41
    a, b = (rng.standard_normal(s, dtype=np.float32) for s in ((m, k), (k, n)))
    c = a.astype(np.float64) @ b
    return Case((4, 3), (16, 16), [a, b, Out("f32", (m, n)), f"i32:{m}", f"i32:{n}", f"i32:{k}"],
                [(c, "f32", k * F32)])


@case
def gemm_mma(rng):
    m, n, k = 128, 128, 96
    a, b = (bf16_bits(rng.standard_normal(s)) for s in ((m, k), (k, n)))
    c = bf16_values(a).astype(np.float64) @ bf16_values(b)
    return Case((n // 64, m // 64), (128,), [a, b, Out("f32", (m, n)), f"i32:{n}", f"i32:{k}"],
                [(c, "f32", k * F32)])


@case
def gemm_wmma(rng):
    m, n, k = 32, 48, 64
    a, b = (rng.standard_normal(s).astype(np.float16) for s in ((m, k), (n, k)))
    c = 0.5 * (a.astype(np.float64) @ b.T.astype(np.float64))
    return Case((3,), (64,), [a, b, Out("f32", (m, n)), f"i32:{n}", f"i32:{k}"],
                [(c, "f32", k * F32)])


@case
def softmax(rng):
    x = (10 * rng.standard_normal((3, 300))).astype(np.float32)
    e = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    # __expf multiplies by log2(e) in single precision: |x| / 2 units more.
    return Case((3,), (96,), [x, Out("f32", x.shape), "i32:300"],
                [(e / e.sum(axis=1, keepdims=True), "f32", 64 * F32)])


@case
def scan(rng):
    x = rng.integers(0, 2**32, (2, 160), dtype=np.uint32)
    y = np.cumsum(x, axis=1, dtype=np.uint32)
    return Case((2,), (160,), [x, Out("u32", x.shape)], [(y, "u32", 0)])


@case
def histogram(rng):
    x = rng.integers(0, 256, 3000, dtype=np.uint8)
    bins = np.bincount(x % 64, minlength=64).astype(np.uint32)
    checksum = np.array([(int(x.sum()) << 32) + x.size], np.uint64)
    zeros = [InOut(np.zeros(64, np.uint32)), InOut(np.zeros(1, np.uint64)),
             InOut(np.zeros(1, np.int32))]
    return Case((3,), (96,), [x, "i32:3000", *zeros],
                [(bins, "u32", 0), (checksum, "u64", 0), (x.max(keepdims=True), "i32", 0)])


@case
def pipeline(rng):
    x = rng.standard_normal((2, 5 * 128 * 4), dtype=np.float32)
    return Case((2,), (128,), [x, Out("f32", x.shape), "i32:5"], [(2 * x + 1, "f32", F32)])


@case
def stencil(rng):
    n, weights = 300, [-1, 2, 0.5, 4, 0.25, -2, 1]
    x = rng.standard_normal(n, dtype=np.float32)
    y = np.correlate(np.pad(x.astype(np.float64), 3), weights, "valid")
    return Case((3,), (128,), [x, Out("f32", (n,)), f"i32:{n}"], [(y, "f32", 16 * F32)])


@case
def bitonic_sort(rng):
    x = rng.integers(-2**15, 2**15, (2, 256), dtype=np.int16)
    return Case((2,), (256,), [InOut(x)], [(np.sort(x, axis=1), "i16", 0)], shared=512)


@case
def warp_functions(rng):
    x = rng.integers(0, 256, 32, dtype=np.uint32)
    lanes = range(32)
    value = [int(v) for v in x]
    mask = lambda chosen: sum(1 << i for i in lanes if chosen(i))
    xors = 0
    for v in value:
        xors ^= v * 0x9e3779b9 % 2**32
    two = [i for i in lanes if value[i] & 2]
    out = []
    for i in lanes:
        up = value[i - 2] if i % 16 >= 2 else value[i]
        down = value[i + 5] if i + 5 < 32 else value[i]
        out.append([mask(lambda j: value[j] & 1), int(max(value) > 250) | 2,
                    mask(lambda j, i=i: value[j] % 5 == value[i] % 5), 0xffffffff,
                    sum(value), max(value) ^ min(value) << 16, xors,
                    value[two[0]] << 8 | len(two) if i in two else 0,
                    value[i // 8 * 8 + (i + 3) % 8], (up << 16 | down) % 2**32])
    return Case((1,), (32,), [x, Out("u32", (32, 10))], [(np.array(out, np.uint32), "u32", 0)])


@case
def packed_halves(rng):
    a, c = (rng.uniform(0.25, 4, (64, 2)).astype(np.float16) * rng.choice([-1, 1], (64, 2))
            for _ in range(2))
    a, c = a.astype(np.float16), c.astype(np.float16)
    x, y = a.astype(np.float64), c.astype(np.float64)
    low = np.repeat(y[:, :1], 2, axis=1)
    halves = np.stack([x * y + 0.5, np.maximum(x + y, -x), x / y,
                       np.minimum(np.clip(x * y, 0, 1), low)], axis=1)
    p, q = (bf16_values(bf16_bits(v)).astype(np.float64) for v in (a, c))
    brains = np.stack([p * q + q, p - q, np.maximum(p, q)], axis=1)
    dots = (x * q).sum(axis=1)
    return Case((1,), (64,), [a, c, Out("f16", (64, 4, 2)), Out("bf16", (64, 3, 2)),
                              Out("f32", (64,))],
                [(halves, "f16", 1.01 * F16), (brains, "bf16", 1.01 * BF16), (dots, "f32", 2 * F32)])


def hash_of(x):
    """The four results of hash.cu for one element."""
    full = 2**64 - 1
    signed = lambda v: v - 2**64 if v >> 63 else v
    truncated = lambda a, b: int(abs(a) // abs(b)) * (1 if a * b >= 0 else -1)
    z = (x + 0x9e3779b97f4a7c15) & full
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & full
    z = (z ^ z >> 27) * 0x94d049bb133111eb & full
    z ^= z >> 31
    rotated = (z << 13 | z >> 51) & full
    reversed_ = int(f"{x:064b}"[::-1], 2)
    s = signed(z)
    remainder = s - truncated(s, 12345) * 12345
    data = [z >> 8 * i & 255 for i in range(8)]
    permuted = sum(data[selector] << 8 * i for i, selector in enumerate([5, 2, 7, 0]))
    bits = ((64 - x.bit_length()) | bin(z).count("1") << 8
            | ((z & -z).bit_length()) << 16 | permuted << 24)
    return [z, ((z * x >> 64) + rotated + reversed_) & full,
            (z % 1000003 + z // 97 + truncated(s, -7) + remainder) & full, bits & full]


@case
def hash_(rng):
    x = rng.integers(0, 2**64, 100, dtype=np.uint64)
    x[:4] = [0, 1, 2**63, 2**64 - 1]
    y = np.array([hash_of(int(v)) for v in x], np.uint64)
    return Case((2,), (64,), [x, Out("u64", (100, 4)), "i32:100"], [(y, "u64", 0)])


@case
def device_functions(rng):
    x = rng.standard_normal((2, 48), dtype=np.float32)
    scale, shift, offset = 1.75, 3, 0.125
    distance, index = np.zeros(x.shape), np.zeros(x.shape, np.int32)
    for b in range(2):
        for t in range(48):
            values, target = x[b].astype(np.float32), np.float32(offset)
            if t % 3:
                values = x[b, t] + np.arange(8 + t % 16, dtype=np.float32)**2
                target = np.float32(np.float64(x[b, t]) + scale * t)
            best = np.abs(values - target)
            index[b, t] = np.argmin(best) << shift
            distance[b, t] = best.min()
    options = struct.pack("<fh2xd", scale, shift, offset).hex()
    return Case((2,), (48,), [x, Out("f32", x.shape), Out("i32", x.shape), f"bytes:{options}"],
                [(distance, "f32", 256 * F32), (index, "i32", 0)])


def dispatch(code, value, step):
    """One step of switch.cu on a signed number of 32 bits."""
    wrap = lambda v: (v + 2**31) % 2**32 - 2**31
    remainder = abs(value) % 1001 * (1 if value >= 0 else -1)
    return wrap([value + 17, value * 3, value ^ 0x55aa, value - step * step, abs(value),
                 int(f"{value % 2**32:032b}"[::-1], 2), value >> 3, remainder | 0x100, value | 0x100,
                 ~value, bin(value % 2**32).count("1") * 77][code])


@case
def switch(rng):
    codes = rng.integers(0, 11, 64, dtype=np.int32)
    codes[50] = 12
    x = rng.integers(-2**31, 2**31, 64, dtype=np.int32)
    y = np.full(64, -1, np.int32)
    for i, start in enumerate(x):
        value, steps = int(start), [int(codes[(i + step) % 64]) for step in range(9)]
        if 12 in steps:
            continue
        for step, code in enumerate(steps):
            value = dispatch(code, value, step)
        y[i] = value
    return Case((1,), (64,), [codes, x, InOut(np.full(64, -1, np.int32)), "i32:9"],
                [(y, "i32", 0)])


@case
def math_functions(rng):
    n = 100
    x = rng.uniform(-6, 6, n).astype(np.float32)
    x[:2] = [5.9999, -0.00123]
    v, m = x.astype(np.float64), np.abs(x.astype(np.float64))
    large = (x * np.float32(1000)).astype(np.float64)
    erf = np.array([math.erf(t) for t in v])
    y = np.stack([np.sin(large), np.cos(v), np.exp(v), np.log(m), m**1.7, np.tanh(v), erf,
                  m**-0.5, np.sqrt(m) / (v + 20),
                  np.arctan2(v, 2.5) + np.floor(v) + np.rint((x * np.float32(3)).astype(np.float64))],
                 axis=1)
    z = np.stack([np.exp(v) / (v * v + 1), np.sqrt(m) + np.sin(v), np.log(m) - np.cbrt(v)], axis=1)
    # The CUDA C++ Programming Guide lists at most 4 units for these functions.
    return Case((2,), (64,), [x, Out("f32", (n, 10)), Out("f64", (n, 3)), f"i32:{n}"],
                [(y, "f32", 8 * F32), (z, "f64", 8 * F64)])


@case
def library_sort(rng):
    keys = rng.integers(0, 2**32, (2, 512), dtype=np.uint32)
    keys[1] %= 7
    order = np.sort(keys, axis=1)
    scanned = np.cumsum(order, axis=1, dtype=np.uint32)
    total = scanned.sum(axis=1, dtype=np.uint32)
    return Case((2,), (128,), [keys, Out("u32", keys.shape), Out("u32", keys.shape),
                               Out("u32", (2,))],
                [(order, "u32", 0), (scanned, "u32", 0), (total, "u32", 0)])


@case
def llvm_switch(_):
    full, factor = 2**64 - 1, 6364136223846793005
    p = [t * factor & full for t in range(8)]
    y = [77, p[1] + 100 & full, p[2] >> 7, bin(p[3]).count("1"), p[4] % 1000003,
         (p[5] << 21 | p[5] >> 43) & full, -p[6] & full, -p[7] & full]
    return Case((1,), (8,), [Out("u64", (8,)), f"u64:{factor}"],
                [(np.array(y, np.uint64), "u64", 0)])


@case
def gemm_wgmma(rng):
    m, n, k = 200, 128, 320
    a, b = (bf16_bits(rng.standard_normal(s)) for s in ((m, k), (n, k)))
    product = bf16_values(a).astype(np.float64) @ bf16_values(b).T
    return Case((2, 2), (384,),
                [Map("64x64,swizzle=128,type=bf16", a), Map("64x64,swizzle=128,type=bf16", b),
                 Map("64x64,swizzle=128", Out("bf16", (m, n))), f"i32:{k // 64}"],
                [(product, "bf16", 2 * BF16)], shared=1 << 17)


@case
def attention_wgmma(rng):
    queries, keys, width = 128, 192, 64
    q, k, v = (bf16_bits(rng.standard_normal((n, width))) for n in (queries, keys, keys))
    scores = bf16_values(q).astype(np.float64) @ bf16_values(k).T / math.sqrt(width)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    out = weights / weights.sum(axis=1, keepdims=True) @ bf16_values(v)
    box = "64x64,swizzle=128,type=bf16"
    # The weights are rounded to bfloat16 once.
    return Case((queries // 64,), (160,),
                [Map(box, q), Map(box, k), Map(box, v), Out("f32", (queries, width)),
                 f"i32:{keys // 64}"], [(out, "f32", BF16)], shared=1 << 16)
