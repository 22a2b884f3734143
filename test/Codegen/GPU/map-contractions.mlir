// RUN: nnc-opt %s --codegen-gpu-map-kernels --canonicalize --cse | FileCheck %s

#left = affine_map<(d0, d1, d2) -> (d0, d2)>
#right = affine_map<(d0, d1, d2) -> (d2, d1)>
#rightTurned = affine_map<(d0, d1, d2) -> (d2, d1)>
#leftTurned = affine_map<(d0, d1, d2) -> (d2, d0)>
#result = affine_map<(d0, d1, d2) -> (d0, d1)>

// Tiles of 64 by 64: 16 terms at a time in one of two buffers, the next on their way, 4 x 4 sums a thread. What the
// output is filled with is what it starts from.
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[X:.*]]: memref<?x100xf32>, %[[W:.*]]: memref<100x70xf32>, %[[B:.*]]: memref<100xf32>, %[[Y:.*]]: memref<?x70xf32>)
// CHECK-NOT: linalg
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %{{.*}}, %c64
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %[[BLOCKS]], %{{.*}} = %c2, %{{.*}} = %c1)
// CHECK-SAME: workgroup(%[[LEFT:.*]] : memref<2x16x68xf32, #gpu.address_space<workgroup>>, %[[RIGHT:.*]] : memref<2x16x68xf32, #gpu.address_space<workgroup>>)
// The other operand of the sum comes along with the element.
// CHECK: scf.if
// CHECK: memref.load %[[X]]
// CHECK: memref.load %[[B]]
// CHECK: arith.addf
// CHECK: scf.for {{.*}} = %c0 to %c100 step %c16 iter_args(
// CHECK: memref.store %{{.*}}, %[[LEFT]]
// CHECK: memref.store %{{.*}}, %[[RIGHT]]
// CHECK: gpu.barrier
// CHECK-NOT: gpu.barrier
// CHECK: memref.load %[[X]]
// CHECK: memref.load %[[W]]
// CHECK: scf.for {{.*}} = %c0 to %c16 step %c1 iter_args(
// CHECK: vector.load %[[LEFT]]{{.*}} {alignment = 16 : i64}
// CHECK: vector.load %[[RIGHT]]{{.*}} {alignment = 16 : i64}
// CHECK-COUNT-16: math.fma
// CHECK: {llvm.loop_annotation = #loop_annotation}
// CHECK-NOT: memref.load %[[Y]]
// CHECK-COUNT-16: memref.store %{{.*}}, %[[Y]]
func.func @product(%x: memref<?x100xf32>, %w: memref<100x70xf32>, %b: memref<100xf32>, %y: memref<?x70xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x70xf32>)
  linalg.generic {indexing_maps = [#left, affine_map<(d0, d1, d2) -> (d2)>, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %b, %w : memref<?x100xf32>, memref<100xf32>, memref<100x70xf32>) outs(%y : memref<?x70xf32>) {
  ^bb0(%in: f32, %bias: f32, %factor: f32, %out: f32):
    %0 = arith.addf %in, %bias : f32
    %1 = arith.mulf %0, %factor : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  }
  return
}

// A small matrix of long sums: blocks sum parts of them, which a second kernel adds in order.
// CHECK-LABEL: func.func @parts(
// CHECK: %[[PARTS:.*]] = memref.alloc() {alignment = 64 : i64} : memref<4x20x24xf32>
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c1, %{{.*}} = %c1, %{{.*}} = %c4)
// CHECK: %[[END:.*]] = arith.minui
// CHECK: scf.for {{.*}} to %[[END]] step %c16
// CHECK: memref.store %{{.*}}, %[[PARTS]]
// CHECK: gpu.launch
// CHECK: scf.for {{.*}} to %c4
func.func @parts(%x: memref<?x20xf32>, %w: memref<?x24xf32>, %y: memref<20x24xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<20x24xf32>)
  linalg.generic {indexing_maps = [#leftTurned, #rightTurned, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x20xf32>, memref<?x24xf32>) outs(%y : memref<20x24xf32>) {
  ^bb0(%in: f32, %factor: f32, %out: f32):
    %0 = arith.mulf %in, %factor : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// A product with a vector is no product of tiles.
// CHECK-LABEL: func.func @vector(
// CHECK-NOT: math.fma
// CHECK: gpu.shuffle
func.func @vector(%x: memref<?x100xf32>, %w: memref<100xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%x, %w : memref<?x100xf32>, memref<100xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%in: f32, %factor: f32, %out: f32):
    %0 = arith.mulf %in, %factor : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// What follows does what it does with each sum as it is done, in place or not; the sum itself is stored if somebody
// else wants it.
// CHECK-LABEL: func.func @epilogue(
// CHECK-SAME: %{{.*}}: memref<?x100xf32>, %{{.*}}: memref<100x70xf32>, %[[B:.*]]: memref<70xf32>, %[[Y:.*]]: memref<?x70xf32>, %[[Z:.*]]: memref<?x70xf32>)
// CHECK-NOT: memref.alloc
// CHECK: gpu.launch
// CHECK-COUNT-16: math.fma
// CHECK: memref.load %[[B]]
// CHECK: arith.addf
// CHECK: math.tanh
// CHECK: memref.store %{{.*}}, %[[Z]]
// CHECK: gpu.launch
// CHECK-COUNT-16: math.fma
// CHECK: memref.store %[[SUM:.*]], %[[Y]]
// CHECK: arith.negf %[[SUM]]
// CHECK: memref.store %{{.*}}, %[[Z]]
// CHECK-LABEL: func.func @noEpilogue(
// CHECK: gpu.launch
// CHECK-NOT: math.tanh
// CHECK: gpu.terminator
// CHECK: gpu.launch
// CHECK: math.tanh
func.func @epilogue(%x: memref<?x100xf32>, %w: memref<100x70xf32>, %b: memref<70xf32>, %y: memref<?x70xf32>, %z: memref<?x70xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x100xf32>
  %sums = memref.alloc(%n) : memref<?x70xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<?x70xf32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x100xf32>, memref<100x70xf32>) outs(%sums : memref<?x70xf32>) {
  ^bb0(%in: f32, %factor: f32, %out: f32):
    %0 = arith.mulf %in, %factor : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%sums, %b : memref<?x70xf32>, memref<70xf32>) outs(%z : memref<?x70xf32>) {
  ^bb0(%in: f32, %bias: f32, %out: f32):
    %0 = arith.addf %in, %bias : f32
    %1 = math.tanh %0 : f32
    linalg.yield %1 : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<?x70xf32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x100xf32>, memref<100x70xf32>) outs(%y : memref<?x70xf32>) {
  ^bb0(%in: f32, %factor: f32, %out: f32):
    %0 = arith.mulf %in, %factor : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<?x70xf32>) outs(%z : memref<?x70xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}

// Blocks may still read the factor that this would overwrite.
func.func @noEpilogue(%x: memref<64x64xf32>, %w: memref<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %sums = memref.alloc() : memref<64x64xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<64x64xf32>, memref<64x64xf32>) outs(%sums : memref<64x64xf32>) {
  ^bb0(%in: f32, %factor: f32, %out: f32):
    %0 = arith.mulf %in, %factor : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<64x64xf32>) outs(%x : memref<64x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.tanh %in : f32
    linalg.yield %0 : f32
  }
  return
}

// Factors of 16 bits go to the unit that multiplies matrices: 2 x 2 products a warp for each 16 of 32 terms, the
// terms of a row side by side.
// CHECK-LABEL: func.func @matrices(
// CHECK: gpu.launch {{.*}} workgroup(%[[LEFT:.*]] : memref<2x64x40xbf16, #gpu.address_space<workgroup>>, %[[RIGHT:.*]] : memref<2x64x40xbf16, #gpu.address_space<workgroup>>)
// CHECK: scf.for {{.*}} step %c32
// CHECK: memref.store %{{.*}}, %[[LEFT]]
// CHECK: gpu.barrier
// CHECK: vector.load %[[RIGHT]]{{.*}} {alignment = 4 : i64} : {{.*}}, vector<2xbf16>
// CHECK-COUNT-8: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
// CHECK-NOT: nvvm.mma.sync
// CHECK-LABEL: func.func @widened(
// CHECK-NOT: nvvm.mma.sync
// CHECK: math.fma
func.func @matrices(%x: memref<?x100xbf16>, %w: memref<100x70xbf16>, %y: memref<?x70xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x100xbf16>, memref<100x70xbf16>) outs(%y : memref<?x70xf32>) {
  ^bb0(%in: bf16, %factor: bf16, %out: f32):
    %0 = arith.extf %in : bf16 to f32
    %1 = arith.extf %factor : bf16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %out, %2 : f32
    linalg.yield %3 : f32
  }
  return
}

// One that is computed wider is not of 16 bits.
func.func @widened(%x: memref<?x100xbf16>, %w: memref<100x70xbf16>, %y: memref<?x70xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x100xbf16>, memref<100x70xbf16>) outs(%y : memref<?x70xf32>) {
  ^bb0(%in: bf16, %factor: bf16, %out: f32):
    %0 = arith.extf %in : bf16 to f32
    %1 = math.exp %0 : f32
    %2 = arith.extf %factor : bf16 to f32
    %3 = arith.mulf %1, %2 : f32
    %4 = arith.addf %out, %3 : f32
    linalg.yield %4 : f32
  }
  return
}
