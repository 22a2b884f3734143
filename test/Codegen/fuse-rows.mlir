// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-fuse-rows,canonicalize,cse))' | FileCheck %s

#nk = affine_map<(n, j, k) -> (n, k)>
#kj = affine_map<(n, j, k) -> (k, j)>
#nj3 = affine_map<(n, j, k) -> (n, j)>
#nj = affine_map<(n, j) -> (n, j)>
#j = affine_map<(n, j) -> (j)>
#n1 = affine_map<(n) -> (n, 0)>

// A product and sums over its rows: one loop over the rows, with the short loops written out. Sums over the
// rows start from a scalar each, what is added up within a row from the constant.
// CHECK-DAG: #[[X0:.*]] = affine_map<(d0) -> (d0, 0)>
// CHECK-DAG: #[[X1:.*]] = affine_map<(d0) -> (d0, 1)>
// CHECK-DAG: #[[W00:.*]] = affine_map<(d0) -> (0, 0)>
// CHECK-DAG: #[[W10:.*]] = affine_map<(d0) -> (1, 0)>
// CHECK-DAG: #[[W01:.*]] = affine_map<(d0) -> (0, 1)>
// CHECK-DAG: #[[W11:.*]] = affine_map<(d0) -> (1, 1)>
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0) -> ()>
// CHECK-LABEL: func.func @sums
// CHECK-SAME: (%[[X:.*]]: tensor<?x2xf32>, %[[W:.*]]: tensor<2x2xf32>
// CHECK: %[[START:.*]] = linalg.fill {{.*}} -> tensor<f32>
// CHECK: %[[SUMS:.*]]:2 = linalg.generic {indexing_maps = [#[[X0]], #[[W00]], #[[X1]], #[[W10]], #[[W01]], #[[W11]], #[[SCALAR]], #[[SCALAR]]], iterator_types = ["reduction"]} ins(%[[X]], %[[W]], %[[X]], %[[W]], %[[W]], %[[W]] :
// CHECK-SAME: outs(%[[START]], %[[START]] :
// CHECK-NEXT: ^bb0(%[[x0:[a-z_0-9]+]]: f32, %[[w00:[a-z_0-9]+]]: f32, %[[x1:[a-z_0-9]+]]: f32, %[[w10:[a-z_0-9]+]]: f32, %[[w01:[a-z_0-9]+]]: f32, %[[w11:[a-z_0-9]+]]: f32, %[[s0:[a-z_0-9]+]]: f32, %[[s1:[a-z_0-9]+]]: f32):
// CHECK-NEXT: %[[A:.*]] = arith.mulf %[[x0]], %[[w00]]
// CHECK-NEXT: %[[B:.*]] = arith.addf %[[A]], %{{.*}}
// CHECK-NEXT: %[[C:.*]] = arith.mulf %[[x1]], %[[w10]]
// CHECK-NEXT: %[[Z0:.*]] = arith.addf %[[B]], %[[C]]
// CHECK: %[[Z1:.*]] = arith.addf
// CHECK: %[[E0:.*]] = math.exp %[[Z0]]
// CHECK: %[[E1:.*]] = math.exp
// CHECK: %[[T0:.*]] = arith.addf %[[s0]], %[[E0]]
// CHECK: %[[T1:.*]] = arith.addf %[[s1]], %[[E1]]
// CHECK: linalg.yield %[[T0]], %[[T1]]
// CHECK: %[[FIRST:.*]] = tensor.insert_slice %[[SUMS]]#0 into %{{.*}}[0] [1] [1]
// CHECK: %[[ALL:.*]] = tensor.insert_slice %[[SUMS]]#1 into %[[FIRST]][1] [1] [1]
// CHECK: return %[[ALL]]
func.func @sums(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>, %n: index) -> tensor<2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %z = linalg.generic {indexing_maps = [#nk, #kj, #nj3], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<?x2xf32>
  %g = tensor.empty() : tensor<2xf32>
  %h = linalg.fill ins(%zero : f32) outs(%g : tensor<2xf32>) -> tensor<2xf32>
  %r = linalg.generic {indexing_maps = [#nj, #j], iterator_types = ["reduction", "parallel"]}
      ins(%z : tensor<?x2xf32>) outs(%h : tensor<2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %p = math.exp %a : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// What divides by a sum over all rows is another loop; it has the product from the first one in memory, or
// computes nothing that others could share: here it stays as it is.
// CHECK-LABEL: func.func @normalized
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK-NOT: linalg.generic
func.func @normalized(%x: tensor<?x2xf32>, %w: tensor<2x1xf32>, %n: index) -> tensor<?x1xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x1xf32>) -> tensor<?x1xf32>
  %z = linalg.generic {indexing_maps = [#nk, #kj, #nj3], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x2xf32>, tensor<2x1xf32>) outs(%f : tensor<?x1xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<?x1xf32>
  %g = tensor.empty() : tensor<f32>
  %h = linalg.fill ins(%zero : f32) outs(%g : tensor<f32>) -> tensor<f32>
  %r = linalg.generic {indexing_maps = [#n1, affine_map<(n) -> ()>], iterator_types = ["reduction"]}
      ins(%z : tensor<?x1xf32>) outs(%h : tensor<f32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<f32>
  %q = linalg.generic {indexing_maps = [#n1, affine_map<(n) -> ()>, #n1], iterator_types = ["parallel"]}
      ins(%z, %r : tensor<?x1xf32>, tensor<f32>) outs(%e : tensor<?x1xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.divf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<?x1xf32>
  return %q : tensor<?x1xf32>
}

// Rows of two elements would have to be stored one by one: left.
// CHECK-LABEL: func.func @wide_rows
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]}
func.func @wide_rows(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>, %n: index) -> tensor<?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %z = linalg.generic {indexing_maps = [#nk, #kj, #nj3], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<?x2xf32>
  %y = linalg.generic {indexing_maps = [#nj, #nj], iterator_types = ["parallel", "parallel"]}
      ins(%z : tensor<?x2xf32>) outs(%e : tensor<?x2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = math.exp %a : f32
      linalg.yield %s : f32
  } -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Rows of five would be gathered from memory: left.
// CHECK-LABEL: func.func @far
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]}
func.func @far(%x: tensor<?x5xf32>, %w: tensor<5x2xf32>, %n: index) -> tensor<2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %z = linalg.generic {indexing_maps = [#nk, #kj, #nj3], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x5xf32>, tensor<5x2xf32>) outs(%f : tensor<?x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<?x2xf32>
  %g = tensor.empty() : tensor<2xf32>
  %h = linalg.fill ins(%zero : f32) outs(%g : tensor<2xf32>) -> tensor<2xf32>
  %r = linalg.generic {indexing_maps = [#nj, #j], iterator_types = ["reduction", "parallel"]}
      ins(%z : tensor<?x2xf32>) outs(%h : tensor<2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  } -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// The copy that keeps what is computed again apart from the first time is not needed: both read the same row.
// CHECK-LABEL: func.func @again
// CHECK-SAME: (%[[X:.*]]: tensor<?x2xf32>
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]} ins(%[[X]], %{{.*}}, %[[X]], %{{.*}} :
// CHECK-NOT: linalg.generic
func.func @again(%x: tensor<?x2xf32>, %w: tensor<2x1xf32>, %n: index) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x1xf32>) -> tensor<?x1xf32>
  %z = linalg.generic {indexing_maps = [#nk, #kj, #nj3], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x2xf32>, tensor<2x1xf32>) outs(%f : tensor<?x1xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<?x1xf32>
  %copy = bufferization.alloc_tensor() copy(%x) {nn.again} : tensor<?x2xf32>
  %g = tensor.empty() : tensor<1x2xf32>
  %h = linalg.fill ins(%zero : f32) outs(%g : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(j, k, n) -> (n, j)>, affine_map<(j, k, n) -> (n, k)>, affine_map<(j, k, n) -> (j, k)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%z, %copy : tensor<?x1xf32>, tensor<?x2xf32>) outs(%h : tensor<1x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  } -> tensor<1x2xf32>
  return %r : tensor<1x2xf32>
}

// The sum of a constant has nothing but the constant to know the number of rows by.
// CHECK-LABEL: func.func @constants
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]}
func.func @constants(%n: index) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %empty = tensor.empty(%n) : tensor<?x4xf32>
  %ones = linalg.generic {indexing_maps = [affine_map<(n, i) -> (n, i)>], iterator_types = ["parallel", "parallel"]}
      outs(%empty : tensor<?x4xf32>) {
  ^bb0(%out: f32):
    linalg.yield %one : f32
  } -> tensor<?x4xf32>
  %none = tensor.empty() : tensor<4xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%none : tensor<4xf32>) -> tensor<4xf32>
  %sums = linalg.generic {indexing_maps = [affine_map<(n, i) -> (n, i)>, affine_map<(n, i) -> (i)>],
                          iterator_types = ["reduction", "parallel"]}
      ins(%ones : tensor<?x4xf32>) outs(%zeros : tensor<4xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %next = arith.addf %sum, %x : f32
    linalg.yield %next : f32
  } -> tensor<4xf32>
  return %sums : tensor<4xf32>
}
