// What the kernel emitter is given: generic operations whose operands lie the right way round.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3}))' | FileCheck %s

#x = affine_map<(f, c, i, j, n, p, q) -> (n, c, p + i, q + j)>
#y = affine_map<(f, c, i, j, n, p, q) -> (n, f, p, q)>
#w = affine_map<(f, c, i, j, n, p, q) -> (f, c, i, j)>

// Vectors along the kernel would have three lanes; along the filters they are full. So the filters come
// last in the result and in y, and the result is turned at the end.
// CHECK-DAG: #[[PACK:[a-z0-9]+]] = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
// CHECK-DAG: #[[TURN:[a-z0-9]+]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[RESULT:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d2, d3, d0)>
// CHECK-DAG: #[[ROW_PANEL:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2, d4)>
// CHECK-DAG: #[[COLUMN_PANEL:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d3)>
// CHECK-DAG: #[[OF_PANELS:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4) -> (d1 * 6 + d4, d0 * 16 + d3)>
// CHECK-LABEL: func.func @weight_gradient
// CHECK-NOT: linalg.fill {{.*}}outs(%arg2
// CHECK: %[[TURNED:.*]] = memref.alloc() : memref<4x3x3x16xf32>
// CHECK: linalg.fill ins(%cst : f32) outs(%[[TURNED]]
// CHECK: %[[PACKED:.*]] = memref.alloc() : memref<{{.*}}16xf32>
// CHECK: linalg.generic {indexing_maps = [{{.*}}#[[PACK]]]{{.*}}ins({{.*}} : memref<8x16x64xf32>) outs({{.*}} : memref<8x64x16xf32>)
// CHECK: linalg.generic {{.*}}#[[RESULT]]{{.*}}ins(%arg0, %[[PACKED]] {{.*}}outs(%[[TURNED]]
// CHECK: linalg.generic {indexing_maps = [#[[TURN]],{{.*}}ins({{.*}} : memref<36x16xf32>) outs({{.*}} : memref<16x36xf32>)
func.func @weight_gradient(%x: memref<8x4x10x10xf32>, %y: memref<8x16x8x8xf32>,
                           %w: memref<16x4x3x3xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%w : memref<16x4x3x3xf32>)
  linalg.generic {indexing_maps = [#x, #y, #w],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %y : memref<8x4x10x10xf32>, memref<8x16x8x8xf32>) outs(%w : memref<16x4x3x3xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// What adds to its output stays as it is: there is nothing to start from elsewhere.
// CHECK-LABEL: func.func @accumulates
// CHECK-NOT: memref.alloc() : memref<4x3x3x16xf32>
// CHECK: return
func.func @accumulates(%x: memref<8x4x10x10xf32>, %y: memref<8x16x8x8xf32>,
                       %w: memref<16x4x3x3xf32>) {
  linalg.generic {indexing_maps = [#x, #y, #w],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %y : memref<8x4x10x10xf32>, memref<8x16x8x8xf32>) outs(%w : memref<16x4x3x3xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Full already: nothing is turned.
// CHECK-LABEL: func.func @full
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @full(%a: memref<32x16xf32>, %b: memref<16x64xf32>, %c: memref<32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<32x64xf32>)
  linalg.matmul ins(%a, %b : memref<32x16xf32>, memref<16x64xf32>) outs(%c : memref<32x64xf32>)
  return
}

// A long matrix that is read 512 times lies in panels of two vectors; what is left over, in one of its own.
// CHECK-LABEL: func.func @panels
// CHECK: %[[PANELS:.*]] = memref.alloc() : memref<62x64x16xf32>
// Sixteen rows at a time, as each has a part in all panels.
// CHECK: linalg.generic {{.*}}ins({{.*}}memref<4x16x62x16xf32{{.*}}outs({{.*}}memref<62x4x16x16xf32>)
// CHECK: linalg.generic {{.*}}ins(%arg0, %[[PANELS]] : {{.*}}outs({{.*}}memref<512x992xf32
// CHECK: linalg.generic {{.*}}ins(%arg0, %{{.*}}memref<64x8xf32{{.*}}outs({{.*}}memref<512x8xf32
func.func @panels(%a: memref<512x64xf32>, %b: memref<64x1000xf32>, %c: memref<512x1000xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<512x1000xf32>)
  linalg.matmul ins(%a, %b : memref<512x64xf32>, memref<64x1000xf32>)
                outs(%c : memref<512x1000xf32>)
  return
}

// A batch of unknown size times 128 rows would be rows of unknown number, with a rest.
// CHECK-LABEL: func.func @batch
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
func.func @batch(%a: memref<?x128x16xf32>, %b: memref<16x64xf32>, %c: memref<?x128x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, m, n, k) -> (i, m, k)>, affine_map<(i, m, n, k) -> (k, n)>,
                                   affine_map<(i, m, n, k) -> (i, m, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<?x128x16xf32>, memref<16x64xf32>) outs(%c : memref<?x128x64xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Steps of the sum lie 1.5 KiB apart in the left factor: it is packed in panels of as many rows as a tile has, each
// of which all panels of columns read.
// CHECK-LABEL: func.func @row_panels
// CHECK: %[[COLUMNS:.*]] = memref.alloc() : memref<16x1024x16xf32>
// CHECK: %[[ROWS:.*]] = memref.alloc() : memref<64x1024x6xf32>
// CHECK: linalg.generic {{.*}} ins({{.*}} : memref<64x16x64x6xf32>) outs({{.*}} : memref<64x64x16x6xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[ROW_PANEL]], #[[COLUMN_PANEL]], #[[OF_PANELS]]], {{.*}} ins(%[[ROWS]], %[[COLUMNS]] :
func.func @row_panels(%a: memref<1024x384xf32>, %b: memref<1024x256xf32>, %c: memref<384x256xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<1024x384xf32>, memref<1024x256xf32>) outs(%c : memref<384x256xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Of the pixels every second one is read, by 64 filters: a copy of these is a row for each channel.
// CHECK-LABEL: func.func @strided_pointwise
// CHECK: %[[STEPS:.*]] = memref.subview %arg0[0, 0, 0] [16, 9, 9] [1, 2, 2]
// CHECK: %[[DENSE:.*]] = memref.alloc() : memref<16x9x9xf32>
// CHECK: memref.collapse_shape %[[STEPS]]
// CHECK: linalg.generic {{.*}}"parallel", "parallel"]}
// CHECK: %[[ROWS:.*]] = memref.collapse_shape %[[DENSE]] {{.*}} into memref<16x81xf32>
// CHECK: linalg.generic {{.*}}"parallel", "parallel", "reduction"]} ins(%[[ROWS]], %arg1
// CHECK-LABEL: func.func @few_filters
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @strided_pointwise(%x: memref<16x18x18xf32>, %w: memref<64x16xf32>, %y: memref<64x9x9xf32>) {
  linalg.generic {indexing_maps = [affine_map<(f, p, q, c) -> (c, p * 2, q * 2)>, affine_map<(f, p, q, c) -> (f, c)>,
                                   affine_map<(f, p, q, c) -> (f, p, q)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<16x18x18xf32>, memref<64x16xf32>) outs(%y : memref<64x9x9xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
func.func @few_filters(%x: memref<16x18x18xf32>, %w: memref<8x16xf32>, %y: memref<8x9x9xf32>) {
  linalg.generic {indexing_maps = [affine_map<(f, p, q, c) -> (c, p * 2, q * 2)>, affine_map<(f, p, q, c) -> (f, c)>,
                                   affine_map<(f, p, q, c) -> (f, p, q)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<16x18x18xf32>, memref<8x16xf32>) outs(%y : memref<8x9x9xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// How many images a trip has depends on the trip: there is no room for a copy of these rows.
// CHECK-LABEL: func.func @rest_of_images
// CHECK: scf.for
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic
func.func @rest_of_images(%x: memref<?x64x1024xf32>, %w: memref<1024x256xf32>, %y: memref<?x64x256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %images = memref.dim %x, %c0 : memref<?x64x1024xf32>
  %panels = memref.alloc() : memref<16x1024x16xf32>
  scf.for %i = %c0 to %images step %c3 {
    %left = arith.subi %images, %i : index
    %count = arith.minui %left, %c3 : index
    %some = memref.subview %x[%i, 0, 0] [%count, 64, 1024] [1, 1, 1]
        : memref<?x64x1024xf32> to memref<?x64x1024xf32, strided<[65536, 1024, 1], offset: ?>>
    %out = memref.subview %y[%i, 0, 0] [%count, 64, 256] [1, 1, 1]
        : memref<?x64x256xf32> to memref<?x64x256xf32, strided<[16384, 256, 1], offset: ?>>
    linalg.generic {indexing_maps = [affine_map<(n, m, p, k, j) -> (n, m, k)>, affine_map<(n, m, p, k, j) -> (p, k, j)>,
                                     affine_map<(n, m, p, k, j) -> (n, m, p * 16 + j)>],
                    iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]}
        ins(%some, %panels : memref<?x64x1024xf32, strided<[65536, 1024, 1], offset: ?>>, memref<16x1024x16xf32>)
        outs(%out : memref<?x64x256xf32, strided<[16384, 256, 1], offset: ?>>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
        %p = arith.mulf %a, %b : f32
        %s = arith.addf %o, %p : f32
        linalg.yield %s : f32
    }
  }
  return
}

// A convolution by a kernel of one pixel has no loops over that, and its pixels are one row.
// CHECK-LABEL: func.func @pointwise
// CHECK: linalg.generic {{.*}}"parallel", "parallel", "parallel", "reduction"]}
// CHECK-SAME: memref<2x3x64xf32{{.*}}memref<4x3xf32{{.*}}memref<2x4x64xf32
#image = affine_map<(n, f, p, q, c, i, j) -> (n, c, p + i, q + j)>
#kernel = affine_map<(n, f, p, q, c, i, j) -> (f, c, i, j)>
#result = affine_map<(n, f, p, q, c, i, j) -> (n, f, p, q)>
func.func @pointwise(%x: memref<2x3x8x8xf32>, %w: memref<4x3x1x1xf32>, %y: memref<2x4x8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<2x4x8x8xf32>)
  linalg.generic {indexing_maps = [#image, #kernel, #result],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<2x3x8x8xf32>, memref<4x3x1x1xf32>) outs(%y : memref<2x4x8x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// The loop over i alone walks two of three elements: it does not run over an axis, and the loops stay.
// CHECK-LABEL: func.func @part_of_an_axis
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]}
func.func @part_of_an_axis(%x: memref<3xf32>, %y: memref<1x2xf32>) {
  linalg.generic {indexing_maps = [affine_map<(p, i) -> (p * 3 + i)>, affine_map<(p, i) -> (p, i)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<3xf32>) outs(%y : memref<1x2xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  return
}

// Short floats are widened once: those that vectors read while they are packed, the others in a copy.
// CHECK-LABEL: func.func @short
// CHECK: %[[WIDE:.*]] = memref.alloc() : memref<64x128xf32>
// CHECK: linalg.generic {{.*}}memref<8192xf16>{{.*}}memref<8192xf32>
// CHECK: arith.extf
// CHECK: %[[PACKED:.*]] = memref.alloc() : memref<128x96xf32>
// CHECK: linalg.generic {{.*}}ins(%arg1{{.*}}outs(%[[PACKED]]
// CHECK: arith.extf
// CHECK: linalg.generic {{.*}}ins(%[[WIDE]], %[[PACKED]] : memref<64x128xf32>, memref<128x96xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.mulf
func.func @short(%a: memref<64x128xf16>, %b: memref<96x128xf16>, %c: memref<64x96xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                   affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x128xf16>, memref<96x128xf16>) outs(%c : memref<64x96xf32>) {
    ^bb0(%x: f16, %y: f16, %o: f32):
      %u = arith.extf %x : f16 to f32
      %v = arith.extf %y : f16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Few read a row: each time it is widened on the way.
// CHECK-LABEL: func.func @short_and_narrow
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @short_and_narrow(%a: memref<64x128xf16>, %b: memref<128x16xf16>, %c: memref<64x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x128xf16>, memref<128x16xf16>) outs(%c : memref<64x16xf32>) {
    ^bb0(%x: f16, %y: f16, %o: f32):
      %u = arith.extf %x : f16 to f32
      %v = arith.extf %y : f16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
