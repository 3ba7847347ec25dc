// Small and static, to read what it becomes on the way to this processor: see
// docs/levels.md.
//
//   mta-opt --mta-choose-schedule examples/tiled.mlir
//   mta-opt --mta-choose-schedule --mta-tile-attention examples/tiled.mlir
//
// RUN: mta-opt --mta-choose-schedule %s | FileCheck %s
// CHECK: mta.attention {{.*}} schedule(<query_tile = {{[0-9]+}},
//
// RUN: mta-opt --mta-choose-schedule --mta-tile-attention %s | FileCheck %s --check-prefix=TILED
// TILED: scf.forall
// TILED: mta.schedule

func.func @attention(
    %query: tensor<2x4x256x32xf32>, %key: tensor<2x4x256x32xf32>,
    %value: tensor<2x4x256x32xf32>, %window: tensor<4x3x5xf32>,
    %gamma: tensor<32xf32>) -> tensor<2x4x256x32xf32> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<2x4x256x256xf32>):
    %0 = mta.key_query_conv %scores, %window
        : tensor<2x4x256x256xf32>, tensor<4x3x5xf32>
    %1 = mta.softmax %0 : tensor<2x4x256x256xf32>
    mta.yield %1 : tensor<2x4x256x256xf32>
  } : tensor<2x4x256x32xf32>, tensor<2x4x256x32xf32>, tensor<2x4x256x32xf32>
      -> tensor<2x4x256x32xf32>
  %normed = mta.head_norm %output, %gamma
      : tensor<2x4x256x32xf32>, tensor<32xf32> -> tensor<2x4x256x32xf32>
  return %normed : tensor<2x4x256x32xf32>
}
