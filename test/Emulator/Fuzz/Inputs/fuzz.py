# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mutation fuzzing of mta-ptx-run.

    fuzz.py --tool build/dev/bin/mta-ptx-run --corpus test/Emulator --seconds 30

changes the .ptx files of the corpus (mutate.py) and runs their first kernel, on
one and a half warps, with a small buffer for each pointer. The tool may refuse
any text, with status 1 and an error that has a line for faults of the text; a
signal, another status, a time limit or a refusal without an error is a failure,
and the mutant is kept.

The same seed makes the same mutants of the same corpus.
"""

import argparse
import pathlib
import random
import re
import resource
import struct
import subprocess
import sys
import tempfile
import time

import mutate

PARAMETER = re.compile(rb"\.param\s+(?:\.align\s+\d+\s+)?\.(\w+)(?:\s+\.ptr[^,()\[]*?)?\s+([\w$]+)"
                       rb"(?:\[(\d+)\])?")
ENTRY = re.compile(rb"\.entry\s+([\w$]+)\s*(\([^()]*\))?", re.DOTALL)
WIDTHS = {"8": 1, "16": 2, "32": 4, "64": 8}
# What is wrong with the text has a line; what is wrong with the launch has not.
DIAGNOSTIC = re.compile(r"^(?:\S*mutant\.ptx:[1-9]\d*: error: |\S*mutant\.ptx: error: no entry |"
                        r"mta-ptx-run: error: |argument \d)", re.MULTILINE)
GIGABYTES = 4


def argument(kind, extent, folder, number):
    """An argument that fits a parameter of this type, most of the time."""
    if extent:
        return "bytes:" + "00" * min(int(extent), 4096)
    if kind == "u64" or kind == "b64":
        return f"inout:{folder}/words.npy:{folder}/{number}.npy"
    width = WIDTHS.get(kind.lstrip("busf"), 4)
    return f"u{8 * width}:5"


def command(tool, path, text, folder, rng):
    found = ENTRY.search(text)
    words = [tool, str(path), "--quiet", "--max-steps=20000", "--threads=1"]
    if not found or rng.random() < 0.02:
        return [*words, rng.choice(["--check", "--list"])]
    arguments = [argument(kind.decode(), extent.decode(), folder, number) for number, (kind, _, extent)
                 in enumerate(PARAMETER.findall(found[2] or b""))]
    return [*words, "--entry", found[1].decode("latin-1"), "--block", rng.choice(["48", "32,2", "8"]),
            "--shared", "4096", f"--async={rng.choice(['eager', 'lazy'])}",
            "--args", *arguments]


def failure(words, seconds, sanitized):
    """Why the run is a failure, or None; what it printed; and its status."""

    def restrict():
        if not sanitized:  # a sanitizer reserves terabytes of addresses
            resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30, GIGABYTES << 30))

    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=seconds, check=False,
                              preexec_fn=restrict)
    except subprocess.TimeoutExpired:
        return "ran out of time", "", None
    errors = done.stderr.decode("utf-8", "replace")
    reason = None
    if done.returncode < 0:
        reason = f"died of signal {-done.returncode}"
    elif done.returncode not in (0, 1):
        reason = f"exited with {done.returncode}"
    elif "Sanitizer" in errors or "runtime error:" in errors:
        reason = "was stopped by a sanitizer"
    elif done.returncode == 1 and not DIAGNOSTIC.search(errors):
        reason = "failed without a diagnostic"
    return reason, errors, done.returncode


def read_corpus(folders):
    texts = []
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*.ptx")):
            text = path.read_bytes()
            if 0 < len(text) < 200_000:
                texts.extend(split_kernels(text))
    return texts


def split_kernels(text):
    """One text for every kernel, with what comes before the first."""
    head, *kernels = re.split(rb"(?m)^(?=(?:\.visible )?\.entry )", text)
    # RUN and CHECK lines are not PTX.
    head, *kernels = (re.sub(rb"(?m)^\s*//.*\n", b"", part) for part in (head, *kernels))
    return [head + kernel for kernel in kernels] or [text]


def write_words(folder):
    """A buffer of 1024 words."""
    header = "{'descr': '<u4', 'fortran_order': False, 'shape': (1024,), }".ljust(117) + "\n"
    words = struct.pack("<1024I", *range(1024))
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + words
    (folder / "words.npy").write_bytes(data)


class Fuzzer:
    def __init__(self, options, texts):
        self.options, self.texts = options, texts
        self.rng = random.Random(options.seed)
        self.count = self.accepted = self.failures = 0

    def step(self, folder):
        """Makes and runs one mutant."""
        rng, path = self.rng, folder / "mutant.ptx"
        text = mutate.mutate(rng, rng.choice(self.texts), rng.choice(self.texts))
        path.write_bytes(text)
        words = command(self.options.tool, path, text, folder, rng)
        reason, errors, status = failure(words, self.options.limit, self.options.sanitized)
        self.count += 1
        self.accepted += status == 0
        if reason:
            self.failures += 1
            self.keep(text, " ".join(words), str(path), f"{reason}\n{errors[-3000:]}")

    def keep(self, text, words, path, what):
        kept = self.options.keep / f"mutant-{self.options.seed}-{self.count}.ptx"
        self.options.keep.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(text)
        print(f"FAILED: {words.replace(path, str(kept))}\n{what}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--corpus", action="append", required=True,
                        help="a folder with .ptx files, may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mutants", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=30, help="for all of it")
    parser.add_argument("--limit", type=float, default=20, help="seconds for one mutant")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("."),
                        help="the folder for mutants that fail")
    parser.add_argument("--sanitized", action="store_true",
                        help="the tool was built with sanitizers: no limit on its memory")
    return parser.parse_args()


def main():
    options = parse_arguments()
    texts = read_corpus(options.corpus)
    if not texts:
        sys.exit("fuzz.py: error: the corpus has no .ptx files")
    fuzzer, end = Fuzzer(options, texts), time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_words(folder)
        while fuzzer.count < options.mutants and time.monotonic() < end:
            fuzzer.step(folder)
    print(f"{fuzzer.count} mutants of {len(texts)} kernels, {fuzzer.accepted} accepted, "
          f"{fuzzer.failures} failures (seed {options.seed})")
    # A corpus of which nothing is accepted would test the parser only.
    return 1 if fuzzer.failures or not fuzzer.accepted else 0


if __name__ == "__main__":
    sys.exit(main())
