// Types that the backend of GPUs has no code for.

// RUN: mta-opt %s -verify-diagnostics --pass-pipeline='builtin.module(mta-reference-gpu)'

func.func @quadruple(%a: memref<4x16xf128>, %b: memref<16x16xf128>, %c: memref<4x16xf128>) {
  // expected-error@+1 {{expects a type that GPUs have, but got 'f128'}}
  linalg.matmul ins(%a, %b : memref<4x16xf128>, memref<16x16xf128>) outs(%c : memref<4x16xf128>)
  return
}
