# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The compiler in this process, through its C ABI (include/mta-c).

    module = Module.parse(text)
    signature = module.signature("attention")
    module.run_pipeline("builtin.module(mta-reference-cpu)")
    run = module.compile().function("attention", signature)
    (output,) = run(q, k, v)

A module or an executable is used by one thread at a time: calls on the same
object wait for each other, calls on different objects run in parallel.
"""

from mta.compiler.device import Device
from mta.compiler.executable import Executable, Function
from mta.compiler.launcher import Launcher
from mta.compiler.library import library_problem, library_version, processor
from mta.compiler.module import Module, assemble

__all__ = [
    "Device", "Executable", "Function", "Launcher", "Module", "assemble", "library_problem",
    "library_version", "processor",
]
