// What depends on parameters and constants alone moves to a function that is called once.
// RUN: nnc-opt %s --codegen-split-preparation --canonicalize --split-input-file | FileCheck %s
// RUN: nnc-opt %s --codegen-split-preparation --split-input-file --remarks-filter=nnc --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK
// REMARK-COUNT-3: [Passed] split-preparation | Category:nnc | Remark="done once, when the parameters are prepared: it depends on nothing else"
// REMARK-COUNT-2: [Missed] split-preparation | Category:nnc | Remark="done in each call: little work, and much larger than what it is made of"

#turned = affine_map<(k, m) -> (m, k)>
#inOrder = affine_map<(k, m) -> (k, m)>
#x = affine_map<(m, k) -> (k)>
#packed = affine_map<(m, k) -> (k, m)>
#y = affine_map<(m, k) -> (m)>

// The packed weights are the first part, the bias the second; what the packing alone needs is in neither.
// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[PREPARED:.*]]: memref<192xi8> {nn.buffer = 0 : i64}, %[[X:.*]]: memref<4xf32> {nn.buffer = 1 : i64}, %[[Y:.*]]: memref<8xf32> {nn.buffer = 2 : i64}, %{{.*}}: index {nn.symbol = "N"})
// CHECK-DAG: %[[PACKED:.*]] = memref.view %[[PREPARED]][%c0][] : memref<192xi8> to memref<4x8xf32>
// CHECK-DAG: %[[BIAS:.*]] = memref.view %[[PREPARED]][%c128][] : memref<192xi8> to memref<8xf32>
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}}ins(%[[BIAS]] : memref<8xf32>) outs(%[[Y]] :
// CHECK: linalg.generic {{.*}}ins(%[[X]], %[[PACKED]] :
// CHECK-NOT: linalg.generic
// CHECK: return
// CHECK-LABEL: func.func @f_prepared_bytes() -> i64
// CHECK-NEXT: %[[BYTES:.*]] = arith.constant 192 : i64
// CHECK-NEXT: return %[[BYTES]]
// CHECK-LABEL: func.func @f_prepare(
// CHECK-SAME: %[[W:.*]]: memref<8x4xf32> {nn.buffer = 0 : i64, nn.role = "param"}, %[[B:.*]]: memref<8xf32> {nn.buffer = 1 : i64, nn.role = "state"}, %[[OUT:.*]]: memref<192xi8> {nn.buffer = 2 : i64})
// CHECK-DAG: %[[PACKED:.*]] = memref.view %[[OUT]][%c0]
// CHECK-DAG: %[[HALVED:.*]] = memref.alloc() : memref<8x4xf32>
// CHECK: linalg.generic {{.*}}ins(%[[W]] : {{.*}}outs(%[[HALVED]] :
// CHECK: arith.mulf
// CHECK: linalg.generic {{.*}}ins(%[[HALVED]] : {{.*}}outs(%[[PACKED]] :
// CHECK: %[[BIAS:.*]] = memref.view %[[OUT]][%c128]
// CHECK: linalg.generic {{.*}}ins(%[[B]] : {{.*}}outs(%[[BIAS]] :
// CHECK: return
func.func @f(%w: memref<8x4xf32> {nn.buffer = 0, nn.role = "param"}, %x: memref<4xf32> {nn.buffer = 1},
             %b: memref<8xf32> {nn.buffer = 2, nn.role = "state"}, %y: memref<8xf32> {nn.buffer = 3},
             %N: index {nn.symbol = "N"}) attributes {nn.entry = "forward"} {
  %half = arith.constant 0.5 : f32
  %halved = memref.alloc() : memref<8x4xf32>
  linalg.generic {indexing_maps = [#inOrder, #inOrder], iterator_types = ["parallel", "parallel"]}
      ins(%w : memref<8x4xf32>) outs(%halved : memref<8x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.mulf %a, %half : f32
      linalg.yield %r : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m) -> (m)>, affine_map<(m) -> (m)>], iterator_types = ["parallel"]}
      ins(%b : memref<8xf32>) outs(%y : memref<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  %packed = memref.alloc() : memref<4x8xf32>
  linalg.generic {indexing_maps = [#turned, #inOrder], iterator_types = ["parallel", "parallel"]}
      ins(%halved : memref<8x4xf32>) outs(%packed : memref<4x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#x, #packed, #y], iterator_types = ["parallel", "reduction"]}
      ins(%x, %packed : memref<4xf32>, memref<4x8xf32>) outs(%y : memref<8xf32>) {
    ^bb0(%a: f32, %c: f32, %o: f32):
      %p = arith.mulf %a, %c : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  memref.dealloc %packed : memref<4x8xf32>
  return
}

// -----

#id = affine_map<(i) -> (i)>
#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>

// What stays: a state that is updated, a fill, a broadcast that is cheap, a buffer that is read before it is
// written again, one with an input in it, and one of unknown size. What is dear moves though it is large.
// CHECK-LABEL: func.func @stays(
// CHECK-SAME: %[[PREPARED:.*]]: memref<4224xi8> {nn.buffer = 0 : i64}, %[[COUNT:.*]]: memref<32xf32> {nn.buffer = 1 : i64, nn.role = "state", nn.updated}, %[[X:.*]]: memref<32xf32> {nn.buffer = 2 : i64}, %[[Y:[^:]*]]: memref<32xf32> {nn.buffer = 3 : i64}
// CHECK-DAG: %[[SINES:.*]] = memref.view %[[PREPARED]][%c0][] : memref<4224xi8> to memref<32x32xf32>
// CHECK-DAG: %[[P:.*]] = memref.view %[[PREPARED]][%c4096][] : memref<4224xi8> to memref<32xf32>
// CHECK: linalg.fill {{.*}}memref<64xf32>
// CHECK: linalg.generic {{.*}}ins(%[[P]] : memref<32xf32>) outs(%{{.*}} : memref<32x32xf32>)
// CHECK: linalg.generic {{.*}}ins(%[[P]] :
// CHECK: linalg.generic {{.*}}outs(%[[Y]] :
// CHECK: linalg.generic {{.*}}ins(%[[P]] :
// CHECK: linalg.generic {{.*}}outs(%[[Y]] :
// CHECK: linalg.generic {{.*}}ins(%[[P]] : {{.*}}memref<?xf32
// CHECK: linalg.generic {{.*}}ins(%[[COUNT]] : {{.*}}outs(%[[COUNT]] :
// CHECK: linalg.generic {{.*}}ins(%{{[^,]*}}, %[[SINES]], 
// CHECK: return
// CHECK-LABEL: func.func @stays_prepare
// CHECK: linalg.generic
// CHECK: math.sin
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @stays(%p: memref<32xf32> {nn.buffer = 0, nn.role = "param"},
                 %count: memref<32xf32> {nn.buffer = 1, nn.role = "state", nn.updated},
                 %x: memref<32xf32> {nn.buffer = 2}, %y: memref<32xf32> {nn.buffer = 3},
                 %N: index {nn.symbol = "N"}) attributes {nn.entry = "forward"} {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc() : memref<64xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<64xf32>)
  %wide = memref.alloc() : memref<32x32xf32>
  linalg.generic {indexing_maps = [#row, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%p : memref<32xf32>) outs(%wide : memref<32x32xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  %sines = memref.alloc() : memref<32x32xf32>
  linalg.generic {indexing_maps = [#row, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%p : memref<32xf32>) outs(%sines : memref<32x32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = math.sin %a : f32
      linalg.yield %r : f32
  }
  %twice = memref.alloc() : memref<32xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%p : memref<32xf32>) outs(%twice : memref<32xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %twice : memref<32xf32>, memref<32xf32>) outs(%y : memref<32xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = arith.addf %a, %b : f32
      linalg.yield %r : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%p : memref<32xf32>) outs(%twice : memref<32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.negf %a : f32
      linalg.yield %r : f32
  }
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%twice, %y : memref<32xf32>, memref<32xf32>) outs(%y : memref<32xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = arith.addf %a, %b : f32
      linalg.yield %r : f32
  }
  %open = memref.alloc(%N) : memref<?xf32>
  linalg.generic {indexing_maps = [affine_map<(i) -> (0)>, #id], iterator_types = ["parallel"]}
      ins(%p : memref<32xf32>) outs(%open : memref<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%count : memref<32xf32>) outs(%count : memref<32xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.addf %a, %a : f32
      linalg.yield %r : f32
  }
  %low = memref.subview %padded[0] [32] [1] : memref<64xf32> to memref<32xf32>
  linalg.generic {indexing_maps = [#rows, #rows, #row, #row, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%wide, %sines, %x, %low : memref<32x32xf32>, memref<32x32xf32>, memref<32xf32>, memref<32xf32>) outs(%y : memref<32xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32, %d: f32, %o: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.mulf %0, %c : f32
      %2 = arith.addf %1, %d : f32
      %3 = arith.addf %2, %o : f32
      linalg.yield %3 : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// In a loop: what is the same in each trip is done before the first. A training step stays whole.
// CHECK-LABEL: func.func @loop(
// CHECK: scf.for
// CHECK-NEXT: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: return
// CHECK-LABEL: func.func @loop_prepare(
// CHECK-NOT: scf.for
// CHECK: math.exp
// CHECK: return
func.func @loop(%p: memref<8xf32> {nn.buffer = 0, nn.role = "param"}, %y: memref<8xf32> {nn.buffer = 1},
                %n: index) attributes {nn.entry = "forward"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %e = memref.alloc() : memref<8xf32>
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%p : memref<8xf32>) outs(%e : memref<8xf32>) {
      ^bb0(%a: f32, %o: f32):
        %r = math.exp %a : f32
        linalg.yield %r : f32
    }
    linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%e, %y : memref<8xf32>, memref<8xf32>) outs(%y : memref<8xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
        %r = arith.mulf %a, %b : f32
        linalg.yield %r : f32
    }
  }
  return
}

// CHECK-LABEL: func.func @step(
// CHECK-SAME: %{{.*}}: memref<8xf32> {nn.buffer = 0 : i64, nn.role = "param"}, %{{.*}}: memref<8xf32>
// CHECK-NOT: func.func
func.func @step(%p: memref<8xf32> {nn.buffer = 0, nn.role = "param"}, %y: memref<8xf32> {nn.buffer = 1})
    attributes {nn.entry = "step"} {
  return
}
