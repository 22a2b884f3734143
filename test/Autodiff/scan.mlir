// The gradient of a loop is a loop in the other direction, over the carried values that the first
// one is made to collect. Gradients of captured values are summed.
// RUN: nnc-opt %s --autodiff-expand-grad --canonicalize --cse --mlir-use-nameloc-as-prefix | FileCheck %s

// CHECK-LABEL: func.func @recurrent
// CHECK:      %[[FORWARD:.*]]:2 = nn.scan attributes {count = "T"} init(%h0 : tensor<3xf32>) over(%xs : tensor<?x3xf32, ["T", 3]>)
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<i64>, %h: tensor<3xf32>, %x: tensor<3xf32>):
// CHECK:        nn.yield %t, %h : tensor<3xf32>, tensor<3xf32>
// CHECK-NEXT: }
// CHECK:      %[[ZEROS:.*]] = nn.full {shape = [3, 3], value = 0.000000e+00 : f64}
// CHECK-NEXT: %[[BACK:.*]]:3 = nn.scan attributes {count = "T", reverse = true} init(%{{.*}}, %[[ZEROS]] : tensor<3xf32>, tensor<3x3xf32>)
// CHECK-SAME:     over(%[[FORWARD]]#1, %xs : tensor<?x3xf32, ["T", 3]>, tensor<?x3xf32, ["T", 3]>)
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<i64>, %d_h: tensor<3xf32>, %[[D_W:.*]]: tensor<3x3xf32>, %h: tensor<3xf32>, %x: tensor<3xf32>):
// CHECK-NEXT:   %p = nn.matmul %h, %w
// CHECK-NEXT:   %q = nn.add %p, %x
// CHECK-NEXT:   %t = nn.tanh %q
// CHECK:        %d_q = nn.mul %d_h, %{{.*}}
// CHECK-NEXT:   %[[NEXT:.*]] = nn.matmul %w, %d_q
// CHECK-NEXT:   %[[COLUMN:.*]] = nn.expand_dims %h
// CHECK-NEXT:   %[[PART:.*]] = nn.mul %[[COLUMN]], %d_q
// CHECK-NEXT:   %[[SUM:.*]] = nn.add %[[D_W]], %[[PART]]
// CHECK-NEXT:   nn.yield %[[NEXT]], %[[SUM]], %d_q : tensor<3xf32>, tensor<3x3xf32>, tensor<3xf32>
// CHECK-NEXT: }
// CHECK-NEXT: return %[[BACK]]#1, %[[BACK]]#0, %[[BACK]]#2
func.func @recurrent(%w: tensor<3x3xf32> loc("w"), %h0: tensor<3xf32> loc("h0"), %xs: tensor<?x3xf32, ["T", 3]> loc("xs"))
    -> (tensor<3x3xf32>, tensor<3xf32>, tensor<?x3xf32, ["T", 3]>) {
  %last = nn.scan attributes {count = "T"} init(%h0 : tensor<3xf32>) over(%xs : tensor<?x3xf32, ["T", 3]>) -> tensor<3xf32> {
  ^bb0(%i: tensor<i64>, %h: tensor<3xf32> loc("h"), %x: tensor<3xf32> loc("x")):
    %p = nn.matmul %h, %w : (tensor<3xf32>, tensor<3x3xf32>) -> tensor<3xf32> loc("p")
    %q = nn.add %p, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> loc("q")
    %t = nn.tanh %q : (tensor<3xf32>) -> tensor<3xf32> loc("t")
    nn.yield %t : tensor<3xf32>
  }
  %loss = nn.sum %last : (tensor<3xf32>) -> tensor<f32> loc("loss")
  %g:3 = nn.grad %loss, %w, %h0, %xs
      : (tensor<f32>, tensor<3x3xf32>, tensor<3xf32>, tensor<?x3xf32, ["T", 3]>) -> (tensor<3x3xf32>, tensor<3xf32>, tensor<?x3xf32, ["T", 3]>)
  return %g#0, %g#1, %g#2 : tensor<3x3xf32>, tensor<3xf32>, tensor<?x3xf32, ["T", 3]>
}

// What does not depend on %w is not differentiated: one loop is left.
// CHECK-LABEL: func.func @independent
// CHECK-COUNT-1: nn.scan
// CHECK-NOT: nn.scan
func.func @independent(%w: tensor<f32> loc("w"), %c0: tensor<f32>) -> tensor<f32> {
  %c = nn.scan attributes {count = 3 : i64} init(%c0 : tensor<f32>) over() -> tensor<f32> {
  ^bb0(%i: tensor<i64>, %a: tensor<f32>):
    %s = nn.sin %a : (tensor<f32>) -> tensor<f32>
    nn.yield %s : tensor<f32>
  }
  %y = nn.mul %w, %c : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %g = nn.grad %y, %w : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %g : tensor<f32>
}
