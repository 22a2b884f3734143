// Large operations are cut into parts, a parallel loop; small ones are as without the option.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3}),codegen-vectorize{cpu=x86-64-v3 grain=1000},canonicalize,cse)' | FileCheck %s
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3}),codegen-vectorize{cpu=x86-64-v3 grain=0},canonicalize,cse)' | FileCheck %s --check-prefix=WHOLE
// WHOLE-NOT: scf.parallel

#matrix = affine_map<(i, j) -> (i, j)>

// 64 x 64 x 64 products at two instructions for eight are 65 grains: more than the four tiles of 16
// columns, but these are too few to share. So rows are cut: eleven tiles of six.
// CHECK-LABEL: func.func @matmul
// CHECK: scf.parallel (%[[BEGIN:.*]]) = (%c0) to (%c64) step (%c6)
// CHECK: %[[NEXT:.*]] = arith.addi %[[BEGIN]], %c6
// CHECK: %[[END:.*]] = arith.minui %[[NEXT]], %c64
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c16
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %{{.*}} step %c6
// CHECK: scf.for {{.*}} iter_args
// The rest: the last part has it.
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c4
// CHECK: scf.reduce
func.func @matmul(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %c: memref<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<64x64xf32>)
  linalg.matmul ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%c : memref<64x64xf32>)
  return
}

// A hundred numbers are not worth it.
// CHECK-LABEL: func.func @small
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @small(%x: memref<100xf32>, %out: memref<100xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                  iterator_types = ["parallel"]}
      ins(%x : memref<100xf32>) outs(%out : memref<100xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.addf %a, %a : f32
      linalg.yield %r : f32
  }
  return
}

// The sum of everything is never cut: its order is that of one thread.
// CHECK-LABEL: func.func @total
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @total(%a: memref<1000x1000xf32>, %c: memref<f32>) {
  linalg.generic {indexing_maps = [#matrix, affine_map<(i, j) -> ()>],
                  iterator_types = ["reduction", "reduction"]}
      ins(%a : memref<1000x1000xf32>) outs(%c : memref<f32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.addf %o, %x : f32
      linalg.yield %s : f32
  }
  return
}

// With an unknown size the step is computed: an addition, a load and a store for each vector are the work, of
// which as many parts are made as there are grains of 1000 x 8, one at
// least, 256 or a part for each eight elements at most.
// CHECK-LABEL: func.func @unknown
// CHECK: %[[SIZE:.*]] = memref.dim %arg0, %c0
// CHECK: %[[WORK:.*]] = arith.muli %[[SIZE]], %c9
// CHECK: %[[UP:.*]] = arith.addi %[[SIZE]], %c7
// CHECK: %[[UNITS:.*]] = arith.divui %[[UP]], %c8
// CHECK: %[[GRAINS:.*]] = arith.divui %[[WORK]], %c8000
// CHECK: arith.minui %[[GRAINS]], %[[UNITS]]
// CHECK: arith.minui %{{.*}}, %c256
// CHECK: %[[PARTS:.*]] = arith.maxui %{{.*}}, %c1
// CHECK: arith.divui %{{.*}}, %[[PARTS]]
// CHECK: arith.maxui %{{.*}}, %c1
// CHECK: %[[STEP:.*]] = arith.muli %{{.*}}, %c8
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%[[SIZE]]) step (%[[STEP]])
func.func @unknown(%x: memref<?xf32>, %out: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                  iterator_types = ["parallel"]}
      ins(%x : memref<?xf32>) outs(%out : memref<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.addf %a, %a : f32
      linalg.yield %r : f32
  }
  return
}

// 4 MiB of rows, in panels of six, which 16 panels of columns read again: parts take so many that they stay near.
// CHECK-LABEL: func.func @near
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%c170) step (%c22)
// What panels hold is fetched ahead.
// CHECK-COUNT-3: memref.prefetch
func.func @near(%a: memref<1024x1024xf32>, %b: memref<1024x256xf32>, %c: memref<1024x256xf32>) {
  linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                 affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %b : memref<1024x1024xf32>, memref<1024x256xf32>) outs(%c : memref<1024x256xf32>)
  return
}

// A copy computes nothing, but waits for memory.
// CHECK-LABEL: func.func @copied
// CHECK: scf.parallel
func.func @copied(%x: memref<256x256xf32>, %out: memref<256x256xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<256x256xf32>) outs(%out : memref<256x256xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  return
}

// 34 vectors of twelve rows are three grains, but go in four parts, for two threads and for four.
// CHECK-LABEL: func.func @even
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%c272) step (%c72)
func.func @even(%x: memref<12x272xf32>, %out: memref<12x272xf32, strided<[400, 1]>>) {
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<12x272xf32>) outs(%out : memref<12x272xf32, strided<[400, 1]>>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  return
}

// Three rows of a vector would wait for their sums: a tile has those of three indices of another dimension, nine sums.
// CHECK-LABEL: func.func @blocks
// CHECK: scf.for %{{.*}} = %c0 to %c12 step %c3
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: return
func.func @blocks(%w: memref<3x20xf32>, %x: memref<20x12x8xf32, strided<[200, 16, 1]>>, %y: memref<3x12x8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(f, r, c, k) -> (f, k)>, affine_map<(f, r, c, k) -> (k, r, c)>,
                                   affine_map<(f, r, c, k) -> (f, r, c)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%w, %x : memref<3x20xf32>, memref<20x12x8xf32, strided<[200, 16, 1]>>) outs(%y : memref<3x12x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
