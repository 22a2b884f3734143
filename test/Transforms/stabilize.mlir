// RUN: nnc-opt %s --transforms-stabilize --mlir-use-nameloc-as-prefix | FileCheck %s

// CHECK-LABEL: func.func @logistic
// CHECK:      %[[N:.*]] = nn.neg %x
// CHECK-NEXT: %[[S:.*]] = nn.softplus %[[N]]
// CHECK-NEXT: %a = nn.neg %[[S]]
// CHECK:      %[[T:.*]] = nn.softplus %x
// CHECK-NEXT: %b = nn.neg %[[T]]
// CHECK-NEXT: return %a, %b
func.func @logistic(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>) {
  %one = nn.constant dense<1.0> : tensor<f32>
  %p = nn.sigmoid %x : (tensor<3xf32>) -> tensor<3xf32>
  %q = nn.sub %one, %p : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  %a = nn.log %p : (tensor<3xf32>) -> tensor<3xf32> loc("a")
  %b = nn.log %q : (tensor<3xf32>) -> tensor<3xf32> loc("b")
  return %a, %b : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @exponentials
// CHECK:      %a = nn.softplus %x
// CHECK-NEXT: %b = nn.softplus %x
// CHECK-NEXT: %c = nn.log_softmax %x {axis = 0 : i64}
// CHECK-NEXT: %d = nn.logsumexp %x {axis = array<i64: 0>, keepdims = true}
// CHECK-NEXT: return
func.func @exponentials(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<1xf32>) {
  %one = nn.constant dense<1.0> : tensor<f32>
  %e = nn.exp %x : (tensor<3xf32>) -> tensor<3xf32>
  %u = nn.add %e, %one : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %a = nn.log %u : (tensor<3xf32>) -> tensor<3xf32> loc("a")
  %b = nn.log1p %e : (tensor<3xf32>) -> tensor<3xf32> loc("b")
  %m = nn.softmax %x {axis = 0 : i64} : (tensor<3xf32>) -> tensor<3xf32>
  %c = nn.log %m : (tensor<3xf32>) -> tensor<3xf32> loc("c")
  %s = nn.sum %e {axis = array<i64: 0>, keepdims = true} : (tensor<3xf32>) -> tensor<1xf32>
  %d = nn.log %s : (tensor<1xf32>) -> tensor<1xf32> loc("d")
  return %a, %b, %c, %d : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<1xf32>
}

// 2 - sigmoid and 2 + e^x are other functions; so is the logarithm of a mean.
// CHECK-LABEL: func.func @stays
// CHECK:      %a = nn.log
// CHECK:      %b = nn.log
// CHECK:      %c = nn.log
func.func @stays(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>, tensor<f32>) {
  %two = nn.constant dense<2.0> : tensor<f32>
  %p = nn.sigmoid %x : (tensor<3xf32>) -> tensor<3xf32>
  %q = nn.sub %two, %p : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  %e = nn.exp %x : (tensor<3xf32>) -> tensor<3xf32>
  %u = nn.add %e, %two : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %m = nn.mean %e : (tensor<3xf32>) -> tensor<f32>
  %a = nn.log %q : (tensor<3xf32>) -> tensor<3xf32> loc("a")
  %b = nn.log %u : (tensor<3xf32>) -> tensor<3xf32> loc("b")
  %c = nn.log %m : (tensor<f32>) -> tensor<f32> loc("c")
  return %a, %b, %c : tensor<3xf32>, tensor<3xf32>, tensor<f32>
}

// Equal constants stay two: the gradient is that of one of them.
// CHECK-LABEL: func.func @constants
// CHECK:      %x = nn.constant dense<3.0
// CHECK-NEXT: %n = nn.constant dense<3.0
// CHECK-NEXT: %y = nn.pow %x, %n
// CHECK-NEXT: nn.grad %y, %x
func.func @constants() -> tensor<f32> {
  %x = nn.constant dense<3.0> : tensor<f32> loc("x")
  %n = nn.constant dense<3.0> : tensor<f32> loc("n")
  %y = nn.pow %x, %n : (tensor<f32>, tensor<f32>) -> tensor<f32> loc("y")
  %d = nn.grad %y, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %d : tensor<f32>
}
