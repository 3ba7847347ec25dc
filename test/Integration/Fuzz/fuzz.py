# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mutation fuzzing of the command line tools.

    fuzz.py --bin build/dev/bin --corpus test --corpus examples

cuts the .mlir files of the corpus at their `// -----` lines, mutates the pieces
(mutations.py) and runs the tools on the mutants, many of them per process. Any
text may be refused, but no text may crash a tool or keep it busy for long: a
signal, an internal error or a time limit is a failure, which is narrowed down
to one mutant and printed with the command that shows it. What an unmodified
`mlir-opt` does to a mutant without operations of ours is not our failure; it is
printed and counted apart.

The same seed makes the same mutants of the same corpus. The environment
variables MTA_FUZZ_SEED and MTA_FUZZ_MUTANTS set the defaults of --seed and
--mutants, so that a run of the suite can be longer and another one.
"""

import argparse
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile

import mutations

SEPARATOR = "\n// -----\n"
# What every mutant meets, and what those meet that the verifier accepts.
PARSE = ["mta-opt", "--split-input-file"]
LOWERINGS = [
    ["mta-opt", "--split-input-file", "--canonicalize", "--cse"],
    ["mta-opt", "--split-input-file", "--convert-mta-to-linalg"],
    ["mta-opt", "--split-input-file",
     "--pass-pipeline=builtin.module(mta-reference-cpu)"],
    ["mta-opt", "--split-input-file",
     "--pass-pipeline=builtin.module(mta-cpu)"],
    ["mta-opt", "--split-input-file",
     "--pass-pipeline=builtin.module(canonicalize,mta-reference-gpu)"],
    ["mta-translate", "--split-input-file", "--mta-to-ptx"],
]


class Outcome:
    """How a process ended: `failure` says what is wrong, or is None."""

    def __init__(self, failure, errors):
        self.failure = failure
        self.errors = errors


class Runner:
    def __init__(self, directory, upstream, folder, seconds, gigabytes):
        self.directory = pathlib.Path(directory)
        self.upstream = upstream
        self.input = os.path.join(folder, "mutants.mlir")
        self.seconds = seconds
        self.bytes = gigabytes << 30

    def command(self, tool):
        return [str(self.directory / tool[0]), *tool[1:], self.input,
                "-o", os.devnull]

    def run(self, tool, mutants):
        return self.run_command(self.command(tool), mutants)

    def fails_upstream(self, mutant):
        """Whether the parser of `mlir-opt` already fails on the mutant."""
        if not self.upstream or "mta" in mutant:
            return False
        command = [self.upstream, self.input, "-o", os.devnull]
        return self.run_command(command, [mutant]).failure is not None

    def run_command(self, command, mutants):
        pathlib.Path(self.input).write_text(SEPARATOR.join(mutants),
                                            encoding="latin-1")
        limit = (self.bytes, self.bytes)
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                timeout=self.seconds + 0.5 * len(mutants), check=False,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit))
        except subprocess.TimeoutExpired:
            return Outcome("ran out of time", "")
        errors = done.stderr.decode("utf-8", "replace")
        if done.returncode < 0:
            return Outcome(f"died of signal {-done.returncode}", errors)
        if done.returncode not in (0, 1):
            return Outcome(f"exited with {done.returncode}", errors)
        if done.returncode == 1 and "error" not in errors:
            return Outcome("failed without a diagnostic", errors)
        return Outcome(None, errors)

    def refused(self, mutants, errors):
        """The indices of the mutants that `errors`, of a run on all, names."""
        ends, line = [], 0
        for mutant in mutants:
            line += mutant.count("\n") + SEPARATOR.count("\n")
            ends.append(line)
        pattern = re.escape(self.input) + r":(\d+):\d+: error"
        lines = {int(match[1]) for match in re.finditer(pattern, errors)}
        return {next((i for i, end in enumerate(ends) if place <= end),
                     len(ends) - 1) for place in lines}

    def narrow(self, tool, mutants):
        """One mutant that fails on its own, or all if none does."""
        while len(mutants) > 1:
            half = len(mutants) // 2
            for part in (mutants[:half], mutants[half:]):
                if self.run(tool, part).failure:
                    mutants = part
                    break
            else:
                return mutants
        return mutants


def read_corpus(folders):
    pieces = []
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*.mlir")):
            text = path.read_text(encoding="utf-8")
            for piece in re.split(r"^// -----.*$", text, flags=re.MULTILINE):
                # Comments hold RUN and CHECK lines, which test nothing here.
                piece = re.sub(r"^\s*//.*\n", "", piece, flags=re.MULTILINE)
                if piece.strip():
                    pieces.extend(split_functions(piece))
    return pieces


def split_functions(piece):
    """One piece for every function, as long as they are independent."""
    functions = re.split(r"^(?=func\.func )", piece, flags=re.MULTILINE)
    if functions[0].strip() or re.search(r"\bcall @", piece):
        return [piece]
    return functions[1:]


class Corpus:
    """Pieces of MLIR text, apart those that verify: their mutants go far."""

    def __init__(self, runner, pieces):
        self.pieces = pieces
        self.valid = [piece for piece in pieces
                      if not runner.run(PARSE, [piece]).errors]

    def mutant(self, rng):
        pool = self.valid if rng.random() < 0.85 else self.pieces
        text = mutations.mutate(rng, rng.choice(pool), rng.choice(self.pieces))
        # A vector is as much code as it has elements: the upstream conversions
        # to LLVM unroll it. One of 2^63 is a program of that length.
        if re.search(r"vector<[^>]*\d{4,}", text):
            return self.mutant(rng)
        return text.replace("// -----", "//")


class Counts:
    accepted = failures = upstream = 0


def run_all(runner, tool, mutants, counts):
    """Runs the tool on mutants until it gets through those that remain.

    Returns them and the errors that it printed."""
    while mutants:
        outcome = runner.run(tool, mutants)
        if not outcome.failure:
            return mutants, outcome.errors
        guilty = runner.narrow(tool, mutants)
        title = "FAILED"
        if len(guilty) == 1:
            outcome = runner.run(tool, guilty)
            if runner.fails_upstream(guilty[0]):
                title = "FAILED UPSTREAM"
        if title == "FAILED":
            counts.failures += 1
        else:
            counts.upstream += 1
        print(f"{title}: {' '.join(runner.command(tool))}\n{outcome.failure} on:"
              f"\n{SEPARATOR.join(guilty)}\n--- end of the mutant\n"
              f"{outcome.errors[-6000:]}")
        mutants = [mutant for mutant in mutants if mutant not in guilty]
    return [], ""


def fuzz(runner, corpus, rng, count, batch):
    counts = Counts()
    for start in range(0, count, batch):
        mutants = [corpus.mutant(rng) for _ in range(min(batch, count - start))]
        mutants, errors = run_all(runner, PARSE, mutants, counts)
        refused = runner.refused(mutants, errors)
        valid = [m for i, m in enumerate(mutants) if i not in refused]
        counts.accepted += len(valid)
        for tool in LOWERINGS:
            run_all(runner, tool, valid, counts)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True, help="the folder of the tools")
    parser.add_argument("--corpus", action="append", required=True,
                        help="a folder with .mlir files, may be repeated")
    parser.add_argument("--upstream", default=shutil.which("mlir-opt"),
                        help="an unmodified mlir-opt, to tell its failures apart")
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("MTA_FUZZ_SEED", "1")))
    parser.add_argument("--mutants", type=int,
                        default=int(os.environ.get("MTA_FUZZ_MUTANTS", "400")))
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20,
                        help="time for a process, besides half a second a mutant")
    parser.add_argument("--gigabytes", type=int, default=8,
                        help="address space of a process")
    options = parser.parse_args()
    pieces = read_corpus(options.corpus)
    if not pieces:
        parser.error("the corpus has no .mlir files")
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(options.bin, options.upstream, folder, options.seconds,
                        options.gigabytes)
        corpus = Corpus(runner, pieces)
        counts = fuzz(runner, corpus, random.Random(options.seed),
                      options.mutants, options.batch)
    print(f"{options.mutants} mutants of {len(pieces)} pieces, {counts.accepted} "
          f"accepted, {counts.upstream} failures upstream, {counts.failures} "
          f"failures (seed {options.seed})")
    return 1 if counts.failures else 0


if __name__ == "__main__":
    sys.exit(main())
