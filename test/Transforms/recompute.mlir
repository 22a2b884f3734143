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

// What attention makes of the products of queries and keys is computed again from these, which are small beside it, and
// from the largest and the sum of each row.
// CHECK-LABEL: func.func @attention
// CHECK:      %scores = nn.matmul %q, %k
// CHECK:      %weights = nn.div
// CHECK:      %large = nn.matmul
// CHECK:      %[[SCORES:.*]] = nn.matmul %{{.*}}, %{{.*}} : (tensor<4x300x32xf32>
// CHECK-NOT:  nn.max
// CHECK-NOT:  nn.sum
// CHECK:      %[[WEIGHTS:.*]] = nn.div
// CHECK:      nn.matmul %[[WEIGHTS]], %q
func.func @attention(%q: tensor<4x300x32xf32> loc("q"), %k: tensor<4x32x300xf32> loc("k"), %w: tensor<800x800xf32>) -> (tensor<4x300x32xf32>, tensor<4x300x32xf32>) {
  %scores = nn.matmul %q, %k : (tensor<4x300x32xf32>, tensor<4x32x300xf32>) -> tensor<4x300x300xf32> loc("scores")
  %most = nn.max %scores {axis = array<i64: 2>, keepdims = true} : (tensor<4x300x300xf32>) -> tensor<4x300x1xf32> loc("most")
  %less = nn.sub %scores, %most : (tensor<4x300x300xf32>, tensor<4x300x1xf32>) -> tensor<4x300x300xf32> loc("less")
  %e = nn.exp %less : (tensor<4x300x300xf32>) -> tensor<4x300x300xf32> loc("e")
  %all = nn.sum %e {axis = array<i64: 2>, keepdims = true} : (tensor<4x300x300xf32>) -> tensor<4x300x1xf32> loc("all")
  %weights = nn.div %e, %all : (tensor<4x300x300xf32>, tensor<4x300x1xf32>) -> tensor<4x300x300xf32> loc("weights")
  %y = nn.matmul %weights, %q : (tensor<4x300x300xf32>, tensor<4x300x32xf32>) -> tensor<4x300x32xf32> loc("y")
  %large = nn.matmul %w, %w : (tensor<800x800xf32>, tensor<800x800xf32>) -> tensor<800x800xf32> loc("large")
  %c = nn.sum %large : (tensor<800x800xf32>) -> tensor<f32> loc("c")
  %z = nn.matmul %weights, %q : (tensor<4x300x300xf32>, tensor<4x300x32xf32>) -> tensor<4x300x32xf32> loc("z")
  %d = nn.mul %z, %c : (tensor<4x300x32xf32>, tensor<f32>) -> tensor<4x300x32xf32> loc("d")
  return %y, %d : tensor<4x300x32xf32>, tensor<4x300x32xf32>
}
