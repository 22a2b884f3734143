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
// CHECK-SAME: %[[W:[^:]*]]: memref<4xf32> {nn.buffer = 0 : i64, nn.name = "w", nn.updated}, %[[STEP:[^:]*]]: memref<4xf32> {nn.buffer = 1 : i64}) {
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

// What is computed from one element of a temporary goes where that was, as long as nothing reads it again.
// CHECK-LABEL: func.func @chain(
// CHECK: %[[A:.*]] = memref.alloc(
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : memref<?xf32>) outs(%[[A]] : memref<?xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[A]] : memref<?xf32>) outs(%[[A]] : memref<?xf32>)
// CHECK: %[[B:.*]] = memref.alloc(
// CHECK: linalg.generic {{.*}} ins(%[[A]] : memref<?xf32>) outs(%[[B]] : memref<?xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[A]], %[[B]] : {{.*}}) outs(%{{.*}} : memref<f32>)
// CHECK-NOT: memref.copy
func.func @chain(%x: tensor<?xf32> {nn.shape = ["N"]}) -> tensor<f32> attributes {nn.symbols = ["N"]} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%i: f32, %o: f32):
      %p = math.exp %i : f32
      linalg.yield %p : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%i: f32, %o: f32):
      %p = math.sin %i : f32
      linalg.yield %p : f32
  } -> tensor<?xf32>
  %c = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%b : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%i: f32, %o: f32):
      %p = math.cos %i : f32
      linalg.yield %p : f32
  } -> tensor<?xf32>
  %s = tensor.empty() : tensor<f32>
  %init = linalg.fill ins(%zero : f32) outs(%s : tensor<f32>) -> tensor<f32>
  %d = linalg.generic {indexing_maps = [#id, #id, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%b, %c : tensor<?xf32>, tensor<?xf32>) outs(%init : tensor<f32>) {
    ^bb0(%i: f32, %j: f32, %o: f32):
      %p = arith.mulf %i, %j : f32
      %q = arith.addf %p, %o : f32
      linalg.yield %q : f32
  } -> tensor<f32>
  return %d : tensor<f32>
}
