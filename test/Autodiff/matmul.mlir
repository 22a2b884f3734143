// A layer: matmul, a bias that broadcasts, sigmoid. Gradients bear the names of their values.
// RUN: nnc-opt %s --autodiff-expand-grad --mlir-use-nameloc-as-prefix | FileCheck %s

// CHECK-LABEL: func.func @dense
func.func @dense(%x: tensor<?x2xf32, ["N", 2]> loc("x"), %w: tensor<2x1xf32> loc("w"), %b: tensor<1xf32> loc("b"))
    -> (tensor<2x1xf32>, tensor<1xf32>) {
  %z = nn.matmul %x, %w : (tensor<?x2xf32, ["N", 2]>, tensor<2x1xf32>) -> tensor<?x1xf32, ["N", 1]> loc("z")
  %a = nn.add %z, %b : (tensor<?x1xf32, ["N", 1]>, tensor<1xf32>) -> tensor<?x1xf32, ["N", 1]> loc("a")
  %y = nn.sigmoid %a : (tensor<?x1xf32, ["N", 1]>) -> tensor<?x1xf32, ["N", 1]> loc("y")
  %loss = nn.sum %y : (tensor<?x1xf32, ["N", 1]>) -> tensor<f32> loc("loss")
  %g:2 = nn.grad %loss, %w, %b : (tensor<f32>, tensor<2x1xf32>, tensor<1xf32>) -> (tensor<2x1xf32>, tensor<1xf32>)
  return %g#0, %g#1 : tensor<2x1xf32>, tensor<1xf32>
}
// CHECK:      %[[ONE:.*]] = nn.constant dense<1.000000e+00>
// CHECK-NEXT: %d_y = nn.broadcast_to %[[ONE]] {shape = ["N", 1]}
// CHECK-NEXT: %[[C:.*]] = nn.constant dense<1.000000e+00>
// CHECK-NEXT: %[[COMPLEMENT:.*]] = nn.sub %[[C]], %y
// CHECK-NEXT: %[[SLOPE:.*]] = nn.mul %y, %[[COMPLEMENT]]
// CHECK-NEXT: %d_a = nn.mul %d_y, %[[SLOPE]]
// CHECK-NEXT: %d_b = nn.sum %d_a {axis = array<i64: 0>}
// CHECK-NEXT: %[[XT:.*]] = nn.transpose %x : (tensor<?x2xf32, ["N", 2]>) -> tensor<2x?xf32, [2, "N"]>
// CHECK-NEXT: %d_w = nn.matmul %[[XT]], %d_a
// CHECK-NEXT: return %d_w, %d_b

// A vector times a matrix: no reshapes.
// CHECK-LABEL: func.func @vector
func.func @vector(%x: tensor<3xf32> loc("x"), %w: tensor<3x2xf32> loc("w")) -> (tensor<3xf32>, tensor<3x2xf32>) {
  %y = nn.matmul %x, %w : (tensor<3xf32>, tensor<3x2xf32>) -> tensor<2xf32> loc("y")
  %loss = nn.sum %y : (tensor<2xf32>) -> tensor<f32> loc("loss")
  %g:2 = nn.grad %loss, %x, %w : (tensor<f32>, tensor<3xf32>, tensor<3x2xf32>) -> (tensor<3xf32>, tensor<3x2xf32>)
  return %g#0, %g#1 : tensor<3xf32>, tensor<3x2xf32>
}
// CHECK:      %d_x = nn.matmul %w, %d_y : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3xf32>
// CHECK-NEXT: %[[COLUMN:.*]] = nn.expand_dims %x {axis = array<i64: 1>}
// CHECK-NEXT: %d_w = nn.mul %[[COLUMN]], %d_y : (tensor<3x1xf32>, tensor<2xf32>) -> tensor<3x2xf32>

// One matrix for a batch: a single product that also sums over the batch.
// CHECK-LABEL: func.func @batch
func.func @batch(%x: tensor<?x5x3xf32, ["N", 5, 3]> loc("x"), %w: tensor<3x2xf32> loc("w")) -> tensor<3x2xf32> {
  %y = nn.matmul %x, %w : (tensor<?x5x3xf32, ["N", 5, 3]>, tensor<3x2xf32>) -> tensor<?x5x2xf32, ["N", 5, 2]> loc("y")
  %loss = nn.sum %y : (tensor<?x5x2xf32, ["N", 5, 2]>) -> tensor<f32> loc("loss")
  %g = nn.grad %loss, %w : (tensor<f32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %g : tensor<3x2xf32>
}
// CHECK:      %[[ROWS:.*]] = nn.reshape %x {shape = ["5*N", 3]}
// CHECK-NEXT: %[[XT:.*]] = nn.transpose %[[ROWS]]
// CHECK-NEXT: %[[D:.*]] = nn.reshape %d_y {shape = ["5*N", 2]}
// CHECK-NEXT: %d_w = nn.matmul %[[XT]], %[[D]]

// Without influence: zeros. What the loss does not need is not differentiated.
// CHECK-LABEL: func.func @independent
func.func @independent(%x: tensor<3xf32> loc("x"), %y: tensor<3xf32> loc("y")) -> tensor<3xf32> {
  %s = nn.stop_gradient %x : (tensor<3xf32>) -> tensor<3xf32>
  %p = nn.mul %s, %y : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %loss = nn.sum %p : (tensor<3xf32>) -> tensor<f32>
  %g = nn.grad %loss, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  return %g : tensor<3xf32>
}
// CHECK-NEXT: %[[ZEROS:.*]] = nn.full {shape = [3], value = 0.000000e+00 : f64}
// CHECK-NEXT: return %[[ZEROS]]
