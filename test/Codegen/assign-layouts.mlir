// Which axis of a temporary lies last: that along which vectors are full.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-assign-layouts{cpu=x86-64-v4}))' | FileCheck %s

#image = affine_map<(n, f, p, q, c, i, j) -> (n, c, p + i, q + j)>
#kernel = affine_map<(n, f, p, q, c, i, j) -> (f, c, i, j)>
#result = affine_map<(n, f, p, q, c, i, j) -> (n, f, p, q)>
#all = affine_map<(n, f, p, q) -> (n, f, p, q)>

// Rows of seven pixels would fill less than half of a vector; the 32 filters fill two. What is computed from
// the result lies like it, its padded copy too.
// CHECK-DAG: #[[RESULT:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2, d3, d1)>
// CHECK-DAG: #[[LAST:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
// CHECK-LABEL: func.func @convolution
// CHECK: %[[Y:.*]] = memref.alloc() : memref<8x7x7x32xf32>
// CHECK: linalg.fill {{.*}}outs(%[[Y]]
// CHECK: linalg.generic {indexing_maps = [{{.*}}#[[RESULT]]]{{.*}}outs(%[[Y]]
// CHECK: %[[PADDED:.*]] = memref.alloc() : memref<8x9x9x32xf32>
// CHECK: %[[INNER:.*]] = memref.subview %[[PADDED]][0, 1, 1, 0] [8, 7, 7, 32]
// CHECK: linalg.generic {indexing_maps = [#[[LAST]], #[[LAST]]]{{.*}}ins(%[[Y]]{{.*}}outs(%[[INNER]]
// CHECK: linalg.generic {indexing_maps = [#[[LAST]], #{{.*}}]{{.*}}ins(%[[INNER]]{{.*}}outs(%arg2
func.func @convolution(%x: memref<8x16x9x9xf32>, %w: memref<32x16x3x3xf32>,
                       %z: memref<8x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %y = memref.alloc() : memref<8x32x7x7xf32>
  linalg.fill ins(%zero : f32) outs(%y : memref<8x32x7x7xf32>)
  linalg.generic {indexing_maps = [#image, #kernel, #result],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<8x16x9x9xf32>, memref<32x16x3x3xf32>) outs(%y : memref<8x32x7x7xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  %padded = memref.alloc() : memref<8x32x9x9xf32>
  %inner = memref.subview %padded[0, 0, 1, 1] [8, 32, 7, 7] [1, 1, 1, 1]
      : memref<8x32x9x9xf32> to memref<8x32x7x7xf32, strided<[2592, 81, 9, 1], offset: 10>>
  linalg.generic {indexing_maps = [#all, #all],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : memref<8x32x7x7xf32>)
      outs(%inner : memref<8x32x7x7xf32, strided<[2592, 81, 9, 1], offset: 10>>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.maximumf %a, %zero : f32
      linalg.yield %r : f32
  }
  linalg.fill ins(%zero : f32) outs(%z : memref<8x32xf32>)
  linalg.generic {indexing_maps = [#all, affine_map<(n, f, p, q) -> (n, f)>],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%inner : memref<8x32x7x7xf32, strided<[2592, 81, 9, 1], offset: 10>>)
      outs(%z : memref<8x32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// Full rows: nothing moves.
// CHECK-LABEL: func.func @wide
// CHECK: memref.alloc() : memref<8x32x32x32xf32>
func.func @wide(%x: memref<8x16x34x34xf32>, %w: memref<32x16x3x3xf32>,
                %z: memref<8x32x32x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %y = memref.alloc() : memref<8x32x32x32xf32>
  linalg.fill ins(%zero : f32) outs(%y : memref<8x32x32x32xf32>)
  linalg.generic {indexing_maps = [#image, #kernel, #result],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<8x16x34x34xf32>, memref<32x16x3x3xf32>) outs(%y : memref<8x32x32x32xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#all, #all],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : memref<8x32x32x32xf32>) outs(%z : memref<8x32x32x32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = math.exp %a : f32
      linalg.yield %r : f32
  }
  return
}

// What is reshaped across the axis stays as it is.
// CHECK-LABEL: func.func @flattened
// CHECK: memref.alloc() : memref<8x32x7x7xf32>
func.func @flattened(%x: memref<8x16x9x9xf32>, %w: memref<32x16x3x3xf32>, %z: memref<8x1568xf32>) {
  %zero = arith.constant 0.0 : f32
  %y = memref.alloc() : memref<8x32x7x7xf32>
  linalg.fill ins(%zero : f32) outs(%y : memref<8x32x7x7xf32>)
  linalg.generic {indexing_maps = [#image, #kernel, #result],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel",
                                    "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<8x16x9x9xf32>, memref<32x16x3x3xf32>) outs(%y : memref<8x32x7x7xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  %flat = memref.collapse_shape %y [[0], [1, 2, 3]] : memref<8x32x7x7xf32> into memref<8x1568xf32>
  memref.copy %flat, %z : memref<8x1568xf32> to memref<8x1568xf32>
  return
}

// Rows of 32 pixels fill their vectors, but those of an image with a border begin anywhere: its channels go last. Then
// those of what it is made of gain by it, too.
// CHECK-LABEL: func.func @bordered
// CHECK: memref.alloc() : memref<32x32x16xf32>
// CHECK: memref.alloc() : memref<34x34x32xf32>
#part = affine_map<(f, y, x, c) -> (c, y, x)>
#mix = affine_map<(f, y, x, c) -> (f, c)>
#mixed = affine_map<(f, y, x, c) -> (f, y, x)>
func.func @bordered(%image: memref<32x32x64xf32>, %v: memref<16x64xf32>, %w: memref<32x16xf32>,
                    %taps: memref<32x3x3xf32>, %z: memref<32xf32>) {
  %zero = arith.constant 0.0 : f32
  %few = memref.alloc() : memref<16x32x32xf32>
  linalg.fill ins(%zero : f32) outs(%few : memref<16x32x32xf32>)
  linalg.generic {indexing_maps = [affine_map<(f, y, x, c) -> (y, x, c)>, #mix, #mixed],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%image, %v : memref<32x32x64xf32>, memref<16x64xf32>) outs(%few : memref<16x32x32xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  %many = memref.alloc() : memref<32x34x34xf32>
  linalg.fill ins(%zero : f32) outs(%many : memref<32x34x34xf32>)
  %inner = memref.subview %many[0, 1, 1] [32, 32, 32] [1, 1, 1]
      : memref<32x34x34xf32> to memref<32x32x32xf32, strided<[1156, 34, 1], offset: 35>>
  linalg.generic {indexing_maps = [#part, #mix, #mixed],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%few, %w : memref<16x32x32xf32>, memref<32x16xf32>)
      outs(%inner : memref<32x32x32xf32, strided<[1156, 34, 1], offset: 35>>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  %deep = memref.alloc() : memref<32x32x32xf32>
  linalg.fill ins(%zero : f32) outs(%deep : memref<32x32x32xf32>)
  linalg.generic {indexing_maps = [affine_map<(f, y, x, i, j) -> (f, y + i, x + j)>,
                                   affine_map<(f, y, x, i, j) -> (f, i, j)>,
                                   affine_map<(f, y, x, i, j) -> (f, y, x)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%many, %taps : memref<32x34x34xf32>, memref<32x3x3xf32>) outs(%deep : memref<32x32x32xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  linalg.fill ins(%zero : f32) outs(%z : memref<32xf32>)
  linalg.generic {indexing_maps = [affine_map<(f, y, x) -> (f, y, x)>, affine_map<(f, y, x) -> (f)>],
                  iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%deep : memref<32x32x32xf32>) outs(%z : memref<32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}
