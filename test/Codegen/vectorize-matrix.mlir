// Products of bf16 and of bytes that were written in words: on the matrix unit, or on vectors where the system refuses it.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=sapphirerapids}),codegen-vectorize{cpu=sapphirerapids},canonicalize,cse)' | FileCheck %s

#left = affine_map<(m, n, k) -> (m, k)>
#right = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Two tiles by two, steps of 32 terms; then each row of sums is stored.
// CHECK-LABEL: func.func @square
// CHECK: %[[MEMORY:.*]] = llvm.alloca %{{.*}} x i8 {alignment = 64
// CHECK: %[[ALLOWED:.*]] = llvm.call @nnc.matrix_permission() : () -> i1
// CHECK: scf.if %[[ALLOWED]]
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c32
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// CHECK-NOT: tileloaddt164
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-NOT: tdpbf16ps
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK: scf.for
// CHECK-COUNT-2: llvm.load %{{.*}} {alignment = 64 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK-COUNT-2: vector.store
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"
// CHECK: } else {
// CHECK-NOT: call_intrinsic
// CHECK: return
func.func @square(%a: memref<64x64xbf16>, %b: memref<64x64xbf16>, %c: memref<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x64xbf16>, memref<64x64xbf16>) outs(%c : memref<64x64xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// A tile of the unit has as many rows as there are, and at least one; the last tile begins so early that it is
// whole.
// CHECK-LABEL: func.func @rows
// CHECK: %[[ROWS:.*]] = memref.dim %arg0
// CHECK: %[[HEIGHT:.*]] = arith.minui %[[ROWS]], %c32
// CHECK: %[[UNIT:.*]] = arith.minui %[[ROWS]], %c16
// CHECK: arith.subi %[[HEIGHT]], %[[UNIT]]
// CHECK: arith.maxui %[[UNIT]], %c1
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %c32
// CHECK: %[[LAST:.*]] = arith.subi %[[ROWS]], %[[HEIGHT]]
// CHECK: arith.minui %[[I]], %[[LAST]]
func.func @rows(%a: memref<?x64xbf16>, %b: memref<64x64xbf16>, %c: memref<?x64xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<?x64xbf16>, memref<64x64xbf16>) outs(%c : memref<?x64xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Threads that share groups of columns have their own memory for sums each. More rows than a first-level cache holds
// do not go into it.
// CHECK-LABEL: func.func @groups
// CHECK: scf.parallel
// CHECK: llvm.alloca
// CHECK: scf.if
// CHECK: llvm.x86.tileloadd64
// CHECK: llvm.x86.tileloaddt164
func.func @groups(%a: memref<64x768xbf16>, %b: memref<768x3072xbf16>, %c: memref<64x3072xf32>) {
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x768xbf16>, memref<768x3072xbf16>) outs(%c : memref<64x3072xf32>) {
    ^bb0(%x: bf16, %y: bf16, %o: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// Bytes: steps of 64 terms, sums of integers, and an instruction for each pair of signs.
// CHECK-LABEL: func.func @bytes
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbsud"
// CHECK-NOT: tdpb
// CHECK: llvm.load %{{.*}} {alignment = 64 : i64} : !llvm.ptr -> vector<16xi32>
// CHECK: } else {
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
func.func @bytes(%a: memref<64x64xi8>, %b: memref<64x64xi8>, %c: memref<64x64xi32>) {
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%c : memref<64x64xi32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x64xi8>, memref<64x64xi8>) outs(%c : memref<64x64xi32>) {
    ^bb0(%x: i8, %y: i8, %o: i32):
      %u = arith.extsi %x : i8 to i32
      %v = arith.extui %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %s = arith.addi %o, %p : i32
      linalg.yield %s : i32
  }
  return
}

// The system is asked once.
// CHECK: llvm.mlir.global internal @nnc.matrix_answer(0 : i32)
// CHECK: llvm.func internal @nnc.matrix_permission() -> i1
// CHECK: llvm.call @syscall(
