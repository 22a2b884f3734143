// RUN: nnc-opt %s --codegen-bufferize --canonicalize --cse | FileCheck %s

#id = affine_map<(i) -> (i)>

// A result gets its own buffer, the symbol an index; the loop writes straight into the buffer.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:[^:]*]]: memref<?xf32> {nn.buffer = 0 : i64, nn.shape = ["N"]}
// CHECK-SAME: %[[OUT:[^:]*]]: memref<?xf32> {nn.buffer = 1 : i64, nn.shape = ["N"]}
// CHECK-SAME: %{{.*}}: index {nn.symbol = "N"})
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[X]] : memref<?xf32>) outs(%[[OUT]] : memref<?xf32>)
// CHECK-NOT: memref.copy
// CHECK: return
func.func @twice(%x: tensor<?xf32> {nn.shape = ["N"]}) -> (tensor<?xf32> {nn.shape = ["N"]})
    attributes {nn.symbols = ["N"]} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %p = arith.addf %a, %a : f32
      linalg.yield %p : f32
  } -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// A parameter is updated in place, through a loop too.
// CHECK-LABEL: func.func @descend(
// CHECK-SAME: %[[W:[^:]*]]: memref<4xf32> {nn.buffer = 0 : i64, nn.name = "w"}, %[[STEP:[^:]*]]: memref<4xf32> {nn.buffer = 1 : i64}) {
// CHECK: scf.for
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[W]], %[[STEP]] : {{.*}}) outs(%[[W]] : memref<4xf32>)
// CHECK-NOT: memref.copy
// CHECK: return
func.func @descend(%w: tensor<4xf32> {nn.name = "w"}, %step: tensor<4xf32>)
    -> (tensor<4xf32> {nn.name = "w"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %e = tensor.empty() : tensor<4xf32>
  %0 = scf.for %i = %c0 to %c9 step %c1 iter_args(%now = %w) -> tensor<4xf32> {
    %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%now, %step : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
        %p = arith.subf %a, %b : f32
        linalg.yield %p : f32
    } -> tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// Two parameters that change places go through a temporary.
// CHECK-LABEL: func.func @swap(
// CHECK-SAME: %[[A:[^:]*]]: memref<4xf32> {{.*}}, %[[B:[^:]*]]: memref<4xf32> {{.*}})
// CHECK: memref.copy %[[B]], %[[OLD_B:.*]] :
// CHECK-NEXT: memref.copy %[[A]], %[[B]]
// CHECK-NEXT: memref.copy %[[OLD_B]], %[[A]]
func.func @swap(%a: tensor<4xf32> {nn.name = "a"}, %b: tensor<4xf32> {nn.name = "b"})
    -> (tensor<4xf32> {nn.name = "a"}, tensor<4xf32> {nn.name = "b"}) {
  return %b, %a : tensor<4xf32>, tensor<4xf32>
}
