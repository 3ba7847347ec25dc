# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A run's rows as a Markdown table and as a plot."""

import gates
from cell import Cell
from rows import Rows

_NAMES = {"cpu": "MTA, cpu", "reference": "MTA, reference", "eager": "PyTorch eager",
          "torch-compile": "torch.compile", "flash": "PyTorch flash SDPA, no convolution"}
_MARKERS = dict(zip(_NAMES, "osv^D"))


def markdown(result: dict) -> str:
    """The whole result in words and one table."""
    rows, facts = Rows(result), result["machine"]
    lines = [
        f"# CPU benchmark of {facts['date']}", "",
        f"{facts['cpu']}, {facts['cores']} cores ({', '.join(facts['cpu_features'])}), "
        f"{facts['memory_gib']} GiB, {facts['system']}, load {facts['load_at_start']} at the "
        f"start; PyTorch {facts['torch']}, NumPy {facts['numpy']}, Python {facts['python']}, MTA "
        f"{facts['mta']} at `{facts['revision'][:12]}`"
        f"{' with changes' if facts['modified'] else ''}.", "",
        "f32, B=1, H=16, causal. Peers of a cell run side by side, repetition by repetition; times "
        "are medians, `x` is a peer's time divided by ours, the median of the ratios within a "
        "repetition. Rate: useful operations of allowed scores only, 2·(2D+66) for pre-conv, and "
        f"its part of the best f32 product of {result['gemm_size']}² matrices (OpenBLAS or "
        "PyTorch). Memory: "
        "the first call's peak beyond inputs and output.", "",
        "| program | D | N | threads | ours ms | GFLOP/s | of GEMM | over 1 thread | eager x "
        "| compile x | flash x | reference x | ours MiB | eager MiB |",
        "|---|" + "---:|" * 13,
    ]
    for cell in rows.cells:
        lines += [_line(rows, cell, threads) for threads in rows.threads]
    lines += ["", "The worst measurement counts:", "", "| gate | bound | worst | where | |",
              "|---|---:|---:|---|---|"]
    lines += [f"| {gate['gate']} | {gate['bound']} | {gate['worst']} | {gate['where']} | "
              f"{_verdict(gate)} |" for gate in gates.judge(rows)]
    lines += ["", "Skipped:", ""]
    lines += [f"- {reason} ({'; '.join(places)})" for reason, places in rows.skipped().items()]
    return "\n".join(lines) + "\n"


def _verdict(gate: dict[str, object]) -> str:
    if gate["worst"] == "-":
        return "not measured"
    return "passed" if gate["passed"] else "**failed**"


def _line(rows: Rows, cell: Cell, threads: int) -> str:
    seconds = rows.get(cell, threads, "cpu", "median_seconds")
    rate, part = rows.rate(cell, threads), rows.gemm_part(cell, threads)
    ratios = [_number(rows.get(cell, threads, peer, "ratio_to_cpu"), ".2f")
              for peer in ("eager", "torch-compile", "flash", "reference")]
    memory = [_number(rows.get(cell, threads, peer, "extra_mib"), ".0f")
              for peer in ("cpu", "eager")]
    speedup = f"{rows.speedup(cell, threads):.2f}x" if threads != rows.threads[0] else "-"
    fields = [cell.program, cell.head_dim, cell.length, threads, f"{seconds * 1e3:.1f}",
              f"{rate / 1e9:.1f}", f"{part:.0%}", speedup, *ratios, *memory]
    return f"| {' | '.join(map(str, fields))} |"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def plot(result: dict, stem) -> None:
    """Writes `stem`.svg and .png: time over length, a panel for each program and D."""
    import matplotlib

    matplotlib.use("Agg")
    # The same file for the same numbers.
    matplotlib.rcParams["svg.hashsalt"] = "mta"
    from matplotlib import pyplot

    rows, facts = Rows(result), result["machine"]
    threads = rows.threads[-1]
    panels = list(dict.fromkeys((cell.program, cell.head_dim) for cell in rows.cells))
    figure, axes = pyplot.subplots(1, len(panels), figsize=(4.2 * len(panels), 4.4), sharey=True,
                                   squeeze=False, layout="constrained")
    for axis, (program, head_dim) in zip(axes[0], panels):
        cells = [c for c in rows.cells if (c.program, c.head_dim) == (program, head_dim)]
        _draw_panel(axis, rows, cells, threads)
        axis.set_title(f"{program}, D = {head_dim}")
    axes[0][0].set_ylabel("seconds, median")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(f"f32, causal, H = 16, {threads} threads, {facts['cpu']}, {facts['date']}",
                    fontsize=10)
    for suffix in (".svg", ".png"):
        metadata = {"Date": None} if suffix == ".svg" else None
        figure.savefig(stem.with_name(stem.name + suffix), dpi=150, metadata=metadata)
    pyplot.close(figure)


def _draw_panel(axis, rows: Rows, cells: list[Cell], threads: int) -> None:
    for peer, name in _NAMES.items():
        points = [(c.length, rows.get(c, threads, peer, "median_seconds")) for c in cells]
        points = [point for point in points if point[1] is not None]
        if points:
            axis.plot(*zip(*points), marker=_MARKERS[peer], label=name,
                      linewidth=2.4 if peer == "cpu" else 1.2)
    lengths = [cell.length for cell in cells]
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(lengths, [str(length) for length in lengths])
    axis.minorticks_off()
    axis.set_xlabel("N")
    axis.grid(alpha=0.3)
