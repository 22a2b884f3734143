// What the backward pass makes of values of the forward pass alone is computed there, if less is kept that way.
// RUN: nnc-opt %s --transforms-compute-early --mlir-print-debuginfo=false | FileCheck %s

// Backward ops are those that differentiation made.
#here = loc("net.nn":1:1)
#gradient = loc(fused<"gradient">[#here])

// The derivative of x * sigmoid(x): a gradient is taken out of the sum, and one value is kept instead of two.
// CHECK-LABEL: func.func @swish
// CHECK: %[[X:.*]] = nn.matmul
// CHECK: %[[S:.*]] = nn.sigmoid %[[X]]
// CHECK: %[[T:.*]] = nn.mul %[[X]], %[[S]]
// CHECK: %[[D:.*]] = nn.add %[[S]], %[[T]]
// CHECK: %[[KEPT:.*]] = nn.stop_gradient %[[D]] {nn.again = -1 : i64}
// CHECK: nn.matmul %[[T]]
// CHECK: %[[G:.*]] = nn.matmul
// CHECK-NEXT: %[[R:.*]] = nn.mul %[[G]], %[[KEPT]]
// CHECK-NEXT: return
func.func @swish(%a: tensor<100x100xf32>, %b: tensor<100x100xf32>) -> (tensor<100x100xf32>, tensor<100x100xf32>) {
  %x = nn.matmul %a, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %s = nn.sigmoid %x : (tensor<100x100xf32>) -> tensor<100x100xf32>
  %y = nn.mul %x, %s : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %z = nn.matmul %y, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %g = nn.matmul %z, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  %0 = nn.mul %g, %s : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  %1 = nn.mul %g, %y : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  %2 = nn.add %0, %1 : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  return %z, %2 : tensor<100x100xf32>, tensor<100x100xf32>
}

// What the derivative is made of is needed for other things, too: nothing would be spared.
// CHECK-LABEL: func.func @needed
// CHECK-NOT: nn.stop_gradient
// CHECK: return
func.func @needed(%a: tensor<100x100xf32>, %b: tensor<100x100xf32>) -> (tensor<100x100xf32>, tensor<100x100xf32>) {
  %y = nn.matmul %a, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %z = nn.matmul %y, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %g = nn.matmul %z, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  %0 = nn.square %y : (tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  %1 = nn.mul %g, %0 : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  %w = nn.matmul %y, %1 : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  return %z, %w : tensor<100x100xf32>, tensor<100x100xf32>
}

// Nothing happens between the forward pass and the use.
// CHECK-LABEL: func.func @at_once
// CHECK-NOT: nn.stop_gradient
// CHECK: return
func.func @at_once(%a: tensor<100x100xf32>, %b: tensor<100x100xf32>) -> tensor<100x100xf32> {
  %x = nn.matmul %a, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %s = nn.sigmoid %x : (tensor<100x100xf32>) -> tensor<100x100xf32>
  %0 = nn.add %s, %x : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  %w = nn.matmul %0, %b : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc(#gradient)
  return %w : tensor<100x100xf32>
}
