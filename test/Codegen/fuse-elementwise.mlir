// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-elementwise))' | FileCheck %s

#id = affine_map<(i) -> (i)>
#scalar = affine_map<(i) -> ()>

// A chain becomes one loop.
// CHECK-LABEL: func.func @chain
// CHECK-COUNT-1: linalg.generic
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK-NOT: linalg.generic
func.func @chain(%a: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%x: f32, %o: f32):
      %two = arith.constant 2.0 : f32
      %p = arith.mulf %x, %two : f32
      linalg.yield %p : f32
  } -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%0, %b : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %s = arith.addf %x, %y : f32
      linalg.yield %s : f32
  } -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// A reduction takes its producer in.
// CHECK-LABEL: func.func @sum
// CHECK-COUNT-1: linalg.generic
// CHECK: math.exp
// CHECK-NEXT: arith.addf
// CHECK-NOT: linalg.generic
func.func @sum(%a: tensor<8xf32>, %init: tensor<f32>) -> tensor<f32> {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%x: f32, %o: f32):
      %p = math.exp %x : f32
      linalg.yield %p : f32
  } -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scalar], iterator_types = ["reduction"]}
      ins(%0 : tensor<8xf32>) outs(%init : tensor<f32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.addf %o, %x : f32
      linalg.yield %s : f32
  } -> tensor<f32>
  return %1 : tensor<f32>
}

// An exponential that two loops of different shape read is not computed twice.
// CHECK-LABEL: func.func @dear
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-NOT: math.exp
func.func @dear(%a: tensor<8xf32>, %init: tensor<f32>) -> (tensor<8xf32>, tensor<f32>) {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%x: f32, %o: f32):
      %p = math.exp %x : f32
      linalg.yield %p : f32
  } -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #scalar], iterator_types = ["reduction"]}
      ins(%0 : tensor<8xf32>) outs(%init : tensor<f32>) {
    ^bb0(%x: f32, %o: f32):
      %s = arith.addf %o, %x : f32
      linalg.yield %s : f32
  } -> tensor<f32>
  return %0, %1 : tensor<8xf32>, tensor<f32>
}

#pixel = affine_map<(i, a) -> (i * 2 + a)>
#window = affine_map<(i, a) -> (i, a)>
#row = affine_map<(i, a) -> (i)>
#quotient = affine_map<(p) -> (p floordiv 2, p mod 2)>

// How often the largest element stands in each window of two: the windows are not written down. What
// tells their size then is a tensor that nothing reads.
// CHECK-LABEL: func.func @count
// CHECK: %[[SIZE:.*]] = tensor.empty() : tensor<2xf32>
// CHECK: linalg.generic {{.*}}"parallel", "reduction"{{.*}} ins(%arg0, %arg1, %[[SIZE]] :
// CHECK: arith.cmpf oeq
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
func.func @count(%x: tensor<8xf32>, %max: tensor<4xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4x2xf32>
  %0 = linalg.generic {indexing_maps = [#pixel, #row, #window], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<8xf32>, tensor<4xf32>) outs(%e : tensor<4x2xf32>) {
    ^bb0(%a: f32, %m: f32, %o: f32):
      %is = arith.cmpf oeq, %a, %m : f32
      %bit = arith.extui %is : i1 to i32
      %one = arith.sitofp %bit : i32 to f32
      linalg.yield %one : f32
  } -> tensor<4x2xf32>
  %1 = linalg.generic {indexing_maps = [#window, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<4x2xf32>) outs(%init : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// Windows side by side, put back: each element is read where it was, what belongs to the window
// where that is. The quotient, which all elements of a window share, is computed once.
// CHECK-LABEL: func.func @back
// CHECK: %[[SHARE:.*]] = linalg.generic
// CHECK: arith.divf
// CHECK: linalg.generic {indexing_maps = [#[[$SAME:.*]], #[[$OF:.*]], #[[$OF]], #[[$SAME]]], {{.*}} ins(%arg0, %arg1, %[[SHARE]] :
// CHECK: arith.cmpf oeq
// CHECK-NOT: linalg.generic
func.func @back(%x: tensor<8xf32>, %max: tensor<4xf32>, %d: tensor<4xf32>, %n: tensor<4xf32>)
    -> tensor<8xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%d, %n : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %q = arith.divf %a, %b : f32
      linalg.yield %q : f32
  } -> tensor<4xf32>
  %e2 = tensor.empty() : tensor<4x2xf32>
  %1 = linalg.generic {indexing_maps = [#pixel, #row, #row, #window], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max, %0 : tensor<8xf32>, tensor<4xf32>, tensor<4xf32>) outs(%e2 : tensor<4x2xf32>) {
    ^bb0(%a: f32, %m: f32, %q: f32, %o: f32):
      %is = arith.cmpf oeq, %a, %m : f32
      %zero = arith.constant 0.0 : f32
      %s = arith.select %is, %q, %zero : f32
      linalg.yield %s : f32
  } -> tensor<4x2xf32>
  %e3 = tensor.empty() : tensor<8xf32>
  %2 = linalg.generic {indexing_maps = [#quotient, #id], iterator_types = ["parallel"]}
      ins(%1 : tensor<4x2xf32>) outs(%e3 : tensor<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  } -> tensor<8xf32>
  return %2 : tensor<8xf32>
}

// A product of factors that are widened for it is one of the short factors; another function of a factor stays apart.
// CHECK-LABEL: func.func @widened
// CHECK: %[[DOUBLED:.*]] = linalg.generic {{.*}}ins(%arg1 :
// CHECK: linalg.generic {{.*}}ins(%arg0, %[[DOUBLED]] : tensor<8x16xbf16>, tensor<16x4xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: %[[WIDE:.*]] = arith.extf
// CHECK-NEXT: arith.mulf %[[WIDE]]
func.func @widened(%x: tensor<8x16xbf16>, %y: tensor<16x4xf32>, %init: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xbf16>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%a: bf16, %o: f32):
      %w = arith.extf %a : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<8x16xf32>
  %e1 = tensor.empty() : tensor<16x4xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<16x4xf32>) outs(%e1 : tensor<16x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %w = arith.addf %a, %a : f32
      linalg.yield %w : f32
  } -> tensor<16x4xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%0, %1 : tensor<8x16xf32>, tensor<16x4xf32>) outs(%init : tensor<8x4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<8x4xf32>
  return %2 : tensor<8x4xf32>
}

// A factor of bytes that is widened and then bordered with zeros for a window: it is bordered first.
// CHECK-LABEL: func.func @bordered
// CHECK: %[[ZEROS:.*]] = linalg.fill ins(%{{.*}} : i8)
// CHECK: %[[BORDERED:.*]] = tensor.insert_slice %arg0 into %[[ZEROS]][1]
// CHECK: linalg.generic {{.*}}ins(%[[BORDERED]], %arg1{{.*}} : tensor<10xi8>, tensor<3x4xi32>
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.extui
// CHECK-LABEL: func.func @bordered_by_ones
// CHECK: tensor.insert_slice %{{.*}} : tensor<8xi32> into tensor<10xi32>
func.func @bordered(%x: tensor<8xi8>, %w: tensor<3x4xi32>, %init: tensor<8x4xi32>) -> tensor<8x4xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<8xi32>
  %wide = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi8>) outs(%e : tensor<8xi32>) {
    ^bb0(%a: i8, %o: i32):
      %0 = arith.extui %a : i8 to i32
      linalg.yield %0 : i32
  } -> tensor<8xi32>
  %p = tensor.empty() : tensor<10xi32>
  %zeros = linalg.fill ins(%zero : i32) outs(%p : tensor<10xi32>) -> tensor<10xi32>
  %padded = tensor.insert_slice %wide into %zeros[1] [8] [1] : tensor<8xi32> into tensor<10xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, f, k) -> (i + k)>, affine_map<(i, f, k) -> (k, f)>, affine_map<(i, f, k) -> (i, f)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%padded, %w : tensor<10xi32>, tensor<3x4xi32>) outs(%init : tensor<8x4xi32>) {
    ^bb0(%a: i32, %b: i32, %o: i32):
      %0 = arith.muli %a, %b : i32
      %1 = arith.addi %o, %0 : i32
      linalg.yield %1 : i32
  } -> tensor<8x4xi32>
  return %y : tensor<8x4xi32>
}
func.func @bordered_by_ones(%x: tensor<8xi8>) -> tensor<10xi32> {
  %one = arith.constant 1 : i32
  %e = tensor.empty() : tensor<8xi32>
  %wide = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xi8>) outs(%e : tensor<8xi32>) {
    ^bb0(%a: i8, %o: i32):
      %0 = arith.extui %a : i8 to i32
      linalg.yield %0 : i32
  } -> tensor<8xi32>
  %p = tensor.empty() : tensor<10xi32>
  %ones = linalg.fill ins(%one : i32) outs(%p : tensor<10xi32>) -> tensor<10xi32>
  %padded = tensor.insert_slice %wide into %ones[1] [8] [1] : tensor<8xi32> into tensor<10xi32>
  return %padded : tensor<10xi32>
}
