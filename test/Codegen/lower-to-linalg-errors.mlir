// RUN: nnc-opt %s --codegen-lower-to-linalg --split-input-file --verify-diagnostics

func.func @composite(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'softmax' has no lowering to linalg: expected it to be decomposed before}}
  %0 = nn.softmax %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @+1 {{expected a name for every dynamic dimension of 'unnamed', found one without}}
func.func @unnamed(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
