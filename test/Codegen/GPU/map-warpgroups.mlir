// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-gpu-map-kernels{has-warpgroups=true},canonicalize,cse))' | FileCheck %s

#left = affine_map<(d0, d1, d2) -> (d0, d2)>
#right = affine_map<(d0, d1, d2) -> (d2, d1)>
#result = affine_map<(d0, d1, d2) -> (d0, d1)>

// Each of two warpgroups has half of the columns of a tile of 64 by 64, of 64 terms at a time. The left factor's lines
// are 64 terms of 128 bytes, the right one's 32 columns of 64 bytes; what is copied to a line changes its place in it.
// Two tiles are copied ahead, into the buffer that the products before the last have read.
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[X:.*]]: memref<?x80xbf16>, %[[W:.*]]: memref<80x72xbf16>, %[[Y:.*]]: memref<?x72xf32>)
// CHECK: %[[ZERO:.*]] = llvm.mlir.zero : [[SUMS:!llvm.struct<\((f32, ){15}f32\)>]]
// CHECK: gpu.launch
// CHECK-SAME: workgroup(%[[LEFT:.*]] : memref<4x1x64x64xbf16, #gpu.address_space<workgroup>>, %[[RIGHT:.*]] : memref<4x2x64x32xbf16, #gpu.address_space<workgroup>>)
// CHECK: %[[OTHER:.*]] = arith.xori
// CHECK: nvgpu.device_async_copy %[[X]][{{.*}}], %[[LEFT]][%c0, %c0, %{{.*}}, %[[OTHER]]], 8
// CHECK: nvgpu.device_async_copy %[[W]][{{.*}}], %[[RIGHT]][%c0, %{{.*}}], 8
// CHECK: nvgpu.device_async_create_group
// CHECK: %[[GROUP:.*]] = nvgpu.device_async_create_group
// CHECK: %[[RESULT:.*]]:3 = scf.for {{.*}} = %c0 to %c80 step %c64 iter_args(%[[BEFORE:.*]] = %[[ZERO]], %[[STAGE:.*]] = %c0, %[[FILLED:.*]] = %c2)
// CHECK-NEXT: nvgpu.device_async_wait %[[GROUP]] {numGroups = 1 : i32}
// CHECK-NEXT: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
// CHECK-NEXT: gpu.barrier
// CHECK: nvgpu.device_async_copy %[[X]][{{.*}}], %[[LEFT]][%[[FILLED]]
// CHECK: nvgpu.device_async_create_group
// CHECK: memref.extract_aligned_pointer_as_index %[[LEFT]]
// CHECK: nvvm.wgmma.fence.aligned
// CHECK: %[[SUM:.*]] = nvvm.wgmma.mma_async %{{.*}}, %{{.*}}, %[[BEFORE]], <m = 64, n = 32, k = 16>, D[<f32>, <one>], A[<bf16>, <one>, <row>], B[<bf16>, <one>, <row>]
// CHECK-COUNT-2: nvvm.wgmma.mma_async
// CHECK: %[[LAST:.*]] = nvvm.wgmma.mma_async
// CHECK-NEXT: nvvm.wgmma.commit.group.sync.aligned
// CHECK-NEXT: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK: scf.yield %[[LAST]],
// CHECK: nvvm.wgmma.wait.group.sync.aligned 0
// CHECK-COUNT-16: llvm.extractvalue %[[RESULT]]#0
// CHECK: } {nvvm.minctasm = 2 : i32}
func.func @product(%x: memref<?x80xbf16>, %w: memref<80x72xbf16>, %y: memref<?x72xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x72xf32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x80xbf16>, memref<80x72xbf16>) outs(%y : memref<?x72xf32>) {
  ^bb0(%in: bf16, %factor: bf16, %out: f32):
    %0 = arith.extf %in : bf16 to f32
    %1 = arith.extf %factor : bf16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %out, %2 : f32
    linalg.yield %3 : f32
  }
  return
}

// Where there are many results, a block has 128 by 256 of them, and a multiprocessor by itself. The host describes the
// factors, and one thread of a warpgroup more has boxes of them copied, each when the eight warps that multiply have left
// its place. These say so when their next products are on their way.
// CHECK-LABEL: func.func @huge(
// CHECK-SAME: %[[X:.*]]: memref<4096x512xf16>, %[[W:.*]]: memref<512x4096xf16>
// CHECK: memref.reinterpret_cast %[[X]] to offset: [0], sizes: [4096, 512], strides: [512, 1]
// CHECK: %[[ROWS:.*]] = nvgpu.tma.create.descriptor %{{.*}} box[%c128, %c64]
// CHECK: %[[COLUMNS:.*]] = nvgpu.tma.create.descriptor %{{.*}} box[%c64, %c64]
// CHECK: gpu.launch {{.*}} threads(%[[THREAD:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %c384,
// CHECK-SAME: workgroup(%[[LEFT:.*]] : memref<4x1x128x64xf16, #gpu.address_space<workgroup>>, %[[RIGHT:.*]] : memref<4x4x64x64xf16, #gpu.address_space<workgroup>>)
// CHECK: %[[FULL:.*]] = nvgpu.mbarrier.create
// CHECK: %[[EMPTY:.*]] = nvgpu.mbarrier.create
// CHECK: nvgpu.mbarrier.init %[[FULL]][%c0], %c1
// CHECK: nvgpu.mbarrier.init %[[EMPTY]][%c0], %c8
// CHECK: nvvm.fence.mbarrier.init
// CHECK: gpu.barrier
// CHECK: %[[MULTIPLIES:.*]] = arith.cmpi ult, %[[THREAD]], %c256
// CHECK: scf.if %[[MULTIPLIES]] {
// CHECK: nvvm.setmaxregister increase 232
// CHECK: scf.for {{.*}} iter_args(%{{.*}}, %[[STAGE:.*]] = %c0, %[[PHASE:.*]] = %false, %[[BEFORE:.*]] = %c0)
// CHECK: nvgpu.mbarrier.try_wait.parity %[[FULL]][%[[STAGE]]], %[[PHASE]]
// CHECK: nvvm.wgmma.mma_async {{.*}}, <m = 64, n = 256, k = 16>, D[<f32>, <one>], A[<f16>, <one>, <row>], B[<f16>, <one>, <row>]
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK: scf.if
// CHECK-NEXT: nvgpu.mbarrier.arrive %[[EMPTY]][%[[BEFORE]]]
// CHECK: } else {
// CHECK-NEXT: nvvm.setmaxregister decrease 40
// CHECK: scf.for %[[TERM:.*]] = %c0 to %c512 step %c64 iter_args(%[[STAGE:.*]] = %c0, %[[PHASE:.*]] = %true)
// CHECK-NEXT: nvgpu.mbarrier.try_wait.parity %[[EMPTY]][%[[STAGE]]], %[[PHASE]]
// CHECK-NEXT: nvgpu.mbarrier.arrive.expect_tx %[[FULL]][%[[STAGE]]], %c49152
// CHECK: nvgpu.tma.async.load %[[ROWS]][%[[TERM]], %{{.*}}], %[[FULL]][%[[STAGE]]]
// CHECK-COUNT-4: nvgpu.tma.async.load %[[COLUMNS]][%{{.*}}, %[[TERM]]], %[[FULL]][%[[STAGE]]]
// CHECK: } {nvvm.minctasm = 1 : i32}
func.func @huge(%x: memref<4096x512xf16>, %w: memref<512x4096xf16>, %y: memref<4096x4096xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4096x512xf16>, memref<512x4096xf16>) outs(%y : memref<4096x4096xf32>) {
  ^bb0(%in: f16, %factor: f16, %out: f32):
    %0 = arith.extf %in : f16 to f32
    %1 = arith.extf %factor : f16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %out, %2 : f32
    linalg.yield %3 : f32
  }
  return
}

// Few rows are columns: they are the side that may be narrow. What is not copied in pieces of 16 bytes has half as many
// terms at a time.
// CHECK-LABEL: func.func @flat(
// CHECK: gpu.launch
// CHECK-SAME: workgroup(%{{.*}} : memref<4x2x32x64xf16, #gpu.address_space<workgroup>>, %{{.*}} : memref<4x1x16x32xf16, #gpu.address_space<workgroup>>)
// CHECK: nvvm.wgmma.mma_async {{.*}}, <m = 64, n = 16, k = 16>, D[<f32>, <one>], A[<f16>, <one>, <col>], B[<f16>, <one>, <col>]
func.func @flat(%x: memref<8x50xf16>, %w: memref<50x200xf16>, %y: memref<8x200xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<8x50xf16>, memref<50x200xf16>) outs(%y : memref<8x200xf32>) {
  ^bb0(%in: f16, %factor: f16, %out: f32):
    %0 = arith.extf %in : f16 to f32
    %1 = arith.extf %factor : f16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %out, %2 : f32
    linalg.yield %3 : f32
  }
  return
}
