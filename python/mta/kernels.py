# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`Kernels`: an attention as PTX and the contract that says how to launch it."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mta import cache, compiler, emission
from mta.contract import Contract
from mta.errors import CompileError

#: The oldest chip that fused kernels are for.
OLDEST_CHIP = "sm_80"


def pipeline_text(name: str, options: Mapping[str, int | str]) -> str:
    """A pipeline with options by their Python names."""
    words = [f"{key.replace('_', '-')}={value if isinstance(value, str) else int(value)}"
             for key, value in options.items()]
    return f"{name}{{{' '.join(words)}}}" if words else name


@dataclass(frozen=True)
class Kernels:
    """The fused kernels of one function `attention`, for a chip."""

    chip: str
    ptx: str
    #: JSON, see contract.schema.json.
    contract_text: str

    @cached_property
    def contract(self) -> Contract:
        """The launch contract."""
        return Contract.parse(self.contract_text)

    @cached_property
    def cubin(self) -> bytes:
        """The kernels assembled by the ptxas in PATH; CompileError without one."""
        program = shutil.which("ptxas")
        if program is None:
            # The compiler says what it looked for.
            return self._assemble()
        status = Path(program).stat()
        assembler = [program, status.st_size, status.st_mtime_ns]
        parts = {"ptx": self.ptx, "chip": self.chip, "ptxas": assembler}
        return cache.cached(parts, self._assemble)

    def _assemble(self) -> bytes:
        return compiler.assemble(self.ptx, self.chip)

    @classmethod
    def build(cls, attention, signature, chip: str, schedule: Mapping[str, int | str],
              layouts: Mapping[str, str] | None = None) -> "Kernels":
        """Compiles, or finds what was compiled; CompileError with the diagnostics."""
        text = emission.module_text(attention, signature, "attention", layouts)
        pipeline = f"builtin.module({pipeline_text('mta-gpu', {'chip': chip, **schedule})})"
        data = cache.cached({"module": text, "pipeline": pipeline, "chip": chip},
                            lambda: _compile(text, pipeline, chip))
        return cls(chip, **json.loads(data))


def _compile(text: str, pipeline: str, chip: str) -> bytes:
    module = compiler.Module.parse(text, "<attention>", keep_names=True)
    try:
        module.run_pipeline(pipeline)
    except CompileError as error:
        note = "note: target ptx-reference runs the reference kernels of every attention"
        raise CompileError(error.stage, f"{error.diagnostics}\n{note}") from None
    result = {"ptx": module.to_ptx(chip), "contract_text": module.to_contract(chip)}
    return json.dumps(result).encode()
