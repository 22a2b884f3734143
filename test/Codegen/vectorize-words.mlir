// Words of bytes are multiplied by one instruction for all lanes; where it wants other signs, the left factors are moved
// by 128, and what that adds to each column is one more row of sums, taken off in the end.
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=cascadelake}),codegen-vectorize{cpu=cascadelake},canonicalize,cse)' | FileCheck %s
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=x86-64-v3}),codegen-vectorize{cpu=x86-64-v3},canonicalize,cse)' | FileCheck %s --check-prefix=PAIRS
// RUN: nnc-opt %s --pass-pipeline='builtin.module(func.func(codegen-prepare-kernels{cpu=neoverse-n1}),codegen-vectorize{cpu=neoverse-n1},canonicalize,cse)' | FileCheck %s --check-prefix=ARM

#left = affine_map<(m, n, k) -> (m, k)>
#right = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @mixed
// CHECK: scf.for
// CHECK: %[[BYTES:.*]] = vector.load %arg0{{.*}} : memref<28x64xi8>, vector<4xi8>
// CHECK: %[[WORD:.*]] = vector.bitcast %[[BYTES]] : vector<4xi8> to vector<1xi32>
// CHECK: %[[ALL:.*]] = vector.broadcast %[[WORD]] : vector<1xi32> to vector<16xi32>
// CHECK: %[[LEFT:.*]] = vector.bitcast %[[ALL]]
// CHECK-COUNT-28: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: vpdpbusd
// CHECK-NOT: arith.subi
// CHECK: vector.store
// PAIRS-LABEL: func.func @mixed
// PAIRS: vector.load {{.*}}, vector<2xi16>
// PAIRS: %[[PRODUCTS:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// PAIRS: arith.addi %{{.*}}, %[[PRODUCTS]]
// ARM-LABEL: func.func @mixed
// ARM: arith.xori
// ARM: llvm.call_intrinsic "llvm.aarch64.neon.sdot"
// ARM: arith.subi
func.func @mixed(%a: memref<28x64xi8>, %b: memref<64x32xi8>, %c: memref<28x32xi32>) {
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%c : memref<28x32xi32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<28x64xi8>, memref<64x32xi8>) outs(%c : memref<28x32xi32>) {
    ^bb0(%x: i8, %y: i8, %o: i32):
      %u = arith.extui %x : i8 to i32
      %v = arith.extsi %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %s = arith.addi %o, %p : i32
      linalg.yield %s : i32
  }
  return
}

// 13 rows and that of what is taken off.
// CHECK-LABEL: func.func @alike
// CHECK: arith.xori %{{.*}}, %cst{{.*}} : vector<16xi32>
// CHECK-COUNT-28: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: vpdpbusd
// CHECK-COUNT-26: arith.subi %{{.*}} : vector<16xi32>
// CHECK-NOT: arith.subi
// CHECK: vector.store
// PAIRS-LABEL: func.func @alike
// PAIRS-NOT: arith.xori
// ARM-LABEL: func.func @alike
// ARM-NOT: arith.xori
// ARM: llvm.call_intrinsic "llvm.aarch64.neon.sdot"
func.func @alike(%a: memref<26x64xi8>, %b: memref<64x32xi8>, %c: memref<26x32xi32>) {
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%c : memref<26x32xi32>)
  linalg.generic {indexing_maps = [#left, #right, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<26x64xi8>, memref<64x32xi8>) outs(%c : memref<26x32xi32>) {
    ^bb0(%x: i8, %y: i8, %o: i32):
      %u = arith.extsi %x : i8 to i32
      %v = arith.extsi %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %s = arith.addi %o, %p : i32
      linalg.yield %s : i32
  }
  return
}
