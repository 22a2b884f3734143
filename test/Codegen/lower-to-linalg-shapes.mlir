// RUN: nnc-opt %s --codegen-lower-to-linalg --canonicalize --cse | FileCheck %s

// Sizes and offsets are arithmetic on the symbols.
// CHECK-LABEL: func.func @slice(
// CHECK-SAME:    %[[X:.*]]: tensor<?xf32> {{.*}}, %[[N:.*]]: index {nn.symbol = "N"}
// CHECK:         %[[SIZE:.*]] = arith.addi %[[N]], %c-1
// CHECK:         tensor.extract_slice %[[X]][1] [%[[SIZE]]] [1]
func.func @slice(%x: tensor<?xf32, ["N"]>) -> tensor<?xf32, ["N - 1"]> {
  %0 = nn.slice %x {starts = [1], stops = ["N"], steps = array<i64: 1>}
      : (tensor<?xf32, ["N"]>) -> tensor<?xf32, ["N - 1"]>
  return %0 : tensor<?xf32, ["N - 1"]>
}

// An update of another shape is broadcast first.
// CHECK-LABEL: func.func @slice_update(
// CHECK:         %[[UPDATE:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3xf32>)
// CHECK:         tensor.insert_slice %[[UPDATE]] into %{{.*}}[0, 1] [2, 3] [2, 1]
func.func @slice_update(%x: tensor<4x4xf32>, %u: tensor<3xf32>) -> tensor<4x4xf32> {
  %0 = nn.slice_update %x, %u {starts = [0, 1], stops = [4, 4], steps = array<i64: 2, 1>}
      : (tensor<4x4xf32>, tensor<3xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @concat(
// CHECK-SAME:    %[[A:.*]]: tensor<?x2xf32> {{.*}}, %[[B:.*]]: tensor<3x2xf32> {{.*}}, %[[N:.*]]: index
// CHECK:         %[[SIZE:.*]] = arith.addi %[[N]], %c3
// CHECK:         %[[ALL:.*]] = tensor.empty(%[[SIZE]]) : tensor<?x2xf32>
// CHECK:         %[[FIRST:.*]] = tensor.insert_slice %[[A]] into %[[ALL]][0, 0] [%[[N]], 2] [1, 1]
// CHECK:         tensor.insert_slice %[[B]] into %[[FIRST]][%[[N]], 0] [3, 2] [1, 1]
func.func @concat(%a: tensor<?x2xf32, ["N", 2]>, %b: tensor<3x2xf32>) -> tensor<?x2xf32, ["N + 3", 2]> {
  %0 = nn.concat %a, %b {axis = 0 : i64} : (tensor<?x2xf32, ["N", 2]>, tensor<3x2xf32>) -> tensor<?x2xf32, ["N + 3", 2]>
  return %0 : tensor<?x2xf32, ["N + 3", 2]>
}

// A negative index counts from the end, one beyond is clamped.
// CHECK-LABEL: func.func @gather(
// CHECK:         arith.minsi %{{.*}}, %c4_i64
// CHECK:         arith.maxsi %{{.*}}, %c0_i64
// CHECK:         tensor.extract
func.func @gather(%x: tensor<5x3xf32>, %i: tensor<4xi64>) -> tensor<4x3xf32> {
  %0 = nn.gather %x, %i {axis = 0 : i64} : (tensor<5x3xf32>, tensor<4xi64>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// Updates are added one after another, where the slice of x is.
// CHECK-LABEL: func.func @scatter_add(
// CHECK:         scf.for %{{.*}} iter_args(%[[Y:.*]] = %arg0)
// CHECK:           %[[SLICE:.*]] = tensor.extract_slice %[[Y]]
// CHECK:           %[[SUM:.*]] = linalg.generic {{.*}} outs(%[[SLICE]]
// CHECK:           tensor.insert_slice %[[SUM]] into %[[Y]]
func.func @scatter_add(%x: tensor<5x3xf32>, %i: tensor<4xi64>, %u: tensor<4x3xf32>) -> tensor<5x3xf32> {
  %0 = nn.scatter_add %x, %i, %u {axis = 0 : i64} : (tensor<5x3xf32>, tensor<4xi64>, tensor<4x3xf32>) -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// Merging and splitting at once goes through one dimension a group.
// CHECK-LABEL: func.func @regroup(
// CHECK:         %[[FLAT:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : tensor<5x3x4xf32> into tensor<5x12xf32>
// CHECK:         tensor.expand_shape %[[FLAT]] {{\[\[}}0], [1, 2]] output_shape [5, 2, 6] : tensor<5x12xf32> into tensor<5x2x6xf32>
func.func @regroup(%x: tensor<5x3x4xf32>) -> tensor<5x2x6xf32> {
  %0 = nn.reshape %x {shape = [5, 2, 6]} : (tensor<5x3x4xf32>) -> tensor<5x2x6xf32>
  return %0 : tensor<5x2x6xf32>
}

// CHECK-LABEL: func.func @size(
// CHECK-SAME:    %[[N:[a-z0-9]+]]: index
// CHECK:         %[[COUNT:.*]] = arith.muli %[[N]], %c3
// CHECK:         %[[VALUE:.*]] = arith.index_cast %[[COUNT]] : index to i64
// CHECK:         tensor.from_elements %[[VALUE]] : tensor<i64>
func.func @size(%x: tensor<?x3xf32, ["N", 3]>) -> tensor<i64> {
  %0 = nn.size %x : (tensor<?x3xf32, ["N", 3]>) -> tensor<i64>
  return %0 : tensor<i64>
}
