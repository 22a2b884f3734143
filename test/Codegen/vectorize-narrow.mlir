// What is left of a row goes in narrower and narrower vectors where lanes cannot be masked.
// RUN: nnc-opt %s --codegen-vectorize=cpu=x86-64-v2 --split-input-file | FileCheck %s
// RUN: nnc-opt %s --codegen-vectorize=cpu=aarch64 --split-input-file | FileCheck %s

// CHECK-LABEL: func @known
// CHECK-NOT: mask
// CHECK: vector.load {{.*}}, vector<4xf32>
// CHECK: vector.store {{.*}}, vector<4xf32>
// CHECK: vector.load {{.*}}, vector<2xf32>
// CHECK: vector.store {{.*}}, vector<2xf32>
// CHECK: memref.load
// CHECK: memref.store
// CHECK-NOT: {{load|store}}
// CHECK: return
func.func @known(%x: memref<7xf32>, %y: memref<7xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>], iterator_types = ["parallel"]}
      ins(%x : memref<7xf32>) outs(%y : memref<7xf32>) {
    ^bb0(%a: f32, %old: f32):
      %0 = arith.addf %a, %a : f32
      linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK-LABEL: func @unknown
// CHECK-NOT: mask
// CHECK: scf.for
// CHECK: vector.store {{.*}}, vector<4xf32>
// CHECK: scf.for
// CHECK: vector.store {{.*}}, vector<2xf32>
// CHECK: scf.for
// CHECK: memref.store
// CHECK: return
func.func @unknown(%x: memref<?xf32>, %y: memref<?xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>], iterator_types = ["parallel"]}
      ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) {
    ^bb0(%a: f32, %old: f32):
      %0 = arith.addf %a, %a : f32
      linalg.yield %0 : f32
  }
  return
}

// -----

// Of a sum along the lanes, the last elements are added to the first lane.
// CHECK-LABEL: func @sum
// CHECK-NOT: mask
// CHECK: %[[sums:.*]] = scf.for {{.*}} -> (vector<4xf32>)
// CHECK: %[[first:.*]] = vector.extract %{{.*}}[0] : f32 from vector<4xf32>
// CHECK: %[[rest:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[first]]) -> (f32)
// CHECK: vector.insert %[[rest]], %{{.*}} [0] : f32 into vector<4xf32>
func.func @sum(%x: memref<?xf32>, %y: memref<f32>) {
  linalg.generic {
      indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> ()>], iterator_types = ["reduction"]}
      ins(%x : memref<?xf32>) outs(%y : memref<f32>) {
    ^bb0(%a: f32, %old: f32):
      %0 = arith.addf %old, %a : f32
      linalg.yield %0 : f32
  }
  return
}

// -----

// AVX masks 32 and 64 bits, no fewer.
// RUN: nnc-opt %s --codegen-vectorize=cpu=x86-64-v3 --split-input-file | FileCheck %s --check-prefix=V3
// V3-LABEL: func @known
// V3: vector.maskedload
// V3-LABEL: func @short
// V3-NOT: mask
// V3: vector.load {{.*}}, vector<8xf16>
// V3: vector.load {{.*}}, vector<4xf16>
// V3: vector.load {{.*}}, vector<2xf16>
// V3: return
// CHECK-LABEL: func @short
func.func @short(%x: memref<15xf16>, %y: memref<15xf16>) {
  linalg.generic {
      indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>], iterator_types = ["parallel"]}
      ins(%x : memref<15xf16>) outs(%y : memref<15xf16>) {
    ^bb0(%a: f16, %old: f16):
      linalg.yield %a : f16
  }
  return
}
