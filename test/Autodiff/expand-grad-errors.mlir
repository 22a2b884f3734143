// RUN: nnc-opt %s --autodiff-expand-grad -verify-diagnostics

func.func private @unknown(tensor<f32>) -> tensor<f32>
func.func @in_the_way(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate 'call'}}
  %z = call @unknown(%x) : (tensor<f32>) -> tensor<f32>
  %g = nn.grad %z, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %g : tensor<f32>
}
