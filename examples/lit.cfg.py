# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os

# The tools, options and substitutions of the tests.
lit_config.load_config(config, os.path.join(config.mta_source_root, "test", "lit.cfg.py"))

config.name = "MTA examples"
config.suffixes = [".mlir", ".py", ".c"]
config.excludes = ["lit.cfg.py", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.mta_binary_root, "examples")

# Python examples need the package, which utils/setup.sh puts into .venv.
python = os.path.join(config.mta_source_root, ".venv", "bin", "python")
if os.path.exists(python):
    config.available_features.add("python")
# Before the one of the tests, which is the Python that lit runs on.
config.substitutions.insert(0, ("%python", python))
config.environment["MTA_COMPILER_LIBRARY"] = os.path.join(
    config.mta_binary_root, "lib", "libMTACompiler" + config.shared_library_suffix)
