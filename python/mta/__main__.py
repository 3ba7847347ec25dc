# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The command line, `python -m mta`."""

import sys

from mta.cli import main

sys.exit(main())
