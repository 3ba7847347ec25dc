# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What a result depends on besides the code: machine, versions, revision, date."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import mta
from mta.compiler import library_version

REPOSITORY = Path(__file__).resolve().parents[2]


def describe() -> dict[str, object]:
    """As written to the result's JSON."""
    return {
        "date": datetime.date.today().isoformat(),
        "revision": _git("rev-parse", "HEAD"),
        "modified": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "cpu": _field(Path("/proc/cpuinfo"), "model name"),
        "cpu_features": [word for word in ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
                         if word in _field(Path("/proc/cpuinfo"), "flags").split()],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "load_at_start": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "mta": mta.__version__,
        "compiler_library": library_version(),
        **{name: importlib.metadata.version(name) for name in ("numpy", "torch")},
    }


def memory_bytes() -> int:
    """Of the machine."""
    return int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) * 1024


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    return result.stdout.strip() if result.returncode == 0 else "unknown"
