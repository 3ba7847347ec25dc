// Modules that do not become objects, one diagnostic each. Those without an
// interface for C are in mta-to-header-invalid.mlir.

// RUN: mta-translate --mta-to-object --split-input-file --verify-diagnostics %s
// RUN: mta-translate --mta-to-shared-library --split-input-file --verify-diagnostics %s

// expected-error @below {{expects a module with public functions, but got none}}
module {}

// -----

func.func @asserts(%n: index) {
  %c1 = arith.constant 1 : index
  %0 = arith.cmpi slt, %n, %c1 : index
  // expected-error @below {{expects no assertions in functions for C}}
  cf.assert %0, "small"
  return
}

// -----

func.func @dynamic_heads(%query: tensor<1x2x3x?xf32>) -> tensor<1x2x3x?xf32> {
  // expected-error @below {{expects static head dimensions to be tiled, but got}}
  %0 = mta.attention %query, %query, %query {
  ^bb0(%s: tensor<1x2x3x3xf32>):
    %1 = mta.softmax %s : tensor<1x2x3x3xf32>
    mta.yield %1 : tensor<1x2x3x3xf32>
  } : tensor<1x2x3x?xf32>, tensor<1x2x3x?xf32>, tensor<1x2x3x?xf32> -> tensor<1x2x3x?xf32>
  return %0 : tensor<1x2x3x?xf32>
}

// -----

func.func @inline_assembly(%x: tensor<4xf32>) {
  // expected-error @below {{expects a module in the LLVM dialect, but got 'llvm.inline_asm'}}
  llvm.inline_asm has_side_effects "nonsense", "" : () -> ()
  return
}

// -----

func.func @address(%x: i64) {
  %c0 = arith.constant 0 : i64
  // expected-error @below {{expects functions to be called by name, but got the address of 'one'}}
  %one = func.constant @one : (i64) -> ()
  %other = func.constant @other : (i64) -> ()
  %positive = arith.cmpi sgt, %x, %c0 : i64
  %f = arith.select %positive, %one, %other : (i64) -> ()
  func.call_indirect %f(%x) : (i64) -> ()
  return
}
func.func private @one(%x: i64) { return }
func.func private @other(%x: i64) { return }
