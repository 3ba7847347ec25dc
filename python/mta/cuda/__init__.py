# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Kernels on NVIDIA GPUs, through the driver API of the package cuda-bindings.

    run = mta.compile(attention, target="cuda")
    output = run(q, k, v, **weights)       # PyTorch, CuPy, JAX or NumPy arrays

It needs the extra `mta[cuda]`, NVIDIA's driver and a GPU; `problem()` says what is
missing. Nothing is imported from CUDA before the first use.
"""

from mta.cuda.driver import problem
from mta.cuda.kernels import DeviceKernels
from mta.cuda.memory import DeviceArray

__all__ = ["DeviceArray", "DeviceKernels", "problem"]
