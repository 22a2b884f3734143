// RUN: nnc-opt %s --codegen-gpu-map-kernels --canonicalize --cse | FileCheck %s

#all = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#turned = affine_map<(d0, d1) -> (d1, d0)>

// A warp has a row, and does with it what each operation says; the block waits between them.
// CHECK-LABEL: func.func @normalize(
// CHECK: gpu.launch
// CHECK-COUNT-5: gpu.shuffle
// CHECK: scf.if
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %[[LANE:.*]] to %{{.*}} step %c32
// CHECK: arith.divf
// CHECK: memref.store
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %[[LANE]] to %{{.*}} step %c32 iter_args
// CHECK-COUNT-5: gpu.shuffle
// CHECK-NOT: gpu.launch
// CHECK-LABEL: func.func @columnsToo(
func.func @normalize(%x: memref<?x100xf32>, %y: memref<?x100xf32>, %z: memref<?xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x100xf32>
  %sums = memref.alloc(%n) : memref<?xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<?xf32>)
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x100xf32>) outs(%sums : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : memref<?x100xf32>, memref<?xf32>) outs(%y : memref<?x100xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %0 = arith.divf %in, %sum : f32
    linalg.yield %0 : f32
  }
  linalg.fill ins(%zero : f32) outs(%z : memref<?xf32>)
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%y : memref<?x100xf32>) outs(%z : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// What needs other rows is another kernel.
// CHECK: gpu.launch
// CHECK-NOT: arith.mulf
// CHECK: gpu.terminator
// CHECK: gpu.launch
// CHECK: arith.mulf
func.func @columnsToo(%x: memref<100x100xf32>, %sums: memref<100xf32>, %y: memref<100x100xf32>) {
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<100x100xf32>) outs(%sums : memref<100xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#all, affine_map<(d0, d1) -> (d1)>, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : memref<100x100xf32>, memref<100xf32>) outs(%y : memref<100x100xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %0 = arith.mulf %in, %sum : f32
    linalg.yield %0 : f32
  }
  return
}
