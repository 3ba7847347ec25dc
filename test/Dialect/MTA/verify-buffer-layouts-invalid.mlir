// RUN: mta-opt --mta-verify-buffer-layouts --split-input-file --verify-diagnostics %s
// RUN: not mta-opt --split-input-file --mta-gpu %s 2>&1 | FileCheck %s
// RUN: not mta-opt --split-input-file --mta-cpu %s 2>&1 | FileCheck %s

// CHECK: expects a layout of a ranked tensor and of its rank, but argument #0 is 'tensor<*xf32>' with
// CHECK: expects a layout of a ranked tensor and of its rank, but argument #1 is 'tensor<2x4xf32>' with

// expected-error @below {{expects a layout of a ranked tensor and of its rank, but argument #0 is 'tensor<*xf32>' with strided<[?, 1]>}}
func.func @unranked(%x: tensor<*xf32> {bufferization.buffer_layout = strided<[?, 1]>}) {
  return
}

// -----

// expected-error @below {{expects a layout of a ranked tensor and of its rank, but argument #1 is 'tensor<2x4xf32>' with strided<[?, ?, 1]>}}
func.func @other_rank(%x: index, %y: tensor<2x4xf32> {bufferization.buffer_layout = strided<[?, ?, 1]>}) {
  return
}
