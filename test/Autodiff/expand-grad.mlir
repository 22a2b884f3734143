// Where nn.grad stands: after another one, after values that are used elsewhere, in a loop.
// RUN: nnc-opt %s --autodiff-expand-grad --canonicalize --cse --mlir-use-nameloc-as-prefix | FileCheck %s

// The second derivative of e^(2x) as the gradient of the gradient: 4 y^2.
// CHECK-LABEL: func.func @second
// CHECK:      %y = nn.exp %x
// CHECK-NEXT: %[[TWICE:.*]] = nn.mul %y, %{{.*}}
// CHECK-NEXT: %d_y = nn.add %[[TWICE]], %[[TWICE]]
// CHECK-NEXT: %d_x = nn.mul %d_y, %y
// CHECK-NEXT: return %d_x
func.func @second(%x: tensor<f32> loc("x")) -> tensor<f32> {
  %y = nn.exp %x : (tensor<f32>) -> tensor<f32> loc("y")
  %z = nn.square %y : (tensor<f32>) -> tensor<f32> loc("z")
  %g = nn.grad %z, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %h = nn.grad %g, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %h : tensor<f32>
}

// A gradient that the source names.
// CHECK-LABEL: func.func @named
// CHECK:      %slope = nn.mul %{{.*}}, %{{.*}}
// CHECK-NEXT: return %slope
func.func @named(%x: tensor<f32> loc("x")) -> tensor<f32> {
  %z = nn.exp %x : (tensor<f32>) -> tensor<f32> loc("z")
  %y = nn.exp %z : (tensor<f32>) -> tensor<f32> loc("y")
  %slope = nn.grad %y, %x : (tensor<f32>, tensor<f32>) -> tensor<f32> loc("slope")
  return %slope : tensor<f32>
}

// An intermediate value: its whole gradient, which also flows on to %x.
// CHECK-LABEL: func.func @intermediate
// CHECK:      %d_y = nn.mul %d_z, %{{.*}}
// CHECK-NEXT: %d_x = nn.mul %d_y, %y
// CHECK-NEXT: return %d_x, %d_y
func.func @intermediate(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>) {
  %y = nn.exp %x : (tensor<3xf32>) -> tensor<3xf32> loc("y")
  %z = nn.square %y : (tensor<3xf32>) -> tensor<3xf32> loc("z")
  %loss = nn.sum %z : (tensor<3xf32>) -> tensor<f32> loc("loss")
  %g:2 = nn.grad %loss, %x, %y : (tensor<f32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  return %g#0, %g#1 : tensor<3xf32>, tensor<3xf32>
}

// Within a loop, with respect to what it carries and to %t, on which the body depends through %u.
// CHECK-LABEL: func.func @descent
// CHECK:      %u = nn.exp %t
// CHECK-NEXT: nn.scan
// CHECK:        %d_e = nn.mul %d_q, %{{.*}}
// CHECK-NEXT:   %d_u = nn.neg %d_e
// CHECK-NEXT:   %d_t = nn.mul %d_u, %u
// CHECK-NEXT:   nn.add %d_e, %d_t
func.func @descent(%w0: tensor<3xf32> loc("w0"), %t: tensor<3xf32> loc("t")) -> tensor<3xf32> {
  %u = nn.exp %t : (tensor<3xf32>) -> tensor<3xf32> loc("u")
  %r = nn.scan attributes {count = 10 : i64} init(%w0 : tensor<3xf32>) over() -> tensor<3xf32> {
  ^bb0(%i: tensor<i64>, %w: tensor<3xf32> loc("w")):
    %e = nn.sub %w, %u : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> loc("e")
    %q = nn.square %e : (tensor<3xf32>) -> tensor<3xf32> loc("q")
    %loss = nn.sum %q : (tensor<3xf32>) -> tensor<f32> loc("loss")
    %g:2 = nn.grad %loss, %w, %t : (tensor<f32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
    %d = nn.add %g#0, %g#1 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %n = nn.sub %w, %d : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    nn.yield %n : tensor<3xf32>
  }
  return %r : tensor<3xf32>
}

// An op of another dialect has no rule; that it is in the way is an error (expand-grad-errors.mlir).
// Off the way it does not matter.
// CHECK-LABEL: func.func @off_the_way
// CHECK:      call @unknown
func.func private @unknown(tensor<f32>) -> tensor<f32>
func.func @off_the_way(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> {
  %u = call @unknown(%y) : (tensor<f32>) -> tensor<f32>
  %z = nn.mul %x, %u : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %g = nn.grad %z, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %g : tensor<f32>
}
