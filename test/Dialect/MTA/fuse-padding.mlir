// RUN: mta-opt %s -split-input-file -mta-fuse-padding -canonicalize -cse | FileCheck %s

// The conversion writes between the zeros.

// CHECK-LABEL: @producer
// CHECK: %[[BUFFER:.*]] = tensor.empty() : tensor<9xf32>
// CHECK: %[[LOW:.*]] = tensor.extract_slice %[[BUFFER]][0] [2] [1]
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} outs(%[[LOW]]
// CHECK: %[[WITH_LOW:.*]] = tensor.insert_slice %[[ZEROS]] into %[[BUFFER]][0] [2] [1]
// CHECK: tensor.extract_slice %[[WITH_LOW]][8] [1] [1]
// CHECK: %[[WITH_BOTH:.*]] = tensor.insert_slice {{.*}} into %[[WITH_LOW]][8] [1] [1]
// CHECK: %[[PLACE:.*]] = tensor.extract_slice %[[WITH_BOTH]][2] [6] [1]
// CHECK: %[[WIDE:.*]] = linalg.generic {{.*}} outs(%[[PLACE]]
// CHECK: %[[RESULT:.*]] = tensor.insert_slice %[[WIDE]] into %[[WITH_BOTH]][2] [6] [1]
// CHECK: return %[[RESULT]]
// CHECK-NOT: tensor.pad
func.func @producer(%x: tensor<6xbf16>) -> tensor<9xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<6xf32>
  %wide = linalg.generic {
    indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]
  } ins(%x : tensor<6xbf16>) outs(%empty : tensor<6xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %0 = arith.extf %in : bf16 to f32
    linalg.yield %0 : f32
  } -> tensor<6xf32>
  %padded = tensor.pad %wide low[2] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<6xf32> to tensor<9xf32>
  return %padded : tensor<9xf32>
}

// -----

// Sizes may be dynamic, and a tensor that is not computed here is copied.

// CHECK-LABEL: @argument
// CHECK-SAME: (%[[X:.*]]: tensor<4x?xf32>, %[[HIGH:.*]]: index)
// CHECK: %[[SIZE:.*]] = tensor.dim %[[X]], %c1
// CHECK: linalg.fill
// CHECK: tensor.insert_slice %[[X]] into %{{.*}}[0, 0] [4, %[[SIZE]]] [1, 1]
// CHECK-NOT: tensor.pad
func.func @argument(%x: tensor<4x?xf32>, %high: index) -> tensor<4x?xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 0] high[0, %high] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<4x?xf32> to tensor<4x?xf32>
  return %padded : tensor<4x?xf32>
}

// -----

// A result that others read as well stays where it is.

// CHECK-LABEL: @negative_shared_producer
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<6xf32>
// CHECK: %[[SQUARES:.*]] = linalg.generic {{.*}} outs(%[[EMPTY]]
// CHECK: tensor.insert_slice %[[SQUARES]] into
func.func @negative_shared_producer(%x: tensor<6xf32>)
    -> (tensor<6xf32>, tensor<8xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<6xf32>
  %squares = linalg.generic {
    indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]
  } ins(%x : tensor<6xf32>) outs(%empty : tensor<6xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    linalg.yield %0 : f32
  } -> tensor<6xf32>
  %padded = tensor.pad %squares low[2] high[0] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<6xf32> to tensor<8xf32>
  return %squares, %padded : tensor<6xf32>, tensor<8xf32>
}

// -----

// CHECK-LABEL: @negative_no_constant
// CHECK: tensor.pad
func.func @negative_no_constant(%x: tensor<6xindex>) -> tensor<8xindex> {
  %padded = tensor.pad %x low[2] high[0] {
  ^bb0(%i: index):
    tensor.yield %i : index
  } : tensor<6xindex> to tensor<8xindex>
  return %padded : tensor<8xindex>
}
