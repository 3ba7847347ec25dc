# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Module`: parse, transform, print, translate and compile MLIR."""

import ctypes
import threading
import weakref

from mta.compiler.device import Device
from mta.compiler.executable import Executable
from mta.compiler.library import last_error, load_library, take_bytes
from mta.errors import CompileError
from mta.signature import Signature


def assemble(ptx: str, chip: str, ptxas: str | None = None) -> bytes:
    """A PTX text as a cubin; `ptxas` is the program to call, else PATH's."""
    size = ctypes.c_size_t(0)
    program = None if ptxas is None else ptxas.encode()
    data = load_library().mtaAssemblePTX(ptx.encode(), chip.encode(), program, ctypes.byref(size))
    if not data:
        raise CompileError(f"assembly for {chip}", last_error())
    return take_bytes(data, size.value)


class Module:
    """A parsed and verified MLIR module; made by `Module.parse`.

    Every failure is a CompileError whose `diagnostics` is the compiler's text.
    """

    def __init__(self, handle: int):
        library = load_library()
        self._handle = handle
        self._lock = threading.Lock()
        self._usable = True
        weakref.finalize(self, library.mtaModuleDestroy, handle)

    @classmethod
    def parse(cls, text: str | bytes, name: str = "<python>", *,
              keep_names: bool = False) -> "Module":
        """Parses MLIR text or bytecode; `name` is the file in diagnostics.

        With `keep_names` the names that the text has for the arguments and
        results of functions become attributes, which contracts and headers use.
        """
        data = text.encode() if isinstance(text, str) else bytes(memoryview(text))
        library = load_library()
        parse = library.mtaModuleParseWithNames if keep_names else library.mtaModuleParse
        handle = parse(data, len(data), name.encode())
        if not handle:
            raise CompileError("parsing", last_error())
        return cls(handle)

    def clone(self) -> "Module":
        """An independent copy."""
        with self._lock:
            handle = load_library().mtaModuleClone(self._checked())
            if not handle:
                raise CompileError("cloning", last_error())
        return Module(handle)

    def run_pipeline(self, pipeline: str) -> str:
        """Runs passes, for example "builtin.module(mta-reference-cpu)".

        Returns their warnings and remarks, one on a line, or "". After a failure the
        module may be half transformed, so that any later use of it is a CompileError
        too.
        """
        with self._lock:
            if load_library().mtaModuleRunPipeline(self._checked(), pipeline.encode()):
                self._usable = False
                raise CompileError(f"pipeline {pipeline}", last_error())
            return last_error()

    def __str__(self) -> str:
        with self._lock:
            text = load_library().mtaModulePrint(self._checked())
            if not text:
                raise CompileError("printing", last_error())
            return take_bytes(text).decode()

    def signature(self, function: str) -> Signature:
        """The signature of a function of tensors; ValueError when it is not one."""
        return Signature.parse(str(self), function)

    def to_ptx(self, chip: str) -> str:
        """The PTX text of all kernels for a chip such as "sm_80" or "sm_90a".

        Attentions become fused kernels, as by `mta-gpu`.
        """
        with self._lock:
            text = load_library().mtaModuleToPTX(self._checked(), chip.encode())
            if not text:
                raise CompileError(f"translation to PTX for {chip}", last_error())
            return take_bytes(text).decode()

    def to_contract(self, chip: str) -> str:
        """How to launch the kernels of `to_ptx`, as JSON for `mta.contract.Contract`."""
        with self._lock:
            text = load_library().mtaModuleToContract(self._checked(), chip.encode())
            if not text:
                raise CompileError(f"translation to a contract for {chip}", last_error())
            return take_bytes(text).decode()

    def to_cubin(self, chip: str, ptxas: str | None = None) -> bytes:
        """The assembled kernels; `ptxas` is the program to call, else PATH's."""
        size = ctypes.c_size_t(0)
        program = None if ptxas is None else ptxas.encode()
        with self._lock:
            data = load_library().mtaModuleToCubin(
                self._checked(), chip.encode(), program, ctypes.byref(size))
            if not data:
                raise CompileError(f"translation to a cubin for {chip}", last_error())
            return take_bytes(data, size.value)

    def compile(self, opt_level: int = 2) -> Executable:
        """Machine code for this processor from a module in the LLVM dialect."""
        _require_level(opt_level)
        with self._lock:
            handle = load_library().mtaModuleCompile(self._checked(), opt_level)
            if not handle:
                raise CompileError("compilation", last_error())
        return Executable(handle)

    def to_machine_code(self, opt_level: int = 2) -> bytes:
        """The code of `compile` as bytes for `Executable.load`.

        They are for this processor and others with an equal `processor()`.
        """
        _require_level(opt_level)
        size = ctypes.c_size_t(0)
        with self._lock:
            data = load_library().mtaModuleToMachineCode(
                self._checked(), opt_level, ctypes.byref(size))
            if not data:
                raise CompileError("compilation", last_error())
            return take_bytes(data, size.value)

    def compile_for(self, device: Device, opt_level: int = 2) -> Executable:
        """As `compile`, for host code whose kernels run on `device`.

        The module is one after "builtin.module(mta-reference-gpu,
        mta-host-to-llvm)"; PTX that the device does not accept is a
        CompileError.
        """
        with self._lock:
            handle = load_library().mtaModuleCompileForDevice(
                self._checked(), device.handle, opt_level)
            if not handle:
                raise CompileError("compilation for a device", last_error())
        return Executable(handle, device)

    def _checked(self) -> int:
        if not self._usable:
            raise CompileError("use of a module", "error: a pipeline failed on this module before")
        return self._handle


def _require_level(opt_level: int) -> None:
    if opt_level not in (0, 1, 2, 3):
        raise ValueError(f"opt_level: expects 0, 1, 2 or 3, but got {opt_level!r}")
