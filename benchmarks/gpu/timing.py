# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""One program, head dimension and length: ours and every peer, in turn.

A repetition calls each of them once, on the next of several sets of inputs, so
that nobody finds its operands in the cache. Times are medians; ratios are
medians of the ratios within a repetition.
"""

import statistics

import torch

import peers
from driver import Timer
from mta.contract import Function

WARM_UP = 3


def time_cell(device, configuration, kernels, batch: int, length: int, options,
              arguments: list[dict]) -> dict:
    """A row of the result."""
    row = {"kernel": configuration.name, "program": configuration.program,
           "head_dim": configuration.head_dim, "dtype": configuration.dtype, "batch": batch,
           "length": length, "operations": batch * configuration.operations(length),
           "skipped": {}}
    sets = [_tensors(configuration.dtype, arrays) for arrays in arguments]
    calls = {"ours": [_ours(kernels, tensors, row) for tensors in sets]}
    for peer in peers.PEERS if options.peers is None else options.peers:
        if peer == "torch-compile" and length not in options.compile_lengths:
            continue
        built = _peer(peer, configuration.attention, sets, row)
        if built:
            calls[peer] = built
    timer = Timer()
    times = {name: [] for name in calls}
    for repetition in range(WARM_UP + options.repetitions):
        for name, sets_of in calls.items():
            work = sets_of[repetition % len(sets_of)]
            elapsed = timer.milliseconds(work)
            if repetition >= WARM_UP:
                times[name].append(elapsed)
    row["milliseconds"] = {name: statistics.median(values) for name, values in times.items()}
    row["ratio_to_ours"] = {
        name: statistics.median(a / b for a, b in zip(values, times["ours"]))
        for name, values in times.items() if name != "ours"}
    row["all_milliseconds"] = times
    del calls, sets
    torch.cuda.empty_cache()
    return row


def _tensors(dtype: str, arrays: dict) -> dict[str, torch.Tensor]:
    """On the GPU; NumPy has no bf16 of its own, hence by way of f32, which is exact."""
    return {name: torch.from_numpy(x.astype("float32")).to("cuda", peers.DTYPES[dtype])
            for name, x in arrays.items()}


def _ours(kernels, tensors: dict[str, torch.Tensor], row: dict):
    function: Function = kernels.function
    sizes = function.bind({name: tuple(x.shape) for name, x in tensors.items()})
    held, addresses, extra = [], {}, 0
    for buffer in function.buffers:
        tensor = tensors.get(buffer.name)
        if buffer.kind != "input":
            tensor = torch.zeros(buffer.shape_of(sizes), dtype=peers.DTYPES[buffer.type],
                                 device="cuda")
            extra += tensor.nbytes * (buffer.kind == "workspace")
        held.append(tensor)
        addresses[buffer.name] = tensor.data_ptr()
    row["workspace_bytes"] = extra
    launch = kernels.launcher(addresses, sizes)

    def run() -> None:
        launch()
    run.held = held  # The memory lives as long as the call.
    return run


def _peer(peer: str, attention, sets: list[dict], row: dict) -> list | None:
    """A call for every set; None with the reason in the row when the peer cannot run."""
    try:
        built = [peers.build(peer, attention, tensors) for tensors in sets]
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        built[0]()
        torch.cuda.synchronize()
        row.setdefault("peak_bytes", {})[peer] = torch.cuda.max_memory_allocated() - before
        return built
    except peers.Skip as reason:
        row["skipped"][peer] = str(reason)
    except torch.cuda.OutOfMemoryError:
        torch.cuda.empty_cache()
        row["skipped"][peer] = "runs out of memory"
    except RuntimeError as error:
        row["skipped"][peer] = str(error).splitlines()[0]
    return None
