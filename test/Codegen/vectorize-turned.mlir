// What lies along the rows of a tile is loaded so, and turned in registers. Of v4: vectors of 16 numbers.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(codegen-vectorize{cpu=x86-64-v4},canonicalize,cse)' | FileCheck %s

// Nine planes become the last axis: nine vectors are loaded, and of each of 16 rows nine numbers are stored.
// CHECK-LABEL: func.func @planes
// CHECK: %[[NINE:.*]] = vector.constant_mask [9] : vector<16xi1>
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c16
// CHECK-COUNT-9: vector.load {{.*}} vector<16xf32>
// CHECK-NOT: vector.load
// CHECK-NOT: memref.load
// CHECK: vector.shuffle
// CHECK-COUNT-16: vector.maskedstore {{.*}} %[[NINE]]
// CHECK-NOT: vector.maskedstore
// CHECK: return
func.func @planes(%x: memref<9x64xf32>, %y: memref<64x9xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (k, i)>, affine_map<(i, k) -> (i, k)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<9x64xf32>) outs(%y : memref<64x9xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  return
}

// Ten rows: a vector of 16 would touch what lies behind them.
// CHECK-LABEL: func.func @few
// CHECK-DAG: %[[FOUR:.*]] = vector.constant_mask [4] : vector<16xi1>
// CHECK-DAG: %[[TEN:.*]] = vector.constant_mask [10] : vector<16xi1>
// CHECK-NOT: vector.load
// CHECK-COUNT-16: vector.maskedload {{.*}} %[[TEN]]
// CHECK: vector.store
// CHECK-COUNT-4: vector.maskedload {{.*}} %[[TEN]]
// CHECK: vector.maskedstore {{.*}} %[[FOUR]]
// CHECK: return
func.func @few(%x: memref<20x10xf32>, %y: memref<10x20xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<20x10xf32>) outs(%y : memref<10x20xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  return
}
