// RUN: mta-opt %s -split-input-file -mta-vectorize-tiles='vector-bits=512' -canonicalize -cse | FileCheck %s
// RUN: mta-opt %s -split-input-file -mta-vectorize-tiles='vector-bits=512 pair-products=true' -canonicalize -cse | FileCheck %s --check-prefix=PAIRS

// A block of 6 rows by 4 vectors stays in registers while the reduction runs.

// CHECK-LABEL: @contraction
// CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step %c6
// CHECK: %[[BLOCK:.*]]:24 = scf.for %[[D:.*]] =
// CHECK-COUNT-4: vector.load {{.*}} : memref<32x64xf32>, vector<16xf32>
// CHECK: vector.broadcast
// CHECK-COUNT-24: vector.store
// CHECK-NOT: linalg.generic
func.func @contraction(%a: memref<12x32xf32>, %b: memref<32x64xf32>,
                       %c: memref<12x64xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, d) -> (i, d)>,
                     affine_map<(i, j, d) -> (d, j)>,
                     affine_map<(i, j, d) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : memref<12x32xf32>, memref<32x64xf32>)
    outs(%c : memref<12x64xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// The rows of a window are unrolled: 2 output rows by 3 window rows read 4 rows,
// each once for every column of the window.

// CHECK-LABEL: @convolution
// CHECK: scf.for
// CHECK-COUNT-4: vector.load %{{.*}}[%c{{[0-3]}}{{.*}}] : memref<4x32xf32>, vector<16xf32>
// CHECK-NOT: vector.load %{{.*}} : memref<4x32xf32>
// CHECK: scf.yield
func.func @convolution(%s: memref<4x32xf32>, %w: memref<3x11xf32>,
                       %o: memref<2x16xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, c, r) -> (r, c)>,
                     affine_map<(i, j, c, r) -> (i + r, j + c)>,
                     affine_map<(i, j, c, r) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%w, %s : memref<3x11xf32>, memref<4x32xf32>)
    outs(%o : memref<2x16xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Row sums keep one vector a row. In the end halves of two rows are added at
// once, then of four, and one vector of four sums is left.

// CHECK-LABEL: @row_sums
// CHECK: scf.for {{.*}} step %c16
// CHECK-COUNT-4: vector.load {{.*}} vector<16xf32>
// CHECK: }
// CHECK-COUNT-2: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK: vector.shuffle {{.*}} [0, 2, 4, 6] : vector<8xf32>, vector<8xf32>
// CHECK: vector.shuffle {{.*}} [1, 3, 5, 7] : vector<8xf32>, vector<8xf32>
// CHECK: %[[SUMS:.*]] = arith.addf {{.*}} : vector<4xf32>
// CHECK: %[[OLD:.*]] = vector.load %{{.*}}[%c0] : memref<4xf32>, vector<4xf32>
// CHECK: %[[NEW:.*]] = arith.addf %[[OLD]], %[[SUMS]]
// CHECK: vector.store %[[NEW]]
func.func @row_sums(%s: memref<4x64xf32>, %o: memref<4xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]}
    ins(%s : memref<4x64xf32>) outs(%o : memref<4xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = arith.addf %z, %x : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Three rows are a vector of four of which three are stored.

// CHECK-LABEL: @row_maxima
// CHECK: vector.extract_strided_slice {{.*}} vector<4xf64> to vector<3xf64>
// CHECK: arith.maximumf {{.*}} : vector<3xf64>
// CHECK: vector.store {{.*}} : memref<3xf64>, vector<3xf64>
func.func @row_maxima(%s: memref<3x8xf64>, %o: memref<3xf64>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]}
    ins(%s : memref<3x8xf64>) outs(%o : memref<3xf64>) {
  ^bb0(%x: f64, %z: f64):
    %0 = arith.maximumf %z, %x : f64
    linalg.yield %0 : f64
  }
  return
}

// -----

// Keys whose rows are 8 KiB apart are copied for the blocks of rows to read.

// CHECK-LABEL: @panel
// CHECK: %[[PANEL:.*]] = memref.alloc() {alignment = 64 : i64} : memref<16x[[COLUMNS:.*]]xf32>
// CHECK: scf.for %[[D:.*]] = %c0 to %c16
// CHECK: %[[X:.*]] = vector.load %{{.*}}[%[[D]], %{{.*}}] : memref<16x64xf32, strided<[2048, 1]>>
// CHECK: vector.store %[[X]], %[[PANEL]][%[[D]], %c0]
// CHECK: scf.for
// CHECK: vector.load %[[PANEL]][%{{.*}}, %c0]
// CHECK: memref.dealloc %[[PANEL]]
func.func @panel(%a: memref<64x16xf32>,
                 %b: memref<16x64xf32, strided<[2048, 1]>>,
                 %c: memref<64x64xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, d) -> (i, d)>,
                     affine_map<(i, j, d) -> (d, j)>,
                     affine_map<(i, j, d) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : memref<64x16xf32>, memref<16x64xf32, strided<[2048, 1]>>)
    outs(%c : memref<64x64xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// The rows of a block of a head mix are heads: a vector of scores is loaded once
// for all of them.

// CHECK-LABEL: @head_mix
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c10
// CHECK: scf.for %[[HEAD:.*]] = %c0 to %c12
// CHECK-COUNT-2: vector.load %{{.*}}[%[[HEAD]], %[[ROW]], %{{.*}}]
// CHECK-NOT: vector.load
// CHECK-COUNT-24: vector.store
func.func @head_mix(%w: memref<12x12xf32>, %s: memref<12x10x32xf32>,
                    %o: memref<12x10x32xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(o, i, j, p) -> (o, p)>,
                     affine_map<(o, i, j, p) -> (p, i, j)>,
                     affine_map<(o, i, j, p) -> (o, i, j)>],
    iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%w, %s : memref<12x12xf32>, memref<12x10x32xf32>)
    outs(%o : memref<12x10x32xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// The number of rows may be dynamic where rows form no block.

// CHECK-LABEL: @dynamic_rows
// CHECK: %[[ROWS:.*]] = memref.dim %{{.*}}, %c0
// CHECK: scf.for %[[ROW:.*]] = %c0 to %[[ROWS]] step %c1
// CHECK: vector.load %{{.*}}[%[[ROW]], %c0] : memref<?x16xf32>, vector<16xf32>
func.func @dynamic_rows(%a: memref<?x16xf32>, %b: memref<?x16xf32>) {
  linalg.copy ins(%a : memref<?x16xf32>) outs(%b : memref<?x16xf32>)
  return
}

// -----

// The last vector of 37 columns has 5 elements.

// CHECK-LABEL: @remainder
// CHECK: vector.store {{.*}} vector<16xf32>
// CHECK: vector.store {{.*}} vector<16xf32>
// CHECK: vector.store {{.*}} vector<5xf32>
func.func @remainder(%o: memref<37xf32>, %x: f32) {
  linalg.fill ins(%x : f32) outs(%o : memref<37xf32>)
  return
}

// -----

// A transposition is contiguous in no loop of both operands.

// CHECK-LABEL: @negative_transposition
// CHECK: linalg.generic
func.func @negative_transposition(%a: memref<16x16xf32>, %b: memref<16x16xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}
    ins(%a : memref<16x16xf32>) outs(%b : memref<16x16xf32>) {
  ^bb0(%x: f32, %z: f32):
    linalg.yield %x : f32
  }
  return
}

// -----

// CHECK-LABEL: @negative_dynamic
// CHECK: linalg.generic
// CHECK-NOT: vector
func.func @negative_dynamic(%o: memref<?xf32>, %x: f32) {
  linalg.fill ins(%x : f32) outs(%o : memref<?xf32>)
  return
}

// -----

// Matrices of bf16 with sums in f32: without products of pairs every number is
// extended; with them the panel holds steps d and d + 1 next to each other, and
// 10 steps of the other matrix are 5 numbers of 32 bits for all lanes.

// CHECK-LABEL: @bf16_contraction
// CHECK-NOT: x86vector
// CHECK: arith.extf {{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK-NOT: x86vector
// CHECK: return
// PAIRS-LABEL: @bf16_contraction
// PAIRS: %[[PANEL:.*]] = memref.alloc() {alignment = 64 : i64} : memref<5x64xbf16>
// PAIRS: scf.for %[[PAIR:.*]] = %c0 to %c5 step %c1 {
// PAIRS: %[[STEP:.*]] = arith.muli %[[PAIR]], %c2
// PAIRS: %[[NEXT:.*]] = arith.addi %[[STEP]], %c1
// PAIRS: %[[EVEN:.*]] = vector.load %{{.*}}[%[[STEP]], %c0] : memref<10x32xbf16>, vector<16xbf16>
// PAIRS: %[[ODD:.*]] = vector.load %{{.*}}[%[[NEXT]], %c0] : memref<10x32xbf16>, vector<16xbf16>
// PAIRS: %[[BOTH:.*]] = vector.interleave %[[EVEN]], %[[ODD]]
// PAIRS: vector.store %[[BOTH]], %[[PANEL]][%[[PAIR]], %c0]
// PAIRS: vector.interleave
// PAIRS: vector.store %{{.*}}, %[[PANEL]][%[[PAIR]], %c32]
// PAIRS: scf.for %[[P:.*]] = %c0 to %c5
// PAIRS: %[[FIRST:.*]] = vector.load %[[PANEL]][%[[P]], %c0] : memref<5x64xbf16>, vector<32xbf16>
// PAIRS: %[[D:.*]] = arith.muli %[[P]], %c2
// PAIRS: %[[NUMBERS:.*]] = vector.load %{{.*}}[%{{.*}}, %[[D]]] : memref<12x10xbf16>, vector<2xbf16>
// PAIRS: vector.bitcast %[[NUMBERS]] : vector<2xbf16> to vector<1xi32>
// PAIRS: vector.broadcast %{{.*}} : i32 to vector<16xi32>
// PAIRS: %[[ROW:.*]] = vector.bitcast %{{.*}} : vector<16xi32> to vector<32xbf16>
// PAIRS: x86vector.avx512.dot %{{.*}}, %[[ROW]], %[[FIRST]] : vector<32xbf16> -> vector<16xf32>
// PAIRS-NOT: arith.extf
// PAIRS: return
func.func @bf16_contraction(%a: memref<12x10xbf16>, %b: memref<10x32xbf16>,
                            %c: memref<12x32xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, d) -> (i, d)>,
                     affine_map<(i, j, d) -> (d, j)>,
                     affine_map<(i, j, d) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : memref<12x10xbf16>, memref<10x32xbf16>)
    outs(%c : memref<12x32xf32>) {
  ^bb0(%x: bf16, %y: bf16, %z: f32):
    %wx = arith.extf %x : bf16 to f32
    %wy = arith.extf %y : bf16 to f32
    %0 = arith.mulf %wx, %wy : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// A step without a partner, and another type of the same width.

// PAIRS-LABEL: @negative_odd_steps
// PAIRS-NOT: x86vector
// PAIRS: arith.extf
// PAIRS-NOT: x86vector
// PAIRS: return
func.func @negative_odd_steps(%a: memref<12x9xbf16>, %b: memref<9x32xbf16>,
                              %c: memref<12x32xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, d) -> (i, d)>,
                     affine_map<(i, j, d) -> (d, j)>,
                     affine_map<(i, j, d) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : memref<12x9xbf16>, memref<9x32xbf16>)
    outs(%c : memref<12x32xf32>) {
  ^bb0(%x: bf16, %y: bf16, %z: f32):
    %wx = arith.extf %x : bf16 to f32
    %wy = arith.extf %y : bf16 to f32
    %0 = arith.mulf %wx, %wy : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// PAIRS-LABEL: @negative_f16
// PAIRS-NOT: x86vector
// PAIRS: arith.extf
// PAIRS-NOT: x86vector
// PAIRS: return
func.func @negative_f16(%a: memref<12x10xf16>, %b: memref<10x32xf16>,
                        %c: memref<12x32xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, d) -> (i, d)>,
                     affine_map<(i, j, d) -> (d, j)>,
                     affine_map<(i, j, d) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : memref<12x10xf16>, memref<10x32xf16>)
    outs(%c : memref<12x32xf32>) {
  ^bb0(%x: f16, %y: f16, %z: f32):
    %wx = arith.extf %x : f16 to f32
    %wy = arith.extf %y : f16 to f32
    %0 = arith.mulf %wx, %wy : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// What is left of copies of bf16 is split into powers of two, which LLVM has
// instructions for on every processor.

// CHECK-LABEL: @bf16_copy
// CHECK: vector.load {{.*}} vector<32xbf16>
// CHECK: vector.load {{.*}} vector<8xbf16>
// CHECK: vector.load {{.*}} vector<1xbf16>
func.func @bf16_copy(%a: memref<41xbf16>, %b: memref<41xbf16>) {
  linalg.copy ins(%a : memref<41xbf16>) outs(%b : memref<41xbf16>)
  return
}
