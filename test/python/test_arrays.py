# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Arrays of other libraries on the host: DLPack in both directions, outputs, refusals."""

import gc
import subprocess
import sys
import types
import weakref

import numpy as np
import pytest

import mta
from attention_cases import attention_of, random_arguments
from mta import arrays, dlpack
from mta.dtypes import numpy_dtype

ALL_TYPES = ("f16", "bf16", "f32", "f64", "i8", "i16", "i32", "i64")


class Foreign:
    """An array of another library: DLPack, and a namespace that imports."""

    def __init__(self, producer):
        self.capsule = producer.__dlpack__()
        (self.address, self.shape, self.strides, self.dtype, kind,
         index) = dlpack.read_capsule(self.capsule)
        assert (kind, index) == producer.__dlpack_device__() == (1, 0)

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self):
        return self.capsule

    def __array_namespace__(self):
        return types.SimpleNamespace(from_dlpack=Foreign)


def exported(array):
    return arrays.Exported(array, array.ctypes.data, array.shape,
                           arrays.dtype_name(array.dtype), "cpu", 0)


def foreign(array):
    return Foreign(exported(np.require(array, requirements="C")))


@pytest.mark.parametrize("dtype", ALL_TYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 1, 4), (2, 0, 3)])
def test_there_and_back(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(numpy_dtype(dtype))
    view = arrays.view_of("x", foreign(array))
    assert (view.shape, view.dtype, view.device) == (shape, dtype, "cpu")
    assert view.is_contiguous
    back = view.to_numpy()
    assert back.dtype == array.dtype and np.array_equal(back, array)


def test_memory_lives_as_long_as_somebody_shows_it():
    array = np.arange(6.0)
    gone = weakref.ref(array)
    other = foreign(array)
    del array
    back = arrays.view_of("x", other).to_numpy()
    del other
    gc.collect()
    assert gone() is not None and np.array_equal(back, np.arange(6.0))
    del back
    gc.collect()
    assert gone() is None


def test_other_libraries_import_what_is_exported():
    array = np.arange(12.0).reshape(3, 4)
    gone, taken = weakref.ref(array), np.from_dlpack(exported(array))
    assert np.array_equal(taken, array) and np.shares_memory(taken, array)
    del array
    gc.collect()
    assert gone() is not None
    del taken
    gc.collect()
    assert gone() is None
    with pytest.raises(BufferError, match="expects no copy and no other device"):
        exported(np.zeros(3)).__dlpack__(copy=True)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_libraries_that_are_there(library):
    module = pytest.importorskip(library)
    make = {"torch": lambda: module.from_dlpack,
            "jax": lambda: pytest.importorskip("jax.dlpack").from_dlpack}[library]()
    attention = attention_of("v1", "bf16", log_sum_exp=True)
    arguments = random_arguments(attention, 9, 9, 2)
    run = mta.compile(attention, "reference")
    expected = run(**arguments)
    given = {name: make(exported(x)) for name, x in arguments.items()}
    results = run(**given)
    for result, reference in zip(results, expected, strict=True):
        assert type(result) is type(given["q"])
        assert arrays.as_numpy("result", result).tobytes() == reference.tobytes()


def test_what_outlives_python_is_left_alone():
    code = """
import numpy as np
from mta import arrays
array = np.arange(1000.0)
kept = np.from_dlpack(arrays.Exported(array, array.ctypes.data, array.shape, "f64", "cpu", 0))
np.kept_until_the_end = [kept]
kept_here = [kept]
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("target", ["cpu", "numpy"])
def test_results_are_of_the_library_of_q(target):
    attention = attention_of("v1", "bf16", log_sum_exp=True)
    arguments = random_arguments(attention, 9, 9, 2)
    run = mta.compile(attention, target)
    expected = run(**arguments)
    results = run(**{name: foreign(x) for name, x in arguments.items()})
    for result, reference in zip(results, expected, strict=True):
        assert isinstance(result, Foreign) and result.shape == reference.shape
        assert arrays.view_of("result", result).to_numpy().tobytes() == reference.tobytes()
    mixed = run(**{**arguments, "k": foreign(arguments["k"])})
    assert all(isinstance(result, np.ndarray) for result in mixed)


def test_strides_of_any_kind():
    base = np.arange(120.0).reshape(4, 5, 6)
    for array in (base[::2], base[:, 1:3], base.T, base[..., ::3], base[:1]):
        view = arrays.view_of("x", array)
        assert view.is_contiguous == (array.flags.c_contiguous or array.shape[0] == 1)
        shown = Foreign(exported(base))
        shown = arrays.Array(array.ctypes.data, array.shape, view.strides, "f64", "cpu", 0, shown)
        assert np.array_equal(shown.to_numpy(), array)


def test_out():
    attention = attention_of("v1", "f32", log_sum_exp=True)
    arguments = random_arguments(attention, 9, 9, 2)
    run = mta.compile(attention, "cpu")
    expected = run(**arguments)
    strided = np.zeros((2, 4, 9, 16), np.float32)[..., ::2]
    given = (strided, foreign(np.zeros((2, 4, 9), np.float32)))
    assert run(**arguments, out=given) == given
    assert np.array_equal(strided, expected[0])
    assert np.array_equal(arrays.view_of("out", given[1]).to_numpy(), expected[1])


def read_only(shape):
    array = np.zeros(shape, np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(("out", "message"), [
    (np.zeros((2, 4, 9, 8)), r"out: expects an array of \(\(2, 4, 9, 8\), 'f32'\), but got"),
    (np.zeros((2, 4, 8, 8), np.float32), r"out: expects an array of \(\(2, 4, 9, 8\), 'f32'\)"),
    (read_only((2, 4, 9, 8)), "out: expects an array that can be written, but got")])
def test_wrong_out(out, message):
    attention = attention_of("v1", "f32")
    run = mta.compile(attention, "cpu")
    with pytest.raises(ValueError, match=message):
        run(**random_arguments(attention, 9, 9, 2), out=out)


def test_wrong_calls():
    attention = attention_of("v1", "f32", log_sum_exp=True)
    run = mta.compile(attention, "cpu")
    arguments = random_arguments(attention, 9, 9, 2)
    with pytest.raises(ValueError, match="stream: expects None for target cpu, but got 7"):
        run(**arguments, stream=7)
    with pytest.raises(ValueError, match="out: expects 2 arrays, but got 1"):
        run(**arguments, out=(np.zeros((2, 4, 9, 8), np.float32),))


class Refusing:
    """An array whose library does not export it."""

    def __init__(self, device=(1, 0)):
        self.device = device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, stream=None):
        raise BufferError("it is on the Moon")


class OnGPU:
    __cuda_array_interface__ = {"version": 3, "shape": (2,), "typestr": "<f4", "data": (512, False)}


def test_arrays_that_cannot_be_read():
    with pytest.raises(ValueError, match="q: expects an array that its library exports by DLPack, "
                                         "but got: it is on the Moon"):
        arrays.as_numpy("q", Refusing())
    with pytest.raises(ValueError, match="q: expects an array in the memory of the host, but got 'one "
                                         "on cuda:0'"):
        arrays.as_numpy("q", OnGPU())
    with pytest.raises(TypeError, match="q: expects an array of NumPy or one with DLPack"):
        arrays.as_numpy("q", "text")
    elsewhere = Foreign(exported(np.zeros(3)))
    elsewhere.capsule = dlpack.make_capsule(None, 0, (0,), "f32", 10, 0)
    with pytest.raises(ValueError, match="q: expects an array on the host or on a GPU of CUDA, but "
                                         "got 'DLPack device 10'"):
        arrays.as_numpy("q", elsewhere)
    booleans = np.zeros(3, np.bool_)
    with pytest.raises(ValueError, match="q: expects an element type of MLIR, but got 'DLPack type 6"):
        arrays.as_numpy("q", Capsule(booleans))


class Capsule:
    """NumPy's array through DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self):
        return self.array.__dlpack__()


def test_backwards_strides_are_refused():
    with pytest.raises(ValueError, match=r"q: expects an array with strides of at least 0, but got"):
        arrays.as_numpy("q", Capsule(np.arange(3.0)[::-1]))
