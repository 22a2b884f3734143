// RUN: nnc-opt %s --codegen-gpu-join-launches | FileCheck %s

// Three that are apart; what is between them stays before.
// CHECK-LABEL: func.func @apart(
// CHECK-SAME: %[[X:.*]]: memref<1000xf32>, %[[Y:.*]]: memref<?xf32>, %[[Z:.*]]: memref<10xf32>, %[[N:.*]]: index, %[[M:.*]]: index)
// CHECK: %[[ALLOC:.*]] = memref.alloc
// CHECK: %[[TWO:.*]] = arith.addi %[[N]], %[[M]]
// CHECK: %[[TOTAL:.*]] = arith.addi %[[TWO]], %[[N]]
// CHECK: gpu.launch blocks(%[[B:[a-z0-9_]*]], {{.*}}) in (%{{.*}} = %[[TOTAL]], {{.*}} threads(%[[T:[a-z0-9_]*]],
// CHECK:   %[[FIRST:.*]] = arith.cmpi ult, %[[B]], %[[N]]
// CHECK:   scf.if %[[FIRST]] {
// CHECK:     memref.store %{{.*}}, %[[X]][%[[B]]]
// CHECK:   } else {
// CHECK:     %[[B2:.*]] = arith.subi %[[B]], %[[N]]
// CHECK:     %[[SECOND:.*]] = arith.cmpi ult, %[[B2]], %[[M]]
// CHECK:     scf.if %[[SECOND]] {
// CHECK:       memref.store %{{.*}}, %[[Y]][%[[T]]]
// CHECK:       memref.store %{{.*}}, %[[Y]][%[[M]]]
// CHECK:     } else {
// CHECK:       %[[B3:.*]] = arith.subi %[[B2]], %[[M]]
// CHECK:       memref.store %{{.*}}, %[[Z]][%[[B3]]]
// CHECK:   gpu.terminator
// CHECK-NOT: gpu.launch
// CHECK: return
func.func @apart(%x: memref<1000xf32>, %y: memref<?xf32>, %z: memref<10xf32>, %n: index, %m: index) {
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    memref.store %zero, %x[%bx] : memref<1000xf32>
    gpu.terminator
  }
  %alloc = memref.alloc() : memref<8xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %m, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    memref.store %zero, %y[%tx] : memref<?xf32>
    memref.store %zero, %y[%gx] : memref<?xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %alloc[%tx] : memref<8xf32>
    memref.store %0, %z[%bx] : memref<10xf32>
    gpu.terminator
  }
  return
}

// What one writes and another reads, by whatever view: two launches. Reading the same is no reason.
// CHECK-LABEL: func.func @after(
// CHECK-COUNT-2: gpu.launch
// CHECK-NOT: gpu.launch
// CHECK: return
func.func @after(%x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>, %n: index) {
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %part = memref.subview %y[0] [4] [1] : memref<8xf32> to memref<4xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %x[%tx] : memref<8xf32>
    memref.store %0, %y[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %part[%tx] : memref<4xf32>
    memref.store %0, %z[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %part[%tx] : memref<4xf32>
    %1 = memref.load %x[%tx] : memref<8xf32>
    gpu.terminator
  }
  return
}

// Threads of a block that wait for each other are those of one launch, and have memory of the same types together.
// CHECK-LABEL: func.func @blocks(
// CHECK: gpu.launch blocks(
// CHECK-SAME: workgroup(%[[FEW:.*]] : memref<8xf32, #gpu.address_space<workgroup>>, %[[SUMS:.*]] : memref<8xf64, #gpu.address_space<workgroup>>)
// CHECK: scf.if
// CHECK: memref.store %{{.*}}, %[[FEW]]
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: memref.store %{{.*}}, %[[FEW]]
// CHECK: } else {
// CHECK: memref.store %{{.*}}, %[[SUMS]]
// CHECK: gpu.launch blocks(
// CHECK: return
func.func @blocks(%x: memref<8xf32>, %y: memref<8xf32>, %n: index) {
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  %zero64 = arith.constant 0.0 : f64
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) workgroup(%w : memref<8xf32, #gpu.address_space<workgroup>>) {
    memref.store %zero, %w[%tx] : memref<8xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    memref.store %zero, %x[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) workgroup(%w : memref<8xf32, #gpu.address_space<workgroup>>) {
    memref.store %zero, %w[%tx] : memref<8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) workgroup(%w : memref<8xf64, #gpu.address_space<workgroup>>) {
    memref.store %zero64, %w[%tx] : memref<8xf64, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  // So much memory is for itself.
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) workgroup(%w : memref<512xf32, #gpu.address_space<workgroup>>) {
    memref.store %zero, %w[%tx] : memref<512xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  return
}

// What one block does goes to the others of its kind, as far up as it can.
// CHECK-LABEL: func.func @small(
// CHECK: gpu.launch blocks(
// CHECK: scf.if
// CHECK: memref.store %{{.*}}, %arg0
// CHECK: memref.store %{{.*}}, %arg1
// CHECK: gpu.launch blocks(
// CHECK: memref.load %arg0
// CHECK: gpu.launch blocks(
// CHECK: memref.load %arg2
// CHECK: return
func.func @small(%arg0: memref<8xf32>, %arg1: memref<8xf32>, %arg2: memref<8xf32>, %arg3: memref<8xf32>, %n: index) {
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    memref.store %zero, %arg0[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %arg0[%tx] : memref<8xf32>
    memref.store %0, %arg2[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    memref.store %zero, %arg1[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %arg2[%tx] : memref<8xf32>
    memref.store %0, %arg3[%tx] : memref<8xf32>
    gpu.terminator
  }
  return
}

// Blocks of another size, or in several rows, are not joined.
// CHECK-LABEL: func.func @shapes(
// CHECK-COUNT-3: gpu.launch
// CHECK: return
func.func @shapes(%x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>, %n: index) {
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %n, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    memref.store %zero, %x[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    memref.store %zero, %y[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    memref.store %zero, %z[%tx] : memref<8xf32>
    gpu.terminator
  }
  return
}

// What is equal but for its buffers is there once: a block finds those that are its own.
// CHECK-LABEL: func.func @equal(
// CHECK-SAME: %[[X:.*]]: memref<8xf32>, %[[Y:.*]]: memref<8xf32>, %[[Z:.*]]: memref<8xf32>, %[[A:.*]]: memref<8xf32>, %[[B:.*]]: memref<8xf32>, %[[C:.*]]: memref<8xf32>, %[[D:.*]]: memref<9xf32>)
// CHECK: %[[EQUAL:.*]] = arith.muli %[[COUNT:.*]], %c3
// CHECK: gpu.launch blocks(%[[BLOCK:[a-z0-9_]*]],
// CHECK: arith.cmpi ult, %[[BLOCK]], %[[EQUAL]]
// CHECK: %[[NUMBER:.*]] = arith.divui %[[BLOCK]], %[[COUNT]]
// CHECK: %[[OWN:.*]] = arith.remui %[[BLOCK]], %[[COUNT]]
// CHECK: arith.cmpi ult, %[[NUMBER]], %c1
// CHECK: %[[BUFFERS:.*]]:2 = scf.if {{.*}} {
// CHECK:   scf.yield %[[X]], %[[A]]
// CHECK: } else {
// CHECK:   arith.cmpi ult, %[[NUMBER]], %c2
// CHECK:   scf.if
// CHECK:     scf.yield %[[Y]], %[[B]]
// CHECK:     scf.yield %[[Z]], %[[C]]
// CHECK: memref.load %[[BUFFERS]]#0[%[[OWN]]]
// CHECK: math.exp
// CHECK: memref.store %{{.*}}, %[[BUFFERS]]#1
// CHECK-NOT: math.exp
// CHECK: memref.store %{{.*}}, %[[D]]
// CHECK: gpu.terminator
func.func @equal(%x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>, %a: memref<8xf32>, %b: memref<8xf32>, %c: memref<8xf32>, %d: memref<9xf32>) {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %x[%bx] : memref<8xf32>
    %1 = math.exp %0 : f32
    %2 = arith.mulf %1, %0 : f32
    %3 = arith.mulf %2, %1 : f32
    %4 = arith.mulf %3, %2 : f32
    %5 = arith.mulf %4, %3 : f32
    %6 = arith.mulf %5, %4 : f32
    memref.store %6, %a[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %y[%bx] : memref<8xf32>
    %1 = math.exp %0 : f32
    %2 = arith.mulf %1, %0 : f32
    %3 = arith.mulf %2, %1 : f32
    %4 = arith.mulf %3, %2 : f32
    %5 = arith.mulf %4, %3 : f32
    %6 = arith.mulf %5, %4 : f32
    memref.store %6, %b[%tx] : memref<8xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    memref.store %zero, %d[%bx] : memref<9xf32>
    gpu.terminator
  }
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c8, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %0 = memref.load %z[%bx] : memref<8xf32>
    %1 = math.exp %0 : f32
    %2 = arith.mulf %1, %0 : f32
    %3 = arith.mulf %2, %1 : f32
    %4 = arith.mulf %3, %2 : f32
    %5 = arith.mulf %4, %3 : f32
    %6 = arith.mulf %5, %4 : f32
    memref.store %6, %c[%tx] : memref<8xf32>
    gpu.terminator
  }
  return
}
