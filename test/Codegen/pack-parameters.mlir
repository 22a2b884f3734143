// Where parameters are prepared once for many calls, packing them costs nothing, and few reads are reason
// enough. What depends on an input is packed as otherwise.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3}))' | FileCheck %s --check-prefix=EACH
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3 splits-preparation=1}))' | FileCheck %s

// EACH-LABEL: func.func @dense
// EACH-NOT: memref.alloc
// CHECK-LABEL: func.func @dense(
// CHECK-SAME: %[[X:.*]]: memref<4x64xf32>, %[[W:.*]]: memref<64x512xf32> {{{.*}}}, %[[V:.*]]: memref<64x512xf32>,
// CHECK: %[[PACKED:.*]] = memref.alloc() : memref<32x64x16xf32>
// CHECK: linalg.generic {{.*}}ins(%[[X]], %[[PACKED]] :
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}}ins(%[[X]], %[[V]] :
func.func @dense(%x: memref<4x64xf32>, %w: memref<64x512xf32> {nn.buffer = 1 : i64, nn.role = "param"},
                 %v: memref<64x512xf32>, %y: memref<4x512xf32>, %z: memref<4x512xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<4x512xf32>)
  linalg.matmul ins(%x, %w : memref<4x64xf32>, memref<64x512xf32>) outs(%y : memref<4x512xf32>)
  linalg.fill ins(%zero : f32) outs(%z : memref<4x512xf32>)
  linalg.matmul ins(%x, %v : memref<4x64xf32>, memref<64x512xf32>) outs(%z : memref<4x512xf32>)
  return
}

// The columns that are left over are packed too: nothing reads the parameter as it is.
// CHECK-LABEL: func.func @ragged(
// CHECK-SAME: %[[W:.*]]: memref<64x520xf32> {{{.*}}},
// CHECK-DAG: memref.alloc() : memref<32x64x16xf32>
// CHECK-DAG: memref.alloc() : memref<64x8xf32>
func.func @ragged(%x: memref<4x64xf32>, %w: memref<64x520xf32> {nn.buffer = 1 : i64, nn.role = "param"},
                  %y: memref<4x520xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<4x520xf32>)
  linalg.matmul ins(%x, %w : memref<4x64xf32>, memref<64x520xf32>) outs(%y : memref<4x520xf32>)
  return
}
