// A gradient by weights: a long sum and a small result. All of the result is gone through for a block of the sum, half
// an image, that stays in a second-level cache of 2 MB; in parts of the rows each would fetch all images again.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(codegen-vectorize{cpu=emeraldrapids grain=1000},canonicalize,cse)' | FileCheck %s

// CHECK-LABEL: func.func @weights
// CHECK: scf.parallel (%[[BEGIN:.*]]) = (%c0) to (%c128) step (%c16)
// CHECK: arith.minui %{{.*}}, %c128 {nn.range_end}
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c1
// CHECK-NEXT: scf.for %{{.*}} = %c0 to %c28 step %c14
func.func @weights(%dy: memref<16x28x28x128xf32>, %x: memref<16x58x58x64xf32>, %dw: memref<128x3x3x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(f, ky, kx, c, n, y, x) -> (n, y, x, f)>,
                                   affine_map<(f, ky, kx, c, n, y, x) -> (n, y * 2 + ky, x * 2 + kx, c)>,
                                   affine_map<(f, ky, kx, c, n, y, x) -> (f, ky, kx, c)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%dy, %x : memref<16x28x28x128xf32>, memref<16x58x58x64xf32>) outs(%dw : memref<128x3x3x64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
