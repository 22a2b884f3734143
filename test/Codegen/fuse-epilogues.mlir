// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-epilogues))' | FileCheck %s
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-epilogues),codegen-vectorize)' | FileCheck %s --check-prefix=STORES

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#matrix = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
#turned = affine_map<(m, n) -> (n, m)>

// A bias and the positive part of the sums, which nobody else reads: they have no memory of their own.
// CHECK-LABEL: func.func @bias
// CHECK-SAME: (%[[A:[a-z0-9]+]]: {{.*}}, %[[B:[a-z0-9]+]]: {{.*}}, %[[BIAS:[a-z0-9]+]]: memref<32xf32>, %[[Y:[a-z0-9]+]]: memref<64x32xf32>)
// CHECK-NOT: memref.alloc
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[Y]] :
// CHECK-NEXT: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[A]], %[[B]], %[[BIAS]] : {{.*}}) outs(%[[Y]], %[[Y]] :
// CHECK-NEXT: ^bb0(%[[x:[a-z_0-9]+]]: f32, %[[w:[a-z_0-9]+]]: f32, %[[c:[a-z_0-9]+]]: f32, %[[old:[a-z_0-9]+]]: f32, %{{.*}}: f32):
// CHECK-NEXT: %[[PRODUCT:.*]] = arith.mulf %[[x]], %[[w]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[old]], %[[PRODUCT]]
// CHECK-NEXT: %[[BIASED:.*]] = arith.addf %[[SUM]], %[[c]]
// CHECK-NEXT: %[[POSITIVE:.*]] = arith.maximumf %[[BIASED]]
// CHECK-NEXT: linalg.yield %[[SUM]], %[[POSITIVE]]
// CHECK-NOT: linalg.generic
func.func @bias(%a: memref<64x16xf32>, %b: memref<16x32xf32>, %bias: memref<32xf32>, %y: memref<64x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %sums = memref.alloc() : memref<64x32xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<64x32xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x16xf32>, memref<16x32xf32>) outs(%sums : memref<64x32xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#matrix, #row, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%sums, %bias : memref<64x32xf32>, memref<32xf32>) outs(%y : memref<64x32xf32>) {
    ^bb0(%s: f32, %c: f32, %o: f32):
      %0 = arith.addf %s, %c : f32
      %1 = arith.maximumf %0, %zero : f32
      linalg.yield %1 : f32
  }
  return
}

// Another operation reads the sums, too: they stay. What the reader needs besides is computed before.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: %[[Z:[a-z0-9]+]]: memref<32x64xf32>)
// CHECK: %[[SUMS:.*]] = memref.alloc
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[SUMS]] :
// CHECK: %[[SCALE:.*]] = memref.alloc
// CHECK-NEXT: linalg.fill ins(%{{.*}}) outs(%[[SCALE]] :
// CHECK-NEXT: linalg.generic {{.*}} "reduction"]} ins(%{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %[[SCALE]] : {{.*}}) outs(%[[SUMS]], %{{.*}} :
// CHECK: linalg.generic {{.*}} ins(%[[SUMS]] : {{.*}}) outs(%[[Z]] :
func.func @shared(%a: memref<64x16xf32>, %b: memref<16x32xf32>, %y: memref<64x32xf32>, %z: memref<32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %sums = memref.alloc() : memref<64x32xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<64x32xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x16xf32>, memref<16x32xf32>) outs(%sums : memref<64x32xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  %scale = memref.alloc() : memref<32xf32>
  linalg.fill ins(%zero : f32) outs(%scale : memref<32xf32>)
  linalg.generic {indexing_maps = [#matrix, #row, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%sums, %scale : memref<64x32xf32>, memref<32xf32>) outs(%y : memref<64x32xf32>) {
    ^bb0(%s: f32, %c: f32, %o: f32):
      %0 = arith.mulf %s, %c : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#matrix, #turned], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<64x32xf32>) outs(%z : memref<32x64xf32>) {
    ^bb0(%s: f32, %o: f32):
      linalg.yield %s : f32
  }
  return
}

// The result takes the place of what is summed, of which other tiles need all: apart.
// CHECK-LABEL: func.func @overwritten
// CHECK: linalg.generic {{.*}} "reduction"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]}
func.func @overwritten(%a: memref<32x32xf32>, %b: memref<32x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %sums = memref.alloc() : memref<32x32xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<32x32xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<32x32xf32>, memref<32x32xf32>) outs(%sums : memref<32x32xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<32x32xf32>) outs(%a : memref<32x32xf32>) {
    ^bb0(%s: f32, %o: f32):
      %0 = arith.negf %s : f32
      linalg.yield %0 : f32
  }
  return
}

// What is summed changes in between: the sum stays where it is.
// CHECK-LABEL: func.func @changed
// CHECK: linalg.generic {{.*}} "reduction"]}
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]}
func.func @changed(%a: memref<32x32xf32>, %b: memref<32x32xf32>, %y: memref<32x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %sums = memref.alloc() : memref<32x32xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<32x32xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<32x32xf32>, memref<32x32xf32>) outs(%sums : memref<32x32xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  linalg.fill ins(%zero : f32) outs(%b : memref<32x32xf32>)
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<32x32xf32>) outs(%y : memref<32x32xf32>) {
    ^bb0(%s: f32, %o: f32):
      %0 = arith.negf %s : f32
      linalg.yield %0 : f32
  }
  return
}

// What is read in the place of the sums is what was made of them, not the sums.
// CHECK-LABEL: func.func @in_place
// CHECK: linalg.generic {{.*}} outs(%[[PLACE:.*]], %[[PLACE]], %{{.*}} :
// CHECK: %[[SUM:.*]] = arith.addf
// CHECK: %[[NEGATIVE:.*]] = arith.negf %[[SUM]]
// CHECK: %[[SINE:.*]] = math.sin %[[NEGATIVE]]
// CHECK: linalg.yield %[[SUM]], %[[NEGATIVE]], %[[SINE]]
func.func @in_place(%a: memref<64x16xf32>, %b: memref<16x32xf32>, %y: memref<64x32xf32>, %z: memref<64x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %sums = memref.alloc() : memref<64x32xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<64x32xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x16xf32>, memref<16x32xf32>) outs(%sums : memref<64x32xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<64x32xf32>) outs(%y : memref<64x32xf32>) {
    ^bb0(%s: f32, %o: f32):
      %0 = arith.negf %s : f32
      linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%y : memref<64x32xf32>) outs(%z : memref<64x32xf32>) {
    ^bb0(%s: f32, %o: f32):
      %0 = math.sin %s : f32
      linalg.yield %0 : f32
  }
  return
}

// Sums of another type than the result keep their memory, which is not written where nobody reads it.
// CHECK-LABEL: func.func @rounded
// CHECK: %[[SUMS:.*]] = memref.alloc() : memref<64x32xf32>
// CHECK: linalg.generic {{.*}} outs(%[[SUMS]], %{{.*}} : memref<64x32xf32>, memref<64x32xbf16>) attrs = {nnc.unread_sums}
// STORES-LABEL: func.func @rounded
// STORES: arith.truncf
// STORES-NOT: vector.store {{.*}}xf32>
// STORES: return
func.func @rounded(%a: memref<64x16xf32>, %b: memref<16x32xf32>, %y: memref<64x32xbf16>) {
  %zero = arith.constant 0.0 : f32
  %sums = memref.alloc() : memref<64x32xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<64x32xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x16xf32>, memref<16x32xf32>) outs(%sums : memref<64x32xf32>) {
    ^bb0(%x: f32, %w: f32, %o: f32):
      %p = arith.mulf %x, %w : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#matrix, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<64x32xf32>) outs(%y : memref<64x32xbf16>) {
    ^bb0(%s: f32, %o: bf16):
      %0 = arith.truncf %s : f32 to bf16
      linalg.yield %0 : bf16
  }
  return
}
