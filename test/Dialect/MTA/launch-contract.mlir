// What the launches of a function say becomes the contract of its kernels.

// RUN: mta-opt --mta-launch-contract --mlir-print-local-scope %s | FileCheck %s
// RUN: mta-opt --mta-launch-contract --mlir-print-local-scope %s | mta-opt | mta-opt --mlir-print-local-scope | FileCheck %s

module attributes {gpu.container_module} {

// Sizes, a workspace, an output, numbers of the host and two kernels in order.
// CHECK: gpu.module @kernels attributes {mta.launch_contracts = [
// CHECK-SAME: #mta.launch_contract<version = 1, function = "f", sizes = ["rows", "arg0_size1"],
// CHECK-SAME:   nonnegative = affine_map<()[s0, s1] -> (s0 - 1, -(s0 ceildiv 4) + 65535)>, zero = affine_map<()[s0, s1] -> (s0 mod 2)>,
// CHECK-SAME:   buffers = [
// CHECK-SAME:     #mta.buffer<name = "x", kind = input, element = bf16, shape = affine_map<()[s0, s1] -> (s0, s1)>, alignment = 16>,
// CHECK-SAME:     #mta.buffer<name = "y", kind = input, element = f32, shape = affine_map<()[s0, s1] -> (8)>, alignment = 4>,
// CHECK-SAME:     #mta.buffer<name = "out", kind = output, element = f32, shape = affine_map<()[s0, s1] -> (s0 - 1, 4)>, alignment = 32>,
// CHECK-SAME:     #mta.buffer<name = "workspace0", kind = workspace, element = f64, shape = affine_map<()[s0, s1] -> (s0 * s1)>, alignment = 8>],
// CHECK-SAME:   launches = [
// CHECK-SAME:     #mta.kernel_launch<kernel = @kernels::@first,
// CHECK-SAME:       parameters = [#mta.pointer<"x">, #mta.size<i32, affine_map<()[s0, s1] -> (s0)>>, #mta.pointer<"workspace0">, #mta.size<i64, affine_map<()[s0, s1] -> (s0 * s1)>>],
// CHECK-SAME:       grid = affine_map<()[s0, s1] -> (s0, s0 ceildiv 4, 1)>,
// CHECK-SAME:       block = [64, 2, 1], cluster = [1, 1, 1], static_bytes = 512, dynamic_bytes = 4096>,
// CHECK-SAME:     #mta.kernel_launch<kernel = @other::@second,
// CHECK-SAME:       parameters = [#mta.pointer<"workspace0">, #mta.pointer<"out">],
// CHECK-SAME:       grid = affine_map<()[s0, s1] -> (2, 1, 1)>,
// CHECK-SAME:       block = [32, 1, 1], cluster = [2, 1, 1], static_bytes = 0, dynamic_bytes = 0,
// CHECK-SAME:       numerics = <products = [bf16, f16], accumulation = f32, staged_scores = [f16, f16], approximations = ["ex2.approx.ftz.f32"]>>]>]}
func.func @f(%x: memref<?x?xbf16> {mta.name = "x", mta.shape = affine_map<()[s0, s1] -> (s0, s1)>},
             %y: memref<8xf32> {mta.name = "y", mta.shape = affine_map<()[s0, s1] -> (8)>})
    -> memref<?x4xf32> attributes {
      mta.sizes = ["rows", "arg0_size1"],
      mta.supported = affine_set<()[s0, s1] : (s0 - 1 >= 0, s0 mod 2 == 0)>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %bytes = arith.constant 4096 : i32
  %rows = memref.dim %x, %c0 : memref<?x?xbf16>
  %flat = memref.collapse_shape %x [[0, 1]] : memref<?x?xbf16> into memref<?xbf16>
  %all = memref.dim %flat, %c0 : memref<?xbf16>
  %w = memref.alloc(%all) : memref<?xf64>
  %fewer = arith.subi %rows, %c1 : index
  %o = memref.alloc(%fewer) : memref<?x4xf32>
  %tiles = arith.ceildivsi %rows, %c4 : index
  %rows32 = arith.index_cast %rows : index to i32
  %x0 = memref.extract_aligned_pointer_as_index %x : memref<?x?xbf16> -> index
  %x1 = arith.index_cast %x0 : index to i64
  %x2 = llvm.inttoptr %x1 : i64 to !llvm.ptr
  %w0 = memref.extract_aligned_pointer_as_index %w : memref<?xf64> -> index
  %w1 = arith.index_cast %w0 : index to i64
  %w2 = llvm.inttoptr %w1 : i64 to !llvm.ptr
  %view = memref.collapse_shape %o [[0, 1]] : memref<?x4xf32> into memref<?xf32>
  %o0 = memref.extract_aligned_pointer_as_index %view : memref<?xf32> -> index
  %o1 = arith.index_cast %o0 : index to i64
  %o2 = llvm.inttoptr %o1 : i64 to !llvm.ptr
  gpu.launch_func @kernels::@first blocks in (%rows, %tiles, %c1)
      threads in (%c64, %c2, %c1) dynamic_shared_memory_size %bytes
      args(%x2 : !llvm.ptr, %rows32 : i32, %w2 : !llvm.ptr, %all : index)
  gpu.launch_func @other::@second clusters in (%c2, %c1, %c1)
      blocks in (%c2, %c1, %c1) threads in (%c32, %c1, %c1)
      args(%w2 : !llvm.ptr, %o2 : !llvm.ptr)
  memref.dealloc %w : memref<?xf64>
  return %o : memref<?x4xf32>
}

gpu.module @kernels {
  gpu.func @first(%x: !llvm.ptr {llvm.align = 16 : i64}, %n: i32, %w: !llvm.ptr, %all: index)
      workgroup(%buffer: memref<128xf32, #gpu.address_space<workgroup>>)
      kernel attributes {known_block_size = array<i32: 64, 2, 1>} {
    gpu.return
  }
}

// The contract goes to every module with a kernel of it.
// CHECK: gpu.module @other attributes {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "f",
gpu.module @other {
  gpu.func @second(%w: !llvm.ptr, %o: !llvm.ptr {llvm.align = 32 : i64}) kernel {
    %zero = arith.constant 0.0 : f32
    %sums = llvm.mlir.undef : vector<2xf16>
    %pair = llvm.mlir.undef : i32
    %bytes = gpu.dynamic_shared_memory {mta.staged_scores = [f16, f16]}
        : memref<?xi8, #gpu.address_space<workgroup>>
    %0 = nvvm.mma.sync A[%pair, %pair, %pair, %pair] B[%pair, %pair] C[%zero, %zero, %zero, %zero]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
         multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>,
         shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %1 = nvvm.mma.sync A[%sums, %sums, %sums, %sums] B[%sums, %sums] C[%zero, %zero, %zero, %zero]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
         shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %2 = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%zero) : (f32) -> f32
    gpu.return
  }
  // CHECK: func.func @negative_no_launch
}

func.func @negative_no_launch(%x: memref<4xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%x : memref<4xf32>)
  return
}

// An array with gaps has strides, and one that is only written is an output.
// CHECK: gpu.module @strided attributes {mta.launch_contracts = [
// CHECK-SAME: sizes = ["rows", "step"]
// CHECK-SAME:   buffers = [#mta.buffer<name = "y", kind = input, element = f32, shape = affine_map<()[s0, s1] -> (8)>, alignment = 4>,
// CHECK-SAME:     #mta.buffer<name = "x", kind = output, element = f32, shape = affine_map<()[s0, s1] -> (s0, 4)>, strides = affine_map<()[s0, s1] -> (s1, 1)>, alignment = 4>]
// CHECK-SAME:   parameters = [#mta.pointer<"x">, #mta.size<i64, affine_map<()[s0, s1] -> (s1)>>]
func.func @destination(
    %x: memref<?x4xf32, strided<[?, 1]>> {
      mta.destination, mta.name = "x", mta.shape = affine_map<()[s0, s1] -> (s0, 4)>,
      mta.strides = affine_map<()[s0, s1] -> (s1, 1)>},
    %y: memref<8xf32> {mta.name = "y", mta.shape = affine_map<()[s0, s1] -> (8)>})
    attributes {mta.sizes = ["rows", "step"]} {
  %c1 = arith.constant 1 : index
  %x0 = memref.extract_aligned_pointer_as_index %x : memref<?x4xf32, strided<[?, 1]>> -> index
  %x1 = arith.index_cast %x0 : index to i64
  %x2 = llvm.inttoptr %x1 : i64 to !llvm.ptr
  %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %x
      : memref<?x4xf32, strided<[?, 1]>> -> memref<f32>, index, index, index, index, index
  %step = arith.index_cast %strides#0 : index to i64
  gpu.launch_func @strided::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%x2 : !llvm.ptr, %step : i64)
  return
}

gpu.module @strided {
  gpu.func @kernel(%x: !llvm.ptr, %step: i64) kernel {
    gpu.return
  }
}

}
