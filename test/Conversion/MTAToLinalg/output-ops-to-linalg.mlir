// Head norm and gate.

// RUN: mta-opt %s --convert-mta-to-linalg | FileCheck %s --implicit-check-not=mta.

// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[$COLUMN:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-DAG: #[[$FIRST:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
// CHECK-DAG: #[[$ONE:.*]] = affine_map<(d0, d1, d2, d3) -> (0)>

// CHECK-LABEL: func.func @head_norm(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<1x2x3x4xbf16>, %[[GAMMA:[^:]*]]: tensor<4xf16>)
// CHECK:         %[[SQUARES:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[X]] :
// CHECK:           %[[WIDE:.*]] = arith.extf %{{.*}} : bf16 to f32
// CHECK:           arith.mulf %[[WIDE]], %[[WIDE]]
// CHECK:         %[[D:.*]] = arith.sitofp %{{.*}} : i64 to f32
// CHECK:         %[[EPSILON:.*]] = arith.constant 9.99999974E-6 : f32
// CHECK:         linalg.generic {{.*}}#[[$ROW]], #[[$COLUMN]]{{.*}} ins(%[[X]], %[[SQUARES]], %[[GAMMA]] :
// CHECK:           %[[MEAN:.*]] = arith.divf %{{.*}}, %[[D]]
// CHECK:           %[[SHIFTED:.*]] = arith.addf %[[MEAN]], %[[EPSILON]]
// CHECK:           %[[ROOT:.*]] = math.sqrt %[[SHIFTED]]
// CHECK:           %[[G:.*]] = arith.extf %{{.*}} : f16 to f32
// CHECK:           %[[NORMED:.*]] = arith.divf %{{.*}}, %[[ROOT]]
// CHECK:           %[[RESULT:.*]] = arith.mulf %[[NORMED]], %[[G]]
// CHECK-NEXT:      linalg.yield %[[RESULT]] : f32
func.func @head_norm(%x: tensor<1x2x3x4xbf16>, %gamma: tensor<4xf16>)
    -> tensor<1x2x3x4xf32> {
  %0 = mta.head_norm %x, %gamma
      : tensor<1x2x3x4xbf16>, tensor<4xf16> -> tensor<1x2x3x4xf32>
  return %0 : tensor<1x2x3x4xf32>
}

// In layer 0, 1 - (0.8 - 0.6) is 0.8.
// CHECK-LABEL: func.func @head_norm_of_layer(
// CHECK:         %[[EPSILON:.*]] = arith.constant 1.250000e-01 : f64
// CHECK:         %[[DEPTH:.*]] = arith.constant {{0.8|0.79999999999999993|8.000000e-01}} : f64
// CHECK:         arith.addf %{{.*}}, %[[EPSILON]]
// CHECK:         arith.mulf %{{.*}}, %[[DEPTH]]
// CHECK:         arith.truncf %{{.*}} : f64 to f16
func.func @head_norm_of_layer(%x: tensor<?x2x?x4xf64>, %gamma: tensor<4xf64>)
    -> tensor<?x2x?x4xf16> {
  %0 = mta.head_norm %x, %gamma epsilon(0.125) layer(0)
      : tensor<?x2x?x4xf64>, tensor<4xf64> -> tensor<?x2x?x4xf16>
  return %0 : tensor<?x2x?x4xf16>
}

// CHECK-LABEL: func.func @scalar_gate(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<1x2x3x4xf32>, %[[W:[^:]*]]: tensor<1x4xbf16>, %[[B:[^:]*]]: tensor<1xbf16>)
// CHECK:         %[[LOGITS:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[X]], %[[W]] :
// CHECK:         } -> tensor<1x2x3x1xf32>
// CHECK:         linalg.generic {{.*}}#[[$FIRST]], #[[$ONE]]{{.*}} ins(%[[X]], %[[LOGITS]], %[[B]] :
// CHECK:           %[[LOGIT:.*]] = arith.addf
// CHECK:           %[[MINUS:.*]] = arith.negf %[[LOGIT]]
// CHECK:           %[[EXP:.*]] = math.exp %[[MINUS]]
// CHECK:           %[[SUM:.*]] = arith.addf %{{.*}}, %[[EXP]]
// CHECK:           %[[GATED:.*]] = arith.divf %{{.*}}, %[[SUM]]
// CHECK:           arith.truncf %[[GATED]] : f32 to bf16
func.func @scalar_gate(
    %x: tensor<1x2x3x4xf32>, %w: tensor<1x4xbf16>, %b: tensor<1xbf16>)
    -> tensor<1x2x3x4xbf16> {
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x3x4xf32>, tensor<1x4xbf16>, tensor<1xbf16>
      -> tensor<1x2x3x4xbf16>
  return %0 : tensor<1x2x3x4xbf16>
}

// CHECK-LABEL: func.func @vector_gate(
// CHECK:         %[[LOGITS:.*]] = linalg.generic {{.*}}"reduction"
// CHECK:         } -> tensor<1x2x3x4xf64>
// CHECK:         linalg.generic {{.*}}#[[$COLUMN]]{{.*}} ins(%{{.*}}, %[[LOGITS]], %{{.*}} :
// CHECK-NOT:     arith.truncf
// CHECK:         return
func.func @vector_gate(
    %x: tensor<1x2x3x4xf64>, %w: tensor<4x4xf64>, %b: tensor<4xf64>)
    -> tensor<1x2x3x4xf64> {
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x3x4xf64>, tensor<4x4xf64>, tensor<4xf64>
      -> tensor<1x2x3x4xf64>
  return %0 : tensor<1x2x3x4xf64>
}

// A vector gate whose size is known at run time.
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME:    %{{.*}}: tensor<?x?x?x?xf16>, %[[W:[^:]*]]: tensor<?x?xf16>
// CHECK:         %[[ROWS:.*]] = tensor.dim %[[W]], %c0
// CHECK:         tensor.empty(%{{.*}}, %{{.*}}, %{{.*}}, %[[ROWS]]) : tensor<?x?x?x?xf32>
// CHECK:         linalg.generic {{.*}}#[[$COLUMN]]
// CHECK:         %[[C:.*]] = tensor.cast %{{.*}} : tensor<?x?x?x?xf16> to tensor<?x2x?x?xf16>
// CHECK:         return %[[C]]
func.func @dynamic(
    %x: tensor<?x?x?x?xf16>, %w: tensor<?x?xf16>, %b: tensor<?xf16>)
    -> tensor<?x2x?x?xf16> {
  %0 = mta.gate %x, %w, %b
      : tensor<?x?x?x?xf16>, tensor<?x?xf16>, tensor<?xf16>
      -> tensor<?x2x?x?xf16>
  return %0 : tensor<?x2x?x?xf16>
}
