// RUN: nnc-opt %s --codegen-gpu-buffer-bytes | FileCheck %s

// CHECK-LABEL: func.func @entry(
// CHECK-DAG: func.func @entry_bytes_0(%[[N:.*]]: index {nn.symbol = "N"}) -> i64 attributes {nn.symbols = ["N"]}
// CHECK-DAG: func.func @entry_bytes_2(%{{.*}}: index {nn.symbol = "N"}) -> i64
// CHECK-DAG: arith.constant 10 : index
// CHECK-DAG: arith.constant 12 : index
func.func @entry(%x: memref<?x3xf32> {nn.buffer = 0, nn.shape = ["N", 3]},
                 %n: index {nn.symbol = "N"},
                 %y: memref<5xbf16> {nn.buffer = 2, nn.shape = [5]}) attributes {nn.symbols = ["N"]} {
  return
}

// Functions that no C program calls have no buffers of its.
// CHECK-LABEL: func.func private @part
// CHECK-NOT: @part_bytes
func.func private @part(%x: memref<3xf32> {nn.buffer = 0}) {
  return
}
