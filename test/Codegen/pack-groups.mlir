// Panels that are together more than a near cache holds are packed a few at a time.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v4}))' | FileCheck %s
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v4 grain=0}))' | FileCheck %s --check-prefix=ALONE

// Eight panels of 64 KiB at a time; each thread has its own memory for them. All rows read them, in panels that are
// packed once. Those left over are an operation of its own.
// CHECK-DAG: #[[ROW_PANEL:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4)>
// CHECK-DAG: #[[COLUMN_PANEL:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2, d3)>
// CHECK-LABEL: func.func @panels
// CHECK: %[[ROWS:.*]] = memref.alloc() : memref<64x512x8xf32>
// CHECK: %[[MEMORY:.*]] = memref.alloc() : memref<4194304xi8>
// CHECK: scf.parallel (%[[GROUP:.*]]) = (%c0) to (%c8) step (%c1) {
// CHECK: %[[COLUMN:.*]] = arith.muli %[[GROUP]], %c256 : index
// CHECK: memref.subview %{{.*}}[0, %[[COLUMN]]] [512, 256]
// CHECK: %[[C:.*]] = memref.subview %{{.*}}[0, %[[COLUMN]]] [512, 256]
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[C]]
// CHECK: %[[BEGIN:.*]] = arith.muli %[[GROUP]], %c524288 {nn.scratch} : index
// CHECK: %[[PANELS:.*]] = memref.view %[[MEMORY]][%[[BEGIN]]][] : memref<4194304xi8> to memref<8x512x32xf32>
// CHECK: linalg.generic {{.*}} outs(%[[PANELS]] :
// CHECK: linalg.generic {indexing_maps = [#[[ROW_PANEL]], #[[COLUMN_PANEL]], {{.*}} ins(%[[ROWS]], %[[PANELS]] : {{.*}} outs(%[[C]]
// CHECK-NOT: linalg.generic
// CHECK: scf.reduce
// CHECK: linalg.generic {{.*}} ins(%arg0, %{{.*}} : memref<512x512xf32>, memref<512x24xf32>)
// CHECK: return

// On one thread all groups have the same memory.
// ALONE-LABEL: func.func @panels
// ALONE-NOT: scf.parallel
// ALONE: scf.for
// ALONE: memref.alloc() : memref<{{[0-9]+}}x512x32xf32>
func.func @panels(%a: memref<512x512xf32>, %b: memref<512x2072xf32>, %c: memref<512x2072xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<512x2072xf32>)
  linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                 affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %b : memref<512x512xf32>, memref<512x2072xf32>) outs(%c : memref<512x2072xf32>)
  return
}

// Rows along which the sum goes are read where they are, in as many as a tile has.
// CHECK-LABEL: func.func @rows_in_place
// CHECK-NOT: memref<64x512x8xf32>
// CHECK: %[[SPLIT:.*]] = memref.expand_shape %arg0 {{.*}} into memref<64x8x512xf32>
// CHECK: linalg.generic {{.*}} ins(%[[SPLIT]],
func.func @rows_in_place(%a: memref<512x512xf32>, %b: memref<512x2048xf32>, %c: memref<512x2048xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<512x2048xf32>)
  linalg.matmul ins(%a, %b : memref<512x512xf32>, memref<512x2048xf32>) outs(%c : memref<512x2048xf32>)
  return
}

// Few rows: the right factor is packed where its own rows evict each other from the caches, as those a multiple of
// 4 KiB apart do. Nor is the product turned round then, which would read it no better.
// CHECK-LABEL: func.func @few_rows
// CHECK-NOT: memref<1024x64xf32>
// CHECK: scf.parallel
// CHECK: memref.view {{.*}} to memref<{{[0-9]+}}x1024x32xf32>
// CHECK-LABEL: func.func @few_rows_apart
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @few_rows(%a: memref<64x1024xf32>, %b: memref<1024x4096xf32>, %c: memref<64x4096xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<64x4096xf32>)
  linalg.matmul ins(%a, %b : memref<64x1024xf32>, memref<1024x4096xf32>) outs(%c : memref<64x4096xf32>)
  return
}
func.func @few_rows_apart(%a: memref<64x1024xf32>, %b: memref<1024x4112xf32>, %c: memref<64x4112xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<64x4112xf32>)
  linalg.matmul ins(%a, %b : memref<64x1024xf32>, memref<1024x4112xf32>) outs(%c : memref<64x4112xf32>)
  return
}

// The panels of each image, with the same filters; of a number of images that nobody knows.
// CHECK-LABEL: func.func @images
// CHECK: %[[IMAGES:.*]] = memref.dim %arg0
// CHECK: %[[TRIPS:.*]] = arith.muli %{{.*}}, %[[IMAGES]]
// CHECK: scf.parallel (%[[TRIP:.*]]) = (%{{.*}}) to (%[[TRIPS]])
// CHECK: arith.divui %[[TRIP]]
// CHECK: arith.remui %[[TRIP]]
// CHECK: memref.view {{.*}} to memref<{{[0-9]+}}x256x32xf32>
func.func @images(%x: memref<?x256x3136xf32>, %w: memref<512x256xf32>, %y: memref<?x512x3136xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n, f, p, c) -> (f, c)>, affine_map<(n, f, p, c) -> (n, c, p)>,
                                   affine_map<(n, f, p, c) -> (n, f, p)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%w, %x : memref<512x256xf32>, memref<?x256x3136xf32>) outs(%y : memref<?x512x3136xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
