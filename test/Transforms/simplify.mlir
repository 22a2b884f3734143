// RUN: nnc-opt %s --transforms-simplify --mlir-use-nameloc-as-prefix | FileCheck %s

// CHECK-LABEL: func.func @signs
// CHECK-NEXT: %a = nn.sub %x, %y
// CHECK-NEXT: %b = nn.add %x, %y
// CHECK-NEXT: %c = nn.neg %x
// CHECK-NEXT: %d = nn.square %x
// CHECK-NEXT: return
func.func @signs(%x: tensor<3xf32> loc("x"), %y: tensor<3xf32> loc("y"))
    -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %minus = nn.constant dense<-1.0> : tensor<f32>
  %n = nn.neg %y : (tensor<3xf32>) -> tensor<3xf32>
  %a = nn.add %x, %n : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> loc("a")
  %b = nn.sub %x, %n : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> loc("b")
  %c = nn.mul %x, %minus : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32> loc("c")
  %d = nn.square %c : (tensor<3xf32>) -> tensor<3xf32> loc("d")
  return %a, %b, %c, %d : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @constants
// CHECK-DAG:  %[[THREE:.*]] = nn.constant dense<3.000000e+00>
// CHECK-DAG:  %[[QUARTER:.*]] = nn.constant dense<2.500000e-01>
// CHECK-DAG:  %a = nn.mul %x, %[[QUARTER]]
// CHECK-DAG:  %b = nn.div %x, %[[THREE]]
// CHECK-DAG:  %[[SIX:.*]] = nn.constant dense<6.000000e+00>
// CHECK-DAG:  %c = nn.mul %x, %[[SIX]]
// CHECK:      return %a, %b, %c
func.func @constants(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %two = nn.constant dense<2.0> : tensor<f32>
  %three = nn.constant dense<3.0> : tensor<f32>
  %four = nn.full {shape = [3], value = 4.0 : f64, dtype = f32} : () -> tensor<3xf32>
  %a = nn.div %x, %four : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> loc("a")
  // 1/3 is not exact: stays.
  %b = nn.div %x, %three : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32> loc("b")
  %t = nn.mul %three, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  %c = nn.mul %two, %t : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32> loc("c")
  return %a, %b, %c : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @powers
// CHECK-NEXT: %[[HALF:.*]] = nn.constant dense<1.500000e+00>
// CHECK-NEXT: %a = nn.square %x
// CHECK-NEXT: %b = nn.sqrt %x
// CHECK-NEXT: %c = nn.reciprocal %x
// CHECK-NEXT: %d = nn.pow %x, %[[HALF]]
func.func @powers(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %two = nn.constant dense<2.0> : tensor<f32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %minus = nn.constant dense<-1.0> : tensor<f32>
  %other = nn.constant dense<1.5> : tensor<f32>
  %a = nn.pow %x, %two : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32> loc("a")
  %b = nn.pow %x, %half : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32> loc("b")
  %c = nn.pow %x, %minus : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32> loc("c")
  %d = nn.pow %x, %other : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32> loc("d")
  return %a, %b, %c, %d : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// The inner conversion of the first is exact, that of the second rounds.
// CHECK-LABEL: func.func @conversions
// CHECK-NEXT: %[[NARROW:.*]] = nn.cast %x {dtype = f16}
// CHECK-NEXT: %[[WIDE:.*]] = nn.cast %[[NARROW]] {dtype = f32}
// CHECK-NEXT: return %x, %[[WIDE]]
func.func @conversions(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>) {
  %wide = nn.cast %x {dtype = f64} : (tensor<3xf32>) -> tensor<3xf64>
  %a = nn.cast %wide {dtype = f32} : (tensor<3xf64>) -> tensor<3xf32>
  %narrow = nn.cast %x {dtype = f16} : (tensor<3xf32>) -> tensor<3xf16>
  %b = nn.cast %narrow {dtype = f32} : (tensor<3xf16>) -> tensor<3xf32>
  return %a, %b : tensor<3xf32>, tensor<3xf32>
}

// Computed once, then repeated; read as it was before it was repeated.
// CHECK-LABEL: func.func @repeated
// CHECK-NEXT: %[[E:.*]] = nn.exp %s : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: %a = nn.broadcast_to %[[E]] {shape = ["N", 4]}
// CHECK-NEXT: %b = nn.mul %[[E]], %x
// CHECK-NEXT: return %a, %b
func.func @repeated(%x: tensor<?x4xf32, ["N", 4]> loc("x"), %s: tensor<f32> loc("s"))
    -> (tensor<?x4xf32, ["N", 4]>, tensor<?x4xf32, ["N", 4]>) {
  %r = nn.broadcast_to %s {shape = ["N", 4]} : (tensor<f32>) -> tensor<?x4xf32, ["N", 4]>
  %a = nn.exp %r : (tensor<?x4xf32, ["N", 4]>) -> tensor<?x4xf32, ["N", 4]> loc("a")
  %b = nn.mul %a, %x : (tensor<?x4xf32, ["N", 4]>, tensor<?x4xf32, ["N", 4]>) -> tensor<?x4xf32, ["N", 4]> loc("b")
  return %a, %b : tensor<?x4xf32, ["N", 4]>, tensor<?x4xf32, ["N", 4]>
}

// The axis of four is repeated, the axis of three is not.
// CHECK-LABEL: func.func @sums
// CHECK:      %[[S:.*]] = nn.sum %x {axis = array<i64: 0>, keepdims = true} : (tensor<3x1xf32>) -> tensor<1x1xf32>
// CHECK:      %[[T:.*]] = nn.mul %[[S]], %{{.*}} : (tensor<1x1xf32>, tensor<f32>)
// CHECK-NEXT: %a = nn.reshape %[[T]] {shape = []}
func.func @sums(%x: tensor<3x1xf32> loc("x")) -> tensor<f32> {
  %r = nn.broadcast_to %x {shape = [3, 4]} : (tensor<3x1xf32>) -> tensor<3x4xf32>
  %a = nn.sum %r : (tensor<3x4xf32>) -> tensor<f32> loc("a")
  return %a : tensor<f32>
}

// CHECK-LABEL: func.func @shapes
// CHECK-NEXT: %a = nn.transpose %x {permutation = array<i64: 1, 2, 0>}
// CHECK-NEXT: %b = nn.reshape %v {shape = [3, 1]}
// CHECK-NEXT: %c = nn.reshape %v {shape = [3]}
// CHECK-NEXT: %d = nn.mul %b, %v : (tensor<3x1xf32>, tensor<1x3xf32>) -> tensor<3x3xf32>
func.func @shapes(%x: tensor<2x3x4xf32> loc("x"), %v: tensor<1x3xf32> loc("v"))
    -> (tensor<3x4x2xf32>, tensor<3x1xf32>, tensor<3xf32>, tensor<3x3xf32>) {
  %t = nn.transpose %x {permutation = array<i64: 2, 0, 1>} : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  %a = nn.transpose %t {permutation = array<i64: 2, 0, 1>} : (tensor<4x2x3xf32>) -> tensor<3x4x2xf32> loc("a")
  %b = nn.transpose %v : (tensor<1x3xf32>) -> tensor<3x1xf32> loc("b")
  %c = nn.sum %v {axis = array<i64: 0>} : (tensor<1x3xf32>) -> tensor<3xf32> loc("c")
  %d = nn.matmul %b, %v : (tensor<3x1xf32>, tensor<1x3xf32>) -> tensor<3x3xf32> loc("d")
  return %a, %b, %c, %d : tensor<3x4x2xf32>, tensor<3x1xf32>, tensor<3xf32>, tensor<3x3xf32>
}

// x * 0 may be NaN, x - x too; a sum along a longer axis is a sum.
// CHECK-LABEL: func.func @stays
// CHECK:      %a = nn.mul %x, %{{.*}}
// CHECK-NEXT: %b = nn.sub %x, %x
// CHECK-NEXT: %c = nn.sum %x
func.func @stays(%x: tensor<3xf32> loc("x")) -> (tensor<3xf32>, tensor<3xf32>, tensor<f32>) {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %a = nn.mul %x, %zero : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32> loc("a")
  %b = nn.sub %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> loc("b")
  %c = nn.sum %x : (tensor<3xf32>) -> tensor<f32> loc("c")
  return %a, %b, %c : tensor<3xf32>, tensor<3xf32>, tensor<f32>
}
