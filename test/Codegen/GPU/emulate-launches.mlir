// RUN: nnc-opt %s --codegen-gpu-emulate-launches | FileCheck %s
// RUN: not nnc-opt %S/Inputs/not-emulated.mlir --codegen-gpu-emulate-launches 2>&1 | FileCheck %s --check-prefix ERROR

// CHECK: llvm.mlir.global internal constant @kernels.k.place("net.nn:4:3\00")
// CHECK: llvm.mlir.global internal constant @kernels.k.name("k\00")

// CHECK-LABEL: func.func @f(
// CHECK: call @nnc_emulated_launch(
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%{{.*}}) step (%{{.*}}) {
// CHECK-NEXT: func.call @kernels.k(%{{.*}}) : (memref<8xf32>) -> ()

// CHECK-NOT: gpu.
// CHECK: func.func private @kernels.k(%[[X:.*]]: memref<8xf32>)
// CHECK: call @nnc_emulated_shared({{.*}}) : (i64) -> !llvm.ptr
// CHECK: %[[WHICH:.*]] = arith.constant 0 : i32
// CHECK: call @nnc_emulated_number(%[[WHICH]]) : (i32) -> i64
// CHECK: call @nnc_emulated_access(
// CHECK-NEXT: memref.load %[[X]]
// CHECK: call @nnc_emulated_shuffle(
// CHECK: call @nnc_emulated_barrier(
// CHECK: call @nnc_emulated_access(
// CHECK-NEXT: memref.store %{{.*}}, %{{.*}} : memref<8xf32>
module attributes {gpu.container_module} {
  func.func @f(%x: memref<8xf32>, %n: index) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @kernels::@k blocks in (%n, %c1, %c1) threads in (%c32, %c1, %c1) args(%x : memref<8xf32>) loc("net.nn":4:3)
    return
  }
  gpu.module @kernels {
    gpu.func @k(%x: memref<8xf32>) workgroup(%shared: memref<8xf32, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %i = gpu.thread_id x
      %0 = memref.load %x[%i] : memref<8xf32>
      %c16 = arith.constant 16 : i32
      %c32 = arith.constant 32 : i32
      %1, %valid = gpu.shuffle xor %0, %c16, %c32 : f32
      gpu.barrier
      memref.store %1, %shared[%i] : memref<8xf32, #gpu.address_space<workgroup>>
      gpu.return
    }
  }
}

// ERROR: not-emulated.mlir:4:15: error: expected an operation that can be emulated
