# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Random attentions, shapes and tile sizes on a target, compared with `mta.reference`.

    case = draw_case(random.Random(7))
    outcomes = run_case(case, "cpu")

`python -m mta fuzz` runs thousands of them.
"""

from mta.fuzz.cases import Call, Case, draw_case
from mta.fuzz.kernels import KERNEL_DTYPES, draw_kernel_case
from mta.fuzz.rounding import Bound, error_bound
from mta.fuzz.runner import Outcome, random_arguments, run_case
from mta.fuzz.worker import Worker

__all__ = ["Bound", "Call", "Case", "KERNEL_DTYPES", "Outcome", "Worker", "draw_case",
           "draw_kernel_case", "error_bound", "random_arguments", "run_case"]
