// RUN: nnc-opt %s --transforms-decompose --mlir-use-nameloc-as-prefix | FileCheck %s

// CHECK-LABEL: func.func @mean
func.func @mean(%x: tensor<?x4xf32, ["N", 4]> loc("x")) -> (tensor<4xf32>, tensor<?xf32, ["N"]>) {
  %a = nn.mean %x {axis = array<i64: 0>} : (tensor<?x4xf32, ["N", 4]>) -> tensor<4xf32> loc("a")
  %b = nn.mean %x {axis = array<i64: -1>} : (tensor<?x4xf32, ["N", 4]>) -> tensor<?xf32, ["N"]> loc("b")
  return %a, %b : tensor<4xf32>, tensor<?xf32, ["N"]>
}
// CHECK:      %[[SUM:.*]] = nn.sum %x {axis = array<i64: 0>}
// CHECK-NEXT: %[[SIZE:.*]] = nn.size %x {axis = array<i64: 0>}
// CHECK-NEXT: %[[N:.*]] = nn.cast %[[SIZE]] {dtype = f32}
// CHECK-NEXT: %a = nn.div %[[SUM]], %[[N]]
// CHECK-NEXT: %[[SUM1:.*]] = nn.sum %x {axis = array<i64: 1>}
// CHECK:      %b = nn.div %[[SUM1]], %{{.*}} : (tensor<?xf32, ["N"]>, tensor<f32>)

// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<3x4xf32> loc("x")) -> tensor<3x4xf32> {
  %y = nn.softmax %x : (tensor<3x4xf32>) -> tensor<3x4xf32> loc("y")
  return %y : tensor<3x4xf32>
}
// CHECK-NEXT: %[[MAX:.*]] = nn.max %x {axis = array<i64: 1>, keepdims = true}
// CHECK-NEXT: %[[SHIFTED:.*]] = nn.sub %x, %[[MAX]]
// CHECK-NEXT: %[[EXP:.*]] = nn.exp %[[SHIFTED]]
// CHECK-NEXT: %[[SUM:.*]] = nn.sum %[[EXP]] {axis = array<i64: 1>, keepdims = true}
// CHECK-NEXT: %y = nn.div %[[EXP]], %[[SUM]]
// CHECK-NEXT: return %y

// Half precision is computed in f32.
// CHECK-LABEL: func.func @half
func.func @half(%x: tensor<3x4xf16> loc("x")) -> tensor<3xf16> {
  %y = nn.logsumexp %x {axis = array<i64: 1>} : (tensor<3x4xf16>) -> tensor<3xf16> loc("y")
  return %y : tensor<3xf16>
}
// CHECK:      %[[X:.*]] = nn.cast %x {dtype = f32}
// CHECK:      nn.exp %{{.*}} : (tensor<3x4xf32>)
// CHECK:      %[[Y:.*]] = nn.reshape %{{.*}} {shape = [3]} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: %y = nn.cast %[[Y]] {dtype = f16}

// CHECK-LABEL: func.func @one_hot
func.func @one_hot(%i: tensor<?xi32, ["N"]> loc("i")) -> tensor<?x3xf32, ["N", 3]> {
  %y = nn.one_hot %i {depth = 3 : i64, dtype = f32} : (tensor<?xi32, ["N"]>) -> tensor<?x3xf32, ["N", 3]> loc("y")
  return %y : tensor<?x3xf32, ["N", 3]>
}
// CHECK-DAG:  %[[NUMBERS:.*]] = nn.iota {dtype = i32, shape = [3]} : () -> tensor<3xi32>
// CHECK-DAG:  %[[COLUMN:.*]] = nn.expand_dims %i {axis = array<i64: 1>}
// CHECK-NEXT: %[[EQUAL:.*]] = nn.equal %[[COLUMN]], %[[NUMBERS]]
// CHECK-NEXT: %y = nn.cast %[[EQUAL]] {dtype = f32}

// Simple ops stay.
// CHECK-LABEL: func.func @simple
func.func @simple(%x: tensor<3x4xf32>) -> tensor<3xf32> {
  %y = nn.sum %x {axis = array<i64: 1>} : (tensor<3x4xf32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}
// CHECK-NEXT: nn.sum
// CHECK-NEXT: return
