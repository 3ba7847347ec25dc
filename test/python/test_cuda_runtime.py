# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Target "cuda" on emulated GPUs: arrays of several libraries, streams, outputs, failures.

Tests whose name begins with `on_gpu` are called in a process of their own.
"""

import contextlib
import os
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import mta
import mta.cuda
import stand_in
from attention_cases import attention_of, random_arguments, relative_error
from mta import check, dlpack
from mta.dtypes import dtype_name

stand_in.require()


@pytest.fixture(scope="module")
def gpu(tmp_path_factory):
    """Calls a function in a process with one GPU of sm_90, whose driver writes a log."""
    log = tmp_path_factory.mktemp("driver") / "log.txt"
    log.touch()
    with stand_in.process(MTA_DRIVER_LOG=str(log)) as call:
        yield call


@contextlib.contextmanager
def driver_calls():
    """A list that has afterwards what the driver was asked for meanwhile."""
    log, lines = Path(os.environ["MTA_DRIVER_LOG"]), []
    start = log.stat().st_size
    yield lines
    lines += log.read_text(encoding="ascii")[start:].splitlines()


def attention(program="v1", dtype="bf16", **fields):
    return attention_of(program, dtype, **{"heads": 2, "head_dim": 16, **fields})


def on_device(arguments):
    from mta.cuda import DeviceArray
    return {name: DeviceArray.from_numpy(array) for name, array in arguments.items()}


class Interface:
    """An array that has no more than a `__cuda_array_interface__`."""

    def __init__(self, array, stream=None, **changes):
        self.array = array
        self.__cuda_array_interface__ = {
            **array.__cuda_array_interface__, "stream": stream, **changes}


class Capsules:
    """An array that has no more than DLPack, and notes for which stream."""

    def __init__(self, array, **changes):
        self.array, self.changes, self.streams = array, changes, []

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, stream=None):
        self.streams.append(stream)
        x = self.array
        place = {"address": x.address, "shape": x.shape, "dtype": x.dtype, **self.changes}
        return dlpack.make_capsule(self, **place, device_type=2, device_index=0)


def on_gpu_errors(program, dtype, fields, sizes, options=None):
    """The errors of the results for arrays of NumPy."""
    program = attention(program, dtype, **fields)
    arguments = random_arguments(program, *sizes)
    if program.variable_length:
        arguments |= {"query_boundaries": [0, 3, 3, sizes[0]], "key_boundaries": [0, 5, 6, sizes[1]]}
    results = mta.compile(program, "cuda", options=options)(**arguments)
    expected = mta.compile(program, "numpy")(**arguments)
    if not program.log_sum_exp:
        results, expected = (results,), (expected,)
    return [relative_error(result, reference)
            for result, reference in zip(results, expected, strict=True)]


@pytest.mark.parametrize(("program", "dtype", "fields", "sizes"), [
    ("v1", "bf16", {}, (1, 1)), ("v1", "f16", {}, (70, 70, 2)), ("v1", "f32", {}, (17, 33)),
    ("v2", "bf16", {"kv_heads": 1}, (37, 37)), ("talking-heads", "f16", {}, (29, 40)),
    ("vector-gate", "bf16", {"value_dim": 136, "norm": True}, (21, 21)),
    ("pre-conv", "bf16", {"query_halo": 10, "log_sum_exp": True}, (15, 60)),
    ("pre-conv", "f16", {"variable_length": True}, (20, 31))])
def test_numbers(gpu, program, dtype, fields, sizes):
    errors = gpu(on_gpu_errors, program, dtype, fields, sizes)
    assert max(errors) <= check.TOLERANCES[dtype]


@pytest.mark.parametrize("options", [{"key_splits": 5}, {"expected_queries": 1}], ids=str)
@pytest.mark.parametrize("program, heads", [("pre-conv", 2), ("v1", 2), ("talking-heads", 16)])
def test_splits_of_the_keys(gpu, program, heads, options):
    """Two or three kernels and workspaces, of sizes that vary."""
    fields = {"heads": heads, "log_sum_exp": True}
    for sizes in ((1, 70), (20, 33, 2)):
        errors = gpu(on_gpu_errors, program, "bf16", fields, sizes, options)
        assert max(errors) <= check.TOLERANCES["bf16"]


def on_gpu_kinds():
    program = attention(log_sum_exp=True)
    arguments = random_arguments(program, 40, 40, 2)
    run = mta.compile(program, "cuda")
    expected = run(**arguments)
    assert all(isinstance(array, np.ndarray) for array in expected)
    placed = on_device(arguments)
    for kind in (lambda x: x, Interface, Capsules):
        results = run(**{name: kind(array) for name, array in placed.items()})
        for result, reference in zip(results, expected, strict=True):
            assert isinstance(result, mta.cuda.DeviceArray)
            assert (result.shape, result.index) == (reference.shape, 0)
            assert result.to_numpy().tobytes() == reference.tobytes()


def test_kinds_of_arrays(gpu):
    gpu(on_gpu_kinds)


def on_gpu_imported():
    """A library of the array API gets its own arrays, which are complete."""
    program = attention()
    arguments = random_arguments(program, 40, 40)
    run = mta.compile(program, "cuda")
    expected = run(**arguments)

    class Foreign(Capsules):
        def __array_namespace__(self):
            return types.SimpleNamespace(from_dlpack=Imported)

    class Imported:
        def __init__(self, producer):
            capsule = producer.__dlpack__(stream=1)
            address, self.shape, _, self.dtype, kind, index = dlpack.read_capsule(capsule)
            assert (kind, index) == producer.__dlpack_device__() == (2, 0)
            self.capsule, self.address = capsule, address

    placed = {name: Foreign(array) for name, array in on_device(arguments).items()}
    with driver_calls() as calls:
        result = run(**placed)
    assert isinstance(result, Imported) and (result.shape, result.dtype) == (expected.shape, "bf16")
    waited = [line.split()[0] for line in calls]
    assert waited.index("cuLaunchKernel") < waited.index("cuStreamSynchronize")
    from mta.cuda.driver import call, on_device as current
    copy = np.empty_like(expected)
    with current(0):
        call("cuMemcpyDtoH", copy.ctypes.data, result.address, copy.nbytes)
    assert copy.tobytes() == expected.tobytes()
    with driver_calls() as calls:
        del result
    assert any(line.startswith("cuMemFree") for line in calls)


def test_arrays_of_the_callers_library(gpu):
    gpu(on_gpu_imported)


def on_gpu_outputs():
    from mta.cuda import DeviceArray
    program = attention(log_sum_exp=True)
    arguments = random_arguments(program, 40, 40, 2)
    run = mta.compile(program, "cuda")
    expected = run(**arguments)
    given = tuple(DeviceArray.from_numpy(np.zeros_like(x)) for x in expected)
    results = run(**on_device(arguments), out=given)
    assert results == given
    host = tuple(np.zeros_like(x) for x in expected)
    assert run(**arguments, out=host)[0] is host[0]
    for result, array, reference in zip(given, host, expected):
        assert result.to_numpy().tobytes() == array.tobytes() == reference.tobytes()


def test_results_go_where_the_caller_says(gpu):
    gpu(on_gpu_outputs)


class Stream:
    """A stream of the driver in one of the ways that libraries show theirs."""

    def __init__(self, address, way):
        value = (lambda: (0, address)) if way == "__cuda_stream__" else address
        setattr(self, way, value)


def launched_in(calls):
    """The streams of the launches."""
    found = [re.search(r"^cuLaunchKernel .*stream=(\S+)", line) for line in calls]
    return {0 if match[1] == "(nil)" else int(match[1], 16) for match in found if match}


def new_stream():
    from mta.cuda.driver import call, on_device as current
    with current(0):
        return int(call("cuStreamCreate", 1))


def on_gpu_streams():
    program = attention("vector-gate", value_dim=136)
    placed = {name: Capsules(x) for name, x in
              on_device(random_arguments(program, 20, 20)).items()}
    run = mta.compile(program, "cuda")
    address = new_stream()
    ways = [address, *(Stream(address, way) for way in ("__cuda_stream__", "cuda_stream", "ptr"))]
    for stream in (None, *ways):
        with driver_calls() as calls:
            run(**placed, stream=stream)
        assert launched_in(calls) == {0 if stream is None else address}
        # Several kernels of one function, which share a workspace.
        assert sum(line.startswith("cuLaunchKernel") for line in calls) > 1
        for array in placed.values():
            assert array.streams[-1] == (1 if stream is None else address)
    for wrong in ("main", -1, True, 1.5):
        with pytest.raises(TypeError, match="stream: expects None, the address of a CUDA stream"):
            run(**placed, stream=wrong)


def test_streams(gpu):
    gpu(on_gpu_streams)


def on_gpu_producers():
    program = attention()
    arguments = on_device(random_arguments(program, 20, 20))
    run = mta.compile(program, "cuda")
    earlier, address = new_stream(), new_stream()
    placed = {name: Interface(array, stream=earlier) for name, array in arguments.items()}
    with driver_calls() as calls:
        run(**placed, stream=address)
    names = [line.split()[0] for line in calls]
    for name in ("cuEventRecord", "cuStreamWaitEvent"):
        assert names.count(name) == len(placed)
        assert max(i for i, n in enumerate(names) if n == name) < names.index("cuLaunchKernel")
    with driver_calls() as calls:
        run(**placed, stream=earlier)
    assert not any(line.startswith("cuEvent") for line in calls)


def test_arrays_that_are_still_being_made_are_waited_for(gpu):
    gpu(on_gpu_producers)


def on_gpu_cuda_core():
    core = pytest.importorskip("cuda.core")
    device = core.Device()
    device.set_current()
    stream = device.create_stream()
    program = attention()
    arguments = random_arguments(program, 20, 20)
    run = mta.compile(program, "cuda")
    with driver_calls() as calls:
        result = run(**on_device(arguments), stream=stream)
    assert launched_in(calls) == {int(stream.handle)}
    assert result.to_numpy().tobytes() == run(**arguments).tobytes()


def test_streams_of_cuda_core(gpu):
    pytest.importorskip("cuda.core")
    gpu(on_gpu_cuda_core)


def cupy_double(stream):
    """A module with what the run time uses of CuPy, on the same driver."""
    from mta.cuda import DeviceArray

    class ndarray(Capsules):
        def copy(self, order):
            assert order == "C"
            return ndarray(self.array)

    module = types.ModuleType("cupy")
    module.ndarray = ndarray
    module.empty = lambda shape, dtype: ndarray(DeviceArray(
        shape, dtype_name(dtype), 0))
    module.cuda = types.SimpleNamespace(
        get_current_stream=lambda: types.SimpleNamespace(ptr=stream))
    return module


def on_gpu_current_stream():
    program = attention(dtype="f16", log_sum_exp=True)
    arguments = random_arguments(program, 20, 20)
    run = mta.compile(program, "cuda")
    address = new_stream()
    cupy = sys.modules["cupy"] = cupy_double(address)
    try:
        placed = {name: cupy.ndarray(x) for name, x in on_device(arguments).items()}
        # One that kernels cannot take as it is, which the library copies.
        placed["k"].changes["address"] = placed["k"].array.address + 2
        with driver_calls() as calls:
            results = run(**placed)
    finally:
        del sys.modules["cupy"]
    assert all(isinstance(result, cupy.ndarray) for result in results)
    assert launched_in(calls) == {address}
    # The library's own work comes after in its stream: there is nothing to wait for.
    assert not any("Synchronize" in line for line in calls)
    for result, expected in zip(results, run(**arguments), strict=True):
        assert result.array.to_numpy().tobytes() == expected.tobytes()


def on_gpu_other_stream():
    """Memory of a library is its current stream's: kernels in another one have their turn there."""
    program = attention(dtype="f16")
    run = mta.compile(program, "cuda", options={"key_splits": 1})
    current, other = new_stream(), new_stream()
    cupy = sys.modules["cupy"] = cupy_double(current)
    try:
        placed = {name: cupy.ndarray(x) for name, x in
                  on_device(random_arguments(program, 20, 20)).items()}
        with driver_calls() as calls:
            run(**placed, stream=other)
    finally:
        del sys.modules["cupy"]
    assert launched_in(calls) == {other}
    names = [line.split()[0] for line in calls]
    order = ["cuEventRecord", "cuStreamWaitEvent", "cuLaunchKernel", "cuEventRecord",
             "cuStreamWaitEvent"]
    assert [name for name in names if name in order] == order


def test_another_stream_than_the_current_one(gpu):
    gpu(on_gpu_other_stream)


def test_the_current_stream_of_a_library(gpu):
    gpu(on_gpu_current_stream)


def on_gpu_memory():
    from mta.cuda import DeviceArray
    program = attention("vector-gate", value_dim=136)
    run = mta.compile(program, "cuda")
    with driver_calls() as calls:
        placed = on_device(random_arguments(program, 20, 20))
        run(**placed)
        run(**random_arguments(program, 20, 20))
        del placed
        DeviceArray((2, 0), "f32", 0)
    counts = {name: sum(line.split()[0] == name for line in calls) for name in (
        "cuMemAlloc", "cuMemFree", "cuMemAllocAsync", "cuMemFreeAsync")}
    assert counts["cuMemAlloc"] == counts["cuMemFree"] > 0
    assert counts["cuMemAllocAsync"] == counts["cuMemFreeAsync"] > 0


def test_memory_goes_back(gpu):
    gpu(on_gpu_memory)


def gapped(array, capacity, heads=0):
    """The array on the GPU with room for more tokens, its first heads those of others."""
    from mta.cuda import DeviceArray
    batch, own, tokens, size = array.shape
    memory = np.full((batch, capacity, heads + own, size), np.nan, array.dtype)
    memory[:, :tokens, heads:] = array.transpose(0, 2, 1, 3)
    placed = DeviceArray.from_numpy(memory)
    steps = [memory.strides[dim] for dim in (0, 2, 1, 3)]
    start = placed.address + heads * steps[1]
    return Interface(placed, shape=array.shape, strides=tuple(steps), data=(start, False))


def on_gpu_arrays_with_gaps():
    from mta.cuda import DeviceArray
    program = attention(log_sum_exp=True)
    arguments = random_arguments(program, 20, 20, batch=2)
    run, placed = mta.compile(program, "cuda"), on_device(arguments)
    expected = [x.to_numpy().tobytes() for x in run(**placed)]
    for heads in (0, 3):
        views = {name: gapped(arguments[name], 24, heads) for name in ("q", "k", "v")}
        with driver_calls() as calls:
            results = run(**{**placed, **views})
        assert [x.to_numpy().tobytes() for x in results] == expected
        # The kernels of a layout are loaded once, and nothing is copied.
        names = [line.split()[0] for line in calls]
        assert "cuMemcpyDtoDAsync" not in names and names.count("cuModuleLoadDataEx") == 1
    with driver_calls() as calls:
        run(**{**placed, **views})
    assert not any("cuModuleLoad" in line for line in calls)
    lse = DeviceArray((2, 2, 20), "f32", 0)
    memory = DeviceArray((2, 20, 2, 16), program.dtype, 0)
    out = Interface(memory, shape=(2, 2, 20, 16), strides=(1280, 32, 64, 2))
    run(**{**placed, "k": views["k"]}, out=(out, lse))
    result = np.ascontiguousarray(memory.to_numpy().transpose(0, 2, 1, 3))
    assert [result.tobytes(), lse.to_numpy().tobytes()] == expected


def test_arrays_with_gaps(gpu):
    gpu(on_gpu_arrays_with_gaps)


def message(error, run, **arguments):
    with pytest.raises(error) as raised:
        run(**arguments)
    return str(raised.value)


def on_gpu_wrong_arrays():
    program = attention()
    arguments = random_arguments(program, 20, 20)
    run, placed = mta.compile(program, "cuda"), on_device(arguments)
    q = placed["q"]
    transposed = {"shape": (1, 2, 20, 16), "strides": (1280, 32, 64, 4)}
    wrong = {
        "host": {"k": arguments["k"]},
        "gap": {"k": Interface(placed["k"], **transposed)},
        "step": {"k": Interface(placed["k"], strides=(1280, 648, 32, 2))},
        "weight": {"pre_conv": Interface(placed["k"], shape=placed["pre_conv"].shape,
                                         strides=(512, 32, 2))},
        "address": {"k": Interface(placed["k"], data=(placed["k"].address + 2, False))},
        "type": {"q": Interface(q, typestr="<f2")},
        "words": {"q": Interface(q, typestr="<i4")},
        "shape": {"q": Interface(q, shape=(1, 2, 16, 20))},
        "mask": {"q": Interface(q, mask=q)},
        "list": {"q": [1.0]},
        "out": {"out": np.zeros((1, 2, 20, 16), q.to_numpy().dtype)},
        "out-shape": {"out": placed["pre_conv"]},
        "out-gap": {"out": Interface(placed["v"], **transposed)},
        "out-shared": {"out": Interface(placed["v"], strides=(0, 0, 32, 2))},
    }
    return {case: message((ValueError, TypeError), run, **{**placed, **changes})
            for case, changes in wrong.items()}


def test_wrong_arrays(gpu):
    messages = gpu(on_gpu_wrong_arrays)
    for case, expected in {
            "host": "k: expects an array on cuda:0 as others are, but got 'one on the host'",
            "gap": "k: expects rows without gaps, other strides multiples of 16 bytes, but got",
            "step": "k: expects rows without gaps, other strides multiples of 16 bytes, but got",
            "weight": "pre_conv: expects a row-major array without gaps, but got 'strides",
            "address": "k: expects an address that is a multiple of 16, but got",
            "type": "q: expects element type bf16, but got f16",
            "words": "q: expects element type bf16, but got i32",
            "shape": "q: expects shape (batch, 2, queries, 16), but got (1, 2, 16, 20)",
            "mask": "q: expects an array without a mask",
            "list": "q: expects an array of NumPy or one with DLPack",
            "out": "out: expects an array of ((1, 2, 20, 16), 'bf16', 'cuda'), but got",
            "out-shape": "out: expects an array of ((1, 2, 20, 16), 'bf16', 'cuda'), but got",
            "out-gap": "out: expects rows without gaps, other strides multiples of 16 bytes",
            "out-shared": "out: expects elements of which no two share a place"}.items():
        assert messages[case].startswith(expected), messages[case]


def on_two_gpus():
    from mta.cuda import DeviceArray
    program = attention()
    arguments = random_arguments(program, 20, 20)
    run = mta.compile(program, "cuda")
    expected = run(**arguments)
    second = {name: DeviceArray.from_numpy(x, 1) for name, x in arguments.items()}
    for kind in (lambda x: x, Interface):
        result = run(**{name: kind(x) for name, x in second.items()})
        assert result.index == 1 and result.to_numpy().tobytes() == expected.tobytes()
    first = DeviceArray.from_numpy(arguments["k"], 0)
    return message(ValueError, run, **{**second, "k": first})


def test_several_gpus():
    with stand_in.process(MTA_DRIVER_DEVICES="2") as call:
        text = call(on_two_gpus)
    assert text.startswith("k: expects an array on cuda:1 as others are, but got 'one on cuda:0")


def chip_and_kernels():
    run = mta.compile(attention("pre-conv"), "cuda")
    return run.contract.chip, run.ir("2G"), run.explain(), mta.compile(
        attention("pre-conv"), "ptx", options={"chip": run.contract.chip}).ptx == run.ptx


@pytest.mark.parametrize(("gpu_chip", "chip"), [("sm_80", "sm_80"), ("sm_86", "sm_86"),
                                                ("sm_90", "sm_90a")])
def test_kernels_are_for_the_gpu_that_is_there(gpu_chip, chip):
    with stand_in.process(MTA_DRIVER_CHIP=gpu_chip) as call:
        found, workgroups, explanation, same = call(chip_and_kernels)
    assert found == chip and same
    assert "gpu.launch" in workgroups
    assert "takes #mta.kernel_schedule<" in explanation and "attention_kernel: " in explanation


CALL = """
import numpy as np, mta
x = np.ones((1, 2, 20, 16), np.float16)
try:
    run = mta.compile(mta.Attention(heads=2, head_dim=16, dtype="f16"), "cuda", options={OPTIONS})
    run(x, x, x)
except mta.MTAError as error:
    print(type(error).__name__, error)
"""

FAILURES = {
    "no-gpu": ({"MTA_DRIVER_DEVICES": "0"}, {},
               "DriverError expects an NVIDIA GPU, but the driver found none"),
    "driver": ({"MTA_DRIVER_FAIL": "cuInit=999"}, {},
               "DriverError cuInit: expects success, but got CUDA_ERROR_UNKNOWN: "),
    "old-gpu": ({"MTA_DRIVER_CHIP": "sm_75"}, {}, "CompileError pipeline builtin.module(mta-gpu"),
    "old-chip": ({"MTA_DRIVER_CHIP": "sm_80"}, {"chip": "sm_90a"},
                 "DriverError .*: cuModuleLoadDataEx: expects success, but got "),
    "launch": ({"MTA_DRIVER_FAIL": "cuLaunchKernel=719"}, {}, "DriverError cuLaunchKernel: expects "
               "success, but got CUDA_ERROR_LAUNCH_FAILED: "),
    "memory": ({"MTA_DRIVER_FAIL": "cuMemAlloc=2"}, {},
               "DriverError cuMemAlloc: expects success, but got CUDA_ERROR_OUT_OF_MEMORY: "),
}


@pytest.mark.parametrize(("variables", "options", "expected"), FAILURES.values(), ids=FAILURES)
def test_failures(variables, options, expected):
    result = stand_in.run("-c", CALL.replace("{OPTIONS}", repr(options)), **variables)
    assert result.returncode == 0, result.stderr
    assert re.match(re.escape(expected).replace(r"\.\*", ".*"), result.stdout), result.stdout


def check_command(golden_folder, *python, **variables):
    return stand_in.run(*python, "check", str(golden_folder), "--target", "cuda", **variables)


WITHOUT_PACKAGE = """
import sys
sys.modules["cuda"] = None
from mta.cli import main
sys.exit(main(sys.argv[1:]))
"""

MISSING = {
    "package": (("-c", WITHOUT_PACKAGE), {}, "expects the Python package cuda-bindings, but got: "),
    "driver": (("-m", "mta"), {"LD_LIBRARY_PATH": ""},
               "expects NVIDIA's driver, libcuda.so.1, but got: "),
    "gpu": (("-m", "mta"), {"MTA_DRIVER_DEVICES": "0"},
            "expects an NVIDIA GPU, but the driver found none"),
}


@pytest.mark.parametrize(("python", "variables", "expected"), MISSING.values(), ids=MISSING)
def test_check_says_what_is_missing(golden_folder, python, variables, expected):
    if "LD_LIBRARY_PATH" in variables and mta.cuda.problem() is None:
        pytest.skip("this machine has a GPU")
    result = check_command(golden_folder, *python, **variables)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"mta: error: target cuda: {expected}")
    assert result.stderr.count("\n") == 1


def test_check_on_a_gpu(golden_folder):
    result = stand_in.run("-m", "mta", "check", str(golden_folder), "--target", "cuda", "--dtype",
                          "bf16")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == "12 passed, 0 failed"
