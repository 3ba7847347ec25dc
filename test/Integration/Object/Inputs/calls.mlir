// Functions that allocate, and a buffer that is one of two.
func.func @kernel(%x: tensor<3x8xf32>, %n: index) -> tensor<3x8xf32> {
  %c4 = arith.constant 4 : index
  %0 = call @twice(%x) : (tensor<3x8xf32>) -> tensor<3x8xf32>
  %few = arith.cmpi sle, %n, %c4 : index
  %1 = scf.if %few -> tensor<3x8xf32> {
    %2 = func.call @twice(%0) : (tensor<3x8xf32>) -> tensor<3x8xf32>
    scf.yield %2 : tensor<3x8xf32>
  } else {
    scf.yield %x : tensor<3x8xf32>
  }
  %3 = call @twice(%1) : (tensor<3x8xf32>) -> tensor<3x8xf32>
  return %3 : tensor<3x8xf32>
}

func.func private @twice(%x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %empty = tensor.empty() : tensor<3x8xf32>
  %0 = linalg.add ins(%x, %x : tensor<3x8xf32>, tensor<3x8xf32>)
      outs(%empty : tensor<3x8xf32>) -> tensor<3x8xf32>
  %1 = linalg.sub ins(%0, %0 : tensor<3x8xf32>, tensor<3x8xf32>)
      outs(%empty : tensor<3x8xf32>) -> tensor<3x8xf32>
  %2 = linalg.add ins(%0, %1 : tensor<3x8xf32>, tensor<3x8xf32>)
      outs(%empty : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %2 : tensor<3x8xf32>
}
