// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-winograd{cpu=x86-64-v4}))' | FileCheck %s
// Without parts for threads there is memory for one block.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-winograd{cpu=x86-64-v4 grain=0}))' | FileCheck %s --check-prefix=ALONE

// The first and the last of the nine taps and of the sixteen places in a tile, and the four results.
// CHECK-DAG: #[[FIRST_TAP:.*]] = affine_map<(d0, d1, d2) -> (0, 0, d1, d0 * 32 + d2)>
// CHECK-DAG: #[[LAST_TAP:.*]] = affine_map<(d0, d1, d2) -> (2, 2, d1, d0 * 32 + d2)>
// CHECK-DAG: #[[FIRST_PLACE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 2, d3 * 2, d4)>
// CHECK-DAG: #[[LAST_PLACE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 2 + 3, d3 * 2 + 3, d4)>
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, 0, d3, d4, d5, d7)>
// CHECK-DAG: #[[TAPS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d7, d6)>
// CHECK-DAG: #[[PIXELS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d4, d5, d6)>
// CHECK-DAG: #[[Y00:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 2, d3 * 2, d0 * 32 + d4)>
// CHECK-DAG: #[[Y01:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 2, d3 * 2 + 1, d0 * 32 + d4)>
// CHECK-DAG: #[[Y10:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 2 + 1, d3 * 2, d0 * 32 + d4)>
// CHECK-DAG: #[[Y11:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 2 + 1, d3 * 2 + 1, d0 * 32 + d4)>

#x = affine_map<(n, h, v, f, c, i, j) -> (n, h + i, v + j, c)>
#w = affine_map<(n, h, v, f, c, i, j) -> (i, j, c, f)>
#bias = affine_map<(n, h, v, f, c, i, j) -> (f)>
#y = affine_map<(n, h, v, f, c, i, j) -> (n, h, v, f)>

// Large images go in rows of tiles; the bias is added to the four results of a tile.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[IMAGES:.*]]: memref<2x42x34x64xf32>, %[[W:.*]]: memref<3x3x64x64xf32>, %{{.*}}: memref<64xf32>, %[[Y:.*]]: memref<2x40x32x64xf32>)
// CHECK-NOT: linalg.fill
// CHECK: %[[FILTERS:.*]] = memref.alloc() : memref<4x4x2x64x32xf32>
// CHECK: linalg.generic {indexing_maps = [#[[FIRST_TAP]], {{.*}}, #[[LAST_TAP]], {{.*}} ins(%[[W]], %[[W]], %[[W]], %[[W]], %[[W]], %[[W]], %[[W]], %[[W]], %[[W]] :
// CHECK: %[[TILES:.*]] = memref.alloc() : memref<8x4x4x1x1x5x16x64xf32>
// CHECK: %[[PRODUCTS:.*]] = memref.alloc() : memref<8x4x4x2x1x5x16x32xf32>
// CHECK: scf.parallel (%[[PART:.*]]) = (%{{.*}}) to (%{{.*}}) step (%{{.*}}) {
// CHECK: scf.for %[[BLOCK:[a-z0-9]+]] =
// CHECK: memref.subview %[[TILES]][%[[PART]], 0, 0, 0, 0, 0, 0, 0] {{.*}} {nn.scratch}
// CHECK: %[[X_TILES:.*]] = memref.subview %{{.*}} to memref<4x4x1x1x5x16x64xf32,
// CHECK: memref.subview %[[PRODUCTS]][%[[PART]], 0, 0, 0, 0, 0, 0, 0] {{.*}} {nn.scratch}
// CHECK: %[[Y_TILES:.*]] = memref.subview %{{.*}} to memref<4x4x2x1x5x16x32xf32,
// CHECK: memref.subview %[[IMAGES]][%{{.*}}, %{{.*}}, 0, 0] [1, 12, 34, 64]
// CHECK: linalg.generic {indexing_maps = [#[[FIRST_PLACE]], {{.*}}, #[[LAST_PLACE]], {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[Y_TILES]] :
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[TAPS]], #[[PIXELS]]], {{.*}} "reduction"]} ins(%[[X_TILES]], %[[FILTERS]] : {{.*}}) outs(%[[Y_TILES]] :
// CHECK: memref.subview %[[Y]][%{{.*}}, %{{.*}}, 0, 0] [1, 10, 32, 64]
// CHECK: linalg.generic {{.*}} #[[Y00]], #[[Y01]], #[[Y10]], #[[Y11]]]
// CHECK: linalg.yield %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}} :
// ALONE-LABEL: func.func @rows
// ALONE: memref.alloc() : memref<4x4x1x1x5x16x64xf32>
// ALONE-NOT: scf.parallel
// ALONE: scf.for
// ALONE-LABEL: func.func @filters
func.func @rows(%x: memref<2x42x34x64xf32>, %w: memref<3x3x64x64xf32>, %bias: memref<64xf32>, %y: memref<2x40x32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<2x40x32x64xf32>)
  linalg.generic {indexing_maps = [#x, #w, #bias, #y, #y],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w, %bias : memref<2x42x34x64xf32>, memref<3x3x64x64xf32>, memref<64xf32>)
      outs(%y, %y : memref<2x40x32x64xf32>, memref<2x40x32x64xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32, %o: f32, %u: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      %t = arith.addf %s, %c : f32
      linalg.yield %s, %t : f32, f32
  }
  return
}

// Filters from images of eleven by eleven: what is left over is tiles in which the second pixel counts alone.
// CHECK-LABEL: func.func @filters
// CHECK-DAG: %[[X_TILES:.*]] = memref.alloc() : memref<4x4x1x2x6x6x64xf32>
// CHECK-DAG: %[[Y_TILES:.*]] = memref.alloc() : memref<4x4x2x2x6x6x32xf32>
// CHECK: %[[SUMS:.*]] = memref.alloc() : memref<4x4x2x64x32xf32>
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[SUMS]] :
// CHECK-NOT: scf.parallel
// CHECK: scf.for
// CHECK-COUNT-8: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel", "parallel"]} {{.*}} outs(%[[SUMS]] :
// CHECK: %[[RESULT:.*]] = memref.alloc() : memref<3x3x64x64xf32>
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel"]}
// CHECK: linalg.generic {{.*}} ins(%[[RESULT]] : {{.*}}) outs(%{{.*}} : memref<64x64x3x3xf32>)
func.func @filters(%x: memref<16x13x13x64xf32>, %d: memref<16x11x11x64xf32>, %w: memref<64x64x3x3xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%w : memref<64x64x3x3xf32>)
  linalg.generic {indexing_maps = [
      affine_map<(f, c, i, j, n, h, v) -> (n, h + i, v + j, c)>,
      affine_map<(f, c, i, j, n, h, v) -> (n, h, v, f)>,
      affine_map<(f, c, i, j, n, h, v) -> (f, c, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %d : memref<16x13x13x64xf32>, memref<16x11x11x64xf32>) outs(%w : memref<64x64x3x3xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// With eight channels the transforms cost more than they spare.
// CHECK-LABEL: func.func @few
// CHECK: linalg.fill
// CHECK-NEXT: linalg.generic {{.*}} "reduction", "reduction", "reduction"]}
// CHECK-NOT: linalg.generic
func.func @few(%x: memref<2x42x34x8xf32>, %w: memref<3x3x8x64xf32>, %y: memref<2x40x32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<2x40x32x64xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<2x42x34x8xf32>, memref<3x3x8x64xf32>) outs(%y : memref<2x40x32x64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
