# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Checks kernels on a GPU against float64, then times them beside PyTorch.

    python benchmarks/gpu/run.py kernels [--quick] [--check-only] [--output FOLDER]

`kernels` is what `build.py` wrote, elsewhere. Needs Python, NumPy, ml_dtypes,
cuda-bindings and a CUDA driver; no compiler and no CUDA toolkit. The peers are
skipped without PyTorch. Writes gpu-DATE.json and .md.
"""

import argparse
import datetime
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import mta  # noqa: E402
import report  # noqa: E402
from configurations import Configuration  # noqa: E402
from mta.check import TOLERANCES, measure  # noqa: E402
from mta.contract import Contract  # noqa: E402
from mta.dtypes import numpy_dtype  # noqa: E402

#: Sizes of the checks: a row, less than a tile, around tiles, several tiles.
CHECKED = (1, 63, 128, 193, 515)
#: Tokens of a timed call; the batch is as large as the length leaves.
TOKENS = 16384
INPUT_SETS = 3


def main() -> int:
    """0 when every kernel is right, 1 when one is not, 2 when nothing could be run."""
    options = _parse()
    try:
        manifest = json.loads((options.kernels / "manifest.json").read_text(encoding="utf-8"))
        import driver
        device = driver.Device()
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except driver.DriverError as error:
        print(f"error: no GPU to run on: {error}", file=sys.stderr)
        return 2
    facts = {"date": datetime.date.today().isoformat(), **device.describe(), **_versions(),
             "kernels": {name: manifest[name] for name in ("chip", "revision", "mta")}}
    result = {"machine": facts, "checks": [], "times": []}
    kernels = _load(driver, options, manifest, result)
    for configuration, entry in kernels.items():
        _check(device, configuration, entry, result)
    wrong = [check for check in result["checks"] if not check["passed"]]
    if not options.check_only:
        _time(device, kernels, options, result)
    _write(options.output, facts["date"], result)
    print(report.markdown(result))
    return int(bool(wrong))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kernels", type=Path, metavar="FOLDER", help="what build.py wrote")
    parser.add_argument("--output", type=Path, default=Path("."), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="N = 4096 only, fewer repetitions")
    parser.add_argument("--check-only", action="store_true")
    parser.add_argument("--lengths", nargs="+", type=int)
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--peers", nargs="*", help="of sdpa-cudnn, sdpa-flash, eager, "
                                                   "torch-compile, liger; all by default")
    parser.add_argument("--compile-lengths", nargs="*", type=int, default=[4096],
                        help="lengths at which torch.compile is timed; each takes a minute")
    parser.add_argument("--only", help="part of the names of the kernels to run")
    options = parser.parse_args()
    options.lengths = options.lengths or ([4096] if options.quick else [2048, 4096, 8192, 16384])
    options.repetitions = options.repetitions or (10 if options.quick else 30)
    return options


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0], "numpy": np.__version__, "mta": mta.__version__}
    try:
        import peers
        return {**found, **peers.versions()}
    except ImportError:
        return found


def _load(driver, options, manifest: dict, result: dict) -> dict:
    kernels = {}
    for fields in manifest["kernels"]:
        configuration = Configuration(**fields)
        if options.only and options.only not in configuration.name:
            continue
        path = options.kernels / f"{configuration.name}.json"
        contract = Contract.parse(path.read_text(encoding="utf-8"))
        ptx = path.with_suffix(".ptx").read_text(encoding="utf-8")
        start = time.perf_counter()
        kernels[configuration] = driver.Kernels(ptx, contract.function("attention"))
        result.setdefault("resources", {})[configuration.name] = {
            "seconds_to_load": time.perf_counter() - start,
            "kernels": kernels[configuration].resources()}
    return kernels


def _arguments(attention: mta.Attention, batch: int, length: int, seed: int) -> dict:
    generator = np.random.default_rng(seed)
    rows = {"q": attention.heads, "k": attention.kv_heads, "v": attention.kv_heads}
    shapes = {name: (batch, heads, length, attention.head_dim) for name, heads in rows.items()}
    return {name: generator.standard_normal(shape, dtype=np.float32).astype(attention.numpy_dtype)
            for name, shape in {**shapes, **attention.weight_shapes}.items()}


def _place(device, function, arrays: dict, sizes: dict) -> dict[str, int]:
    """Addresses of all buffers of a contract."""
    addresses = {}
    for buffer in function.buffers:
        if buffer.kind == "input":
            addresses[buffer.name] = device.upload(arrays[buffer.name])
            continue
        count = int(np.prod(buffer.shape_of(sizes))) * numpy_dtype(buffer.type).itemsize
        addresses[buffer.name] = device.allocate(count)
        if buffer.must_be_zero:
            device.clear(addresses[buffer.name], count)
    return addresses


def _check(device, configuration: Configuration, kernels, result: dict) -> None:
    """One row for every size, with normal and with large logits."""
    attention, function = configuration.attention, kernels.function
    exact = mta.compile(_in_float64(configuration), "numpy")
    for length in CHECKED:
        for factor in (1, 8):
            arrays = _arguments(attention, 2 if length < 100 else 1, length, seed=length)
            arrays["q"] = (arrays["q"].astype(np.float32) * factor).astype(arrays["q"].dtype)
            sizes = function.bind({name: x.shape for name, x in arrays.items()})
            addresses = _place(device, function, arrays, sizes)
            kernels.launcher(addresses, sizes)()
            device.synchronize()
            output = function.of_kind("output")[0]
            got = device.download(addresses[output.name], output.shape_of(sizes),
                                  numpy_dtype(output.type))
            device.free_all()
            expected = exact(**{name: x.astype(np.float64) for name, x in arrays.items()})
            error = measure(got, expected).relative
            # A NaN is wrong, too.
            passed = bool(error <= TOLERANCES[configuration.dtype])
            result["checks"].append({"kernel": configuration.name, "length": length,
                                     "factor": factor, "error": error, "passed": passed})
            if not passed:
                print(f"WRONG: {configuration.name} N={length} factor {factor}: error {error:.2e}",
                      file=sys.stderr, flush=True)
    print(f"checked {configuration.name}", file=sys.stderr, flush=True)


def _in_float64(configuration: Configuration) -> mta.Attention:
    fields = {**vars(configuration), "dtype": "f64"}
    return Configuration(**fields).attention


def _time(device, kernels: dict, options, result: dict) -> None:
    try:
        import timing
    except ImportError as error:
        print(f"no peers, hence no times: {error}", file=sys.stderr)
        return
    for configuration, entry in kernels.items():
        for length in options.lengths:
            batch = max(1, TOKENS // length)
            row = timing.time_cell(device, configuration, entry, batch, length, options,
                                   [_arguments(configuration.attention, batch, length, seed)
                                    for seed in range(INPUT_SETS)])
            result["times"].append(row)
            print(report.line(row), file=sys.stderr, flush=True)


def _write(folder: Path, date: str, result: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"json": json.dumps(result, indent=1) + "\n", "md": report.markdown(result)}
    for ending, text in texts.items():
        path = folder / f"gpu-{date}.{ending}"
        temporary = path.with_name(f"{path.name}.tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
