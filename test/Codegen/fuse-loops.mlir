// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-loops{cpu=x86-64-v4 near-bytes=65536 grain=1}))' | FileCheck %s
// Without parts for threads there is memory for one block.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-loops{cpu=x86-64-v4 near-bytes=65536 grain=0}))' | FileCheck %s --check-prefix=ALONE
// What stays in a cache as it is, stays as it is.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-loops{cpu=x86-64-v4}))' | FileCheck %s --check-prefix=LARGE

#q = affine_map<(h, q, k, d) -> (h, q, d)>
#k = affine_map<(h, q, k, d) -> (h, k, d)>
#scores = affine_map<(h, q, k, d) -> (h, q, k)>
#all = affine_map<(h, q, k) -> (h, q, k)>
#rows = affine_map<(h, q, k) -> (h, q)>

// Queries go in blocks; the scores become those of a block, and so do what is made of them, while the sums have
// their place outside.
// CHECK-LABEL: func.func @attention
// CHECK-SAME: (%[[Q:.*]]: memref<4x128x32xf32>, %[[K:.*]]: memref<4x96x32xf32>, %[[SUMS:.*]]: memref<4x128xf32>)
// CHECK-NOT: linalg
// CHECK: scf.parallel (%[[PART:.*]]) = (%{{.*}}) to (%{{.*}}) step
// CHECK: %[[BLOCK:.*]] = memref.alloc() : memref<1x64x96xf32>
// CHECK: scf.for %[[NUMBER:.*]] =
// CHECK: %[[QUARTER:.*]] = arith.remui %[[NUMBER]], %c2
// CHECK: %[[HEAD:.*]] = arith.divui %[[NUMBER]], %c2_
// CHECK: %[[OFFSET:.*]] = arith.muli %[[QUARTER]], %c64
// CHECK: %[[Q_BLOCK:.*]] = memref.subview %[[Q]][%[[HEAD]], %[[OFFSET]], 0] [1, 64, 32]
// CHECK: %[[K_BLOCK:.*]] = memref.subview %[[K]][%[[HEAD]], 0, 0] [1, 96, 32]
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[BLOCK]] :
// CHECK: linalg.generic {{.*}} ins(%[[Q_BLOCK]], %[[K_BLOCK]] : {{.*}}) outs(%[[BLOCK]] :
// CHECK: linalg.generic {{.*}} outs(%[[BLOCK]] :
// CHECK: %[[SUMS_BLOCK:.*]] = memref.subview %[[SUMS]][%[[HEAD]], %[[OFFSET]]] [1, 64]
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[SUMS_BLOCK]] :
// CHECK: linalg.generic {{.*}} ins(%[[BLOCK]] : {{.*}}) outs(%[[SUMS_BLOCK]] :
// ALONE-LABEL: func.func @attention
// ALONE-NOT: scf.parallel
// ALONE: memref.alloc() : memref<1x64x96xf32>
// ALONE: scf.for
// LARGE-LABEL: func.func @attention
// LARGE-NOT: scf.
// LARGE: return
func.func @attention(%q: memref<4x128x32xf32>, %k: memref<4x96x32xf32>, %sums: memref<4x128xf32>) {
  %zero = arith.constant 0.0 : f32
  %scores = memref.alloc() : memref<4x128x96xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<4x128x96xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<4x128x32xf32>, memref<4x96x32xf32>) outs(%scores : memref<4x128x96xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [#all], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%scores : memref<4x128x96xf32>) {
  ^bb0(%x: f32):
    %e = math.exp %x : f32
    linalg.yield %e : f32
  }
  linalg.fill ins(%zero : f32) outs(%sums : memref<4x128xf32>)
  linalg.generic {indexing_maps = [#all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scores : memref<4x128x96xf32>) outs(%sums : memref<4x128xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %next = arith.addf %sum, %x : f32
    linalg.yield %next : f32
  }
  return
}

#matrix = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// How many rows there are only the run tells: the last block may be smaller. What needs all the rows, and lies between
// the others, moves behind them.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[X:.*]]: memref<?x400xf32>, %[[Y:.*]]: memref<?x400xf32>, %[[TOTAL:.*]]: memref<f32>)
// CHECK: scf.parallel
// CHECK: scf.for %[[NUMBER:.*]] =
// CHECK: %[[OFFSET:.*]] = arith.muli %[[NUMBER]], %[[SIZE:.*]] :
// CHECK: %[[REST:.*]] = arith.subi %{{.*}}, %[[OFFSET]]
// CHECK: %[[HERE:.*]] = arith.minui %[[REST]], %{{.*}}
// CHECK: memref.subview %[[X]][%[[OFFSET]], 0] [%[[HERE]], 400]
// CHECK: linalg.generic {{.*}}"reduction"]}
// CHECK: linalg.generic {{.*}}"parallel", "parallel"]}
// CHECK: scf.reduce
// CHECK: linalg.generic {{.*}}["reduction"]} {{.*}} outs(%[[TOTAL]] :
func.func @rows(%x: memref<?x400xf32>, %y: memref<?x400xf32>, %total: memref<f32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x400xf32>
  %sums = memref.alloc(%n) : memref<?xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<?xf32>)
  linalg.generic {indexing_maps = [#matrix, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x400xf32>) outs(%sums : memref<?xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %next = arith.addf %sum, %a : f32
    linalg.yield %next : f32
  }
  linalg.fill ins(%zero : f32) outs(%total : memref<f32>)
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%sums : memref<?xf32>) outs(%total : memref<f32>) {
  ^bb0(%a: f32, %sum: f32):
    %next = arith.addf %sum, %a : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [#matrix, #row, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : memref<?x400xf32>, memref<?xf32>) outs(%y : memref<?x400xf32>) {
  ^bb0(%a: f32, %sum: f32, %out: f32):
    %quotient = arith.divf %a, %sum : f32
    linalg.yield %quotient : f32
  }
  return
}

// The second reads columns where the first writes rows: all of one comes before any of the other.
// CHECK-LABEL: func.func @columns
// CHECK-NOT: scf.
// CHECK: return
func.func @columns(%x: memref<256x256xf32>, %y: memref<256x256xf32>) {
  %squares = memref.alloc() : memref<256x256xf32>
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<256x256xf32>) outs(%squares : memref<256x256xf32>) {
  ^bb0(%a: f32, %out: f32):
    %square = arith.mulf %a, %a : f32
    linalg.yield %square : f32
  }
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%squares : memref<256x256xf32>) outs(%y : memref<256x256xf32>) {
  ^bb0(%a: f32, %out: f32):
    %e = math.exp %a : f32
    linalg.yield %e : f32
  }
  return
}

// A mask that hides what comes after a row: each quarter of the rows goes with the columns that its last row sees, and
// where a row is tells what the mask would; nobody writes the mask then.
// CHECK-LABEL: func.func @causal
// CHECK-NOT: xi8
// CHECK: scf.for
// CHECK: %[[FIRST:.*]] = memref.subview %[[K:.*]][%{{.*}}, 0, 0] [1, 32, 32]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[FIRST]] : {{.*}}) outs(%[[SEEN:.*]] : memref<1x32x32xf32>)
// CHECK: linalg.generic {{.*}} outs(%[[SEEN]] :
// CHECK: linalg.index 2
// CHECK: linalg.index 1
// CHECK: %[[BEHIND:.*]] = arith.subi
// CHECK: arith.cmpi sle, %[[BEHIND]], %c0_i32
// CHECK: scf.for
// CHECK: memref.subview %[[K]][%{{.*}}, 0, 0] [1, 64, 32]
// CHECK: scf.for
// CHECK: memref.subview %[[K]][%{{.*}}, 0, 0] [1, 96, 32]
// CHECK: scf.for
// CHECK: memref.subview %[[K]][%{{.*}}, 0, 0] [1, 128, 32]
// CHECK: return
func.func @causal(%q: memref<4x128x32xf32>, %k: memref<4x128x32xf32>, %sums: memref<4x128xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %false = arith.constant 0 : i8
  %past = memref.alloc() : memref<128x128xi8>
  linalg.generic {indexing_maps = [#matrix], iterator_types = ["parallel", "parallel"]} outs(%past : memref<128x128xi8>) {
  ^bb0(%out: i8):
    %row = linalg.index 0 : index
    %column = linalg.index 1 : index
    %sees = arith.cmpi sle, %column, %row : index
    %byte = arith.extui %sees : i1 to i8
    linalg.yield %byte : i8
  }
  %scores = memref.alloc() : memref<4x128x128xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<4x128x128xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<4x128x32xf32>, memref<4x128x32xf32>) outs(%scores : memref<4x128x128xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [affine_map<(h, q, k) -> (q, k)>, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%past : memref<128x128xi8>) outs(%scores : memref<4x128x128xf32>) {
  ^bb0(%byte: i8, %x: f32):
    %sees = arith.cmpi ne, %byte, %false : i8
    %visible = arith.select %sees, %x, %low : f32
    %e = math.exp %visible : f32
    linalg.yield %e : f32
  }
  linalg.fill ins(%zero : f32) outs(%sums : memref<4x128xf32>)
  linalg.generic {indexing_maps = [#all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scores : memref<4x128x128xf32>) outs(%sums : memref<4x128xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %next = arith.addf %sum, %x : f32
    linalg.yield %next : f32
  }
  return
}

// What sums over the rows adds to what the blocks before left, from a fill before all of them. A part has all blocks
// of a matrix.
// CHECK-LABEL: func.func @sums
// CHECK-SAME: (%{{.*}}: memref<8x400x64xf32>, %{{.*}}: memref<8x400x16xf32>, %[[SUMS:.*]]: memref<8x64x16xf32>)
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[SUMS]] :
// CHECK: scf.parallel (%[[PART:.*]]) =
// CHECK-NEXT: %[[SHARE:.*]] = arith.muli %[[PART]], %c4
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} outs(%[[BLOCK:.*]] : memref<1x100x64xf32>)
// CHECK: %[[MATRIX:.*]] = memref.subview %[[SUMS]][%{{.*}}, 0, 0] [1, 64, 16]
// CHECK-NOT: linalg.fill
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%[[BLOCK]], {{.*}} outs(%[[MATRIX]] :
// CHECK: return
func.func @sums(%x: memref<8x400x64xf32>, %y: memref<8x400x16xf32>, %sums: memref<8x64x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %exponentials = memref.alloc() : memref<8x400x64xf32>
  linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : memref<8x400x64xf32>) outs(%exponentials : memref<8x400x64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %e = math.exp %a : f32
    linalg.yield %e : f32
  }
  linalg.fill ins(%zero : f32) outs(%sums : memref<8x64x16xf32>)
  linalg.generic {indexing_maps = [affine_map<(h, i, j, r) -> (h, r, i)>, affine_map<(h, i, j, r) -> (h, r, j)>, affine_map<(h, i, j, r) -> (h, i, j)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%exponentials, %y : memref<8x400x64xf32>, memref<8x400x16xf32>) outs(%sums : memref<8x64x16xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}
