// RUN: nnc-opt %s --pass-pipeline="builtin.module(gpu.module(codegen-gpu-finish-kernels))" | FileCheck %s

gpu.module @kernels {
  // CHECK: llvm.mlir.global external @__dynamic_shmem__0() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
  llvm.mlir.global internal @__dynamic_shmem__0() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
  // CHECK: llvm.mlir.global internal @known() {addr_space = 3 : i32} : !llvm.array<8 x f32>
  llvm.mlir.global internal @known() {addr_space = 3 : i32} : !llvm.array<8 x f32>
  // CHECK: llvm.func @kernel(%{{.*}}: !llvm.ptr {llvm.align = 64 : i64}, %{{.*}}: i64, %{{.*}}: !llvm.ptr {llvm.align = 16 : i64})
  llvm.func @kernel(%x: !llvm.ptr, %n: i64, %y: !llvm.ptr {llvm.align = 16 : i64}) attributes {gpu.kernel, nvvm.kernel} {
    llvm.br ^header(%n : i64)
  ^header(%i: i64):
    // CHECK: llvm.br ^{{.*}} {loop_annotation = #{{.*}}}
    llvm.br ^header(%i : i64) {llvm.loop_annotation = #llvm.loop_annotation<unroll = <disable = true>>}
  }
  // What describes a tensor is no pointer to it, but a parameter.
  // CHECK: llvm.func @copies(%{{.*}}: !llvm.ptr {llvm.align = 128 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
  llvm.func @copies(%x: !llvm.ptr {llvm.align = 128 : i64}) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
  // CHECK: llvm.func @helper(%{{.*}}: !llvm.ptr) {
  llvm.func @helper(%x: !llvm.ptr) {
    llvm.return
  }
}
