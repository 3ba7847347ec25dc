# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The version of the package; it names the compiler library it goes with."""

__version__ = "0.1.0"
