// RUN: nnc-opt %s --codegen-contract-products | FileCheck %s

// CHECK-LABEL: func.func @term
// CHECK: arith.mulf %{{.*}}, %{{.*}} fastmath<contract>
// CHECK: arith.addf %{{.*}}, %{{.*}} fastmath<contract>
func.func @term(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) -> vector<8xf32> {
  %p = arith.mulf %a, %b : vector<8xf32>
  %s = arith.addf %p, %c : vector<8xf32>
  return %s : vector<8xf32>
}

// x * x - x * x is zero, and what is stored is what a sum of it takes.
// CHECK-LABEL: func.func @rounded
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK: return
func.func @rounded(%x: f32, %y: f32, %to: memref<f32>) -> (f32, f32) {
  %p = arith.mulf %x, %x : f32
  %zero = arith.subf %p, %p : f32
  %q = arith.mulf %x, %y : f32
  memref.store %q, %to[] : memref<f32>
  %s = arith.addf %q, %y : f32
  return %zero, %s : f32, f32
}
