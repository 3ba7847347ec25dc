# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""One kernel: compiled, assembled, run in the emulator, counted."""

import itertools
import json
import math
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mta
from mta import compiler
from mta.check import measure
from mta.contract import Function
from mta.dtypes import numpy_dtype
from mta.program import HeadMix, KeyQueryConv, Softmax

#: What schedules are chosen for: batch, heads and tokens.
SIZES = (4, 16, 4096)

REPOSITORY = Path(__file__).resolve().parents[2]
#: GPUs whose speed of light is estimated, by chip.
GPUS = {"sm_80": "a100-sxm", "sm_90a": "h100-sxm"}
#: Keys of the counted run: whole tiles with the columns by which results trail.
KEYS = 16 * 64 - 16
#: Workgroups of the counted run.
WORKGROUPS = 3


@dataclass(frozen=True)
class Case:
    """A preset for a chip; counted with as many heads as share a workgroup."""

    program: str
    heads: int
    head_dim: int
    dtype: str
    chip: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.program} D={self.head_dim} {self.dtype} {self.chip}"

    def attention(self, **fields) -> mta.Attention:
        """Of the preset."""
        return mta.Attention.preset(self.program, self.heads, self.head_dim,
                                    **{"dtype": self.dtype, **fields})

    def whole(self) -> mta.Attention:
        """Of the preset with all heads of a layer."""
        return mta.Attention.preset(self.program, SIZES[1], self.head_dim, dtype=self.dtype)

    def options(self) -> dict[str, int | str]:
        """Of the target `ptx`: the chip and the schedule that is chosen for usual sizes."""
        batch, _, length = SIZES
        module = compiler.Module.parse(self.whole().to_mlir(batch, length, length))
        module.run_pipeline(f"builtin.module(mta-choose-kernel-schedule{{chip={self.chip}}})")
        text = re.search(r"kernel_schedule\(<(.*?)>\)", str(module)).group(1)
        fields = dict(field.split(" = ") for field in text.split(", "))
        # Few workgroups are counted, which would share their keys with others.
        return {"chip": self.chip, "key_splits": 1,
                **{name: int(x) if x.isdigit() else x for name, x in fields.items()}}


def measure_case(case: Case) -> dict:
    """A row of the result; with `error` alone where the compiler refuses."""
    row = {**vars(case)}
    try:
        options = case.options()
        # Processor time: how busy the machine is does not count.
        start = time.process_time()
        compiled = mta.compile(case.whole(), "ptx", options={"chip": case.chip})
        row["ptx_seconds"] = time.process_time() - start
    except mta.CompileError as error:
        return {**row, "error": error.diagnostics.splitlines()[0]}
    row["schedule"] = options
    row["external_functions"] = len(re.findall(r"^\.extern \.func", compiled.ptx, re.MULTILINE))
    row["ptx_version"] = compiled.contract.ptx_version
    row |= _assemble(compiled.ptx, case.chip)
    row |= _check(case, options)
    row |= _count(case, options)
    return row


def _tool(name: str) -> str:
    build = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))
    return str(build / "bin" / name)


def _children_seconds() -> float:
    """Processor time of finished processes."""
    times = os.times()
    return times.children_user + times.children_system


def _assemble(ptx: str, chip: str) -> dict:
    """What ptxas says of the kernel with the most registers."""
    ptxas = os.environ.get("PTXAS", "ptxas")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.ptx"
        path.write_text(ptx, encoding="utf-8")
        start = _children_seconds()
        text = subprocess.run([ptxas, "-v", f"-arch={chip}", path, "-o", os.devnull],
                              capture_output=True, text=True, check=True).stderr
        seconds = _children_seconds() - start

    def largest(pattern: str) -> int:
        return max((int(number) for number in re.findall(pattern, text)), default=0)

    return {"cubin_seconds": seconds, "registers": largest(r"Used (\d+) registers"),
            "spill_bytes": largest(r"(\d+) bytes spill stores"),
            "stack_bytes": largest(r"(\d+) bytes stack frame"),
            "warnings": re.findall(r"^.*warning.*$", text, re.MULTILINE | re.IGNORECASE)}


def _check(case: Case, options: dict) -> dict:
    """Against float64, and with copies that land at once and at the last moment."""
    length = 200
    arguments = _arguments(case.attention(), length, length)
    outputs = [mta.compile(case.attention(), "ptx", options={
        **options, "lazy_copies": lazy})(**arguments) for lazy in (0, 1)]
    expected = mta.compile(case.attention(dtype="f64"), "numpy")(
        **{name: x.astype(np.float64) for name, x in arguments.items()})
    return {"error_to_float64": measure(outputs[0], expected).relative,
            "eager_is_lazy": outputs[0].tobytes() == outputs[1].tobytes()}


def _shapes(attention: mta.Attention, queries: int, keys: int) -> dict[str, tuple[int, ...]]:
    return {"q": (1, attention.heads, queries, attention.head_dim),
            "k": (1, attention.kv_heads, keys, attention.head_dim),
            "v": (1, attention.kv_heads, keys, attention.value_dim), **attention.weight_shapes}


def _arguments(attention: mta.Attention, queries: int, keys: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {name: generator.standard_normal(shape).astype(attention.numpy_dtype)
            for name, shape in _shapes(attention, queries, keys).items()}


def _count(case: Case, options: dict) -> dict:
    """Counters of a few workgroups with all keys allowed, and what they ought to be."""
    attention = case.attention(causal=False)
    own = _own_rows(attention, options)
    queries = WORKGROUPS * own
    compiled = mta.compile(attention, "ptx", batch=1, queries=queries, keys=KEYS, options=options)
    function = compiled.contract.function("attention")
    kernel = function.kernels[0]
    with tempfile.TemporaryDirectory() as folder:
        counters, estimate = _run_counted(compiled.ptx, function, Path(folder),
                                          _arguments(attention, queries, KEYS), case.chip)
    total = counters["total"]
    work = _work(attention, options["rows"])
    read = _bytes_to_read(attention, queries)
    return {
        "kernels": len(function.kernels),
        "threads": int(np.prod(kernel.block)),
        "workgroup_bytes": kernel.static_workgroup_bytes + kernel.dynamic_workgroup_bytes,
        "queries_of_workgroup": own,
        "matrix_work": total["multiply_adds"] / (WORKGROUPS * work),
        "bank_conflicts": total["shared_bank_conflicts"] / max(total["shared_wavefronts"], 1),
        "global_reads": 32 * total["global_sectors_read"] / read,
        "pipes": {name: pipe["cycles"] for name, pipe in estimate["pipes"].items()},
        "limit": estimate["limit"], "gpu": estimate["gpu"],
    }


def _run_counted(ptx: str, function: Function, folder: Path, arguments: dict[str, np.ndarray],
                 chip: str) -> tuple[dict, dict]:
    sizes = function.bind({name: x.shape for name, x in arguments.items()})
    buffers = {buffer.name: buffer for buffer in function.buffers}
    kernel = function.kernels[0]
    words = []
    for parameter in kernel.parameters:
        if parameter.buffer is None:
            raise ValueError(f"{kernel.entry}: expects static sizes, but got {parameter.value}")
        buffer = buffers[parameter.buffer]
        path = folder / f"{parameter.buffer}.npy"
        if parameter.buffer in arguments:
            array = arguments[parameter.buffer]
            np.save(path, array if array.dtype.kind == "f" else array.view(np.uint16))
            words.append(f"in:{path}")
        else:
            element = "u16" if numpy_dtype(buffer.type).itemsize == 2 else buffer.type
            shape = "x".join(map(str, buffer.shape_of(sizes)))
            words.append(f"out:{path}:{element}:{shape}")
    (folder / "kernel.ptx").write_text(ptx, encoding="utf-8")
    subprocess.run(
        [_tool("mta-ptx-run"), folder / "kernel.ptx", "--entry", kernel.entry, "--quiet",
         "--grid", ",".join(map(str, kernel.grid_of(sizes))),
         "--block", ",".join(map(str, kernel.block)),
         "--shared", str(kernel.dynamic_workgroup_bytes), "--counters", folder / "counters.json",
         "--gpu", GPUS[chip], "--estimate", folder / "estimate.json", "--args", *words],
        check=True)
    return tuple(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
                 for name in ("counters", "estimate"))


def _steps(attention: mta.Attention) -> tuple[list, list]:
    """Score operations before and after the softmax."""
    ops = list(attention.program)
    softmax = next(i for i, op in enumerate(ops) if isinstance(op, Softmax))
    return ops[:softmax], ops[softmax + 1:]


def _halo(attention: mta.Attention) -> int:
    """Rows above its own that a result reads."""
    return sum(op.cq - 1 for op in attention.program if isinstance(op, KeyQueryConv))


def _own_rows(attention: mta.Attention, options: dict) -> int:
    """Queries that a workgroup stores: as many as one workgroup is launched for."""
    compiled = mta.compile(attention, "ptx", batch=1, options=options)
    function = compiled.contract.function("attention")

    def workgroups(queries: int) -> int:
        sizes = function.bind(_shapes(attention, queries, 1))
        return math.prod(function.kernels[0].grid_of(sizes))

    return next(queries for queries in itertools.count(1) if workgroups(queries + 1) > 1)


def _work(attention: mta.Attention, rows: int) -> float:
    """Multiply-adds of a workgroup on tensor cores, per the design's table.

    A convolution is a band of 24 for every query of the window, a mix as many
    as there are heads in it; every sweep counts what it needs, for all rows of
    the tile, its halo included.
    """
    before, after = _steps(attention)

    def cost(ops) -> int:
        return sum(24 * op.cq if isinstance(op, KeyQueryConv) else op.group
                   for op in ops if isinstance(op, (KeyQueryConv, HeadMix)))

    score = attention.head_dim + cost(before)
    sweeps = 2 * score + cost(after) if after else score
    return attention.heads * rows * KEYS * (sweeps + attention.value_dim)


def _bytes_to_read(attention: mta.Attention, queries: int) -> int:
    """What the tiling has to read: own and halo queries once, keys once a sweep, values once."""
    _, after = _steps(attention)
    # The first workgroup has no queries above its own.
    rows = queries + (WORKGROUPS - 1) * _halo(attention)
    sweeps = 2 if after else 1
    size = attention.numpy_dtype.itemsize
    keys = WORKGROUPS * KEYS * (sweeps * attention.head_dim + attention.value_dim)
    weights = sum(int(np.prod(shape)) for shape in attention.weight_shapes.values())
    return size * (attention.heads * rows * attention.head_dim + attention.kv_heads * keys
                   + WORKGROUPS * weights)
