# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import sys

import lit.formats
import lit.util

config.name = "MTA"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".ptx"]
config.excludes = ["Inputs", "Unit", "python", "goldens"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.mta_binary_root, "test")

tools = os.path.join(config.mta_binary_root, "bin")
config.environment["PATH"] = os.pathsep.join(
    [tools, config.llvm_tools_dir, os.environ.get("PATH", "")])
# FileCheck options that make a stale check fail.
config.environment["FILECHECK_OPTS"] = (
    "--enable-var-scope --allow-unused-prefixes=false --dump-input-filter=error")
# The packaged LLVM is not instrumented: its containers are filled there and read
# here, and its allocators poison memory that our code then releases. What tools
# leave to the end of the process is no leak. Builds without sanitizers ignore
# this.
config.environment["ASAN_OPTIONS"] = os.environ.get(
    "ASAN_OPTIONS", "allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0")
# How long the mutation fuzzer runs, and with which mutants.
for variable in ("MTA_FUZZ_MUTANTS", "MTA_FUZZ_SEED"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]

config.substitutions.append(("%mta_src", config.mta_source_root))
config.substitutions.append(("%mta_build", config.mta_binary_root))
config.substitutions.append(("%mta_lib", os.path.join(config.mta_binary_root, "lib")))
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%cxx", config.cxx_compiler))
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%openmp", config.openmp_library))
config.substitutions.append(("%shlibext", config.shared_library_suffix))

# Programs that use a library of this tree are built with its flags: a sanitizer
# has to be on in both.
cflags = ""
with open(os.path.join(config.mta_binary_root, "CMakeCache.txt"), encoding="utf-8") as cache:
    for line in cache:
        if line.startswith("CMAKE_C_FLAGS_RELEASE:"):
            cflags = line.rstrip("\n").partition("=")[2]
config.substitutions.append(("%cflags", cflags))

# The stand-in for the CUDA driver, its cuda.h, and how a program with it is run.
stand_in = os.path.join(config.mta_binary_root, "stand-in")
config.substitutions.append(("%stand_in", stand_in))
config.substitutions.append(
    ("%cuda_include", os.path.join(config.mta_source_root, "test", "Driver", "include")))
config.substitutions.append(("%on_stand_in", f"env LD_LIBRARY_PATH={stand_in}"))
if os.path.exists("/usr/local/cuda/include/cuda.h"):
    config.available_features.add("cuda-header")

# Tests that assemble PTX ask for the feature and say so when it is missing.
if lit.util.which("ptxas", config.environment["PATH"] + ":/usr/local/cuda/bin"):
    config.available_features.add("ptxas")
    config.environment["PATH"] += os.pathsep + "/usr/local/cuda/bin"
