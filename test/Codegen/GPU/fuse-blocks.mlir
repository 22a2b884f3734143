// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-gpu-fuse-blocks{shared-bytes=86016}))' | FileCheck %s
// Where there is much memory, still only as much as leaves a second block beside it.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-gpu-fuse-blocks{shared-bytes=232448}))' | FileCheck %s --check-prefix=MUCH
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-gpu-fuse-blocks{shared-bytes=86016},codegen-gpu-map-kernels),canonicalize,cse)' | FileCheck %s --check-prefix=KERNEL

#q = affine_map<(h, q, k, d) -> (h, q, d)>
#k = affine_map<(h, q, k, d) -> (h, k, d)>
#scores = affine_map<(h, q, k, d) -> (h, q, k)>
#all = affine_map<(h, q, k) -> (h, q, k)>
#rows = affine_map<(h, q, k) -> (h, q)>
#weights = affine_map<(h, q, d, k) -> (h, q, k)>
#values = affine_map<(h, q, d, k) -> (h, k, d)>
#found = affine_map<(h, q, d, k) -> (h, q, d)>

// A block has some rows of the scores of one head, which become weights in place; only the sums of the values go to far
// memory.
// CHECK-LABEL: func.func @attention(
// CHECK: scf.parallel
// CHECK: memref.alloc() : memref<1x32x256xf32>
// CHECK-NOT: scf.for
// CHECK-COUNT-4: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: scf.reduce
// MUCH: memref.alloc() : memref<1x64x256xf32>
// KERNEL-LABEL: func.func @attention(
// KERNEL-NOT: memref.alloc
// KERNEL: gpu.launch {{.*}} workgroup(%[[SCORES:[^ ]*]] : memref<1x{{[0-9]+}}x256xf32, #gpu.address_space<workgroup>>
// KERNEL: %[[ROWS:.*]] = memref.memory_space_cast %[[SCORES]]
// Queries and keys are copied, and the sums stay in shared memory.
// KERNEL: nvgpu.device_async_copy
// KERNEL: math.fma
// KERNEL: nvgpu.device_async_wait %{{.*}} {numGroups = 0 : i32}
// KERNEL: gpu.barrier
// KERNEL: memref.store
// KERNEL: gpu.barrier
// A warp adds up a row.
// KERNEL: math.exp
// KERNEL: gpu.barrier
// KERNEL-COUNT-5: gpu.shuffle
// KERNEL: gpu.barrier
// The weights are no copy of far memory.
// KERNEL: arith.divf
// KERNEL: math.fma
// KERNEL: gpu.terminator
// KERNEL-LABEL: func.func @shared(
func.func @attention(%q: memref<64x256x32xf32>, %k: memref<64x256x32xf32>, %v: memref<64x256x32xf32>, %y: memref<64x256x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %scores = memref.alloc() : memref<64x256x256xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<64x256x256xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<64x256x32xf32>, memref<64x256x32xf32>) outs(%scores : memref<64x256x256xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [#all], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%scores : memref<64x256x256xf32>) {
  ^bb0(%x: f32):
    %e = math.exp %x : f32
    linalg.yield %e : f32
  }
  %sums = memref.alloc() : memref<64x256xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<64x256xf32>)
  linalg.generic {indexing_maps = [#all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scores : memref<64x256x256xf32>) outs(%sums : memref<64x256xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %next = arith.addf %sum, %x : f32
    linalg.yield %next : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<64x256x32xf32>)
  linalg.generic {indexing_maps = [#weights, affine_map<(h, q, d, k) -> (h, q)>, #values, #found], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%scores, %sums, %v : memref<64x256x256xf32>, memref<64x256xf32>, memref<64x256x32xf32>) outs(%y : memref<64x256x32xf32>) {
  ^bb0(%e: f32, %all: f32, %value: f32, %sum: f32):
    %weight = arith.divf %e, %all : f32
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}

// The mask is where a row and a column are, also for the maximum, which reads it for each head.
// CHECK-LABEL: func.func @masked(
// CHECK-NOT: xi8>
// CHECK: scf.parallel
// CHECK: linalg.index
// CHECK: arith.maximumf
// CHECK-NOT: xi8>
// CHECK: scf.reduce
func.func @masked(%q: memref<64x256x32xf32>, %k: memref<64x256x32xf32>, %most: memref<64x256xf32>, %y: memref<64x256x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %false = arith.constant 0 : i8
  %scores = memref.alloc() : memref<64x256x256xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<64x256x256xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<64x256x32xf32>, memref<64x256x32xf32>) outs(%scores : memref<64x256x256xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  %mask = memref.alloc() : memref<256x256xi8>
  linalg.generic {indexing_maps = [affine_map<(q, k) -> (q, k)>], iterator_types = ["parallel", "parallel"]}
      outs(%mask : memref<256x256xi8>) {
  ^bb0(%old: i8):
    %row = linalg.index 0 : index
    %column = linalg.index 1 : index
    %i = arith.index_cast %row : index to i64
    %j = arith.index_cast %column : index to i64
    %isPast = arith.cmpi sle, %j, %i : i64
    %byte = arith.extui %isPast : i1 to i8
    linalg.yield %byte : i8
  }
  linalg.fill ins(%lowest : f32) outs(%most : memref<64x256xf32>)
  linalg.generic {indexing_maps = [affine_map<(h, q, k) -> (q, k)>, #all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%mask, %scores : memref<256x256xi8>, memref<64x256x256xf32>) outs(%most : memref<64x256xf32>) {
  ^bb0(%m: i8, %x: f32, %old: f32):
    %isSeen = arith.cmpi ne, %m, %false : i8
    %seen = arith.select %isSeen, %x, %lowest : f32
    %next = arith.maximumf %old, %seen : f32
    linalg.yield %next : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<64x256x32xf32>)
  linalg.generic {indexing_maps = [#weights, #values, #found], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%scores, %k : memref<64x256x256xf32>, memref<64x256x32xf32>) outs(%y : memref<64x256x32xf32>) {
  ^bb0(%weight: f32, %value: f32, %sum: f32):
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}

#x = affine_map<(n, j, k) -> (n, k)>
#w = affine_map<(n, j, k) -> (k, j)>
#y = affine_map<(n, j, k) -> (n, j)>

// The factors of a network's layers are the same for all rows: blocks of few rows would read them again and again.
// CHECK-LABEL: func.func @shared(
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @shared(%x: memref<4096x256xf32>, %w: memref<256x256xf32>, %y: memref<4096x256xf32>) {
  %zero = arith.constant 0.0 : f32
  %hidden = memref.alloc() : memref<4096x256xf32>
  linalg.fill ins(%zero : f32) outs(%hidden : memref<4096x256xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4096x256xf32>, memref<256x256xf32>) outs(%hidden : memref<4096x256xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<4096x256xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%hidden, %w : memref<4096x256xf32>, memref<256x256xf32>) outs(%y : memref<4096x256xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}
