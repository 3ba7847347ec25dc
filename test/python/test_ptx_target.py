# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The unfused GPU kernels in the PTX emulator, and what it refuses."""

import mta
import numpy as np
import pytest
from mta import compiler, errors

READS_PAST_THE_END = """
module attributes {gpu.container_module} {
  func.func @sum(%x: memref<4xf32>) -> memref<4xf32> {
    %y = memref.alloc() : memref<4xf32>
    %one = arith.constant 1 : index
    %threads = arith.constant THREADS : index
    gpu.launch_func @kernels::@copy blocks in (%one, %one, %one)
        threads in (%threads, %one, %one) args(%x : memref<4xf32>, %y : memref<4xf32>)
    return %y : memref<4xf32>
  }
  gpu.module @kernels {
    gpu.func @copy(%x: memref<4xf32>, %y: memref<4xf32>) kernel {
      %i = gpu.thread_id x
      %value = memref.load %x[%i] : memref<4xf32>
      memref.store %value, %y[%i] : memref<4xf32>
      gpu.return
    }
  }
}
"""


def arguments(attention, queries, keys, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"q": (1, attention.heads, queries, attention.head_dim),
              "k": (1, attention.kv_heads or attention.heads, keys, attention.head_dim),
              "v": (1, attention.kv_heads or attention.heads, keys, attention.head_dim),
              **attention.weight_shapes}
    return {name: rng.standard_normal(shape).astype(attention.numpy_dtype)
            for name, shape in shapes.items()}


@pytest.mark.parametrize("queries, keys", [(1, 1), (3, 3), (17, 17), (5, 40), (130, 7)])
@pytest.mark.parametrize("dtype, tolerance", [("f32", 2e-6), ("f64", 1e-12)])
def test_programs_agree_with_the_definition(queries, keys, dtype, tolerance):
    attention = mta.Attention(heads=2, head_dim=8, pre_conv=(6, 11), pre_mix=2, post_conv=(2, 3),
                              norm=True, gate="vector", dtype=dtype)
    named = arguments(attention, queries, keys)
    output = mta.compile(attention, "ptx-reference")(**named)
    expected = mta.compile(attention, "numpy")(**named)
    scale = np.linalg.norm(expected.astype(np.float64)) or 1.0
    assert np.linalg.norm(output.astype(np.float64) - expected) <= tolerance * scale


@pytest.mark.parametrize("target", ["ptx", "ptx-reference"])
def test_queries_keys_and_values_may_be_one_array(target):
    attention = mta.Attention(heads=2, head_dim=16, dtype="f32")
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 16)).astype(np.float32)
    expected = mta.compile(attention, "numpy")(x, x, x)
    np.testing.assert_allclose(mta.compile(attention, target)(x, x, x), expected, atol=1e-5)


def test_order_of_warps_and_threads_changes_nothing():
    attention = mta.Attention(heads=2, head_dim=8, pre_conv=(3, 5), dtype="f32")
    named = arguments(attention, 33, 33)
    outputs = [mta.compile(attention, "ptx-reference", options={"seed": seed, "threads": threads})(**named)
               for seed, threads in [(0, 1), (7, 2)]]
    assert np.array_equal(*outputs)


def run_copy(threads):
    module = compiler.Module.parse(READS_PAST_THE_END.replace("THREADS", str(threads)))
    module.run_pipeline("builtin.module(mta-kernels-to-ptx,mta-host-to-llvm)")
    device = compiler.Device()
    signature = mta.signature.Signature(
        {"x": mta.signature.TensorType.parse("tensor<4xf32>")},
        [mta.signature.TensorType.parse("tensor<4xf32>")])
    function = module.compile_for(device).function("sum", signature)
    return function(np.arange(4, dtype=np.float32))[0]


def test_a_kernel_that_keeps_to_its_buffers_runs():
    assert np.array_equal(run_copy(4), np.arange(4, dtype=np.float32))


def test_a_read_past_the_end_is_an_error_that_names_the_kernel():
    with pytest.raises(errors.KernelError, match="kernel copy.*global"):
        run_copy(32)


def test_an_element_that_no_kernel_wrote_is_an_error():
    with pytest.raises(errors.KernelError, match="wrote 1 of its elements, the first at index 3"):
        run_copy(3)
