// RUN: nnc-opt %s --codegen-parallelize --allow-unregistered-dialect --split-input-file | FileCheck %s

// A loop of unknown length. What it uses comes as an argument (%x, with what is known of it), or is
// made again inside (the descriptor, the constants). The task reads it from the caller's array.
// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[X:.*]]: !llvm.ptr {llvm.noalias}, %[[N:.*]]: index
// CHECK: %[[COUNT:.*]] = llvm.mlir.constant(2 : i64)
// CHECK: %[[CONTEXT:.*]] = llvm.alloca %[[COUNT]] x i64
// CHECK: %[[SLOT0:.*]] = llvm.getelementptr %[[CONTEXT]][0]
// CHECK: llvm.store %[[X]], %[[SLOT0]]
// CHECK: %[[SLOT1:.*]] = llvm.getelementptr %[[CONTEXT]][1]
// CHECK: llvm.store %{{.*}}, %[[SLOT1]]
// CHECK: %[[STEPS:.*]] = arith.divui %{{.*}}, %c64
// CHECK: %[[STEPS64:.*]] = arith.index_cast %[[STEPS]]
// CHECK: %[[TASK:.*]] = llvm.mlir.addressof @f.loop0.task
// CHECK: llvm.call @run_task(%[[STEPS64]], %[[TASK]], %[[CONTEXT]])
// CHECK-NOT: scf.parallel

// CHECK-LABEL: func.func private @f.loop0(
// CHECK-SAME: %[[FROM:.*]]: index, %[[TO:.*]]: index, %[[P:.*]]: !llvm.ptr {llvm.noalias})
// CHECK-SAME: llvm.linkage = #llvm.linkage<internal>
// CHECK: %[[BUFFER:.*]] = builtin.unrealized_conversion_cast %[[P]]
// CHECK: scf.for %[[I:.*]] = %[[FROM]] to %[[TO]] step %c64
// CHECK: "test.use"(%[[BUFFER]], %[[I]])

// CHECK-LABEL: llvm.func internal @f.loop0.task(
// CHECK-SAME: %[[SLOTS:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64)
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %c64
// CHECK: %[[NEXT:.*]] = arith.muli %{{.*}}, %c64
// CHECK: %[[LAST:.*]] = arith.minui %[[NEXT]], %{{.*}}
// CHECK: call @f.loop0(%[[FIRST]], %[[LAST]], %{{.*}})

// CHECK-LABEL: llvm.func weak @nnc_parallel_for(
// CHECK-SAME: %[[ALL:.*]]: i64, %[[BODY:.*]]: !llvm.ptr, %[[ARGUMENT:.*]]: !llvm.ptr)
// CHECK: %[[ZERO:.*]] = llvm.mlir.constant(0 : i64)
// CHECK: llvm.call %[[BODY]](%[[ARGUMENT]], %[[ZERO]], %[[ALL]])

// One step is not worth the asking.
// CHECK-LABEL: llvm.func internal @run_task(
// CHECK-SAME: %[[STEPS:.*]]: i64, %[[BODY:.*]]: !llvm.ptr, %[[ARGUMENT:.*]]: !llvm.ptr)
// CHECK: %[[SEVERAL:.*]] = llvm.icmp "ugt" %[[STEPS]], %{{.*}}
// CHECK: llvm.cond_br %[[SEVERAL]], ^[[PARALLEL:.*]], ^[[ALONE:.*]]
// CHECK: ^[[PARALLEL]]:
// CHECK: llvm.call @nnc_parallel_for(%[[STEPS]], %[[BODY]], %[[ARGUMENT]])
// CHECK: ^[[ALONE]]:
// CHECK: llvm.call %[[BODY]](%[[ARGUMENT]], %{{.*}}, %[[STEPS]])
func.func @f(%x: !llvm.ptr {llvm.noalias}, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %buffer = builtin.unrealized_conversion_cast %x : !llvm.ptr to memref<16xf32>
  scf.parallel (%i) = (%c0) to (%n) step (%c64) {
    "test.use"(%buffer, %i) : (memref<16xf32>, index) -> ()
    scf.reduce
  }
  return
}

// -----

// Known to have several steps; the loop inside stays. Loops share the array.
// CHECK-LABEL: func.func @g(
// CHECK: llvm.alloca
// CHECK-NOT: llvm.alloca
// CHECK-NOT: scf.if
// CHECK: llvm.call @nnc_parallel_for
// CHECK: llvm.call @nnc_parallel_for
// CHECK: return
// CHECK-LABEL: func.func private @g.loop1(
// CHECK-LABEL: func.func private @g.loop0(
// CHECK: scf.parallel
func.func @g(%x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    scf.parallel (%j) = (%c0) to (%c8) step (%c1) {
      "test.use"(%x, %i, %j) : (f32, index, index) -> ()
    }
  }
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    "test.use"(%x, %i) : (f32, index) -> ()
  }
  return
}

// -----

// What no array holds and nothing makes again: the loop stays, and nothing is defined.
// CHECK-LABEL: func.func @stays(
// CHECK: scf.parallel
// CHECK-NOT: nnc_parallel_for
func.func @stays(%buffer: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    "test.use"(%buffer, %i) : (memref<16xf32>, index) -> ()
  }
  return
}

// -----

// Memory for one iteration at a time: that of the first of a thread's iterations serves all of them.
// CHECK-LABEL: func.func @scratch(
// CHECK-LABEL: func.func private @scratch.loop0(
// CHECK-SAME: %[[FROM:.*]]: index, %{{.*}}: index, %{{.*}}: !llvm.ptr)
// CHECK: scf.for %[[I:.*]] = %[[FROM]]
// CHECK-NEXT: %[[VIEW:.*]] = memref.subview %{{.*}}[%[[FROM]], 0] [1, 4] [1, 1] {nn.scratch}
// CHECK-NEXT: "test.use"(%[[VIEW]], %[[I]])
func.func @scratch(%x: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %memory = builtin.unrealized_conversion_cast %x : !llvm.ptr to memref<8x4xf32>
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    %view = memref.subview %memory[%i, 0] [1, 4] [1, 1] {nn.scratch} : memref<8x4xf32> to memref<1x4xf32, strided<[4, 1], offset: ?>>
    "test.use"(%view, %i) : (memref<1x4xf32, strided<[4, 1], offset: ?>>, index) -> ()
  }
  return
}

// -----

// An iteration that goes on up to an end: all of a thread are one, up to the end of the last.
// CHECK-LABEL: func.func @range(
// CHECK-LABEL: func.func private @range.loop0(
// CHECK-SAME: %[[FROM:.*]]: index, %[[TO:.*]]: index, %{{.*}}: !llvm.ptr)
// CHECK-NOT: scf.for
// CHECK: "test.use"(%{{.*}}, %[[FROM]], %[[TO]])
// CHECK-NEXT: return
func.func @range(%x: !llvm.ptr) {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %memory = builtin.unrealized_conversion_cast %x : !llvm.ptr to memref<8xf32>
  scf.parallel (%begin) = (%c0) to (%c8) step (%c3) {
    %next = arith.addi %begin, %c3 : index
    %end = arith.minui %next, %c8 {nn.range_end} : index
    "test.use"(%memory, %begin, %end) : (memref<8xf32>, index, index) -> ()
  }
  return
}
