// RUN: nnc-opt %s --codegen-expand-views | FileCheck %s

// Both sizes of the group are open.
// CHECK-LABEL: func @open
// CHECK-SAME: (%[[X:.*]]: memref<?xf32>, %[[N:.*]]: index, %[[M:.*]]: index)
func.func @open(%x: memref<?xf32>, %n: index, %m: index) -> memref<?x?xf32> {
  // CHECK: %[[BASE:[^,]*]], %{{.*}} = memref.extract_strided_metadata %[[X]]
  // CHECK: memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [%[[N]], %[[M]]], strides: [%[[M]], 1]
  // CHECK-NOT: expand_shape
  %y = memref.expand_shape %x [[0, 1]] output_shape [%n, %m] : memref<?xf32> into memref<?x?xf32>
  return %y : memref<?x?xf32>
}

// CHECK-LABEL: func @three
func.func @three(%x: memref<?x5xf32>, %n: index, %m: index) -> memref<?x?x2x5xf32> {
  // CHECK: %[[STRIDE:.*]] = arith.muli %{{.*}}, %{{.*}} : index
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [%{{.*}}, %{{.*}}, 2, 5], strides: [%[[STRIDE]], 10, 5, 1]
  %y = memref.expand_shape %x [[0, 1, 2], [3]] output_shape [%n, %m, 2, 5]
      : memref<?x5xf32> into memref<?x?x2x5xf32>
  return %y : memref<?x?x2x5xf32>
}

// CHECK-LABEL: func @closed
func.func @closed(%x: memref<f32>, %y: memref<?xf32>, %n: index) -> (memref<1x1xf32>, memref<?x4xf32>) {
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [1, 1], strides: [1, 1]
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [%{{.*}}, 4], strides: [4, 1]
  %a = memref.expand_shape %x [] output_shape [1, 1] : memref<f32> into memref<1x1xf32>
  %b = memref.expand_shape %y [[0, 1]] output_shape [%n, 4] : memref<?xf32> into memref<?x4xf32>
  return %a, %b : memref<1x1xf32>, memref<?x4xf32>
}

// Where a part starts is computed, what it leaves out is not.
// CHECK-LABEL: func @part
// CHECK-SAME: (%[[X:.*]]: memref<8x4xf32>, %[[I:.*]]: index)
func.func @part(%x: memref<8x4xf32>, %i: index) -> memref<4xf32, strided<[1], offset: ?>> {
  // CHECK: %[[OFFSET:.*]] = affine.apply #{{.*}}()[%[[I]]]
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [%[[OFFSET]]], sizes: [4], strides: [1]
  // CHECK-NOT: subview
  %y = memref.subview %x[%i, 0] [1, 4] [1, 1] : memref<8x4xf32> to memref<4xf32, strided<[1], offset: ?>>
  return %y : memref<4xf32, strided<[1], offset: ?>>
}

// A part of such a view, of which the expansion is asked for its strides first.
// CHECK-LABEL: func @part_of_open
func.func @part_of_open(%x: memref<?xf32>, %i: index, %j: index, %n: index) -> memref<3xf32, strided<[1], offset: ?>> {
  // CHECK-NOT: subview
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [%{{.*}}], sizes: [3], strides: [1]
  %y = memref.expand_shape %x [[0, 1, 2]] output_shape [%n, %n, 3] : memref<?xf32> into memref<?x?x3xf32>
  %z = memref.subview %y[%i, %j, 0] [1, 1, 3] [1, 1, 1]
      : memref<?x?x3xf32> to memref<1x1x3xf32, strided<[?, 3, 1], offset: ?>>
  %row = memref.subview %z[0, 0, 0] [1, 1, 3] [1, 1, 1]
      : memref<1x1x3xf32, strided<[?, 3, 1], offset: ?>> to memref<3xf32, strided<[1], offset: ?>>
  return %row : memref<3xf32, strided<[1], offset: ?>>
}
