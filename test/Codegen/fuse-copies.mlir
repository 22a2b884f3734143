// What only copies read is computed by the copies.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-copies))' | FileCheck %s

#matrix = affine_map<(m, k) -> (m, k)>
#rows = affine_map<(p, k, i) -> (p, i, k)>
#panels = affine_map<(p, k, i) -> (p, k, i)>

// A part of a result, in panels of eight rows, with its conversion; the shift goes along the columns.
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2) -> (d0 * 8 + d2, d1)>
// CHECK-DAG: #[[SHIFT:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-LABEL: func.func @packed
// CHECK-NOT: linalg.generic
// CHECK: %[[X:.*]] = memref.subview %arg0[16, 0] [64, 100] [1, 1]
// CHECK: %[[S:.*]] = memref.subview %arg1[0] [100] [1]
// CHECK: linalg.generic {indexing_maps = [#[[ROWS]], #[[SHIFT]], #[[PANELS]]]
// CHECK-SAME: ins(%[[X]], %[[S]] :
// CHECK: arith.addf
// CHECK-NEXT: arith.truncf
// CHECK-NEXT: linalg.yield
// CHECK: return
func.func @packed(%x: memref<80x100xf32>, %s: memref<100xf32>, %out: memref<8x100x8xbf16>) {
  %a = memref.alloc() : memref<80x100xf32>
  linalg.generic {indexing_maps = [#matrix, affine_map<(m, k) -> (k)>, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<80x100xf32>, memref<100xf32>) outs(%a : memref<80x100xf32>) {
    ^bb0(%e: f32, %t: f32, %o: f32):
      %r = arith.addf %e, %t : f32
      linalg.yield %r : f32
  }
  %part = memref.subview %a[16, 0] [64, 100] [1, 1] : memref<80x100xf32> to memref<64x100xf32, strided<[100, 1], offset: 1600>>
  %split = memref.expand_shape %part [[0, 1], [2]] output_shape [8, 8, 100] : memref<64x100xf32, strided<[100, 1], offset: 1600>> into memref<8x8x100xf32, strided<[800, 100, 1], offset: 1600>>
  linalg.generic {indexing_maps = [#rows, #panels], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%split : memref<8x8x100xf32, strided<[800, 100, 1], offset: 1600>>) outs(%out : memref<8x100x8xbf16>) {
    ^bb0(%e: f32, %o: bf16):
      %r = arith.truncf %e : f32 to bf16
      linalg.yield %r : bf16
  }
  return
}

// Others read it, too.
// CHECK-LABEL: func.func @read
// CHECK-COUNT-3: linalg.generic
// CHECK: return
func.func @read(%x: memref<80x100xf32>, %out: memref<100x80xf32>, %sum: memref<80x100xf32>) {
  %a = memref.alloc() : memref<80x100xf32>
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<80x100xf32>) outs(%a : memref<80x100xf32>) {
    ^bb0(%e: f32, %o: f32):
      %r = arith.negf %e : f32
      linalg.yield %r : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, k) -> (k, m)>, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<80x100xf32>) outs(%out : memref<100x80xf32>) {
    ^bb0(%e: f32, %o: f32):
      linalg.yield %e : f32
  }
  linalg.generic {indexing_maps = [#matrix, #matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%a, %x : memref<80x100xf32>, memref<80x100xf32>) outs(%sum : memref<80x100xf32>) {
    ^bb0(%e: f32, %f: f32, %o: f32):
      %r = arith.addf %e, %f : f32
      linalg.yield %r : f32
  }
  return
}

// What it is made of changes before it is copied.
// CHECK-LABEL: func.func @changed
// CHECK-COUNT-2: linalg.generic
// CHECK: return
func.func @changed(%x: memref<80x100xf32>, %out: memref<100x80xf32>) {
  %zero = arith.constant 0.0 : f32
  %a = memref.alloc() : memref<80x100xf32>
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<80x100xf32>) outs(%a : memref<80x100xf32>) {
    ^bb0(%e: f32, %o: f32):
      %r = arith.negf %e : f32
      linalg.yield %r : f32
  }
  linalg.fill ins(%zero : f32) outs(%x : memref<80x100xf32>)
  linalg.generic {indexing_maps = [affine_map<(m, k) -> (k, m)>, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<80x100xf32>) outs(%out : memref<100x80xf32>) {
    ^bb0(%e: f32, %o: f32):
      linalg.yield %e : f32
  }
  return
}
