// Ops that move elements: the gradient moves them back.
// RUN: nnc-opt %s --autodiff-expand-grad --canonicalize --mlir-use-nameloc-as-prefix | FileCheck %s

// CHECK-LABEL: func.func @slices
// CHECK:      %d_y = nn.slice %d_z {starts = [0, 0], steps = array<i64: 1, 1>, stops = [2, "N"]}
// CHECK-NEXT: %[[REST:.*]] = nn.slice %d_z {starts = [2, 0], steps = array<i64: 1, 1>, stops = [7, "N"]}
// CHECK-NEXT: %[[ZEROS:.*]] = nn.full {shape = [5, "N"], value = 0.000000e+00 : f64}
// CHECK-NEXT: %[[PART:.*]] = nn.slice_update %[[ZEROS]], %d_y {starts = [1, 0], steps = array<i64: 2, 1>, stops = [5, "N"]}
// CHECK-NEXT: %d_v = nn.add %[[REST]], %[[PART]]
// CHECK-NEXT: %d_x = nn.slice_update %d_v, %{{.*}} {starts = [0, 0], steps = array<i64: 1, 1>, stops = [1, "N"]}
// CHECK-NEXT: %[[ROW:.*]] = nn.slice %d_v {starts = [0, 0], steps = array<i64: 1, 1>, stops = [1, "N"]}
// CHECK-NEXT: %d_u = nn.sum %[[ROW]]
// CHECK-NEXT: return %d_x, %d_u
func.func @slices(%x: tensor<5x?xf32, [5, "N"]> loc("x"), %u: tensor<f32> loc("u"))
    -> (tensor<5x?xf32, [5, "N"]>, tensor<f32>) {
  %v = nn.slice_update %x, %u {starts = [0, 0], stops = [1, "N"], steps = array<i64: 1, 1>}
      : (tensor<5x?xf32, [5, "N"]>, tensor<f32>) -> tensor<5x?xf32, [5, "N"]> loc("v")
  %y = nn.slice %v {starts = [1, 0], stops = [5, "N"], steps = array<i64: 2, 1>}
      : (tensor<5x?xf32, [5, "N"]>) -> tensor<2x?xf32, [2, "N"]> loc("y")
  %z = nn.concat %y, %v {axis = 0 : i64}
      : (tensor<2x?xf32, [2, "N"]>, tensor<5x?xf32, [5, "N"]>) -> tensor<7x?xf32, [7, "N"]> loc("z")
  %loss = nn.sum %z : (tensor<7x?xf32, [7, "N"]>) -> tensor<f32> loc("loss")
  %g:2 = nn.grad %loss, %x, %u
      : (tensor<f32>, tensor<5x?xf32, [5, "N"]>, tensor<f32>) -> (tensor<5x?xf32, [5, "N"]>, tensor<f32>)
  return %g#0, %g#1 : tensor<5x?xf32, [5, "N"]>, tensor<f32>
}

// CHECK-LABEL: func.func @gather
// CHECK:      %[[ZEROS:.*]] = nn.full {shape = [5, 3], value = 0.000000e+00 : f64}
// CHECK-NEXT: %d_x = nn.scatter_add %[[ZEROS]], %i, %d_y
func.func @gather(%x: tensor<5x3xf32> loc("x"), %i: tensor<4xi64> loc("i")) -> tensor<5x3xf32> {
  %y = nn.gather %x, %i {axis = 0 : i64} : (tensor<5x3xf32>, tensor<4xi64>) -> tensor<4x3xf32> loc("y")
  %loss = nn.sum %y : (tensor<4x3xf32>) -> tensor<f32> loc("loss")
  %g = nn.grad %loss, %x : (tensor<f32>, tensor<5x3xf32>) -> tensor<5x3xf32>
  return %g : tensor<5x3xf32>
}

// CHECK-LABEL: func.func @transpose
// CHECK:      %d_x = nn.transpose %d_y {permutation = array<i64: 2, 0, 1>}
func.func @transpose(%x: tensor<2x3x4xf32> loc("x"), %w: tensor<3x4x2xf32> loc("w")) -> tensor<2x3x4xf32> {
  %y = nn.transpose %x {permutation = array<i64: 1, 2, 0>} : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32> loc("y")
  %z = nn.mul %y, %w : (tensor<3x4x2xf32>, tensor<3x4x2xf32>) -> tensor<3x4x2xf32> loc("z")
  %loss = nn.sum %z : (tensor<3x4x2xf32>) -> tensor<f32> loc("loss")
  %g = nn.grad %loss, %x : (tensor<f32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %g : tensor<2x3x4xf32>
}
