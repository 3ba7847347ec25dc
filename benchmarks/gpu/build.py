# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Builds the kernels that `run.py` checks and times, where the compiler is.

    python benchmarks/gpu/build.py --chip sm_90a --output kernels

writes NAME.ptx and NAME.json, the launch contract, for every configuration, and
manifest.json, which names them and the revision. Batch and lengths are open.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import mta
from configurations import HEAD_DIMS, PROGRAMS, Configuration, configurations

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    """Builds everything; 1 when a configuration is not supported, which is said."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chip", default="sm_90a")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=PROGRAMS)
    parser.add_argument("--head-dims", nargs="+", type=int, default=HEAD_DIMS)
    parser.add_argument("--dtypes", nargs="+", choices=("bf16", "f16", "f32"), default=["bf16"])
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    built, failed = [], []
    for configuration in configurations(options.programs, options.head_dims, options.dtypes):
        try:
            _build(configuration, options.chip, options.output)
            built.append(vars(configuration))
        except mta.CompileError as error:
            failed.append({**vars(configuration), "error": error.diagnostics.splitlines()[0]})
            print(f"{configuration.name}: {failed[-1]['error']}", file=sys.stderr)
    manifest = {"chip": options.chip, "revision": _revision(), "mta": mta.__version__,
                "kernels": built, "failed": failed}
    _write(options.output / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    print(f"{len(built)} built, {len(failed)} failed")
    return int(bool(failed))


def _build(configuration: Configuration, chip: str, output: Path) -> None:
    compiled = mta.compile(configuration.attention, "ptx", options={"chip": chip})
    _write(output / f"{configuration.name}.ptx", compiled.ptx)
    _write(output / f"{configuration.name}.json", compiled.contract_text)


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def _revision() -> str:
    git = ["git", "-C", str(REPOSITORY)]
    result = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run([*git, "status", "--porcelain", "--untracked-files=no"],
                             capture_output=True, text=True).stdout.strip()
    return result.stdout.strip() + ("-modified" if changed else "") or "unknown"


if __name__ == "__main__":
    sys.exit(main())
