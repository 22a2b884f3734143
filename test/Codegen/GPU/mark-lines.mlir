// RUN: nnc-opt %s --pass-pipeline="builtin.module(gpu.module(codegen-gpu-mark-lines))" --mlir-print-debuginfo | FileCheck %s

// CHECK-DAG: #[[FILE:.*]] = #llvm.di_file<"net.nn" in "">
// CHECK-DAG: #[[OTHER:.*]] = #llvm.di_file<"layers.nn" in "">
// CHECK-DAG: #[[UNIT:.*]] = #llvm.di_compile_unit<{{.*}}file = #[[FILE]], producer = "nnc", isOptimized = true, emissionKind = DebugDirectivesOnly
// CHECK-DAG: #[[KERNEL:.*]] = #llvm.di_subprogram<{{.*}}compileUnit = #[[UNIT]]{{.*}}name = "kernel"{{.*}}file = #[[FILE]], line = 3,
// CHECK-DAG: #[[BLOCK:.*]] = #llvm.di_lexical_block_file<scope = #[[KERNEL]], file = #[[OTHER]]
// CHECK-DAG: #[[LINE:.*]] = loc("net.nn":4:7)
// CHECK-DAG: #[[CALLED:.*]] = loc("layers.nn":8:1)
// CHECK-DAG: loc(fused<#[[KERNEL]]>[#[[LINE]]])
// CHECK-DAG: loc(fused<#[[BLOCK]]>[#[[CALLED]]])
// CHECK-DAG: #[[NOWHERE:.*]] = loc(unknown)
// CHECK-DAG: } loc(#[[NOWHERE]])
gpu.module @kernels {
  llvm.func @kernel(%n: i64) attributes {gpu.kernel, nvvm.kernel} {
    %0 = llvm.add %n, %n : i64 loc(fused["x", "/home/somebody/net.nn":4:7])
    %1 = llvm.add %0, %n : i64 loc(callsite("/lib/layers.nn":8:1 at "/home/somebody/net.nn":5:1))
    llvm.return loc(unknown)
  } loc("/home/somebody/net.nn":3:1)
  // Nowhere in a program: no lines.
  llvm.func @other() {
    llvm.return
  } loc(unknown)
}
