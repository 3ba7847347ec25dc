// Functions that have no interface for C, one diagnostic each.

// RUN: mta-translate --mta-to-header --split-input-file --verify-diagnostics %s

// expected-error @below {{expects a module with public functions, but got none}}
module {
  func.func private @f(%x: tensor<4xf32>) { return }
}

// -----

// expected-error @below {{expects a module that defines what it calls, but got a declaration of 'g'}}
func.func private @g(tensor<4xf32>)
func.func @f(%x: tensor<4xf32>) {
  call @g(%x) : (tensor<4xf32>) -> ()
  return
}

// -----

// expected-error @below {{'f' expects argument #1 to be a tensor or scalar of f16, bf16, f32, f64, i8, i16, i32, i64 or index, but got 'tensor<4xcomplex<f32>>'}}
func.func @f(%x: tensor<4xf32>, %y: tensor<4xcomplex<f32>>) { return }

// -----

// expected-error @below {{'f' expects argument #0 to be a tensor or scalar of f16, bf16, f32, f64, i8, i16, i32, i64 or index, but got 'i1'}}
func.func @f(%x: i1) { return }

// -----

// expected-error @below {{'f' expects argument #0 to be a tensor or scalar of f16, bf16, f32, f64, i8, i16, i32, i64 or index, but got 'memref<4xf32>'}}
func.func @f(%x: memref<4xf32>) { return }

// -----

// expected-error @below {{'f' expects argument #0 to be a tensor or scalar of f16, bf16, f32, f64, i8, i16, i32, i64 or index, but got 'tensor<*xf32>'}}
func.func @f(%x: tensor<*xf32>) { return }

// -----

// expected-error @below {{'f' expects argument #0 to be a tensor or scalar of f16, bf16, f32, f64, i8, i16, i32, i64 or index, but got 'tensor<4xf32, "sparse">'}}
func.func @f(%x: tensor<4xf32, "sparse">) { return }

// -----

// expected-error @below {{'f' expects result #0 to be a tensor, but got 'f32'}}
func.func @f(%x: f32) -> f32 { return %x : f32 }

// -----

// expected-error @below {{'f' expects sizes of results that follow from those of its arguments, but got dimension 0 of result #0}}
func.func @f(%n: index) -> tensor<?xf32> {
  %0 = tensor.empty(%n) : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// expected-error @below {{'f' expects one return, but got 2}}
func.func @f(%c: i8, %x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %b = arith.trunci %c : i8 to i1
  cf.cond_br %b, ^bb1, ^bb2
^bb1:
  return %x : tensor<4xf32>
^bb2:
  return %y : tensor<4xf32>
}

// -----

// expected-error @below {{'double' expects a name that is an identifier of C and C++ and not a function of the C library}}
func.func @double(%x: tensor<4xf32>) { return }

// -----

// expected-error @below {{'malloc' expects a name that is an identifier of C and C++ and not a function of the C library}}
func.func @malloc(%x: tensor<4xf32>) { return }

// -----

// expected-error @below {{'a.b' expects a name that is an identifier of C and C++ and not a function of the C library}}
func.func @a.b(%x: tensor<4xf32>) { return }

// -----

// expected-error @below {{'f' expects sizes that follow from those of its arguments, but got an attention of others}}
func.func @f(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %q = tensor.empty(%n) : tensor<1x?x3x8xf32>
  %k = tensor.empty(%n) : tensor<1x?x3x8xf32>
  %o = mta.attention %q, %k, %k {
  ^bb0(%s: tensor<1x?x3x3xf32>):
    %0 = mta.softmax %s : tensor<1x?x3x3xf32>
    mta.yield %0 : tensor<1x?x3x3xf32>
  } : tensor<1x?x3x8xf32>, tensor<1x?x3x8xf32>, tensor<1x?x3x8xf32> -> tensor<1x?x3x8xf32>
  return %x : tensor<4xf32>
}

// -----

// expected-error @below {{'f' expects argument #1 to be contiguous, but got strided<[?, 1]>}}
func.func @f(%x: tensor<4xf32>, %y: tensor<?x4xf32> {bufferization.buffer_layout = strided<[?, 1]>}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
