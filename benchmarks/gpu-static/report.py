# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The gates, a run's rows as a table, and the speed of light as a picture."""

import importlib.metadata
import os
import subprocess
from pathlib import Path

import mta
from mta.check import TOLERANCES

#: Pipes that are drawn, in this order.
PIPES = ("tensor", "shared", "issue", "special", "float32", "integer", "l2", "dram")

#: Name, what of a row, and the largest value allowed.
GATES = (
    ("spills", "spill_bytes", 0),
    ("external functions", "external_functions", 0),
    ("matrix work", "matrix_work", 1.15),
    ("bank conflicts", "bank_conflicts", 0.05),
    ("global reads", "global_reads", 1.10),
    ("to PTX", "ptx_seconds", 1.0),
    ("to cubin", "cubin_seconds", 5.0),
)


def failures(row: dict) -> list[str]:
    """The gates that do not hold."""
    if "error" in row:
        return [f"is not compiled: {row['error']}"]
    found = [f"{name} {row[field]:.3g} > {bound}" for name, field, bound in GATES
             if not row[field] <= bound]
    if not row["error_to_float64"] <= TOLERANCES[row["dtype"]]:
        found.append(f"error {row['error_to_float64']:.1e}")
    if not row["eager_is_lazy"]:
        found.append("copies that land later change the result")
    return found + row["warnings"]


def versions() -> dict[str, str]:
    """Of what made the result."""
    def say(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    repository = str(Path(__file__).resolve().parents[2])
    changed = say("git", "-C", repository, "status", "--porcelain", "--untracked-files=no")
    return {
        "mta": mta.__version__,
        "revision": say("git", "-C", repository, "rev-parse", "HEAD")[:12]
        + (" with changes" if changed else ""),
        "ptxas": say(os.environ.get("PTXAS", "ptxas"), "--version").splitlines()[-2],
        "numpy": importlib.metadata.version("numpy"),
    }


def markdown(result: dict) -> str:
    """The whole result."""
    bounds = ", ".join(f"{name} ≤ {bound}" for name, _, bound in GATES)
    lines = [
        f"# GPU kernels of {result['date']}, without a GPU", "",
        f"MTA {result['mta']} at `{result['revision']}`; {result['ptxas']}; counters of the "
        "emulator for three workgroups and 1008 keys that are all allowed.", "",
        f"Gates: {bounds}; errors within the type's tolerance; the same bits whenever copies land. "
        "Matrix work is relative to the tile's: D and Dv for the products with keys and values, "
        "6 × 24 for a convolution, the heads of a group for a mix, in every sweep that needs them. "
        "Global reads are sectors relative to queries, keys and values once a sweep. Cycles are the "
        "speed of light, for the counted workgroups spread over the whole GPU, of the pipe that "
        "limits and of the tensor cores. Times are those of a processor. Schedules are those for "
        "B=4, H=16, N=4096.", "",
        "| program | D | type | chip | registers | spilled | KiB | matrix work | conflicts | reads "
        "| error | PTX s | cubin s | limit | cycles | tensor | |",
        "|---|---:|---|---|" + "---:|" * 9 + "---|---:|---:|---|",
    ]
    lines += [_line(row) for row in result["rows"]]
    failed = [f"- {row['program']} D={row['head_dim']} {row['dtype']} {row['chip']}: {text}"
              for row in result["rows"] for text in failures(row)]
    if failed:
        lines += ["", "Gates that do not hold:", "", *failed]
    return "\n".join(lines) + "\n"


def _line(row: dict) -> str:
    start = [row["program"], row["head_dim"], row["dtype"], row["chip"]]
    if "error" in row:
        return f"| {' | '.join(map(str, start))} |{' - |' * 12} **failed** |"
    cycles = row["pipes"]
    fields = [
        *start, row["registers"], row["spill_bytes"], f"{row['workgroup_bytes'] / 1024:.0f}",
        f"{row['matrix_work']:.2f}", f"{row['bank_conflicts']:.1%}", f"{row['global_reads']:.2f}",
        f"{row['error_to_float64']:.1e}", f"{row['ptx_seconds']:.2f}",
        f"{row['cubin_seconds']:.2f}", row["limit"], f"{cycles[row['limit']]:.0f}",
        f"{cycles['tensor']:.0f}", "**failed**" if failures(row) else "passed"]
    return f"| {' | '.join(map(str, fields))} |"


def plot(result: dict, stem: Path) -> None:
    """Writes `stem`.svg and .png: every pipe's part of the time of the one that limits."""
    import matplotlib

    matplotlib.use("Agg")
    # The same file for the same numbers.
    matplotlib.rcParams["svg.hashsalt"] = "mta"
    from matplotlib import pyplot

    rows = [row for row in result["rows"] if "pipes" in row]
    gpus = list(dict.fromkeys(row["gpu"] for row in rows))
    figure, axes = pyplot.subplots(1, max(len(gpus), 1), squeeze=False, sharex=True,
                                   figsize=(6.5 * max(len(gpus), 1), 0.55 * len(rows) + 1.5))
    for axis, gpu in zip(axes[0], gpus):
        own = [row for row in rows if row["gpu"] == gpu]
        height = 0.8 / len(PIPES)
        for place, pipe in enumerate(PIPES):
            axis.barh([index + place * height for index in range(len(own))],
                      [row["pipes"][pipe] / row["pipes"]["tensor"] for row in own], height,
                      label=pipe)
        axis.axvline(1.0, color="black", linewidth=0.8)
        axis.set_yticks([index + 0.4 for index in range(len(own))],
                        [f"{row['program']} {row['head_dim']}" for row in own])
        axis.invert_yaxis()
        axis.set_xlabel("cycles over those of the tensor cores")
        axis.set_title(gpu)
    axes[0][0].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(stem.with_suffix(".png"), dpi=120)
    pyplot.close(figure)
