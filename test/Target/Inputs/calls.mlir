func.func @four_times(%x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %0 = call @twice(%x) : (tensor<3x8xf32>) -> tensor<3x8xf32>
  %1 = call @twice.entry(%0) : (tensor<3x8xf32>) -> tensor<3x8xf32>
  return %1 : tensor<3x8xf32>
}

func.func @twice(%x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %0 = call @twice.entry(%x) : (tensor<3x8xf32>) -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

func.func private @twice.entry(%x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %empty = tensor.empty() : tensor<3x8xf32>
  %0 = linalg.add ins(%x, %x : tensor<3x8xf32>, tensor<3x8xf32>)
      outs(%empty : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}
