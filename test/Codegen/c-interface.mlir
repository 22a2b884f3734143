// RUN: nnc-opt %s --codegen-c-interface=cpu=x86-64-v3 | FileCheck %s

// CHECK: module attributes {llvm.data_layout = "{{.*}}", llvm.target_triple = "{{.*}}"}
// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[BUFFERS:.*]]: !llvm.ptr, %[[SYMBOLS:.*]]: !llvm.ptr, %[[WORKSPACE:.*]]: !llvm.ptr)
// CHECK: %[[N:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK: llvm.getelementptr %[[BUFFERS]][1]
// CHECK: call @f.body(%{{.*}}, %{{.*}}, %[[N]], %[[WORKSPACE]])
// CHECK-LABEL: func.func private @f.body(
// CHECK-SAME: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias, llvm.nonnull}
// CHECK-SAME: llvm.linkage = #llvm.linkage<internal>, passthrough = ["alwaysinline"]
func.func @f(%x: memref<?x3xf32> {nn.buffer = 0 : i64, nn.shape = ["N", 3]},
             %out: memref<?xf32> {nn.buffer = 1 : i64, nn.shape = ["3*N"]},
             %n: index {nn.symbol = "N"}, %workspace: memref<?xi8> {nn.workspace})
    attributes {nn.symbols = ["N"]} {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0, %c0] : memref<?x3xf32>
  memref.store %v, %out[%c0] : memref<?xf32>
  return
}

// CHECK-LABEL: func.func @f_workspace(
// CHECK-SAME: %{{.*}}: !llvm.ptr) -> i64
// CHECK: call @f_workspace.body
func.func @f_workspace(%n: index {nn.symbol = "N"}) -> i64 attributes {nn.symbols = ["N"]} {
  %bytes = arith.index_cast %n : index to i64
  return %bytes : i64
}

// A private function takes the pointer and the offset that its type leaves open.
// CHECK-LABEL: func.func @g(
// CHECK-LABEL: func.func private @g.body(
// CHECK: llvm.extractvalue %{{.*}}[1]
// CHECK: %[[OFFSET:.*]] = llvm.extractvalue %{{.*}}[2]
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[OFFSET]] : i64 to index
// CHECK: call @kernel(%{{.*}}, %[[INDEX]]) : (!llvm.ptr, index) -> ()
func.func @g(%x: memref<8xf32> {nn.buffer = 0 : i64, nn.shape = [8]}) {
  %view = memref.subview %x[4] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: 4>>
  %any = memref.cast %view : memref<4xf32, strided<[1], offset: 4>> to memref<4xf32, strided<[1], offset: ?>>
  call @kernel(%any) : (memref<4xf32, strided<[1], offset: ?>>) -> ()
  return
}

// CHECK-LABEL: func.func private @kernel(
// CHECK-SAME: %[[POINTER:.*]]: !llvm.ptr, %{{.*}}: index)
// CHECK: llvm.insertvalue %[[POINTER]]
func.func private @kernel(%x: memref<4xf32, strided<[1], offset: ?>>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %x[%c0] : memref<4xf32, strided<[1], offset: ?>>
  return
}
