// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-siblings))' | FileCheck %s

#id = affine_map<(i) -> (i)>
#matrix = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (i)>

// Two functions of %g, and a third of what they gave: one loop over three arrays.
// CHECK-LABEL: func.func @update
// CHECK-SAME: (%[[G:.*]]: tensor<8xf32>, %[[M:.*]]: tensor<8xf32>, %[[P:.*]]: tensor<8xf32>)
// CHECK: %[[ALL:.*]]:3 = linalg.generic {{.*}} ins(%[[M]], %[[G]], %[[P]] :
// CHECK-NEXT: ^bb0(%[[m:[a-z_0-9]+]]: f32, %[[g:[a-z_0-9]+]]: f32, %[[p:[a-z_0-9]+]]: f32, %{{.*}}
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[m]], %[[g]]
// CHECK-NEXT: %[[SQUARE:.*]] = arith.mulf %[[g]], %[[g]]
// CHECK-NEXT: %[[NEW:.*]] = arith.subf %[[p]], %[[SUM]]
// CHECK-NEXT: linalg.yield %[[SUM]], %[[SQUARE]], %[[NEW]]
// CHECK-NOT: linalg.generic
// CHECK: return %[[ALL]]#0, %[[ALL]]#1, %[[ALL]]#2
func.func @update(%g: tensor<8xf32>, %m: tensor<8xf32>, %p: tensor<8xf32>)
    -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%m, %g : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      linalg.yield %s : f32
  } -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%g : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.mulf %x, %x : f32
      linalg.yield %s : f32
  } -> tensor<8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%p, %0 : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.subf %x, %y : f32
      linalg.yield %s : f32
  } -> tensor<8xf32>
  return %0, %1, %2 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// Two sums over the rows of one matrix, whatever its size. The second moves up, with what it needs:
// the first has a reader in between.
// CHECK-LABEL: func.func @sums
// CHECK: linalg.fill
// CHECK: linalg.fill
// CHECK: %[[SUMS:.*]]:2 = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%{{.*}} :
// CHECK: linalg.yield %{{.*}}, %{{.*}} : f32, f32
// CHECK: linalg.generic {{.*}} ins(%[[SUMS]]#0
// CHECK-NOT: linalg.generic
func.func @sums(%x: tensor<?x?xf32>, %n: index) -> (tensor<?xf32>, tensor<?xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#matrix, #column], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%f : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%0 : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = math.sqrt %a : f32
      linalg.yield %s : f32
  } -> tensor<?xf32>
  %e2 = tensor.empty(%n) : tensor<?xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<?xf32>) -> tensor<?xf32>
  %2 = linalg.generic {indexing_maps = [#matrix, #column], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%f2 : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %p = arith.mulf %a, %a : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<?xf32>
  return %1, %2 : tensor<?xf32>, tensor<?xf32>
}

// A sum that needs the first sum stays behind it.
// CHECK-LABEL: func.func @variance
// CHECK: linalg.generic
// CHECK: linalg.generic
func.func @variance(%x: tensor<4x8xf32>, %z: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.generic {indexing_maps = [#matrix, #column], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#matrix, #column, #column], iterator_types = ["parallel", "reduction"]}
      ins(%x, %0 : tensor<4x8xf32>, tensor<4xf32>) outs(%z : tensor<4xf32>) {
    ^bb0(%a: f32, %m: f32, %o: f32):
      %d = arith.subf %a, %m : f32
      %p = arith.mulf %d, %d : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// Other loops: a sum over the elements that the other operation maps.
// CHECK-LABEL: func.func @loops
// CHECK: linalg.generic
// CHECK: linalg.generic
func.func @loops(%x: tensor<4x8xf32>, %z: tensor<4xf32>) -> (tensor<4xf32>, tensor<4x8xf32>) {
  %0 = linalg.generic {indexing_maps = [#matrix, #column], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %1 = linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = math.exp %a : f32
      linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %0, %1 : tensor<4xf32>, tensor<4x8xf32>
}

// Both read the index, but one extracts elements of the other's result at places of its own.
// CHECK-LABEL: func.func @gather
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK: tensor.extract
func.func @gather(%x: tensor<3xi64>) -> tensor<3xf64> {
  %e = tensor.empty() : tensor<3xf64>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<3xi64>) outs(%e : tensor<3xf64>) {
    ^bb0(%i: i64, %o: f64):
      %s = arith.sitofp %i : i64 to f64
      linalg.yield %s : f64
  } -> tensor<3xf64>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<3xi64>) outs(%e : tensor<3xf64>) {
    ^bb0(%i: i64, %o: f64):
      %place = arith.index_cast %i : i64 to index
      %s = tensor.extract %0[%place] : tensor<3xf64>
      linalg.yield %s : f64
  } -> tensor<3xf64>
  return %1 : tensor<3xf64>
}
