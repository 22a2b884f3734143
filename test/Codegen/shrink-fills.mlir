// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-shrink-fills))' | FileCheck %s

#all = affine_map<(n, y, x, c) -> (n, y, x, c)>

// CHECK-LABEL: func.func @border
// CHECK: %[[PADDED:.*]] = memref.alloc(%{{.*}}) : memref<?x7x8x16xf32>
// CHECK-DAG: %[[TOP:.*]] = memref.subview %[[PADDED]][0, 0, 0, 0] [%{{.*}}, 1, 8, 16] [1, 1, 1, 1]
// CHECK-DAG: linalg.fill ins(%{{.*}}) outs(%[[TOP]] :
// CHECK-DAG: %[[BOTTOM:.*]] = memref.subview %[[PADDED]][0, 5, 0, 0] [%{{.*}}, 2, 8, 16] [1, 1, 1, 1]
// CHECK-DAG: linalg.fill ins(%{{.*}}) outs(%[[BOTTOM]] :
// CHECK-DAG: %[[LEFT:.*]] = memref.subview %[[PADDED]][0, 1, 0, 0] [%{{.*}}, 4, 1, 16] [1, 1, 1, 1]
// CHECK-DAG: linalg.fill ins(%{{.*}}) outs(%[[LEFT]] :
// CHECK-DAG: %[[RIGHT:.*]] = memref.subview %[[PADDED]][0, 1, 7, 0] [%{{.*}}, 4, 1, 16] [1, 1, 1, 1]
// CHECK-DAG: linalg.fill ins(%{{.*}}) outs(%[[RIGHT]] :
// CHECK-NOT: linalg.fill
// CHECK: linalg.generic
func.func @border(%x: memref<?x4x6x16xf32>, %n: index) -> memref<?x7x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc(%n) : memref<?x7x8x16xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<?x7x8x16xf32>)
  %inside = memref.subview %padded[0, 1, 1, 0] [%n, 4, 6, 16] [1, 1, 1, 1]
      : memref<?x7x8x16xf32> to memref<?x4x6x16xf32, strided<[896, 128, 16, 1], offset: 144>>
  linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : memref<?x4x6x16xf32>) outs(%inside : memref<?x4x6x16xf32, strided<[896, 128, 16, 1], offset: 144>>) {
    ^bb0(%a: f32, %o: f32):
      %b = arith.addf %a, %a : f32
      linalg.yield %b : f32
  }
  return %padded : memref<?x7x8x16xf32>
}

// What is inside is added to: it has to be filled. So has what something reads before.
// CHECK-LABEL: func.func @sums
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : memref<4x8xf32>)
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : memref<8x4xf32>)
func.func @sums(%x: memref<2x8xf32>, %y: memref<8xf32>) -> (memref<4x8xf32>, memref<8x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %padded = memref.alloc() : memref<4x8xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<4x8xf32>)
  %inside = memref.subview %padded[1, 0] [2, 8] [1, 1] : memref<4x8xf32> to memref<2x8xf32, strided<[8, 1], offset: 8>>
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<2x8xf32>) outs(%inside : memref<2x8xf32, strided<[8, 1], offset: 8>>) {
    ^bb0(%a: f32, %o: f32):
      %b = arith.addf %a, %o : f32
      linalg.yield %b : f32
  }
  %read = memref.alloc() : memref<8x4xf32>
  linalg.fill ins(%zero : f32) outs(%read : memref<8x4xf32>)
  %first = memref.load %read[%c0, %c0] : memref<8x4xf32>
  %rows = memref.subview %read[0, 0] [4, 4] [1, 1] : memref<8x4xf32> to memref<4x4xf32, strided<[4, 1]>>
  linalg.fill ins(%first : f32) outs(%rows : memref<4x4xf32, strided<[4, 1]>>)
  return %padded, %read : memref<4x8xf32>, memref<8x4xf32>
}

// How much of an axis of unknown size is left over, is not known: the whole is filled. What is inside that some
// body reads in between is filled, too.
// CHECK-LABEL: func.func @unknown
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : memref<?x8xf32>)
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : memref<4x8xf32>)
func.func @unknown(%n: index, %m: index, %y: memref<4xf32>) -> (memref<?x8xf32>, memref<4x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %padded = memref.alloc(%m) : memref<?x8xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<?x8xf32>)
  %inside = memref.subview %padded[0, 0] [%n, 8] [1, 1] : memref<?x8xf32> to memref<?x8xf32, strided<[8, 1]>>
  linalg.fill ins(%one : f32) outs(%inside : memref<?x8xf32, strided<[8, 1]>>)
  %read = memref.alloc() : memref<4x8xf32>
  linalg.fill ins(%zero : f32) outs(%read : memref<4x8xf32>)
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%y : memref<4xf32>) {
    ^bb0(%o: f32):
      %r = memref.load %read[%c0, %c0] : memref<4x8xf32>
      linalg.yield %r : f32
  }
  %rows = memref.subview %read[1, 0] [2, 8] [1, 1] : memref<4x8xf32> to memref<2x8xf32, strided<[8, 1], offset: 8>>
  linalg.fill ins(%one : f32) outs(%rows : memref<2x8xf32, strided<[8, 1], offset: 8>>)
  return %padded, %read : memref<?x8xf32>, memref<4x8xf32>
}

// A border of many short pieces takes longer than one loop over the whole.
// CHECK-LABEL: func.func @wide
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : memref<64x18x18xf32>)
// CHECK-NOT: linalg.fill
func.func @wide(%x: memref<64x10x10xf32>) -> memref<64x18x18xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc() : memref<64x18x18xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<64x18x18xf32>)
  %inside = memref.subview %padded[0, 4, 4] [64, 10, 10] [1, 1, 1]
      : memref<64x18x18xf32> to memref<64x10x10xf32, strided<[324, 18, 1], offset: 76>>
  linalg.copy ins(%x : memref<64x10x10xf32>) outs(%inside : memref<64x10x10xf32, strided<[324, 18, 1], offset: 76>>)
  return %padded : memref<64x18x18xf32>
}
