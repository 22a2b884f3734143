// RUN: nnc-opt %s --codegen-plan-arena --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s

// The third buffer takes the place of the first, which is dead by then.
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[WORKSPACE:[^:]*]]: memref<?xi8> {nn.workspace})
// CHECK-DAG: %[[LOW:.*]] = memref.view %[[WORKSPACE]][%c0]
// CHECK-DAG: %[[HIGH:.*]] = memref.view %[[WORKSPACE]][%c64]
// CHECK: linalg.copy ins(%{{.*}}) outs(%[[LOW]] :
// CHECK: linalg.copy ins(%[[LOW]] : {{.*}}) outs(%[[HIGH]] :
// CHECK: linalg.copy ins(%[[HIGH]] : {{.*}}) outs(%[[LOW]] :
// CHECK: linalg.copy ins(%[[LOW]] :
// CHECK-LABEL: func.func @chain_workspace() -> i64
// CHECK-NEXT: %[[BYTES:.*]] = arith.constant 128 : i64
// CHECK-NEXT: return %[[BYTES]]
func.func @chain(%x: memref<10xf32>, %out: memref<10xf32>) {
  %0 = memref.alloc() : memref<10xf32>
  linalg.copy ins(%x : memref<10xf32>) outs(%0 : memref<10xf32>)
  %1 = memref.alloc() : memref<10xf32>
  linalg.copy ins(%0 : memref<10xf32>) outs(%1 : memref<10xf32>)
  %2 = memref.alloc() : memref<10xf32>
  linalg.copy ins(%1 : memref<10xf32>) outs(%2 : memref<10xf32>)
  linalg.copy ins(%2 : memref<10xf32>) outs(%out : memref<10xf32>)
  return
}

// -----

// Sizes come from the symbols, in a loop too; a smaller buffer lies where a larger one was.
// CHECK-LABEL: func.func @symbolic(
// CHECK: memref.view %{{.*}}[%[[AT:.*]]][%{{.*}}] : memref<?xi8> to memref<?x4xf32>
// CHECK: memref.view %{{.*}}[%[[AT]]][%{{.*}}] : memref<?xi8> to memref<?xf32>
// CHECK-NOT: memref.alloc
// CHECK-LABEL: func.func @symbolic_workspace(%{{.*}}: index {nn.symbol = "N"}) -> i64
// CHECK-DAG: %[[LARGE:.*]] = arith.muli %{{.*}}, %c16
// CHECK-DAG: %[[SMALL:.*]] = arith.muli %{{.*}}, %c4
// CHECK: arith.maxsi
func.func @symbolic(%x: memref<?x4xf32> {nn.shape = ["N", 4]}, %y: memref<?xf32> {nn.shape = ["N"]},
                    %n: index {nn.symbol = "N"}) attributes {nn.symbols = ["N"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %0 = memref.alloc(%n) : memref<?x4xf32>
    linalg.copy ins(%x : memref<?x4xf32>) outs(%0 : memref<?x4xf32>)
    linalg.copy ins(%0 : memref<?x4xf32>) outs(%x : memref<?x4xf32>)
    %d = memref.dim %y, %c0 : memref<?xf32>
    %1 = memref.alloc(%d) : memref<?xf32>
    linalg.copy ins(%y : memref<?xf32>) outs(%1 : memref<?xf32>)
    linalg.copy ins(%1 : memref<?xf32>) outs(%y : memref<?xf32>)
  }
  return
}

// -----

// Two small buffers lie side by side where a large one was; the workspace is as large as both.
// CHECK-LABEL: func.func @packed(
// CHECK-SAME: %[[N:[^:]*]]: index
// CHECK-DAG: %[[SIZE:.*]] = arith.muli %[[N]], %c64
// CHECK-DAG: memref.view %{{.*}}[%c0][%[[N]]] : memref<?xi8> to memref<?x32xf32>
// CHECK-DAG: memref.view %{{.*}}[%c0][%[[N]]] : memref<?xi8> to memref<?x16xf32>
// CHECK-DAG: memref.view %{{.*}}[%[[SIZE]]][%[[N]]] : memref<?xi8> to memref<?x16xf32>
// CHECK-LABEL: func.func @packed_workspace(
// CHECK: %[[TOTAL:.*]] = arith.muli %{{.*}}, %c128
// CHECK-NEXT: arith.index_cast %[[TOTAL]]
func.func @packed(%n: index {nn.symbol = "N"}, %a: memref<?x32xf32> {nn.shape = ["N", 32]},
                  %b: memref<?x16xf32> {nn.shape = ["N", 16]}) attributes {nn.symbols = ["N"]} {
  %0 = memref.alloc(%n) : memref<?x32xf32>
  linalg.copy ins(%a : memref<?x32xf32>) outs(%0 : memref<?x32xf32>)
  linalg.copy ins(%0 : memref<?x32xf32>) outs(%a : memref<?x32xf32>)
  %1 = memref.alloc(%n) : memref<?x16xf32>
  linalg.copy ins(%b : memref<?x16xf32>) outs(%1 : memref<?x16xf32>)
  %2 = memref.alloc(%n) : memref<?x16xf32>
  linalg.copy ins(%1 : memref<?x16xf32>) outs(%2 : memref<?x16xf32>)
  linalg.copy ins(%2 : memref<?x16xf32>) outs(%b : memref<?x16xf32>)
  return
}

// -----

func.func @unknown(%n: index) {
  // expected-error @+1 {{the size of a temporary is not a function of the symbols}}
  %0 = memref.alloc(%n) : memref<?xf32>
  return
}
