# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Exceptions of the package. Wrong arguments are `ValueError` or `TypeError`."""


class MTAError(Exception):
    """Base of the errors this package defines."""


class LibraryError(MTAError):
    """The native compiler library is missing, unusable or of another version."""


class CompileError(MTAError):
    """The compiler refused a module.

    `stage` is what was tried, such as a pipeline. `diagnostics` is the compiler's
    text, one diagnostic per line as the tools print them.
    """

    def __init__(self, stage: str, diagnostics: str):
        self.stage = stage
        self.diagnostics = diagnostics.rstrip("\n")
        super().__init__(f"{stage} failed:\n{self.diagnostics}")


class KernelError(MTAError):
    """A kernel did something it must not; the text names the instruction and the thread."""


class ContractError(MTAError):
    """A launch contract cannot be read, or arrays or sizes do not fit it."""


class DriverError(MTAError):
    """The CUDA driver or a GPU is missing, or the driver refused a call."""


class GoldenError(MTAError):
    """A golden file or folder cannot be read or lacks something."""
