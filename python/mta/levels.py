# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The IR of an attention at the levels of the README's table, and why it is what it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mta import compiler, emission
from mta.kernels import pipeline_text
from mta.validation import require

# Where a remark is, and the operation that follows it: the attention, again.
_PLACE = re.compile(r"^<attention>:\d+:\d+: (?:remark|note): ", re.MULTILINE)
_OPERATION = re.compile(r"^<attention>:\d+:\d+: note: see current operation:.*?(?=^<attention>:|\Z)",
                        re.MULTILINE | re.DOTALL)

# Every target has these: the program, and unfused linalg on whole tensors.
_PROGRAM, _REFERENCE = "0", "R"


@dataclass(frozen=True)
class Levels:
    """The levels that a pipeline goes through.

    `not_passed` are options of the target that are not the pipeline's. With
    `has_until` the pipeline can end at each of them, else `names` is the one at
    its end; it can then explain its schedule, too.
    """

    pipeline: str
    names: tuple[str, ...]
    not_passed: tuple[str, ...] = ()
    has_until: bool = True

    def text(self, options: Mapping[str, int | str], **more: str) -> str:
        """The pipeline with a target's options and more."""
        own = {name: value for name, value in options.items() if name not in self.not_passed}
        return f"builtin.module({pipeline_text(self.pipeline, {**own, **more})})"


def names_of(levels: Levels | None) -> tuple[str, ...]:
    """The levels that `text` takes, in the order of the lowering."""
    return (_PROGRAM, _REFERENCE, *(levels.names if levels else ()))


def text(attention, signature, levels: Levels | None, options: Mapping[str, int | str],
         level: str) -> str:
    """The IR at a level; ValueError for one that the pipeline has not.

    CompileError when the compiler refuses the program, LibraryError without it.
    """
    known = names_of(levels)
    require(level in known, "level", f"one of {', '.join(known)}", level)
    program = _program(attention, signature, options)
    if level == _PROGRAM:
        return program
    module = compiler.Module.parse(program, "<attention>", keep_names=True)
    if level == _REFERENCE:
        module.run_pipeline("builtin.module(convert-mta-to-linalg)")
    elif levels.has_until:
        module.run_pipeline(levels.text(options, until=level))
    else:
        module.run_pipeline(levels.text(options))
    return str(module)


def _program(attention, signature, options: Mapping[str, int | str]) -> str:
    layouts = dict.fromkeys(emission.LAID_OUT, options.get("layout", "bhnd"))
    return emission.module_text(attention, signature, "attention", layouts)


def explain(attention, signature, levels: Levels | None, options: Mapping[str, int | str]) -> str:
    """The program in words, and the schedule with what else there was to choose from."""
    if levels is None or not levels.has_until:
        return attention.describe()
    program = _program(attention, signature, options)
    module = compiler.Module.parse(program, "<attention>", keep_names=True)
    remarks = module.run_pipeline(levels.text(options, explain="true", until=levels.names[0]))
    return f"{attention.describe()}\n{_PLACE.sub('', _OPERATION.sub('', remarks))}"
