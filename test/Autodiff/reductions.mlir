// RUN: nnc-opt %s --autodiff-expand-grad --canonicalize --mlir-use-nameloc-as-prefix | FileCheck %s

// The gradient of a broadcast operand is summed over the axes along which it was repeated.
// CHECK-LABEL: func.func @broadcast
// CHECK:      %d_z = nn.broadcast_to %{{.*}} {shape = ["N", 4]}
// CHECK-NEXT: %d_s = nn.sum %d_z {axis = array<i64: 0, 1>}
// CHECK-NEXT: %[[P:.*]] = nn.mul %d_z, %x
// CHECK-NEXT: %d_b = nn.sum %[[P]] {axis = array<i64: 0>, keepdims = true}
// CHECK-NEXT: return %d_b, %d_s
func.func @broadcast(%x: tensor<?x4xf32, ["N", 4]> loc("x"), %b: tensor<1x4xf32> loc("b"), %s: tensor<f32> loc("s"))
    -> (tensor<1x4xf32>, tensor<f32>) {
  %y = nn.mul %x, %b : (tensor<?x4xf32, ["N", 4]>, tensor<1x4xf32>) -> tensor<?x4xf32, ["N", 4]> loc("y")
  %z = nn.add %y, %s : (tensor<?x4xf32, ["N", 4]>, tensor<f32>) -> tensor<?x4xf32, ["N", 4]> loc("z")
  %loss = nn.sum %z : (tensor<?x4xf32, ["N", 4]>) -> tensor<f32> loc("loss")
  %g:2 = nn.grad %loss, %b, %s : (tensor<f32>, tensor<1x4xf32>, tensor<f32>) -> (tensor<1x4xf32>, tensor<f32>)
  return %g#0, %g#1 : tensor<1x4xf32>, tensor<f32>
}

// CHECK-LABEL: func.func @mean
// CHECK:      %[[D:.*]] = nn.div %d_m, %{{.*}} : (tensor<3xf32>, tensor<f32>)
// CHECK-NEXT: %[[COLUMN:.*]] = nn.expand_dims %[[D]] {axis = array<i64: 1>}
// CHECK-NEXT: %d_x = nn.broadcast_to %[[COLUMN]] {shape = [3, 4]}
func.func @mean(%x: tensor<3x4xf32> loc("x")) -> tensor<3x4xf32> {
  %m = nn.mean %x {axis = array<i64: 1>} : (tensor<3x4xf32>) -> tensor<3xf32> loc("m")
  %s = nn.square %m : (tensor<3xf32>) -> tensor<3xf32> loc("s")
  %loss = nn.sum %s : (tensor<3xf32>) -> tensor<f32> loc("loss")
  %g = nn.grad %loss, %x : (tensor<f32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %g : tensor<3x4xf32>
}

// Equal parts to equal elements; half to each of two equal operands.
// CHECK-LABEL: func.func @ties
// CHECK:      %[[LARGEST:.*]] = nn.equal %m, %loss
// CHECK-NEXT: %[[ONES:.*]] = nn.cast %[[LARGEST]] {dtype = f32}
// CHECK-NEXT: %[[COUNT:.*]] = nn.sum %[[ONES]]
// CHECK-NEXT: %[[PART:.*]] = nn.div %d_loss, %[[COUNT]]
// CHECK-NEXT: %d_m = nn.where %[[LARGEST]], %[[PART]], %[[ZERO:.*]] :
// CHECK-DAG:  %[[WINS:.*]] = nn.greater %x, %y
// CHECK-DAG:  %[[TIES:.*]] = nn.equal %x, %y
// CHECK-DAG:  %[[HALF:.*]] = nn.mul %d_m, %{{.*}}
// CHECK-DAG:  %[[ALL:.*]] = nn.where %[[WINS]], %d_m, %[[ZERO]]
// CHECK:      %d_x = nn.where %[[TIES]], %[[HALF]], %[[ALL]]
func.func @ties(%x: tensor<3xf32> loc("x"), %y: tensor<3xf32> loc("y")) -> tensor<3xf32> {
  %m = nn.maximum %x, %y : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> loc("m")
  %loss = nn.max %m : (tensor<3xf32>) -> tensor<f32> loc("loss")
  %g = nn.grad %loss, %x : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  return %g : tensor<3xf32>
}

// The result is used again.
// CHECK-LABEL: func.func @softmax
// CHECK:      %y = nn.softmax %x
// CHECK:      %[[P:.*]] = nn.mul %d_y, %y
// CHECK-NEXT: %[[S:.*]] = nn.sum %[[P]] {axis = array<i64: 1>, keepdims = true}
// CHECK-NEXT: %[[D:.*]] = nn.sub %d_y, %[[S]]
// CHECK-NEXT: %d_x = nn.mul %y, %[[D]]
func.func @softmax(%x: tensor<3x4xf32> loc("x"), %t: tensor<3x4xf32> loc("t")) -> tensor<3x4xf32> {
  %y = nn.softmax %x : (tensor<3x4xf32>) -> tensor<3x4xf32> loc("y")
  %p = nn.mul %y, %t : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32> loc("p")
  %loss = nn.sum %p : (tensor<3x4xf32>) -> tensor<f32> loc("loss")
  %g = nn.grad %loss, %x : (tensor<f32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %g : tensor<3x4xf32>
}
