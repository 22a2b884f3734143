// RUN: nnc-opt %s --canonicalize --mlir-use-nameloc-as-prefix | FileCheck %s

// %b and its sequence %ys serve only %b, whose last value nobody reads; nor does anybody read what
// is collected second.
// CHECK-LABEL: func.func @unused
// CHECK:      %[[R:.*]]:2 = nn.scan attributes {count = 4 : i64} init(%arg0 : tensor<f32>) over(%arg1 : tensor<4xf32>) -> tensor<f32>, tensor<4xf32> {
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<i64>, %a: tensor<f32>, %x: tensor<f32>):
// CHECK-NEXT:   %c = nn.add %a, %x
// CHECK-NEXT:   nn.yield %c, %a : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
// CHECK-NEXT: return %[[R]]#0, %[[R]]#1
func.func @unused(%a0: tensor<f32>, %xs: tensor<4xf32>, %ys: tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>) {
  %r:4 = nn.scan attributes {count = 4 : i64} init(%a0, %a0 : tensor<f32>, tensor<f32>)
      over(%xs, %ys : tensor<4xf32>, tensor<4xf32>) -> tensor<f32>, tensor<f32>, tensor<4xf32>, tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %a: tensor<f32> loc("a"), %b: tensor<f32> loc("b"), %x: tensor<f32> loc("x"), %y: tensor<f32> loc("y")):
    %c = nn.add %a, %x : (tensor<f32>, tensor<f32>) -> tensor<f32> loc("c")
    %d = nn.mul %b, %y : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %e = nn.exp %d : (tensor<f32>) -> tensor<f32>
    nn.yield %c, %d, %a, %e : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
  }
  return %r#0, %r#2 : tensor<f32>, tensor<4xf32>
}

// A carried value that never changes, slices of a repeated value, and a value from outside that is
// collected: all are read where they come from.
// CHECK-LABEL: func.func @invariant
// CHECK:      %[[REPEATED:.*]] = nn.broadcast_to %arg1 {shape = [4]}
// CHECK:      %[[R:.*]] = nn.scan attributes {count = 4 : i64} init(%arg0 : tensor<f32>) over() -> tensor<f32> {
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<i64>, %a: tensor<f32>):
// CHECK-NEXT:   %c = nn.mul %a, %arg1
// CHECK-NEXT:   %d = nn.mul %c, %arg1
// CHECK-NEXT:   nn.yield %d : tensor<f32>
// CHECK-NEXT: }
// CHECK-NEXT: return %[[R]], %arg1, %[[REPEATED]]
func.func @invariant(%a0: tensor<f32>, %w: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<4xf32>) {
  %ws = nn.broadcast_to %w {shape = [4]} : (tensor<f32>) -> tensor<4xf32>
  %r:3 = nn.scan attributes {count = 4 : i64} init(%a0, %w : tensor<f32>, tensor<f32>)
      over(%ws : tensor<4xf32>) -> tensor<f32>, tensor<f32>, tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %a: tensor<f32> loc("a"), %b: tensor<f32> loc("b"), %x: tensor<f32> loc("x")):
    %c = nn.mul %a, %b : (tensor<f32>, tensor<f32>) -> tensor<f32> loc("c")
    %d = nn.mul %c, %x : (tensor<f32>, tensor<f32>) -> tensor<f32> loc("d")
    nn.yield %d, %b, %w : tensor<f32>, tensor<f32>, tensor<f32>
  }
  return %r#0, %r#1, %r#2 : tensor<f32>, tensor<f32>, tensor<4xf32>
}

// The same twice.
// CHECK-LABEL: func.func @twice
// CHECK:      %[[R:.*]]:2 = nn.scan {{.*}} over(%arg1 : tensor<4xf32>) -> tensor<f32>, tensor<4xf32>
// CHECK:      return %[[R]]#1, %[[R]]#1
func.func @twice(%a0: tensor<f32>, %xs: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %r:3 = nn.scan attributes {count = 4 : i64} init(%a0 : tensor<f32>)
      over(%xs, %xs : tensor<4xf32>, tensor<4xf32>) -> tensor<f32>, tensor<4xf32>, tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %a: tensor<f32>, %x: tensor<f32>, %y: tensor<f32>):
    %c = nn.add %a, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %d = nn.mul %c, %y : (tensor<f32>, tensor<f32>) -> tensor<f32>
    nn.yield %d, %c, %c : tensor<f32>, tensor<f32>, tensor<f32>
  }
  return %r#1, %r#2 : tensor<4xf32>, tensor<4xf32>
}

// All of it is needed.
// CHECK-LABEL: func.func @needed
// CHECK:      nn.scan attributes {count = 4 : i64} init(%arg0, %arg1 : tensor<f32>, tensor<f32>) over(%arg2 : tensor<4xf32>)
// CHECK:      nn.yield %{{.*}}, %{{.*}} : tensor<f32>, tensor<f32>
func.func @needed(%a0: tensor<f32>, %b0: tensor<f32>, %xs: tensor<4xf32>) -> tensor<f32> {
  %r:2 = nn.scan attributes {count = 4 : i64} init(%a0, %b0 : tensor<f32>, tensor<f32>)
      over(%xs : tensor<4xf32>) -> tensor<f32>, tensor<f32> {
  ^bb0(%i: tensor<i64>, %a: tensor<f32>, %b: tensor<f32>, %x: tensor<f32>):
    %c = nn.mul %b, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
    nn.yield %b, %c : tensor<f32>, tensor<f32>
  }
  return %r#0 : tensor<f32>
}
