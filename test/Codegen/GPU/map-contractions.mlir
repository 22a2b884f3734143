// RUN: nnc-opt %s --codegen-gpu-map-kernels --canonicalize --cse | FileCheck %s
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-gpu-map-kernels{rounds-factors=true}))' | FileCheck %s --check-prefix=ROUNDED

#left = affine_map<(d0, d1, d2) -> (d0, d2)>
#right = affine_map<(d0, d1, d2) -> (d2, d1)>
#rightTurned = affine_map<(d0, d1, d2) -> (d2, d1)>
#leftTurned = affine_map<(d0, d1, d2) -> (d2, d0)>
#result = affine_map<(d0, d1, d2) -> (d0, d1)>

// Tiles of 64 by 64, 4 x 4 sums a thread, 16 terms at a time in one of four buffers. What is computed on its way, four
// neighbours at once, comes into registers before the products and goes to shared memory behind them; what lies in
// memory as it is is copied there, three tiles ahead, of which the oldest has to have come. What the output is filled
// with is what it starts from.
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[X:.*]]: memref<?x100xf32>, %[[W:.*]]: memref<100x70xf32>, %[[B:.*]]: memref<100xf32>, %[[Y:.*]]: memref<?x70xf32>)
// CHECK-NOT: linalg
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %{{.*}}, %c64
// CHECK: %[[BOTH:.*]] = arith.muli %[[BLOCKS]], %c2
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %[[BOTH]], %{{.*}} = %c1, %{{.*}} = %c1)
// CHECK-SAME: workgroup(%[[LEFT:.*]] : memref<4x16x68xf32, #gpu.address_space<workgroup>>, %[[RIGHT:.*]] : memref<4x16x68xf32, #gpu.address_space<workgroup>>)
// CHECK: nvgpu.device_async_copy %[[W]][%{{.*}}], %[[RIGHT]][%c0, %{{.*}}], 2, %{{.*}} :
// CHECK: nvgpu.device_async_create_group
// The other operand of the sum comes along with the element.
// CHECK: scf.if
// CHECK: vector.load %[[X]]{{.*}} {alignment = 16 : i64}
// CHECK: vector.load %[[B]]
// CHECK: arith.addf
// CHECK: memref.store %{{.*}}, %[[LEFT]][%c0,
// CHECK: nvgpu.device_async_create_group
// CHECK: %[[GROUP:.*]] = nvgpu.device_async_create_group
// CHECK-NOT: nvgpu.device_async_create_group
// CHECK: scf.for {{.*}} = %c0 to %c100 step %c16 iter_args(
// CHECK: nvgpu.device_async_wait %[[GROUP]] {numGroups = 2 : i32}
// CHECK-NEXT: gpu.barrier
// CHECK-NOT: gpu.barrier
// CHECK: nvgpu.device_async_copy %[[W]][%{{.*}}], %[[RIGHT]]
// CHECK: nvgpu.device_async_create_group
// CHECK: vector.load %[[X]]
// CHECK: scf.for {{.*}} = %c0 to %c16 step %c1 iter_args(
// CHECK: vector.load %[[LEFT]]{{.*}} {alignment = 16 : i64}
// CHECK: vector.load %[[RIGHT]]{{.*}} {alignment = 16 : i64}
// CHECK-COUNT-16: math.fma
// CHECK: {llvm.loop_annotation = #loop_annotation}
// CHECK: memref.store %{{.*}}, %[[LEFT]]
// CHECK-NOT: memref.load %[[Y]]
// CHECK-COUNT-16: memref.store %{{.*}}, %[[Y]]
// Rounded to tf32, factors of f32 go there too; nothing is rounded that is not asked for.
// CHECK-NOT: nvvm.convert
// ROUNDED-LABEL: func.func @product(
// ROUNDED: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// ROUNDED-COUNT-8: nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<tf32>, {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 8>}
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
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c4, %{{.*}} = %c1, %{{.*}} = %c1)
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

// Also where the number of rows is not known.
// CHECK-LABEL: func.func @partsOfAnyRows(
// CHECK: %[[ROWS:.*]] = memref.dim %arg2, %c0
// CHECK: %[[PARTS:.*]] = memref.alloc(%[[ROWS]]) {alignment = 64 : i64} : memref<2x?x24xf32>
// CHECK: gpu.launch
// CHECK: memref.store %{{.*}}, %[[PARTS]]
// CHECK: gpu.launch
// CHECK: memref.load %[[PARTS]]
func.func @partsOfAnyRows(%x: memref<?x600xf32>, %w: memref<600x24xf32>, %y: memref<?x24xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x24xf32>)
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, #rightTurned, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x600xf32>, memref<600x24xf32>) outs(%y : memref<?x24xf32>) {
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

// Factors of 16 bits go to the unit that multiplies matrices: 2 x 2 products a warp for each 16 of 32 terms. Buffers are
// as the factors lie in memory, the terms of a row side by side or those of a column.
// CHECK-LABEL: func.func @matrices(
// CHECK: gpu.launch {{.*}} workgroup(%[[LEFT:.*]] : memref<4x64x40xbf16, #gpu.address_space<workgroup>>, %[[RIGHT:.*]] : memref<4x32x72xbf16, #gpu.address_space<workgroup>>)
// CHECK: nvgpu.device_async_copy {{.*}}, %[[LEFT]][{{.*}}], 4, %{{.*}} :
// CHECK: scf.for {{.*}} step %c32
// CHECK: gpu.barrier
// CHECK: nvgpu.ldmatrix %[[RIGHT]]{{.*}} {numTiles = 4 : i32, transpose = true}
// CHECK: nvgpu.ldmatrix %[[LEFT]]{{.*}} {numTiles = 4 : i32, transpose = false}
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
