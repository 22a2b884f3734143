// Products of bf16 go in words of two where the processor multiplies matrices of them, and nowhere else. Those of bytes
// go in words of four there and where it has instructions for them on vectors, else in words of two, as 16 bits.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=sapphirerapids}))' | FileCheck %s
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v4}))' | FileCheck %s --check-prefixes=V4,V4BYTES
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=cascadelake}))' | FileCheck %s --check-prefixes=V4,VNNI
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=sandybridge}))' | FileCheck %s --check-prefix=NONE
// V4-LABEL: func.func @even
// V4-NOT: xi32
// V4-LABEL: func.func @bytes
// NONE-NOT: arith.ori

#left = affine_map<(m, n, k) -> (m, k)>
#right = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0, d1, d2, d3) -> ((d0 * 16 + d2) * 2, d1, d3)>
// CHECK-DAG: #[[SECOND:.*]] = affine_map<(d0, d1, d2, d3) -> ((d0 * 16 + d2) * 2 + 1, d1, d3)>
// CHECK-DAG: #[[LOW:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2 * 2)>
// CHECK-DAG: #[[HIGH:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2 * 2 + 1)>

// The left factor's pairs lie side by side; the right one's are brought together, in panels of 32 columns,
// each of which gets 16 rows before the next one does.
// CHECK-LABEL: func.func @even
// CHECK: %[[PANELS:.*]] = memref.expand_shape %arg1
// CHECK: %[[PAIRS:.*]] = memref.alloc() : memref<3x64x32xi32>
// CHECK: %[[ROWS:.*]] = memref.expand_shape %[[PAIRS]] {{.*}} into memref<3x4x16x32xi32>
// CHECK: linalg.generic {indexing_maps = [#[[FIRST]], #[[SECOND]], #{{.*}}], {{.*}}} ins(%[[PANELS]], %[[PANELS]] {{.*}}) outs(%[[ROWS]]
// CHECK: arith.ori
// CHECK: linalg.generic {indexing_maps = [#[[LOW]], #[[HIGH]], {{.*}}} ins(%arg0, %arg0, %[[PAIRS]] {{.*}}) outs(%arg2
// CHECK-NEXT: ^bb0(%[[A:.*]]: bf16, %[[B:.*]]: bf16, %[[PAIR:.*]]: i32, %[[OLD:.*]]: f32):
// CHECK: %[[C:.*]] = arith.shli %[[PAIR]]
// CHECK: %[[D:.*]] = arith.andi %[[PAIR]]
// CHECK: %[[BOTH:.*]] = arith.addf
// CHECK: arith.addf %[[OLD]], %[[BOTH]]
func.func @even(%a: memref<64x128xbf16>, %b: memref<128x96xbf16>, %c: memref<64x96xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x128xbf16>, memref<128x96xbf16>) outs(%c : memref<64x96xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// 131 terms: five steps of 32, with zeros at the end of both factors. The vectors that the matrix unit reads
// are whole ones.
// CHECK-LABEL: func.func @odd
// CHECK: %[[LEFT:.*]] = memref.alloc() : memref<67x160xbf16>
// CHECK: %[[TAIL:.*]] = memref.subview %[[LEFT]][0, 131] [67, 29]
// CHECK: linalg.fill ins(%{{.*}} : bf16) outs(%[[TAIL]]
// CHECK: %[[PAIRS:.*]] = memref.alloc() : memref<80x32xi32>
// CHECK: %[[USED:.*]] = memref.subview %[[PAIRS]][0, 0] [80, 24]
// CHECK: memref.subview %[[USED]][0, 0] [65, 24]
// CHECK: memref.subview %[[USED]][65, 0] [1, 24]
// CHECK: %[[ZEROS:.*]] = memref.subview %[[USED]][66, 0] [14, 24]
// CHECK: linalg.fill ins(%{{.*}} : i32) outs(%[[ZEROS]]
// CHECK: linalg.generic {{.*}} ins(%[[LEFT]], %[[LEFT]], %[[USED]]
func.func @odd(%a: memref<67x131xbf16>, %b: memref<131x24xbf16>, %c: memref<67x24xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<67x131xbf16>, memref<131x24xbf16>) outs(%c : memref<67x24xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Few rows are no reason to pack a matrix, and one has nothing to share; f32 has no such instruction.
// CHECK-LABEL: func.func @few
// CHECK-NOT: xi32
// CHECK-LABEL: func.func @row
// CHECK-NOT: xi32
// CHECK-LABEL: func.func @wide
// CHECK-NOT: xi32
func.func @few(%a: memref<8x128xbf16>, %b: memref<128x96xbf16>, %c: memref<8x96xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x128xbf16>, memref<128x96xbf16>) outs(%c : memref<8x96xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

func.func @row(%a: memref<1024xbf16>, %b: memref<1024x96xbf16>, %c: memref<96xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n, k) -> (k)>, affine_map<(n, k) -> (k, n)>, affine_map<(n, k) -> (n)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%a, %b : memref<1024xbf16>, memref<1024x96xbf16>) outs(%c : memref<96xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

func.func @wide(%a: memref<64x128xf32>, %b: memref<128x96xf32>, %c: memref<64x96xf32>) {
  linalg.matmul ins(%a, %b : memref<64x128xf32>, memref<128x96xf32>) outs(%c : memref<64x96xf32>)
  return
}

// Channels that lie apart, and that windows keep from being packed, are turned to the end.
// CHECK-LABEL: func.func @channels
// CHECK: %[[TURNED:.*]] = memref.alloc() : memref<2x9x9x32xbf16>
// CHECK: %[[PAIRS:.*]] = memref.alloc() : memref<3x3x16x32xi32>
// CHECK: linalg.generic {{.*}}ins(%[[TURNED]], %[[TURNED]], %[[PAIRS]]
func.func @channels(%x: memref<2x32x9x9xbf16>, %w: memref<48x32x3x3xbf16>, %y: memref<2x7x7x48xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n, h, w, f, c, i, j) -> (n, c, h + i, w + j)>,
                                   affine_map<(n, h, w, f, c, i, j) -> (f, c, i, j)>,
                                   affine_map<(n, h, w, f, c, i, j) -> (n, h, w, f)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<2x32x9x9xbf16>, memref<48x32x3x3xbf16>) outs(%y : memref<2x7x7x48xf32>) {
    ^bb0(%a: bf16, %b: bf16, %o: f32):
      %u = arith.extf %a : bf16 to f32
      %v = arith.extf %b : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Panels of pairs that are more than a near cache holds go a few at a time, if the rows stay there meanwhile.
// CHECK-LABEL: func.func @groups
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%c12) step (%c1)
// CHECK: memref.view {{.*}} to memref<8x384x32xi32>
// CHECK-LABEL: func.func @many_rows
// CHECK-NOT: scf.parallel
// CHECK: memref.alloc() : memref<96x384x32xi32>
func.func @groups(%a: memref<64x768xbf16>, %b: memref<768x3072xbf16>, %c: memref<64x3072xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x768xbf16>, memref<768x3072xbf16>) outs(%c : memref<64x3072xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}
func.func @many_rows(%a: memref<512x768xbf16>, %b: memref<768x3072xbf16>, %c: memref<512x3072xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<512x768xbf16>, memref<768x3072xbf16>) outs(%c : memref<512x3072xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// The derivative by the filters sums along rows of pixels, whose pairs are adjacent wherever the window lies.
// CHECK-LABEL: func.func @filters
// CHECK-NOT: memref.alloc() : {{.*}}xbf16>
// CHECK: linalg.generic {{.*}}ins(%arg0, %arg0, %{{.*}}xi32>) outs(
func.func @filters(%x: memref<2x32x12x12xbf16>, %dy: memref<2x10x10x32xbf16>, %dw: memref<32x3x3x32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(c, i, j, f, n, h, w) -> (n, c, h + i, w + j)>,
                                   affine_map<(c, i, j, f, n, h, w) -> (n, h, w, f)>,
                                   affine_map<(c, i, j, f, n, h, w) -> (c, i, j, f)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %dy : memref<2x32x12x12xbf16>, memref<2x10x10x32xbf16>) outs(%dw : memref<32x3x3x32xf32>) {
    ^bb0(%a: bf16, %b: bf16, %o: f32):
      %u = arith.extf %a : bf16 to f32
      %v = arith.extf %b : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Bytes: words of four; a factor's sign is kept by how it is taken out of its word. On vectors the words of the left
// factor are read where they are.
// CHECK-LABEL: func.func @bytes
// CHECK: %[[WORDS:.*]] = memref.alloc() : memref<3x32x32xi32>
// CHECK: %[[ROWS:.*]] = memref.expand_shape %[[WORDS]]
// CHECK: linalg.generic {{.*}} outs(%[[ROWS]]
// CHECK-COUNT-3: arith.ori
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg0, %arg0, %arg0, %[[WORDS]] {{.*}}) outs(%arg2
// CHECK-NEXT: ^bb0(%[[A:.*]]: i8, %{{.*}}: i8, %{{.*}}: i8, %{{.*}}: i8, %[[WORD:.*]]: i32, %[[OLD:.*]]: i32):
// CHECK: %[[UP:.*]] = arith.shli %[[WORD]], %c24_i32
// CHECK: %[[Y:.*]] = arith.shrsi %[[UP]], %c24_i32
// CHECK: %[[X:.*]] = arith.extui %[[A]]
// CHECK: arith.muli %[[X]], %[[Y]]
// CHECK-COUNT-2: arith.addi
// CHECK: %[[ALL:.*]] = arith.addi
// CHECK: arith.addi %[[OLD]], %[[ALL]]
// VNNI: linalg.generic {{.*}} ins(%arg0, %arg0, %arg0, %arg0, %{{.*}} : memref<64x128xi8>
// V4BYTES: %[[LEFT:.*]] = memref.alloc() : memref<64x128xi16>
// V4BYTES: arith.extui
// V4BYTES: %[[WORDS:.*]] = memref.alloc() : memref<3x64x32xi32>
// V4BYTES: %[[ROWS:.*]] = memref.expand_shape %[[WORDS]]
// V4BYTES: linalg.generic {{.*}} outs(%[[ROWS]]
// V4BYTES-COUNT-2: arith.extsi %{{.*}} : i8 to i16
// V4BYTES: arith.ori
// V4BYTES: linalg.generic {{.*}} ins(%[[LEFT]], %[[LEFT]], %[[WORDS]]
func.func @bytes(%a: memref<64x128xi8>, %b: memref<128x96xi8>, %c: memref<64x96xi32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x128xi8>, memref<128x96xi8>) outs(%c : memref<64x96xi32>) {
    ^bb0(%x: i8, %y: i8, %o: i32):
      %u = arith.extui %x : i8 to i32
      %v = arith.extsi %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %s = arith.addi %o, %p : i32
      linalg.yield %s : i32
  }
  return
}

// Sums in 64 bits are no words.
// CHECK-LABEL: func.func @long_sums
// CHECK-NOT: arith.ori
func.func @long_sums(%a: memref<64x128xi8>, %b: memref<128x96xi8>, %c: memref<64x96xi64>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x128xi8>, memref<128x96xi8>) outs(%c : memref<64x96xi64>) {
    ^bb0(%x: i8, %y: i8, %o: i64):
      %u = arith.extsi %x : i8 to i64
      %v = arith.extsi %y : i8 to i64
      %p = arith.muli %u, %v : i64
      %s = arith.addi %o, %p : i64
      linalg.yield %s : i64
  }
  return
}

// The instruction on vectors wants one factor with a sign and one without. The left one is moved by 128 in a copy, which
// several panels read.
// VNNI-LABEL: func.func @alike
// VNNI: %[[MOVED:.*]] = memref.alloc() : memref<64x128xi8>
// VNNI: %[[LOWEST:.*]] = arith.constant -128 : i8
// VNNI: arith.xori %{{.*}}, %[[LOWEST]] : i8
// VNNI: linalg.generic {{.*}} ins(%[[MOVED]], %[[MOVED]], %[[MOVED]], %[[MOVED]],
// VNNI: %[[WIDE:.*]] = arith.extui %{{.*}} : i8 to i32
// VNNI: arith.addi %[[WIDE]], %c-128_i32
// CHECK-LABEL: func.func @alike
// CHECK-NOT: arith.xori
func.func @alike(%a: memref<64x128xi8>, %b: memref<128x96xi8>, %c: memref<64x96xi32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x128xi8>, memref<128x96xi8>) outs(%c : memref<64x96xi32>) {
    ^bb0(%x: i8, %y: i8, %o: i32):
      %u = arith.extsi %x : i8 to i32
      %v = arith.extsi %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %s = arith.addi %o, %p : i32
      linalg.yield %s : i32
  }
  return
}
