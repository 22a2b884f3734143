// RUN: nnc-opt %s --codegen-lower-to-linalg --canonicalize --cse | FileCheck %s

// One loop nest multiplies and adds; the second operand is read as it lies.
// CHECK: #[[X:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: #[[Z:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @einsum(
// CHECK:         linalg.generic {indexing_maps = [#[[X]], #[[Y]], #[[Z]]], iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK-NOT:     linalg.generic
func.func @einsum(%x: tensor<?x4xf32, ["N", 4]>, %y: tensor<2x4xf32>) -> tensor<?x2xf32, ["N", 2]> {
  %0 = nn.einsum %x, %y {equation = "ik,jk->ij"} : (tensor<?x4xf32, ["N", 4]>, tensor<2x4xf32>) -> tensor<?x2xf32, ["N", 2]>
  return %0 : tensor<?x2xf32, ["N", 2]>
}

// Three operands are two products; what only the first two have is summed in the first.
// CHECK-LABEL: func.func @chain(
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4xf32>)
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<2x5xf32>)
func.func @chain(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>, %z: tensor<4x5xf32>) -> tensor<2x5xf32> {
  %0 = nn.einsum %x, %y, %z {equation = "ij,jk,kl->il"} : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// The sum of a row is a value that its loop carries.
// CHECK-LABEL: func.func @cumsum(
// CHECK:         scf.for %[[ROW:.*]] = %c0 to %c3
// CHECK:           scf.for %[[I:.*]] = %c0 to %c4 {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[SUM:.*]] = %{{.*}}) -> (tensor<3x4xf32>, f32)
// CHECK:             %[[X:.*]] = tensor.extract %{{.*}}[%[[ROW]], %[[I]]]
// CHECK:             arith.addf %[[SUM]], %[[X]]
func.func @cumsum(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = nn.cumsum %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// Runs of 1, 2, 4, 8 of ten indices are merged, two lengths a pass.
// CHECK-LABEL: func.func @argsort(
// CHECK:         scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args(%[[FROM:.*]] = %{{.*}}, %[[TO:.*]] = %{{.*}}) -> (tensor<10xi64>, tensor<10xi64>)
// CHECK:           %[[THERE:.*]]:3 = scf.for {{.*}} iter_args(%{{.*}} = %[[TO]],
// CHECK:           %[[BACK:.*]]:3 = scf.for {{.*}} iter_args(%{{.*}} = %[[FROM]],
// CHECK:           scf.yield %[[BACK]]#0, %[[THERE]]#0
func.func @argsort(%x: tensor<10xf32>) -> tensor<10xi64> {
  %0 = nn.argsort %x : (tensor<10xf32>) -> tensor<10xi64>
  return %0 : tensor<10xi64>
}
