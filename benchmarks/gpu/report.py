# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A run's result in words and tables."""

#: Plain attention of the same shape: the goal is a ratio to the faster one.
PLAIN = ("sdpa-cudnn", "sdpa-flash")


def markdown(result: dict) -> str:
    """The whole result."""
    facts = result["machine"]
    kernels = facts["kernels"]
    lines = [
        f"# GPU benchmark of {facts['date']}", "",
        f"{facts['gpu']} (compute capability {facts['capability']}, {facts['multiprocessors']} "
        f"multiprocessors), driver {facts['driver']}, "
        + ", ".join(f"{name} {facts[name]}" for name in
                    ("torch", "triton", "liger_kernel", "numpy", "python") if name in facts)
        + f"; kernels of MTA {kernels['mta']} at `{kernels['revision'][:12]}` for "
        f"{kernels['chip']}.", "",
        *_checks(result["checks"]), "", *_times(result["times"]),
    ]
    return "\n".join(lines) + "\n"


def _checks(checks: list[dict]) -> list[str]:
    lines = ["## Errors against float64", "",
             "The largest relative error over the lengths, with normal and with large logits.", "",
             "| kernel | normal | large | |", "|---|---:|---:|---|"]
    for kernel in dict.fromkeys(check["kernel"] for check in checks):
        own = [check for check in checks if check["kernel"] == kernel]
        worst = [_worst(check["error"] for check in own if (check["factor"] > 1) == large)
                 for large in (False, True)]
        verdict = "passed" if all(check["passed"] for check in own) else "**failed**"
        lines.append(f"| {kernel} | {worst[0]:.1e} | {worst[1]:.1e} | {verdict} |")
    return lines


def _worst(errors) -> float:
    """The largest; NaN counts as larger than anything."""
    return max(errors, key=lambda error: float("inf") if error != error else error)


def _times(times: list[dict]) -> list[str]:
    if not times:
        return []
    lines = ["## Times", "",
             "Forward, causal. `x` is a peer's time divided by ours, the median of the ratios within "
             "a repetition; of plain attention, ours divided by the faster one. Rates count the "
             "useful operations of allowed scores.", "",
             "| program | D | N | B | ours ms | TFLOP/s | of plain attention | eager x | compile x "
             "| liger x | eager MiB | workspace MiB |", "|---|" + "---:|" * 11]
    lines += [line(row) for row in times]
    skipped = {f"{peer}: {reason}" for row in times for peer, reason in row["skipped"].items()}
    return lines + ["", "Skipped:", "", *(f"- {text}" for text in sorted(skipped))]


def line(row: dict) -> str:
    """A row of the table."""
    own, ratios = row["milliseconds"]["ours"], row["ratio_to_ours"]
    plain = [1 / ratios[name] for name in PLAIN if name in ratios]

    def number(value, form: str) -> str:
        return "-" if value is None else format(value, form)

    peak = row.get("peak_bytes", {}).get("eager")
    fields = [row["program"], row["head_dim"], row["length"], row["batch"], f"{own:.3f}",
              f"{row['operations'] / own / 1e9:.0f}",
              number(max(plain) if plain else None, ".2f"),
              *(number(ratios.get(name), ".1f") for name in ("eager", "torch-compile", "liger")),
              number(peak / 2**20 if peak is not None else None, ".0f"),
              f"{row['workspace_bytes'] / 2**20:.0f}"]
    return f"| {' | '.join(map(str, fields))} |"
