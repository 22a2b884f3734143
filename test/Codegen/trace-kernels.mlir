// Each kernel lies between two calls that say its number; a fill that a kernel starts from is none.
// RUN: nnc-opt %s --codegen-trace-kernels | FileCheck %s
// Equal kernels are shared all the same.
// RUN: nnc-opt %s --codegen-trace-kernels --codegen-share-kernels | FileCheck %s --check-prefix=SHARED

#map = affine_map<(i) -> (i)>
#sum = affine_map<(i) -> ()>

// CHECK-LABEL: func.func @f
// CHECK-NOT:   call
// CHECK:       linalg.fill
// CHECK:       %[[FIRST:.*]] = arith.constant 0 : i64
// CHECK:       call @nnc_trace_begin(%[[FIRST]])
// CHECK-NEXT:  linalg.generic
// CHECK:       call @nnc_trace_end(%[[FIRST]])
// CHECK:       linalg.fill
// CHECK:       %[[SECOND:.*]] = arith.constant 1 : i64
// CHECK:       call @nnc_trace_begin(%[[SECOND]])
// CHECK:       call @nnc_trace_end(%[[SECOND]])
// CHECK:       %[[THIRD:.*]] = arith.constant 2 : i64
// CHECK:       call @nnc_trace_begin(%[[THIRD]])
// CHECK-NEXT:  linalg.fill
// CHECK:       call @nnc_trace_end(%[[THIRD]])
// CHECK:       func.func private @nnc_trace_begin(i64)
// CHECK:       func.func private @nnc_trace_end(i64)

// SHARED:      call @nnc_trace_begin(%c0
// SHARED-NEXT: call @kernel.0
// SHARED-NEXT: call @nnc_trace_end(%c0
// SHARED:      call @nnc_trace_begin(%c1
// SHARED-NEXT: call @kernel.0
// SHARED-NEXT: call @nnc_trace_end(%c1
func.func @f(%x: memref<64xf32>, %s: memref<f32>, %t: memref<f32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%s : memref<f32>)
  linalg.generic {indexing_maps = [#map, #sum], iterator_types = ["reduction"]}
      ins(%x : memref<64xf32>) outs(%s : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.addf %a, %o : f32
      linalg.yield %r : f32
  }
  linalg.fill ins(%zero : f32) outs(%t : memref<f32>)
  linalg.generic {indexing_maps = [#map, #sum], iterator_types = ["reduction"]}
      ins(%x : memref<64xf32>) outs(%t : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.addf %a, %o : f32
      linalg.yield %r : f32
  }
  linalg.fill ins(%zero : f32) outs(%x : memref<64xf32>)
  return
}
