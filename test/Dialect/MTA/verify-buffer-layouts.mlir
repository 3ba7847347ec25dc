// Layouts that fit change nothing.

// RUN: mta-opt --mta-verify-buffer-layouts %s | FileCheck %s

// CHECK-LABEL: func.func @layouts(
// CHECK-SAME:    tensor<2x?xf32> {bufferization.buffer_layout = strided<[?, 1]>}
// CHECK-SAME:    tensor<*xf32>
func.func @layouts(%x: tensor<2x?xf32> {bufferization.buffer_layout = strided<[?, 1]>}, %y: tensor<*xf32>) {
  return
}
