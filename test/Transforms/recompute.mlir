// RUN: nnc-opt %s --transforms-recompute --mlir-use-nameloc-as-prefix | FileCheck %s

// %a lives over the large product and is one subtraction of %x, which lives longer.
// CHECK-LABEL: func.func @centred
// CHECK:      %a = nn.sub %x, %m
// CHECK:      %large = nn.matmul %a, %a
// CHECK:      %c = nn.sum %large
// CHECK-NEXT: %[[X:.*]] = nn.stop_gradient %x {nn.again = 0 : i64}
// CHECK-NEXT: %[[M:.*]] = nn.stop_gradient %m {nn.again = 0 : i64}
// CHECK-NEXT: %[[A:.*]] = nn.sub %[[X]], %[[M]]
// CHECK-NEXT: %b = nn.mul %[[A]], %c
// CHECK-NEXT: %d = nn.add %b, %x
func.func @centred(%w: tensor<100x100xf32>, %m: tensor<100xf32> loc("m")) -> tensor<100x100xf32> {
  %x = nn.matmul %w, %w : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc("x")
  %a = nn.sub %x, %m : (tensor<100x100xf32>, tensor<100xf32>) -> tensor<100x100xf32> loc("a")
  %large = nn.matmul %a, %a : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc("large")
  %c = nn.sum %large : (tensor<100x100xf32>) -> tensor<f32> loc("c")
  %b = nn.mul %a, %c : (tensor<100x100xf32>, tensor<f32>) -> tensor<100x100xf32> loc("b")
  %d = nn.add %b, %x : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32> loc("d")
  return %d : tensor<100x100xf32>
}

// An exponential is dear, a product dearer; and what %y would be computed from is gone.
// CHECK-LABEL: func.func @kept
// CHECK-NOT: nn.stop_gradient
func.func @kept(%w: tensor<100x100xf32>) -> tensor<100x100xf32> {
  %x = nn.matmul %w, %w : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %e = nn.exp %x : (tensor<100x100xf32>) -> tensor<100x100xf32>
  %p = nn.matmul %w, %e : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %y = nn.neg %p : (tensor<100x100xf32>) -> tensor<100x100xf32>
  %large = nn.matmul %y, %y : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %c = nn.sum %large : (tensor<100x100xf32>) -> tensor<f32>
  %f = nn.mul %y, %c : (tensor<100x100xf32>, tensor<f32>) -> tensor<100x100xf32>
  %g = nn.add %f, %e : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  %h = nn.add %g, %x : (tensor<100x100xf32>, tensor<100x100xf32>) -> tensor<100x100xf32>
  return %h : tensor<100x100xf32>
}
