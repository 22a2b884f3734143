// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3}),codegen-vectorize{cpu=x86-64-v3 grain=40000},canonicalize,cse)' | FileCheck %s --check-prefixes=CHECK,V3
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v4}),codegen-vectorize{cpu=x86-64-v4 grain=40000},canonicalize,cse)' | FileCheck %s --check-prefixes=CHECK,V4

#matrix = affine_map<(i, j) -> (i, j)>

// Two loops over the same memory are one; the rest is a masked vector.
// CHECK-LABEL: func.func @relu
// CHECK: %[[FLAT:.*]] = memref.collapse_shape
// V3: scf.for %{{.*}} = %c0 to %c128 step %c8
// V3: vector.load %[[FLAT]][%{{.*}}] : memref<130xf32{{.*}}>, vector<8xf32>
// V4: scf.for %{{.*}} = %c0 to %c128 step %c16
// V4: vector.load %[[FLAT]][%{{.*}}] : memref<130xf32{{.*}}>, vector<16xf32>
// CHECK: arith.maximumf
// CHECK: vector.store
// CHECK: }
// CHECK: vector.maskedload %[[FLAT]][%c128]
// CHECK: vector.maskedstore
func.func @relu(%x: memref<10x13xf32>, %out: memref<10x13xf32>) {
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<10x13xf32>) outs(%out : memref<10x13xf32>) {
    ^bb0(%a: f32, %o: f32):
      %zero = arith.constant 0.0 : f32
      %r = arith.maximumf %a, %zero : f32
      linalg.yield %r : f32
  }
  return
}

// A register tile: 6 x 2 vectors where there are 16 registers. Where there are 32 there is room for 14 x
// 2, and 8 x 2 leave no rest of the 64 rows. The fill is the accumulators' initial value.
// CHECK-LABEL: func.func @matmul
// CHECK-NOT: linalg.fill
// V3: scf.for %{{.*}} = %c0 to %c64 step %c16
// V3: scf.for %{{.*}} = %c0 to %c60 step %c6
// V3: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// V4: scf.for %{{.*}} = %c0 to %c64 step %c32
// V4: scf.for %{{.*}} = %c0 to %c64 step %c8
// V4-NOT: step %c14
func.func @matmul(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %c: memref<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<64x64xf32>)
  linalg.matmul ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%c : memref<64x64xf32>)
  return
}

// A transposed right-hand side is packed once.
// CHECK-LABEL: func.func @transposed
// V3: %[[PACKED:.*]] = memref.alloc() : memref<4x64x16xf32>
// V4: %[[PACKED:.*]] = memref.alloc() : memref<2x64x32xf32>
// CHECK: vector.shuffle
// CHECK: vector.store %{{.*}}, %[[PACKED]]
// CHECK: vector.load %[[PACKED]]
func.func @transposed(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %c: memref<64x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                   affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%c : memref<64x64xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %p = arith.mulf %x, %y : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// The rows of a matrix are summed across lanes, in halves.
// CHECK-LABEL: func.func @rows
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.extract_strided_slice
// CHECK: vector.extract %{{.*}}[0]
// CHECK: memref.store
func.func @rows(%a: memref<?x?xf32>, %c: memref<?xf32>) {
  linalg.generic {indexing_maps = [#matrix, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<?x?xf32>) outs(%c : memref<?xf32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.addf %o, %x : f32
      linalg.yield %s : f32
  }
  return
}

// A body that reads memory stays scalar.
// CHECK-LABEL: func.func @gather
// CHECK-NOT: vector
// CHECK: scf.for
// CHECK: memref.load
// CHECK-NOT: vector
// CHECK: return
func.func @gather(%table: memref<9xf32>, %at: memref<7xindex>, %out: memref<7xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                  iterator_types = ["parallel"]}
      ins(%at : memref<7xindex>) outs(%out : memref<7xf32>) {
    ^bb0(%i: index, %o: f32):
      %v = memref.load %table[%i] : memref<9xf32>
      linalg.yield %v : f32
  }
  return
}

// The largest of every two neighbours: the pairs lie across lanes, and every second element comes from
// two vectors and a shuffle. The second ends with the last element that is read.
// CHECK-LABEL: func.func @pairs
// V3: vector.load %arg0[{{.*}}] : memref<64xf32>, vector<8xf32>
// V3: vector.load %arg0[{{.*}}] : memref<64xf32>, vector<8xf32>
// V3: vector.shuffle %{{.*}}, %{{.*}} [0, 2, 4, 6, 9, 11, 13, 15] : vector<8xf32>, vector<8xf32>
// V3: arith.maximumf %{{.*}} : vector<8xf32>
#pair = affine_map<(i, k) -> (i * 2 + k)>
#within = affine_map<(i, k) -> (k)>
#each = affine_map<(i, k) -> (i)>
func.func @pairs(%x: memref<64xf32>, %size: memref<2xf32>, %y: memref<32xf32>) {
  linalg.generic {indexing_maps = [#pair, #within, #each], iterator_types = ["parallel", "reduction"]}
      ins(%x, %size : memref<64xf32>, memref<2xf32>) outs(%y : memref<32xf32>) {
    ^bb0(%a: f32, %s: f32, %o: f32):
      %m = arith.maximumf %a, %o : f32
      linalg.yield %m : f32
  }
  return
}

// A column of a matrix of three: three vectors hold the elements of eight rows, the last of which ends with the
// last element that is read.
// CHECK-LABEL: func.func @column
// V3: %[[A:.*]] = vector.load %arg0[{{.*}}] : memref<?x3xf32>, vector<8xf32>
// V3: %[[B:.*]] = vector.load %arg0[{{.*}}] : memref<?x3xf32>, vector<8xf32>
// V3: %[[AB:.*]] = vector.shuffle %[[A]], %[[B]] [0, 3, 6, 9, 12, 15, 15, 15]
// V3: %[[C:.*]] = vector.load %arg0[{{.*}}] : memref<?x3xf32>, vector<8xf32>
// V3: vector.shuffle %[[AB]], %[[C]] [0, 1, 2, 3, 4, 5, 12, 15]
func.func @column(%x: memref<?x3xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i, 1)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<?x3xf32>) outs(%y : memref<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.addf %a, %a : f32
      linalg.yield %m : f32
  }
  return
}

// A long body waits for its operands: two vectors go through it side by side, three where there are more registers.
// CHECK-LABEL: func.func @long
// V3: scf.for {{.*}} step %c16 iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (vector<8xf32>, vector<8xf32>)
// V3: %[[A0:.*]] = math.exp %[[A:.*]] : vector<8xf32>
// V3-NEXT: %[[B0:.*]] = math.exp %[[B:.*]] : vector<8xf32>
// V3-NEXT: math.exp %[[A0]]
// V3-NEXT: math.exp %[[B0]]
// V4: scf.for {{.*}} step %c48
func.func @long(%x: memref<?xf32>, %y: memref<f32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%x : memref<?xf32>) outs(%y : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      %e0 = math.exp %a : f32
      %e1 = math.exp %e0 : f32
      %e2 = math.exp %e1 : f32
      %e3 = math.exp %e2 : f32
      %e4 = math.exp %e3 : f32
      %e5 = math.exp %e4 : f32
      %e6 = math.exp %e5 : f32
      %s = arith.addf %o, %e6 : f32
      linalg.yield %s : f32
  }
  return
}

// The same back: each number twice. The rest of the row takes as many of them as it needs.
// CHECK-LABEL: func.func @twice
// V3: vector.load %arg0[{{.*}}] : memref<6xf32>, vector<4xf32>
// V3: vector.shuffle {{.*}} [0, 0, 1, 1, 2, 2, 3, 3] : vector<4xf32>, vector<4xf32>
// V3: vector.constant_mask [2] : vector<4xi1>
// V3: vector.maskedload %arg0{{.*}} into vector<4xf32>
// V3: vector.shuffle {{.*}} [0, 0, 1, 1, 2, 2, 3, 3] : vector<4xf32>, vector<4xf32>
#half = affine_map<(i) -> (i floordiv 2)>
#whole = affine_map<(i) -> (i)>
func.func @twice(%x: memref<6xf32>, %z: memref<12xf32>, %y: memref<12xf32>) {
  linalg.generic {indexing_maps = [#half, #whole, #whole], iterator_types = ["parallel"]}
      ins(%x, %z : memref<6xf32>, memref<12xf32>) outs(%y : memref<12xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.addf %a, %b : f32
      linalg.yield %m : f32
  }
  return
}

// Each step of the sum is on another page of the right factor, which no processor guesses: it is fetched ahead.
// CHECK-LABEL: func.func @far_rows
// CHECK: scf.for %[[K:.*]] = %c0 to %c32 step %c1 iter_args
// CHECK: %[[AHEAD:.*]] = arith.addi %[[K]], %c16
// CHECK-NOT: memref.prefetch %arg0
// CHECK: memref.prefetch %arg1[%[[AHEAD]],
// CHECK-LABEL: func.func @near_rows
// CHECK-NOT: memref.prefetch
func.func @far_rows(%a: memref<8x32xf32>, %b: memref<32x512xf32>, %c: memref<8x512xf32>) {
  linalg.matmul ins(%a, %b : memref<8x32xf32>, memref<32x512xf32>) outs(%c : memref<8x512xf32>)
  return
}
func.func @near_rows(%a: memref<8x32xf32>, %b: memref<32x128xf32>, %c: memref<8x128xf32>) {
  linalg.matmul ins(%a, %b : memref<8x32xf32>, memref<32x128xf32>) outs(%c : memref<8x128xf32>)
  return
}

// A long reduction: each tile would go through all of it. It is cut into blocks around the tiles, which add to
// what a fill has left in the output.
// CHECK-LABEL: func.func @long_reduction
// CHECK: vector.store
// CHECK: scf.for %[[BEGIN:.*]] = %c0 to %c36864 step %c{{[0-9]+}} {
// CHECK: %[[END:.*]] = arith.minui
// CHECK: vector.load %arg2
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 iter_args
// CHECK: vector.store {{.*}}, %arg2
func.func @long_reduction(%x: memref<64x576x32xf32>, %y: memref<64x576x64xf32>, %z: memref<32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%z : memref<32x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(c, f, n, p) -> (n, p, c)>,
                                   affine_map<(c, f, n, p) -> (n, p, f)>,
                                   affine_map<(c, f, n, p) -> (c, f)>],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %y : memref<64x576x32xf32>, memref<64x576x64xf32>) outs(%z : memref<32x64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// What is made of complete sums, an epilogue: on the tile, without storing the sums that it replaces.
// CHECK-LABEL: func.func @epilogue
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.yield
// CHECK-NOT: vector.store
// CHECK: arith.maximumf
// CHECK: vector.store {{.*}}, %arg2
#left = affine_map<(m, n, k) -> (m, k)>
#right = affine_map<(m, n, k) -> (k, n)>
#sums = affine_map<(m, n, k) -> (m, n)>
func.func @epilogue(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %y: memref<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#left, #right, #sums, #sums],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>)
      outs(%y, %y : memref<64x64xf32>, memref<64x64xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32, %unused: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      %r = arith.maximumf %s, %zero : f32
      linalg.yield %s, %r : f32, f32
  }
  return
}

// A long one: the sums go to memory, and a loop over the tile's rows reads them there.
// CHECK-LABEL: func.func @long_epilogue
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.yield
// CHECK: vector.store {{.*}}, %arg2
// CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step %c1 {
// CHECK-NEXT: %[[SUM:.*]] = vector.load %arg2[%[[ROW]]
// CHECK: math.erf %[[SUM]]
// CHECK: vector.store {{.*}}, %arg2[%[[ROW]]
func.func @long_epilogue(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %y: memref<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#left, #right, #sums, #sums],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>)
      outs(%y, %y : memref<64x64xf32>, memref<64x64xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32, %unused: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      %e = math.erf %s : f32
      %r = arith.mulf %e, %s : f32
      linalg.yield %s, %r : f32, f32
  }
  return
}

// In the last block of a long reduction alone: until then the output holds the sums.
// CHECK-LABEL: func.func @epilogue_of_blocks
// CHECK: scf.for %[[BEGIN:.*]] = %c0 to %c36864 step %c{{[0-9]+}} {
// CHECK: %[[END:.*]] = arith.minui
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[END]], %c36864
// CHECK: vector.load %arg2
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 iter_args
// CHECK: scf.if %[[LAST]] {
// CHECK: arith.negf
// CHECK: } else {
// CHECK-NOT: arith.negf
// CHECK: vector.store {{.*}}, %arg2
func.func @epilogue_of_blocks(%x: memref<64x576x32xf32>, %y: memref<64x576x64xf32>, %z: memref<32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%z : memref<32x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(c, f, n, p) -> (n, p, c)>,
                                   affine_map<(c, f, n, p) -> (n, p, f)>,
                                   affine_map<(c, f, n, p) -> (c, f)>,
                                   affine_map<(c, f, n, p) -> (c, f)>],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %y : memref<64x576x32xf32>, memref<64x576x64xf32>)
      outs(%z, %z : memref<32x64xf32>, memref<32x64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32, %unused: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      %n = arith.negf %s : f32
      linalg.yield %s, %n : f32, f32
  }
  return
}

// Panels reach all columns: the sums in registers start from the fill.
// CHECK-LABEL: func.func @panels
// CHECK-NOT: vector.load %arg2
// CHECK: return
func.func @panels(%a: memref<512x64xf32>, %b: memref<64x1024xf32>, %c: memref<512x1024xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<512x1024xf32>)
  linalg.matmul ins(%a, %b : memref<512x64xf32>, memref<64x1024xf32>) outs(%c : memref<512x1024xf32>)
  return
}

// A window slides along the rows: each row in turn has all three of its steps, on the vectors that the row before has
// loaded, with as many rows as leave registers for these.
#window = affine_map<(y, x, c, i, j) -> (y + i, x + j, c)>
#taps = affine_map<(y, x, c, i, j) -> (i, j, c)>
#pixels = affine_map<(y, x, c, i, j) -> (y, x, c)>
// CHECK-LABEL: func.func @sliding
// V3: scf.for {{.*}} = %c0 to %c32 step %c8
// V3: :10 = scf.for {{.*}} iter_args(%[[S0:[a-z0-9]+]] = {{.*}}, %[[S1:[a-z0-9]+]] =
// V4: scf.for {{.*}} = %c0 to %c14 step %c7
// V4: :14 = scf.for {{.*}} iter_args(%[[S0:[a-z0-9]+]] = {{.*}}, %{{.*}} = {{.*}}, %[[S1:[a-z0-9]+]] =
// CHECK: %[[A:.*]] = arith.addf %[[S0]],
// CHECK: %[[B:.*]] = arith.addf %[[A]],
// CHECK: arith.addf %[[B]],
// CHECK: arith.addf %[[S1]],
func.func @sliding(%x: memref<16x16x32xf32>, %w: memref<3x3x32xf32>, %z: memref<14x14x32xf32>) {
  linalg.generic {indexing_maps = [#window, #taps, #pixels],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : memref<16x16x32xf32>, memref<3x3x32xf32>) outs(%z : memref<14x14x32xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// 24 columns are a vector and a half: one tile, of which the last vector is masked.
// CHECK-LABEL: func.func @vector_and_a_half
// V4: %[[MASK:.*]] = vector.constant_mask [8] : vector<16xi1>
// V4: scf.for {{.*}} = %c0 to %c28 step %c14
// V4-NOT: scf.for {{.*}} %c24
// V4: :28 = scf.for
// V4: vector.load %arg1[%{{.*}}, %c0] : memref<64x24xf32>, vector<16xf32>
// V4: vector.maskedload %arg1[%{{.*}}, %c16], %[[MASK]]
// V4: vector.store {{.*}}, %arg2[%{{.*}}, %c0]
// V4-NEXT: vector.maskedstore %arg2[%{{.*}}, %c16], %[[MASK]]
func.func @vector_and_a_half(%x: memref<28x64xf32>, %w: memref<64x24xf32>, %z: memref<28x24xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<28x64xf32>, memref<64x24xf32>) outs(%z : memref<28x24xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
