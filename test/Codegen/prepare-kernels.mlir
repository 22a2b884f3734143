// What the kernel emitter is given: generic operations whose operands lie the right way round.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3}))' | FileCheck %s

#x = affine_map<(f, c, i, j, n, p, q) -> (n, c, p + i, q + j)>
#y = affine_map<(f, c, i, j, n, p, q) -> (n, f, p, q)>
#w = affine_map<(f, c, i, j, n, p, q) -> (f, c, i, j)>

// Vectors along the kernel would have three lanes; along the filters they are full. So the filters come
// last in the result and in y, and the result is turned at the end.
// CHECK-DAG: #[[PACK:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>
// CHECK-DAG: #[[TURN:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3) -> (d1, d2, d3, d0)>
// CHECK-DAG: #[[RESULT:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d2, d3, d0)>
// CHECK-LABEL: func.func @weight_gradient
// CHECK-NOT: linalg.fill {{.*}}outs(%arg2
// CHECK: %[[TURNED:.*]] = memref.alloc() : memref<4x3x3x16xf32>
// CHECK: linalg.fill ins(%cst : f32) outs(%[[TURNED]]
// CHECK: %[[PACKED:.*]] = memref.alloc() : memref<{{.*}}16xf32>
// CHECK: linalg.generic {indexing_maps = [#[[PACK]],{{.*}}ins(%arg1 {{.*}}outs(%[[PACKED]]
// CHECK: linalg.generic {{.*}}#[[RESULT]]{{.*}}ins(%arg0, %[[PACKED]] {{.*}}outs(%[[TURNED]]
// CHECK: linalg.generic {indexing_maps = [#[[TURN]],{{.*}}ins(%[[TURNED]] {{.*}}outs(%arg2
func.func @weight_gradient(%x: memref<8x4x10x10xf32>, %y: memref<8x16x8x8xf32>,
                           %w: memref<16x4x3x3xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%w : memref<16x4x3x3xf32>)
  linalg.generic {indexing_maps = [#x, #y, #w],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %y : memref<8x4x10x10xf32>, memref<8x16x8x8xf32>) outs(%w : memref<16x4x3x3xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// What adds to its output stays as it is: there is nothing to start from elsewhere.
// CHECK-LABEL: func.func @accumulates
// CHECK-NOT: memref.alloc() : memref<4x3x3x16xf32>
// CHECK: return
func.func @accumulates(%x: memref<8x4x10x10xf32>, %y: memref<8x16x8x8xf32>,
                       %w: memref<16x4x3x3xf32>) {
  linalg.generic {indexing_maps = [#x, #y, #w],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %y : memref<8x4x10x10xf32>, memref<8x16x8x8xf32>) outs(%w : memref<16x4x3x3xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Full already: nothing is turned.
// CHECK-LABEL: func.func @full
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @full(%a: memref<32x16xf32>, %b: memref<16x64xf32>, %c: memref<32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<32x64xf32>)
  linalg.matmul ins(%a, %b : memref<32x16xf32>, memref<16x64xf32>) outs(%c : memref<32x64xf32>)
  return
}
