// RUN: nnc-opt %s --pass-pipeline="builtin.module(gpu.module(codegen-gpu-expand-kernel-math))" | FileCheck %s

// CHECK-LABEL: gpu.func @math
// CHECK-NOT: math.
// CHECK: llvm.call_intrinsic "llvm.fma"
// CHECK-NOT: math.
// CHECK: llvm.call_intrinsic "llvm.sqrt"(%{{.*}}) : (vector<4xf32>) -> vector<4xf32>
// CHECK: llvm.call_intrinsic "llvm.floor"
// CHECK-NOT: math.
gpu.module @kernels {
  gpu.func @math(%x: memref<4xf32>) kernel {
    %c0 = arith.constant 0 : index
    %0 = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
    %1 = math.exp %0 : vector<4xf32>
    %2 = math.sqrt %1 : vector<4xf32>
    %3 = math.floor %2 : vector<4xf32>
    vector.store %3, %x[%c0] : memref<4xf32>, vector<4xf32>
    gpu.return
  }
}

// What is not in a kernel is not ours.
// CHECK-LABEL: func.func @host
// CHECK: math.exp
func.func @host(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}
