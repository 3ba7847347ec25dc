// Operands of f32: split by arithmetic of the tile program, three products for
// one, scores that pass through workgroup memory unrounded.

// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=128 key-tile=32 warps=8 stages=2 query=registers ahead=0' \
// RUN:   -convert-mta-to-gpu -canonicalize -cse | FileCheck %s
// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=128 key-tile=32 warps=8 stages=2 query=registers ahead=0' \
// RUN:   -convert-mta-to-gpu='f32-precision=tf32' -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=TF32
// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=128 key-tile=32 warps=8 stages=1' \
// RUN:   -convert-mta-to-gpu -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=SMALL

// CHECK-LABEL: func.func @pre_conv(
// CHECK-DAG:     %[[HALF:.*]] = arith.constant dense<4096> : vector<128x16xi32>
// CHECK-DAG:     %[[MASK:.*]] = arith.constant dense<-8192> : vector<128x16xi32>
// Rounded to 11 bits, and what is left over.
// CHECK:         gpu.launch
// CHECK:           %[[Q:.*]] = vector.transfer_read {{.*}} vector<128x16xf32>
// CHECK-NEXT:      %[[BITS:.*]] = arith.bitcast %[[Q]] : vector<128x16xf32> to vector<128x16xi32>
// CHECK-NEXT:      %[[SUM:.*]] = arith.addi %[[BITS]], %[[HALF]]
// CHECK-NEXT:      %[[UPPER:.*]] = arith.andi %[[SUM]], %[[MASK]]
// CHECK-NEXT:      %[[HIGH:.*]] = arith.bitcast %[[UPPER]]
// CHECK-NEXT:      %[[REST:.*]] = arith.subf %[[Q]], %[[HIGH]]
// CHECK-NEXT:      %[[RESTBITS:.*]] = arith.bitcast %[[REST]]
// CHECK-NEXT:      %[[CUT:.*]] = arith.andi %[[RESTBITS]], %[[MASK]]
// CHECK-NEXT:      %[[LOW:.*]] = arith.bitcast %[[CUT]]
// CHECK:           memref.alloca() : memref<129x72xf32, #gpu.address_space<workgroup>>
// CHECK:           vector.gather {{.*}} into vector<24x8xf32>
// Rows of keys are 8 words after a multiple of 16, rows of values 4 after one of 8.
// CHECK:           memref.alloca() : memref<2x32x24xf32
// CHECK:           %[[VALUES:.*]] = memref.alloca() : memref<2x32x28xf32
// CHECK:           scf.for
// CHECK:             %[[K:.*]] = vector.transfer_read {{.*}} vector<32x16xf32>
// CHECK:             %[[KUPPER:.*]] = arith.andi
// CHECK-NEXT:        %[[KHIGH:.*]] = arith.bitcast %[[KUPPER]]
// CHECK-NEXT:        arith.subf %[[K]], %[[KHIGH]]
// CHECK:             %[[KCUT:.*]] = arith.andi
// CHECK-NEXT:        %[[KLOW:.*]] = arith.bitcast %[[KCUT]]
// CHECK-NEXT:        %[[LH:.*]] = vector.contract {{.*}} %[[LOW]], %[[KHIGH]], %{{.*}} {mta.tf32}
// CHECK-NEXT:        %[[HL:.*]] = vector.contract {{.*}} %[[HIGH]], %[[KLOW]], %[[LH]] {mta.tf32}
// CHECK-NEXT:        %[[HH:.*]] = vector.contract {{.*}} %[[HIGH]], %[[KHIGH]], %[[HL]] {mta.tf32}
// CHECK-NEXT:        arith.mulf %[[HH]]
// CHECK-NOT:         arith.truncf
// CHECK:             vector.transfer_write {{.*}} : vector<128x32xf32>, memref<129x72xf32
// 4 pieces of columns, 2 rows of the window.
// CHECK-COUNT-24:    vector.contract {{.*}} {mta.tf32} : vector<128x24xf32>, vector<24x8xf32> into vector<128x8xf32>
// Sums of the tile start at zero and are added to the accumulator.
// CHECK:             vector.transfer_read %[[VALUES]]{{.*}} vector<32x16xf32>
// CHECK:             %[[CARRIED:.*]] = vector.extract_strided_slice {{.*}} vector<128x24xf32> to vector<128x16xf32>
// CHECK-NEXT:        vector.contract {{.*}}, %cst{{[_0-9]*}} {mta.tf32}
// CHECK-NEXT:        vector.contract
// CHECK-NEXT:        %[[TILE:.*]] = vector.contract
// CHECK-NEXT:        arith.addf %[[CARRIED]], %[[TILE]]
// CHECK:             vector.transfer_read %[[VALUES]]{{.*}} vector<32x8xf32>
// CHECK:             scf.yield
// CHECK:         {mta.heads = 1 : i64, mta.rows = 128 : i64, mta.staged_scores = [f32]}

// TF32-LABEL:  func.func @pre_conv(
// TF32:          scf.for
// TF32-NOT:        arith.subf
// TF32:            vector.contract {{.*}} {mta.tf32} : vector<128x16xf32>, vector<32x16xf32> into vector<128x32xf32>
// TF32-NOT:        into vector<128x32xf32>
// TF32-COUNT-8:    vector.contract {{.*}} {mta.tf32} : vector<128x24xf32>, vector<24x8xf32> into vector<128x8xf32>
// TF32-NOT:        into vector<128x8xf32>
// TF32:            math.exp2

// With one stage, keys and values are views of a buffer with their own rows.
// SMALL-LABEL: func.func @pre_conv(
// SMALL:         %[[BOTH:.*]] = memref.alloca() : memref<32x28xf32
// SMALL:         %[[KEYS:.*]] = memref.reinterpret_cast %[[BOTH]] to offset: [0], sizes: [32, 24], strides: [24, 1]
// SMALL:         mta.copy_tile {{.*}}, %[[KEYS]][%c0, %c0]
// SMALL:         mta.copy_tile {{.*}}, %[[BOTH]][%c0, %c0]
func.func @pre_conv(%q: tensor<1x1x?x16xf32>, %k: tensor<1x1x?x16xf32>,
    %v: tensor<1x1x?x24xf32>, %w: tensor<1x2x3xf32>) -> tensor<1x1x?x24xf32> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x2x3xf32>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xf32>, tensor<1x1x?x16xf32>, tensor<1x1x?x24xf32>
      -> tensor<1x1x?x24xf32>
  return %o : tensor<1x1x?x24xf32>
}

// Weights of 16 bits are not split: two products.
// CHECK-LABEL: func.func @short_weights(
// CHECK:         scf.for
// CHECK-COUNT-8:   vector.contract {{.*}} {mta.tf32} : vector<128x24xf32>, vector<24x8xf32> into vector<128x8xf32>
// CHECK-NOT:       into vector<128x8xf32>
// CHECK:           math.exp2
func.func @short_weights(%q: tensor<1x1x?x16xf32>, %k: tensor<1x1x?x16xf32>,
    %v: tensor<1x1x?x16xf32>, %w: tensor<1x1x3xf16>) -> tensor<1x1x?x16xf32> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x1x3xf16>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xf32>, tensor<1x1x?x16xf32>, tensor<1x1x?x16xf32>
      -> tensor<1x1x?x16xf32>
  return %o : tensor<1x1x?x16xf32>
}

// Weights of f32 are rounded to f16 as the scores of 16-bit operands are.
// CHECK-LABEL: func.func @long_weights(
// CHECK:         %[[WEIGHTS:.*]] = vector.gather {{.*}} into vector<24x8xf32>
// CHECK:         %[[NARROW:.*]] = arith.truncf %[[WEIGHTS]] : vector<24x8xf32> to vector<24x8xf16>
// CHECK:         %[[BAND:.*]] = arith.select {{.*}}, %[[NARROW]]
// CHECK:         vector.contract {{.*}}, %[[BAND]], {{.*}} : vector<128x24xf16>, vector<24x8xf16> into vector<128x8xf32>
func.func @long_weights(%q: tensor<1x1x?x16xbf16>, %k: tensor<1x1x?x16xbf16>,
    %v: tensor<1x1x?x16xbf16>, %w: tensor<1x1x3xf32>) -> tensor<1x1x?x16xbf16> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x1x3xf32>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  return %o : tensor<1x1x?x16xbf16>
}

// Of 16 heads, 32 columns of keys are in workgroup memory at once, then as many
// of values, in the same place.
// CHECK-LABEL: func.func @many_heads(
// CHECK-DAG:     %[[KEY:.*]] = bufferization.to_buffer %arg1
// CHECK-DAG:     %[[VALUE:.*]] = bufferization.to_buffer %arg2
// CHECK:           memref.alloca() : memref<16x16x40xf32, #gpu.address_space<workgroup>>
// CHECK:           scf.for
// CHECK-NEXT:        mta.barrier
// CHECK-COUNT-16:    mta.copy_tile %[[KEY]][{{.*}}, %c0], {{.*}} shape [16, 32]
// CHECK:             mta.wait_copies
// CHECK-NEXT:        mta.barrier
// CHECK-COUNT-6:     vector.contract
// CHECK-NOT:         vector.contract
// CHECK:             mta.barrier
// CHECK-COUNT-16:    mta.copy_tile %[[KEY]][{{.*}}, %c32], {{.*}} shape [16, 8]
// CHECK:             mta.wait_copies
// CHECK-NEXT:        mta.barrier
// CHECK-COUNT-3:     vector.contract
// CHECK-COUNT-16:    mta.copy_tile %[[VALUE]][{{.*}}, %c0], {{.*}} shape [16, 32]
// CHECK-COUNT-6:     vector.contract
// CHECK-NOT:         vector.contract
// CHECK:             mta.barrier
// CHECK-COUNT-16:    mta.copy_tile %[[VALUE]][{{.*}}, %c32], {{.*}} shape [16, 8]
// CHECK:             mta.wait_copies
// CHECK-NEXT:        mta.barrier
// CHECK-COUNT-3:     vector.contract
func.func @many_heads(%q: tensor<1x16x?x40xf32>, %k: tensor<1x16x?x40xf32>,
    %v: tensor<1x16x?x40xf32>, %w: tensor<1x16x16xf32>) -> tensor<1x16x?x40xf32> {
  %o = mta.attention %q, %k, %v kernel_schedule(<rows = 16, key_tile = 16, warps = 16, stages = 1, query = registers, scores = f32>) {
  ^bb0(%s: tensor<1x16x?x?xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x16x?x?xf32>, tensor<1x16x16xf32>
    %1 = mta.softmax %0 : tensor<1x16x?x?xf32>
    mta.yield %1 : tensor<1x16x?x?xf32>
  } : tensor<1x16x?x40xf32>, tensor<1x16x?x40xf32>, tensor<1x16x?x40xf32>
      -> tensor<1x16x?x40xf32>
  return %o : tensor<1x16x?x40xf32>
}
