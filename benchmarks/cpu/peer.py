# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""One peer in a process of its own: `python peer.py '{"peer": "cpu", ...}'`.

Reads lines: `run` answers the seconds of one call, `save FILE` writes the
output of the last one, the end of the input ends the process. Every answer is
one line of JSON. The first, before any command, tells of set-up and of the
first call with its peak memory.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import mta
from mta.fuzz import Call, random_arguments
from peak_memory import MIB, reset_peak, status_bytes

#: Rows, columns and depth of the product that stands for the machine's best.
GEMM_SIZE = 2048


def build(config: dict) -> Callable[[], np.ndarray]:
    """A function that runs the peer once and returns its output."""
    builders = {"cpu": _compiled, "reference": _compiled, "eager": _torch_program,
                "torch-compile": _torch_program, "flash": _flash, "gemm-openblas": _numpy_gemm,
                "gemm-torch": _torch_gemm}
    return builders[config["peer"]](config)


def _attention_and_arguments(config: dict):
    attention = mta.Attention.preset(config["program"], config["heads"], config["head_dim"])
    length = config["length"]
    return attention, random_arguments(attention, Call(1, length, length, 1.0, 0))


def _compiled(config: dict):
    attention, arguments = _attention_and_arguments(config)
    length = config["length"]
    run = mta.compile(attention, config["peer"], batch=1, queries=length, keys=length)
    return lambda: run(**arguments)


def _compile_seconds(config: dict) -> float:
    """From text to a callable, once more: the first time set up the library."""
    attention, _ = _attention_and_arguments({**config, "length": 1})
    length = config["length"]
    start = time.perf_counter()
    mta.compile(attention, config["peer"], batch=1, queries=length, keys=length)
    return time.perf_counter() - start


def _torch(config: dict):
    """Imported where it is needed: the memory of the others is without it."""
    import torch

    torch.set_num_threads(config["threads"])
    torch.set_grad_enabled(False)
    return torch


def _torch_program(config: dict):
    torch = _torch(config)
    from eager import EagerAttention

    attention, arguments = _attention_and_arguments(config)
    tensors = {name: torch.from_numpy(x) for name, x in arguments.items()}
    q, k, v = (tensors.pop(name) for name in "qkv")
    module = EagerAttention(attention, config["length"], tensors)
    run = torch.compile(module, dynamic=False) if config["peer"] == "torch-compile" else module
    return lambda: run(q, k, v).numpy()


def _flash(config: dict):
    torch = _torch(config)
    from torch.nn.attention import SDPBackend, sdpa_kernel

    _, arguments = _attention_and_arguments(config)
    q, k, v = (torch.from_numpy(arguments[name]) for name in "qkv")

    def run():
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).numpy()
    return run


def _gemm_operands():
    generator = np.random.default_rng(0)
    return [generator.standard_normal((GEMM_SIZE, GEMM_SIZE), np.float32) for _ in range(2)]


def _numpy_gemm(config: dict):
    a, b = _gemm_operands()
    return lambda: a @ b


def _torch_gemm(config: dict):
    torch = _torch(config)
    a, b = (torch.from_numpy(x) for x in _gemm_operands())
    return lambda: (a @ b).numpy()


def timed(run: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Seconds and output of one call."""
    start = time.perf_counter()
    output = run()
    return time.perf_counter() - start, output


def serve(config: dict, answers) -> None:
    """Sets up, then does what the lines of standard input say."""
    seconds, run = timed(lambda: build(config))
    reset_peak()
    before = status_bytes("VmRSS")
    first, output = timed(run)
    extra = status_bytes("VmHWM") - before - output.nbytes
    facts = {"setup_seconds": round(seconds, 3), "first_seconds": round(first, 4),
             "extra_mib": round(extra / MIB, 1)}
    if config["peer"] == "cpu":
        facts["compile_seconds"] = round(_compile_seconds(config), 3)
    _answer(answers, facts)
    for line in sys.stdin:
        command, _, path = line.strip().partition(" ")
        if command == "save":
            np.save(Path(path), output)
            _answer(answers, {})
        else:
            del output
            seconds, output = timed(run)
            _answer(answers, {"seconds": seconds})


def _answer(answers, content: dict) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


if __name__ == "__main__":
    # Whatever a library prints must not end up among the answers.
    own_output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(json.loads(sys.argv[1]), own_output)
