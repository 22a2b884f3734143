// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-gpu-fuse-tiles),canonicalize,cse)' | FileCheck %s
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-gpu-fuse-tiles,codegen-gpu-fuse-blocks,codegen-gpu-map-kernels),canonicalize,cse)' | FileCheck %s --check-prefix=KERNEL

#q = affine_map<(h, q, k, d) -> (h, q, d)>
#k = affine_map<(h, q, k, d) -> (h, k, d)>
#scores = affine_map<(h, q, k, d) -> (h, q, k)>
#all = affine_map<(h, q, k) -> (h, q, k)>
#mask = affine_map<(h, q, k) -> (q, k)>
#rows = affine_map<(h, q, k) -> (h, q)>
#weights = affine_map<(h, q, d, k) -> (h, q, k)>
#values = affine_map<(h, q, d, k) -> (h, k, d)>
#found = affine_map<(h, q, d, k) -> (h, q, d)>

// A block has 64 rows of a head, and goes along as many columns as the last of them sees, 64 at a time. Those that see
// most begin first.
// CHECK-LABEL: func.func @attention(
// CHECK-NOT: memref.alloc
// CHECK: scf.parallel (%[[BLOCK:.*]]) = (%{{.*}}) to (%c1024) step (%c1) {
// CHECK: %[[FROM_LAST:.*]] = arith.remui %[[BLOCK]], %c16
// CHECK: %[[NUMBER:.*]] = arith.subi %c15, %[[FROM_LAST]]
// CHECK: %[[ROW:.*]] = arith.muli %[[NUMBER]], %c64
// CHECK: %[[TILE:.*]] = memref.alloc() : memref<1x64x64xf32>
// CHECK: %[[MAXIMUM:.*]] = memref.alloc() : memref<1x64xf32>
// CHECK: %[[OF_TILE:.*]] = memref.alloc() : memref<1x64xf32>
// CHECK: %[[SHIFT:.*]] = memref.alloc() : memref<1x64xf32>
// CHECK: %[[SCALE:.*]] = memref.alloc() : memref<1x64xf32>
// CHECK: %[[SUM:.*]] = memref.alloc() : memref<1x64xf32>
// CHECK: %[[FOUND:.*]] = memref.alloc() : memref<1x64x32xf32>
// CHECK: linalg.fill {{.*}} outs(%[[MAXIMUM]]
// CHECK: linalg.fill {{.*}} outs(%[[SUM]]
// CHECK: linalg.fill {{.*}} outs(%[[FOUND]]
// CHECK: %[[END:.*]] = arith.addi %[[ROW]], %c64
// CHECK: %[[LAST:.*]] = arith.minui %[[END]], %c1024
// CHECK: scf.for %[[COLUMN:.*]] = %c0 to %[[LAST]] step %c64 {
// CHECK: linalg.generic {{.*}} outs(%[[TILE]]
// The mask is where a row and a column are.
// CHECK: linalg.generic {{.*}} ins(%[[TILE]] : memref<1x64x64xf32>) outs(%[[OF_TILE]]
// CHECK: linalg.index 2
// CHECK: arith.addi %{{.*}}, %[[COLUMN]]
// CHECK: linalg.index 1
// CHECK: arith.addi %{{.*}}, %[[ROW]]
// CHECK: arith.maximumf
// CHECK: linalg.generic {{.*}} ins(%[[OF_TILE]] : memref<1x64xf32>) outs(%[[MAXIMUM]], %[[SHIFT]], %[[SCALE]]
// CHECK: linalg.generic {{.*}} ins(%[[SCALE]] : memref<1x64xf32>) outs(%[[SUM]]
// CHECK: linalg.generic {{.*}} ins(%[[SCALE]] : memref<1x64xf32>) outs(%[[FOUND]]
// CHECK: linalg.generic {{.*}} ins(%[[TILE]], %[[SHIFT]] : memref<1x64x64xf32>, memref<1x64xf32>) outs(%[[TILE]]
// CHECK: linalg.generic {{.*}} ins(%[[TILE]] : memref<1x64x64xf32>) outs(%[[SUM]]
// CHECK: linalg.generic {{.*}} ins(%[[TILE]], {{.*}}) outs(%[[FOUND]]
// CHECK-NOT: arith.divf
// CHECK: linalg.yield
// It is divided once.
// CHECK: linalg.generic {{.*}} ins(%[[FOUND]], %[[SUM]] : memref<1x64x32xf32>, memref<1x64xf32>)
// CHECK: arith.divf
// CHECK: scf.reduce

// The loop is one of the kernel, whose products are as others.
// KERNEL-LABEL: func.func @attention(
// KERNEL-NOT: memref.alloc
// KERNEL-COUNT-1: gpu.launch
// KERNEL: scf.for
// KERNEL: nvgpu.device_async_copy
// KERNEL: math.fma
// KERNEL-COUNT-5: gpu.shuffle
// KERNEL: math.exp
// KERNEL: math.fma
// KERNEL: gpu.terminator
func.func @attention(%q: memref<64x1024x32xf32>, %k: memref<64x1024x32xf32>, %v: memref<64x1024x32xf32>, %y: memref<64x1024x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %false = arith.constant 0 : i8
  %scores = memref.alloc() : memref<64x1024x1024xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<64x1024x1024xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<64x1024x32xf32>, memref<64x1024x32xf32>) outs(%scores : memref<64x1024x1024xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  %mask = memref.alloc() : memref<1024x1024xi8>
  linalg.generic {indexing_maps = [affine_map<(q, k) -> (q, k)>], iterator_types = ["parallel", "parallel"]}
      outs(%mask : memref<1024x1024xi8>) {
  ^bb0(%old: i8):
    %row = linalg.index 0 : index
    %column = linalg.index 1 : index
    %i = arith.index_cast %row : index to i64
    %j = arith.index_cast %column : index to i64
    %isPast = arith.cmpi sle, %j, %i : i64
    %byte = arith.extui %isPast : i1 to i8
    linalg.yield %byte : i8
  }
  %maxima = memref.alloc() : memref<64x1024xf32>
  linalg.fill ins(%lowest : f32) outs(%maxima : memref<64x1024xf32>)
  linalg.generic {indexing_maps = [#mask, #all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%mask, %scores : memref<1024x1024xi8>, memref<64x1024x1024xf32>) outs(%maxima : memref<64x1024xf32>) {
  ^bb0(%m: i8, %x: f32, %most: f32):
    %isSeen = arith.cmpi ne, %m, %false : i8
    %seen = arith.select %isSeen, %x, %lowest : f32
    %next = arith.maximumf %most, %seen : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [#mask, #all, #rows, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%mask, %scores, %maxima : memref<1024x1024xi8>, memref<64x1024x1024xf32>, memref<64x1024xf32>) outs(%scores : memref<64x1024x1024xf32>) {
  ^bb0(%m: i8, %x: f32, %most: f32, %old: f32):
    %isSeen = arith.cmpi ne, %m, %false : i8
    %seen = arith.select %isSeen, %x, %lowest : f32
    %less = arith.subf %seen, %most : f32
    %e = math.exp %less : f32
    linalg.yield %e : f32
  }
  %sums = memref.alloc() : memref<64x1024xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<64x1024xf32>)
  linalg.generic {indexing_maps = [#all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scores : memref<64x1024x1024xf32>) outs(%sums : memref<64x1024xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %next = arith.addf %sum, %x : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [#all, #rows, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %sums : memref<64x1024x1024xf32>, memref<64x1024xf32>) outs(%scores : memref<64x1024x1024xf32>) {
  ^bb0(%e: f32, %sum: f32, %old: f32):
    %weight = arith.divf %e, %sum : f32
    linalg.yield %weight : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<64x1024x32xf32>)
  linalg.generic {indexing_maps = [#weights, #values, #found], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%scores, %v : memref<64x1024x1024xf32>, memref<64x1024x32xf32>) outs(%y : memref<64x1024x32xf32>) {
  ^bb0(%weight: f32, %value: f32, %sum: f32):
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}

#columns = affine_map<(h, k, d, q) -> (h, q, d)>
#turned = affine_map<(h, k, d, q) -> (h, q, k)>
#found_columns = affine_map<(h, k, d, q) -> (h, k, d)>

// What sums along the rows, and what sums along the columns, are loops of their own, which make the matrix each for
// itself; the sizes are not known. The difference to a sum waits until that is complete.
// CHECK-LABEL: func.func @backwards(
// CHECK: %[[SUMS:.*]] = memref.alloc(%{{.*}}) : memref<?x?xf32>
// CHECK: scf.parallel
// CHECK: memref.alloc() : memref<1x64x64xf32>
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : memref<1x?x?xf32
// CHECK: scf.parallel
// CHECK: %[[FOUND:.*]] = memref.alloc() : memref<1x64x8xf32>
// CHECK: scf.for
// CHECK: memref.subview %[[SUMS]]
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK: arith.subf
// CHECK: scf.parallel
// CHECK: %[[FOUND:.*]] = memref.alloc() : memref<1x64x8xf32>
// CHECK: scf.for
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK: arith.subf
// CHECK: return
func.func @backwards(%q: memref<?x?x8xf32>, %k: memref<?x?x8xf32>, %dq: memref<?x?x8xf32>, %dk: memref<?x?x8xf32>, %n: index, %t: index) {
  %zero = arith.constant 0.0 : f32
  %scores = memref.alloc(%n, %t, %t) : memref<?x?x?xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<?x?x?xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<?x?x8xf32>, memref<?x?x8xf32>) outs(%scores : memref<?x?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  %sums = memref.alloc(%n, %t) : memref<?x?xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<?x?xf32>)
  linalg.generic {indexing_maps = [#all, #rows], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scores : memref<?x?x?xf32>) outs(%sums : memref<?x?xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %next = arith.addf %sum, %x : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [#all, #rows, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %sums : memref<?x?x?xf32>, memref<?x?xf32>) outs(%scores : memref<?x?x?xf32>) {
  ^bb0(%x: f32, %sum: f32, %old: f32):
    %less = arith.subf %x, %sum : f32
    linalg.yield %less : f32
  }
  linalg.fill ins(%zero : f32) outs(%dq : memref<?x?x8xf32>)
  linalg.generic {indexing_maps = [#weights, #values, #found], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%scores, %k : memref<?x?x?xf32>, memref<?x?x8xf32>) outs(%dq : memref<?x?x8xf32>) {
  ^bb0(%weight: f32, %value: f32, %sum: f32):
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.fill ins(%zero : f32) outs(%dk : memref<?x?x8xf32>)
  linalg.generic {indexing_maps = [#turned, #columns, #found_columns], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%scores, %q : memref<?x?x?xf32>, memref<?x?x8xf32>) outs(%dk : memref<?x?x8xf32>) {
  ^bb0(%weight: f32, %value: f32, %sum: f32):
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}

// A sum that others wait for does not wait for the next one.
// CHECK-LABEL: func.func @between(
// CHECK: scf.parallel
// CHECK: %[[FOUND:.*]] = memref.alloc() : memref<1x64x32xf32>
// CHECK: linalg.generic {{.*}} ins(%arg3 : memref<64x1024x32xf32>) outs(%arg5
// CHECK: math.exp
// CHECK: scf.parallel
// CHECK: return
func.func @between(%q: memref<64x1024x32xf32>, %k: memref<64x1024x32xf32>, %v: memref<64x1024x32xf32>, %y: memref<64x1024x32xf32>, %z: memref<64x1024x32xf32>, %e: memref<64x1024x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %made = memref.alloc() : memref<64x1024x1024xf32>
  linalg.fill ins(%zero : f32) outs(%made : memref<64x1024x1024xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<64x1024x32xf32>, memref<64x1024x32xf32>) outs(%made : memref<64x1024x1024xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<64x1024x32xf32>)
  linalg.generic {indexing_maps = [#weights, #values, #found], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%made, %v : memref<64x1024x1024xf32>, memref<64x1024x32xf32>) outs(%y : memref<64x1024x32xf32>) {
  ^bb0(%weight: f32, %value: f32, %sum: f32):
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y : memref<64x1024x32xf32>) outs(%e : memref<64x1024x32xf32>) {
  ^bb0(%x: f32, %old: f32):
    %exponential = math.exp %x : f32
    linalg.yield %exponential : f32
  }
  linalg.fill ins(%zero : f32) outs(%z : memref<64x1024x32xf32>)
  linalg.generic {indexing_maps = [#weights, #values, #found], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%made, %k : memref<64x1024x1024xf32>, memref<64x1024x32xf32>) outs(%z : memref<64x1024x32xf32>) {
  ^bb0(%weight: f32, %value: f32, %sum: f32):
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}

// A matrix that somebody reads as a whole is written anyway.
// CHECK-LABEL: func.func @kept(
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @kept(%q: memref<64x1024x32xf32>, %k: memref<64x1024x32xf32>, %scores: memref<64x1024x1024xf32>, %y: memref<64x1024x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %made = memref.alloc() : memref<64x1024x1024xf32>
  linalg.fill ins(%zero : f32) outs(%made : memref<64x1024x1024xf32>)
  linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<64x1024x32xf32>, memref<64x1024x32xf32>) outs(%made : memref<64x1024x1024xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<64x1024x32xf32>)
  linalg.generic {indexing_maps = [#weights, #values, #found], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%made, %k : memref<64x1024x1024xf32>, memref<64x1024x32xf32>) outs(%y : memref<64x1024x32xf32>) {
  ^bb0(%weight: f32, %value: f32, %sum: f32):
    %product = arith.mulf %weight, %value : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  memref.copy %made, %scores : memref<64x1024x1024xf32> to memref<64x1024x1024xf32>
  return
}
