// RUN: nnc-opt %s --codegen-gpu-mark-arguments | FileCheck %s

// The temporary and the arguments are apart; two views of one are not, nor what a loop hands on.

// CHECK: gpu.func @apart(%{{.*}}: memref<8xf32> {llvm.noalias}, %{{.*}}: index, %{{.*}}: memref<8xf32> {llvm.noalias}, %{{.*}}: memref<f32> {llvm.noalias})
// CHECK: gpu.func @views(%{{.*}}: memref<4xf32>, %{{.*}}: memref<8xf32>, %{{.*}}: memref<8xf32> {llvm.noalias})
// CHECK: gpu.func @once(%{{.*}}: memref<8xf32>, %{{.*}}: memref<8xf32>)
// CHECK: gpu.func @handed(%{{.*}}: memref<8xf32>, %{{.*}}: memref<8xf32>)
module attributes {gpu.container_module} {
  func.func @entry(%x: memref<8xf32>, %y: memref<8xf32>, %open: memref<?xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %temporary = memref.alloc() : memref<8xf32>
    %base, %offset, %size, %stride = memref.extract_strided_metadata %open : memref<?xf32> -> memref<f32>, index, index, index
    gpu.launch_func @kernels::@apart blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%x : memref<8xf32>, %n : index, %temporary : memref<8xf32>, %base : memref<f32>)
    %part = memref.subview %x[0] [4] [1] : memref<8xf32> to memref<4xf32>
    gpu.launch_func @kernels::@views blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%part : memref<4xf32>, %x : memref<8xf32>, %y : memref<8xf32>)
    gpu.launch_func @kernels::@once blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%x : memref<8xf32>, %y : memref<8xf32>)
    gpu.launch_func @kernels::@once blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%x : memref<8xf32>, %x : memref<8xf32>)
    %last = scf.for %i = %c0 to %n step %c1 iter_args(%next = %x) -> memref<8xf32> {
      gpu.launch_func @kernels::@handed blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
          args(%next : memref<8xf32>, %y : memref<8xf32>)
      scf.yield %y : memref<8xf32>
    }
    return
  }
  gpu.module @kernels {
    gpu.func @apart(%x: memref<8xf32>, %n: index, %y: memref<8xf32>, %z: memref<f32>) kernel {
      gpu.return
    }
    gpu.func @views(%x: memref<4xf32>, %y: memref<8xf32>, %z: memref<8xf32>) kernel {
      gpu.return
    }
    gpu.func @once(%x: memref<8xf32>, %y: memref<8xf32>) kernel {
      gpu.return
    }
    gpu.func @handed(%x: memref<8xf32>, %y: memref<8xf32>) kernel {
      gpu.return
    }
  }
}
