// RUN: nnc-opt %s --codegen-gpu-merge-kernels | FileCheck %s

// CHECK-LABEL: func.func @three
// CHECK: gpu.launch_func @kernels::@three_0
// CHECK: gpu.launch_func @kernels::@three_0
// CHECK: gpu.launch_func @kernels::@three_2
// CHECK: gpu.func @three_0
// CHECK-NOT: gpu.func @three_1
// CHECK: gpu.func @three_2
module attributes {gpu.container_module} {
  func.func @three(%x: memref<8xf32>, %y: memref<8xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@three_0 blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<8xf32>)
    gpu.launch_func @kernels::@three_1 blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%y : memref<8xf32>)
    gpu.launch_func @kernels::@three_2 blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%y : memref<8xf32>)
    return
  }
  gpu.module @kernels {
    gpu.func @three_0(%x: memref<8xf32>) kernel {
      %t = gpu.thread_id x
      %0 = arith.constant 0.0 : f32
      memref.store %0, %x[%t] : memref<8xf32>
      gpu.return
    }
    gpu.func @three_1(%y: memref<8xf32>) kernel {
      %thread = gpu.thread_id x
      %zero = arith.constant 0.0 : f32
      memref.store %zero, %y[%thread] : memref<8xf32>
      gpu.return
    }
    // Another number.
    gpu.func @three_2(%x: memref<8xf32>) kernel {
      %t = gpu.thread_id x
      %0 = arith.constant 1.0 : f32
      memref.store %0, %x[%t] : memref<8xf32>
      gpu.return
    }
  }
}
