// RUN: nnc-opt %s --codegen-lower-to-linalg --canonicalize --cse | FileCheck %s

// Symbols become arguments, names leave the types, and broadcasting is in the maps.
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[LEFT:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[TRANSPOSED:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[PRODUCT:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: func.func @broadcast(
// CHECK-SAME:    %[[X:.*]]: tensor<?x3xf32> {nn.name = "x", nn.shape = ["N", 3]},
// CHECK-SAME:    %[[Y:.*]]: tensor<3xf32> {nn.shape = [3]},
// CHECK-SAME:    %[[N:.*]]: index {nn.symbol = "N"})
// CHECK-SAME:    -> (tensor<?x3xf32> {nn.shape = ["N", 3]})
// CHECK-SAME:    attributes {nn.entry = "forward", nn.symbols = ["N"]}
// CHECK:         %[[INIT:.*]] = tensor.empty(%[[N]]) : tensor<?x3xf32>
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ID]]]
// CHECK-SAME:      ins(%[[X]], %[[Y]] : {{.*}}) outs(%[[INIT]]
// CHECK:           arith.addf
func.func @broadcast(%x: tensor<?x3xf32, ["N", 3]> {nn.name = "x"}, %y: tensor<3xf32>)
    -> tensor<?x3xf32, ["N", 3]> attributes {nn.entry = "forward"} {
  %0 = nn.add %x, %y : (tensor<?x3xf32, ["N", 3]>, tensor<3xf32>) -> tensor<?x3xf32, ["N", 3]>
  return %0 : tensor<?x3xf32, ["N", 3]>
}

// A size-1 axis repeats; a constant is in the body.
// CHECK-LABEL: func.func @column(
// CHECK:         linalg.generic {indexing_maps = [#[[COLUMN]], #[[ID]]]
// CHECK:           arith.mulf %{{.*}}, %cst
func.func @column(%x: tensor<2x1xf32>) -> tensor<2x3xf32> {
  %0 = nn.broadcast_to %x {shape = [2, 3]} : (tensor<2x1xf32>) -> tensor<2x3xf32>
  %1 = nn.constant dense<2.0> : tensor<f32>
  %2 = nn.mul %0, %1 : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}

// The axis that keepdims leaves is looked through by the reader.
// CHECK-LABEL: func.func @center(
// CHECK:         linalg.fill
// CHECK:         %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[FIRST]]], iterator_types = ["parallel", "reduction"]}
// CHECK:           arith.maximumf
// CHECK-NOT:     expand_shape
// CHECK:         linalg.generic {indexing_maps = [#[[ID]], #[[FIRST]], #[[ID]]]
// CHECK-SAME:      ins(%{{.*}}, %[[MAX]]
func.func @center(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = nn.max %x {axis = array<i64: -1>, keepdims = true} : (tensor<4x5xf32>) -> tensor<4x1xf32>
  %1 = nn.sub %x, %0 : (tensor<4x5xf32>, tensor<4x1xf32>) -> tensor<4x5xf32>
  return %1 : tensor<4x5xf32>
}

// A transpose is part of the contraction's maps.
// CHECK-LABEL: func.func @matmul_transposed(
// CHECK:         linalg.generic {indexing_maps = [#[[LEFT]], #[[TRANSPOSED]], #[[PRODUCT]]], iterator_types = ["parallel", "parallel", "reduction"]}
func.func @matmul_transposed(%x: tensor<4x5xf32>, %y: tensor<6x5xf32>) -> tensor<4x6xf32> {
  %0 = nn.transpose %y : (tensor<6x5xf32>) -> tensor<5x6xf32>
  %1 = nn.matmul %x, %0 : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}

// f16 accumulates in f32; bool is a byte; u8 is unsigned.
// CHECK-LABEL: func.func @types(
// CHECK-SAME:    tensor<4xf16>
// CHECK-SAME:    tensor<4xi8>
// CHECK-SAME:    tensor<4xi8>
// CHECK:         linalg.generic
// CHECK:           arith.extf %{{.*}} : f16 to f32
// CHECK:           arith.addf %{{.*}} : f32
// CHECK:         arith.truncf
// CHECK:         arith.maxui
// CHECK:         arith.andi
func.func @types(%x: tensor<4xf16>, %y: tensor<4xui8>, %c: tensor<4xi1>)
    -> (tensor<f16>, tensor<ui8>, tensor<i1>) {
  %0 = nn.sum %x : (tensor<4xf16>) -> tensor<f16>
  %1 = nn.max %y : (tensor<4xui8>) -> tensor<ui8>
  %2 = nn.all %c : (tensor<4xi1>) -> tensor<i1>
  return %0, %1, %2 : tensor<f16>, tensor<ui8>, tensor<i1>
}

// A loop writes what it collects into a tensor it carries; reversed, from the end.
// CHECK-LABEL: func.func @scan(
// CHECK-SAME:    %[[INIT:.*]]: tensor<3xf32> {{.*}}, %[[XS:.*]]: tensor<?x3xf32> {{.*}}, %[[T:.*]]: index
// CHECK:         %[[STACK:.*]] = tensor.empty(%[[T]])
// CHECK:         scf.for %[[I:.*]] = %c0 to %[[T]] step %c1 iter_args(%[[H:.*]] = %[[INIT]], %[[ALL:.*]] = %[[STACK]])
// CHECK:           %[[LAST:.*]] = arith.addi %[[T]], %c-1
// CHECK:           %[[AT:.*]] = arith.subi %[[LAST]], %[[I]]
// CHECK:           tensor.extract_slice %[[XS]][%[[AT]], 0] [1, 3] [1, 1]
// CHECK:           %[[NEXT:.*]] = linalg.generic
// CHECK:           %[[NEW:.*]] = tensor.insert_slice %[[NEXT]] into %[[ALL]][%[[AT]], 0] [1, 3] [1, 1]
// CHECK:           scf.yield %[[NEXT]], %[[NEW]]
func.func @scan(%init: tensor<3xf32>, %xs: tensor<?x3xf32, ["T", 3]>)
    -> (tensor<3xf32>, tensor<?x3xf32, ["T", 3]>) {
  %0:2 = nn.scan attributes {count = "T", reverse = true} init(%init : tensor<3xf32>)
      over(%xs : tensor<?x3xf32, ["T", 3]>) -> tensor<3xf32>, tensor<?x3xf32, ["T", 3]> {
  ^body(%i: tensor<i64>, %h: tensor<3xf32>, %x: tensor<3xf32>):
    %1 = nn.add %h, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    nn.yield %1, %1 : tensor<3xf32>, tensor<3xf32>
  }
  return %0#0, %0#1 : tensor<3xf32>, tensor<?x3xf32, ["T", 3]>
}

// A reshape cuts where the products of sizes agree.
// CHECK-LABEL: func.func @reshape(
// CHECK:         tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2]] output_shape [%{{.*}}, 2, 3] : tensor<?x6xf32> into tensor<?x2x3xf32>
func.func @reshape(%x: tensor<?x6xf32, ["N", 6]>) -> tensor<?x2x3xf32, ["N", 2, 3]> {
  %0 = nn.reshape %x {shape = ["N", 2, 3]} : (tensor<?x6xf32, ["N", 6]>) -> tensor<?x2x3xf32, ["N", 2, 3]>
  return %0 : tensor<?x2x3xf32, ["N", 2, 3]>
}
