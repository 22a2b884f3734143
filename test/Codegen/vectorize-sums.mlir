// Sums whose lanes are added up in the end.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(codegen-vectorize{cpu=x86-64-v4},canonicalize,cse)' | FileCheck %s

// The gradient of a kernel of 6 x 5 weights: vectors along five weights would leave most lanes empty, those along the
// pixels of a row do not. Tiles of 3 x 5 sums share what they load; in the rest of a row both factors are zeros where
// there is nothing, so that no sum has to be kept by a mask.
// CHECK-LABEL: func.func @weights
// CHECK: scf.for %{{.*}} = %c0 to %c6 step %c3
// CHECK: scf.for {{.*}} -> (vector<16xf32>{{(, vector<16xf32>){14}[)]}}
// CHECK: vector.load
// CHECK: vector.maskedload
// CHECK-NOT: arith.select
// CHECK: return
func.func @weights(%dy: memref<64x6x28xf32>, %x: memref<64x32xf32>, %dw: memref<6x5xf32>) {
  linalg.generic {indexing_maps = [affine_map<(f, k, n, i) -> (n, f, i)>, affine_map<(f, k, n, i) -> (n, i + k)>,
                                   affine_map<(f, k, n, i) -> (f, k)>],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%dy, %x : memref<64x6x28xf32>, memref<64x32xf32>) outs(%dw : memref<6x5xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// A larger number than any is not zero: lanes beyond the end keep what they hold.
// CHECK-LABEL: func.func @largest
// CHECK: vector.maskedload
// CHECK: arith.select
// CHECK: return
func.func @largest(%x: memref<64x28xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n, i) -> (n, i)>, affine_map<(n, i) -> (n)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<64x28xf32>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.maximumf %o, %a : f32
      linalg.yield %m : f32
  }
  return
}
