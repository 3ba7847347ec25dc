// Sizes that have to be equal get one name, and what else operations want of
// them is a set.

// RUN: mta-opt --mta-name-sizes --mlir-print-local-scope %s | FileCheck %s

// CHECK-LABEL: func.func @attention(
// CHECK-SAME:    {mta.name = "q", mta.shape = affine_map<()[s0, s1, s2, s3] -> (s0, 4, s1, 16)>}
// CHECK-SAME:    {mta.name = "batch", mta.shape = affine_map<()[s0, s1, s2, s3] -> (s0, s2, s3, 16)>}
// CHECK-SAME:    {mta.name = "arg2", mta.shape = affine_map<()[s0, s1, s2, s3] -> (s0, s2, s3, 16)>}
// CHECK-SAME:    -> (tensor<?x4x?x16xbf16> {mta.name = "out"})
// CHECK-SAME:    mta.sizes = ["q_size0", "queries", "key_heads", "keys"]
// CHECK-SAME:    mta.supported = affine_set<()[s0, s1, s2, s3] : (s2 - 1 >= 0, 4 mod s2 == 0, s1 - 3 >= 0)>
// CHECK:         mta.attention
func.func @attention(%q: tensor<?x4x?x16xbf16> {mta.name = "q"},
                     %k: tensor<?x?x?x16xbf16> {mta.name = "batch"},
                     %v: tensor<?x?x?x16xbf16> {mta.name = "2nd"})
    -> tensor<?x4x?x16xbf16> {
  %o = mta.attention %q, %k, %v query_halo(3) {
  ^bb0(%s: tensor<?x4x?x?xf32>):
    %0 = mta.softmax %s : tensor<?x4x?x?xf32>
    mta.yield %0 : tensor<?x4x?x?xf32>
  } : tensor<?x4x?x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>
      -> tensor<?x4x?x16xbf16>
  return %o : tensor<?x4x?x16xbf16>
}

// Nothing is known of sizes that no operation relates; static ones have no name.
// CHECK-LABEL: func.func @two(
// CHECK-SAME:    mta.shape = affine_map<()[s0, s1] -> (s0, 2)>
// CHECK-SAME:    mta.shape = affine_map<()[s0, s1] -> (s1, 2)>
// CHECK-SAME:    -> (tensor<?x2xf32> {mta.name = "out0"}, tensor<?x2xf32> {mta.name = "out1"})
// CHECK-SAME:    mta.sizes = ["arg0_size0", "arg1_size0"]
// CHECK-NOT:     mta.supported
func.func @two(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>)
    -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  return %x, %y : tensor<?x2xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: func.func @negative_no_tensors(
// CHECK-NOT:     mta.sizes
func.func @negative_no_tensors(%x: memref<?xf32>) { return }

// Strides that a layout leaves open are sizes, multiples of 16 bytes. An argument
// that a result is copied to has rows for the queries behind the halo.
// CHECK-LABEL: func.func @strides(
// CHECK-SAME:    {bufferization.buffer_layout = strided<[?, 16, 64, 1]>, mta.name = "q", mta.shape = affine_map<()[s0, s1, s2, s3, s4, s5] -> (s0, 4, s1, 16)>, mta.strides = affine_map<()[s0, s1, s2, s3, s4, s5] -> (s3, 16, 64, 1)>}
// CHECK-SAME:    {mta.name = "arg1", mta.shape = affine_map<()[s0, s1, s2, s3, s4, s5] -> (s0, 4, s2, 16)>}
// CHECK-SAME:    {mta.destination, mta.name = "arg2", mta.shape = affine_map<()[s0, s1, s2, s3, s4, s5] -> (s0, 4, s1 - 3, 16)>, mta.strides = affine_map<()[s0, s1, s2, s3, s4, s5] -> (s4, 16, s5, 1)>}
// CHECK-SAME:    mta.sizes = ["batch", "queries", "keys", "q_stride0", "arg2_stride0", "arg2_stride2"]
// CHECK-SAME:    mta.supported = affine_set<()[s0, s1, s2, s3, s4, s5] : (s3 mod 8 == 0, s4 mod 8 == 0, s5 mod 8 == 0, s1 - 3 >= 0)>
func.func @strides(%q: tensor<?x4x?x16xbf16> {mta.name = "q", bufferization.buffer_layout = strided<[?, 16, 64, 1]>},
                   %k: tensor<?x4x?x16xbf16>,
                   %out: memref<?x4x?x16xbf16, strided<[?, 16, ?, 1]>>) {
  %o = mta.attention %q, %k, %k query_halo(3) {
  ^bb0(%s: tensor<?x4x?x?xf32>):
    %0 = mta.softmax %s : tensor<?x4x?x?xf32>
    mta.yield %0 : tensor<?x4x?x?xf32>
  } : tensor<?x4x?x16xbf16>, tensor<?x4x?x16xbf16>, tensor<?x4x?x16xbf16>
      -> tensor<?x4x?x16xbf16>
  bufferization.materialize_in_destination %o in restrict writable %out
      : (tensor<?x4x?x16xbf16>, memref<?x4x?x16xbf16, strided<[?, 16, ?, 1]>>) -> ()
  return
}
