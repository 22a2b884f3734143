// RUN: nnc-opt %s --codegen-expand-math=cpu=x86-64-v2 --split-input-file | FileCheck %s

// Without the instruction f32 is multiplied and added in f64, where the product is exact.
// CHECK-LABEL: func @single
// CHECK-SAME: (%[[a:.*]]: vector<4xf32>, %[[b:.*]]: vector<4xf32>, %[[c:.*]]: vector<4xf32>)
// CHECK-DAG: %[[x:.*]] = arith.extf %[[a]] : vector<4xf32> to vector<4xf64>
// CHECK-DAG: %[[y:.*]] = arith.extf %[[b]]
// CHECK-DAG: %[[z:.*]] = arith.extf %[[c]]
// CHECK-DAG: %[[product:.*]] = arith.mulf %[[x]], %[[y]]
// CHECK: %[[sum:.*]] = arith.addf %[[product]], %[[z]]
// CHECK: arith.truncf %[[sum]]
func.func @single(%a: vector<4xf32>, %b: vector<4xf32>, %c: vector<4xf32>) -> vector<4xf32> {
  %0 = math.fma %a, %b, %c : vector<4xf32>
  return %0 : vector<4xf32>
}

// -----

// f64 takes the product in two parts: 17 operations; and so the sum.
// CHECK-LABEL: func @double
// CHECK-NOT: math.fma
// CHECK-COUNT-7: arith.mulf
// CHECK-NOT: arith.mulf
// CHECK: return
func.func @double(%a: f64, %b: f64, %c: f64) -> f64 {
  %0 = math.fma %a, %b, %c : f64
  return %0 : f64
}

// -----

// Before a constant is added, a product may be rounded.
// CHECK-LABEL: func @constant
// CHECK: %[[product:.*]] = arith.mulf
// CHECK-NEXT: arith.addf %[[product]], %{{.*}} : vector<4xf32>
// CHECK-NEXT: return
func.func @constant(%a: vector<4xf32>, %b: vector<4xf32>) -> vector<4xf32> {
  %one = arith.constant 1.0 : f32
  %c = vector.broadcast %one : f32 to vector<4xf32>
  %0 = math.fma %a, %b, %c : vector<4xf32>
  return %0 : vector<4xf32>
}

// -----

// Short floats are put together from integers.
// CHECK-LABEL: func @short
// CHECK-NOT: arith.{{extf|truncf}}
// CHECK: return
func.func @short(%x: vector<4xf16>, %y: vector<4xf32>) -> (vector<4xbf16>, vector<4xf16>) {
  %0 = arith.extf %x : vector<4xf16> to vector<4xf32>
  %1 = arith.truncf %0 : vector<4xf32> to vector<4xbf16>
  %2 = arith.truncf %y : vector<4xf32> to vector<4xf16>
  return %1, %2 : vector<4xbf16>, vector<4xf16>
}

// -----

// No processor with AVX2 rounds to bf16, before AVX-512 did; LLVM would call a function.
// RUN: nnc-opt %s --codegen-expand-math --split-input-file | FileCheck %s --check-prefix=V3
// V3-LABEL: func @single
// V3: math.fma
// V3-LABEL: func @short
// V3: arith.extf
// V3-NOT: arith.truncf {{.*}}bf16
// V3: return
