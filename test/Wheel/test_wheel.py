# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A wheel, installed where there is neither this tree nor a compiler, does what the README says."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import mta
from mta import cache

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))
LLVM = Path("/usr/lib/llvm-22/bin")
TOOLS = ("mta-lsp-server", "mta-opt", "mta-ptx-run", "mta-translate")

# What a wheel may load: the libraries that PEP 600 expects of every machine.
SYSTEM_LIBRARIES = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6",
                    "ld-linux-x86-64.so.2"}


def build_wheel(folder: Path) -> Path:
    """Builds with utils/wheel.sh from the tree that is tested; the file."""
    environment = {**os.environ, "MTA_PRESET": BUILD.name}
    subprocess.run([REPOSITORY / "utils" / "wheel.sh", folder], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    wheel, = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel's file."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def contents(wheel, tmp_path_factory) -> Path:
    """A folder with the files of the wheel."""
    folder = tmp_path_factory.mktemp("contents")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def clean(wheel, tmp_path_factory) -> Path:
    """An environment of Python that has the wheel and what it depends on, nothing else."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel,
                    "--constraint", REPOSITORY / "utils" / "requirements.txt"], check=True)
    return folder


@pytest.fixture
def run(clean, tmp_path):
    """A function that runs a program of the environment, without any other in PATH."""

    def run(name, *arguments, text=None, status=0, **variables) -> str:
        environment = {"PATH": str(clean / "bin"), "LD_LIBRARY_PATH": "", "HOME": str(tmp_path),
                       **variables}
        result = subprocess.run([clean / "bin" / name, *arguments], cwd=tmp_path, input=text,
                                env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, timeout=300)
        assert result.returncode == status, result.stdout
        return result.stdout

    return run


def example(folder: Path, name: str) -> str:
    """A copy of an example outside of the tree."""
    (folder / name).write_bytes((REPOSITORY / "examples" / name).read_bytes())
    return name


def goldens(folder: Path, *names: str) -> str:
    """A folder with some of the golden files outside of the tree."""
    (folder / "goldens").mkdir()
    for path in (REPOSITORY / "test" / "goldens").glob("*.npz"):
        if not names or path.stem in names:
            (folder / "goldens" / path.name).write_bytes(path.read_bytes())
    return "goldens"


def binaries(folder: Path) -> list[Path]:
    """The ELF files of a folder."""
    return [path for path in sorted(folder.rglob("*"))
            if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]


def dynamic_entries(path: Path, tag: str) -> list[str]:
    """The values of a tag such as NEEDED in the dynamic section."""
    text = subprocess.run([LLVM / "llvm-readelf", "--dynamic-table", path], check=True,
                          capture_output=True, text=True).stdout
    return re.findall(rf"\({tag}\).*\[(.*)\]", text)


def test_the_same_sources_make_the_same_bytes(wheel, tmp_path):
    for path in (BUILD / "wheel").glob("_*/*"):
        path.unlink()
    again = build_wheel(tmp_path)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_tag_is_what_the_binaries_need(wheel):
    text = subprocess.run([sys.executable, "-m", "auditwheel", "show", wheel], check=True,
                          capture_output=True, text=True).stdout
    tag = wheel.stem.rpartition("-")[2]
    assert f'following platform tag: "{tag}"' in " ".join(text.split())


def test_what_a_wheel_contains(contents):
    found = {str(path.relative_to(contents)) for path in contents.rglob("*") if path.is_file()}
    expected = {str(path.relative_to(REPOSITORY / "python"))
                for suffix in ("py", "json") for path in (REPOSITORY / "python").rglob(f"*.{suffix}")}
    expected |= {"mta/_lib/libMTACompiler.so", "mta/_lib/libomp.so.5"}
    expected |= {f"mta/_bin/{tool}" for tool in TOOLS}
    expected |= {f"mta-{mta.__version__}.data/scripts/{tool}" for tool in TOOLS}
    metadata = f"mta-{mta.__version__}.dist-info"
    expected |= {f"{metadata}/{name}" for name in (
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE",
        "licenses/licenses/THIRD-PARTY.txt")}
    assert found == expected


def test_binaries_find_each_other_and_nothing_else(contents):
    found = binaries(contents)
    assert len(found) == len(TOOLS) + 2
    for path in found:
        needed = set(dynamic_entries(path, "NEEDED")) - SYSTEM_LIBRARIES
        assert needed <= {"libMTACompiler.so"}, path.name
        assert set(dynamic_entries(path, "RUNPATH")) <= {"$ORIGIN/../_lib"}, path.name
        assert dynamic_entries(path, "RPATH") == []


def test_the_library_is_known_by_its_build_id(contents):
    # Of 100 MB, a hash of all bytes would take long in every process that uses the cache.
    head = (contents / "mta" / "_lib" / "libMTACompiler.so").read_bytes()[:1 << 16]
    assert cache._BUILD_ID in head


def test_no_folder_of_this_machine_in_a_wheel(contents):
    # Not LLVM's headers: assertions of the preset dev name them where Debian has them.
    folders = [f"{folder}/".encode() for folder in (REPOSITORY, BUILD, Path.home())
               if folder != Path("/")]
    for path in contents.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        named = [folder for folder in folders if folder in data]
        assert not named, f"{path.name} names {named}"


def test_versions(run):
    # One of a program that LLVM is in, and of one that it is not in.
    versions = {tool: run(tool, "--version").split(",")[0].strip() for tool in TOOLS}
    assert set(versions.values()) == {f"mta {mta.__version__}"}
    assert run("mta", "--version") == f"mta {mta.__version__}\n"
    code = "import mta, importlib.metadata as m; print(mta.__version__, m.version('mta'))"
    assert run("python", "-c", code) == f"{mta.__version__} {mta.__version__}\n"


def test_the_readmes_python(run):
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    found = [code for code in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
             if "import torch" not in code]
    assert found
    for code in found:
        output = run("python", "-c", f"{code}\nprint(output.shape, output.dtype)")
        assert output == "(1, 4, 50, 32) float32\n"


def test_numbers_on_the_processor(run, tmp_path):
    output = run("python", "-m", "mta", "check", goldens(tmp_path), "--target", "cpu",
                 "--dtype", "f32")
    assert "12 passed, 0 failed" in output


def test_numbers_of_the_kernels_in_the_emulator(run, tmp_path):
    folder = goldens(tmp_path, "pre_conv_tiny_sequence", "talking_heads")
    output = run("mta", "check", folder, "--target", "ptx", "--dtype", "bf16")
    assert "2 passed, 0 failed" in output


def test_threads_are_those_of_the_wheel(run, clean):
    code = ("import mta, numpy as np; x = np.ones((1, 2, 200, 32), np.float32)\n"
            "mta.compile(mta.Attention(2, 32, dtype='f32'), 'cpu')(x, x, x)\n"
            "print(*{line.split()[-1] for line in open('/proc/self/maps') if 'libomp' in line})")
    library, = clean.rglob("libomp.so.5")
    assert run("python", "-c", code) == f"{library}\n"


def test_ptx_is_that_of_the_build(run, tmp_path):
    command = ("--mta-to-ptx", "--chip", "sm_90a", example(tmp_path, "v2-880m.mlir"))
    built = subprocess.run([BUILD / "bin" / "mta-translate", *command], cwd=tmp_path, check=True,
                           capture_output=True, text=True).stdout
    assert run("mta-translate", *command) == built
    (tmp_path / "v2.ptx").write_text(built, encoding="utf-8")
    assert "target sm_90a" in run("mta-ptx-run", "--list", "v2.ptx")


def test_levels(run, tmp_path):
    command = ("--pass-pipeline=builtin.module(mta-cpu{until=1})",
               example(tmp_path, "pre-conv.mlir"))
    output = run("mta-opt", *command)
    assert "scf.forall" in output and "mta.attention" not in output


def test_a_bundle(run, tmp_path):
    run("mta-translate", "--mta-to-bundle", "--no-cubin", "--chip", "sm_80,sm_90a",
        example(tmp_path, "v2-880m.mlir"), "-o", "bundle")
    manifest = json.loads((tmp_path / "bundle" / "kernel.json").read_text(encoding="utf-8"))
    assert manifest["compiler"] == f"mta {mta.__version__}"
    assert {path.suffix for path in (tmp_path / "bundle").rglob("*.*")} >= {".c", ".h", ".ptx",
                                                                             ".json", ".txt"}


def test_a_shared_library_needs_a_linker(run, tmp_path):
    command = ("--mta-to-shared-library", example(tmp_path, "kernel.mlir"), "-o", "kernel.so")
    output = run("mta-translate", *command, status=1)
    assert "error: expects cc, a C compiler or linker, in PATH, but found none" in output
    assert not (tmp_path / "kernel.so").exists()
    run("mta-translate", *command, f"--linker={LLVM / 'ld.lld'}")
    assert "libomp.so.5" in dynamic_entries(tmp_path / "kernel.so", "NEEDED")


def test_a_shared_library_needs_the_run_time_of_threads(run, clean, tmp_path):
    library, = clean.rglob("libomp.so.5")
    aside = library.rename(library.with_name("aside"))
    try:
        output = run("mta-translate", "--mta-to-shared-library", example(tmp_path, "kernel.mlir"),
                     "-o", "kernel.so", f"--linker={LLVM / 'ld.lld'}", status=1)
    finally:
        aside.rename(library)
    assert ("expects libomp.so.5 beside the compiler or where it was built, but found none"
            in output)


def test_the_language_server(run):
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize",
                          "params": {"processId": None, "rootUri": None, "capabilities": {}}})
    leave = json.dumps({"jsonrpc": "2.0", "method": "exit"})
    text = "".join(f"Content-Length: {len(part)}\r\n\r\n{part}" for part in (request, leave))
    # Without a request to shut down first, leaving is a failure.
    assert '"capabilities"' in run("mta-lsp-server", text=text, status=1)


def test_a_program_without_its_package(run, tmp_path):
    other = tmp_path / "other" / "mta"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    output = run("mta-opt", "--version", status=1, PYTHONPATH=str(other.parent))
    program = other / "_bin" / "mta-opt"
    assert output == (f"mta-opt: error: expects a program at '{program}', but got: "
                      "No such file or directory\n")
