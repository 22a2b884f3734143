// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-share-exponentials,canonicalize,cse))' | FileCheck %s

#id = affine_map<(i) -> (i)>

// Both sigmoids and the softplus of -x: one exponential, one division.
// CHECK-LABEL: func.func @logistic
// CHECK: ^bb0(%[[X:[a-z_0-9]+]]: f32
// CHECK-NEXT: %[[MAGNITUDE:.*]] = math.absf %[[X]]
// CHECK-NEXT: %[[NEGATIVE:.*]] = arith.negf %[[MAGNITUDE]]
// CHECK-NEXT: %[[E:.*]] = math.exp %[[NEGATIVE]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[E]], %{{.*}}
// CHECK-NEXT: %[[LARGER:.*]] = arith.divf %{{.*}}, %[[SUM]]
// CHECK-NEXT: %[[SMALLER:.*]] = arith.mulf %[[E]], %[[LARGER]]
// CHECK-NEXT: %[[SIGN:.*]] = arith.cmpf olt, %[[X]], %{{.*}}
// CHECK-NEXT: %[[P:.*]] = arith.select %[[SIGN]], %[[SMALLER]], %[[LARGER]]
// CHECK-NEXT: %[[Q:.*]] = arith.select %[[SIGN]], %[[LARGER]], %[[SMALLER]]
// CHECK-NEXT: %[[L:.*]] = math.log1p %[[E]]
// CHECK-NEXT: linalg.yield %[[P]], %[[Q]], %[[L]]
func.func @logistic(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %0:3 = linalg.generic {indexing_maps = [#id, #id, #id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e, %e, %e : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
    ^bb0(%a: f32, %o0: f32, %o1: f32, %o2: f32):
      %n = arith.negf %a : f32
      %e0 = math.exp %n : f32
      %s0 = arith.addf %e0, %one : f32
      %p = arith.divf %one, %s0 : f32
      %e1 = math.exp %a : f32
      %s1 = arith.addf %one, %e1 : f32
      %q = arith.divf %one, %s1 : f32
      %m = math.absf %n : f32
      %k = arith.negf %m : f32
      %e2 = math.exp %k : f32
      %l = math.log1p %e2 : f32
      linalg.yield %p, %q, %l : f32, f32, f32
  } -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
  return %0#0, %0#1, %0#2 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// A sigmoid by itself stays as it is.
// CHECK-LABEL: func.func @alone
// CHECK-NOT: math.absf
// CHECK: return
func.func @alone(%x: tensor<8xf32>) -> tensor<8xf32> {
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %n = arith.negf %a : f32
      %e0 = math.exp %n : f32
      %s0 = arith.addf %e0, %one : f32
      %p = arith.divf %one, %s0 : f32
      linalg.yield %p : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
