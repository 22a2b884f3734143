// All dialects become LLVM's in one conversion, and no cast between them is left.
// RUN: nnc-opt %s --convert-scf-to-cf --codegen-convert-to-llvm | FileCheck %s --implicit-check-not=unrealized_conversion_cast

// CHECK-LABEL: llvm.func @f(
// CHECK: llvm.br ^[[HEADER:bb[0-9]+]](%{{.*}} : i64)
// CHECK: ^[[HEADER]](%[[I:.*]]: i64):
// CHECK: llvm.cond_br
// CHECK: llvm.getelementptr {{.*}}[%[[I]]]
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.intr.fma
// CHECK: llvm.store
// CHECK: llvm.return
func.func @f(%x: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %n step %c8 {
    %v = vector.load %x[%i] : memref<?xf32>, vector<8xf32>
    %r = math.fma %v, %v, %v : vector<8xf32>
    vector.store %r, %x[%i] : memref<?xf32>, vector<8xf32>
  }
  return
}

// A mask is a comparison with the lanes' numbers, a slice a shuffle, and a division that rounds down made of
// one that does not.
// CHECK-LABEL: llvm.func @g(
// CHECK: llvm.sdiv
// CHECK: llvm.icmp {{.*}} : vector<8xi
// CHECK: llvm.intr.masked.load
// CHECK: llvm.shufflevector
func.func @g(%x: memref<?xf32>, %n: index, %rest: vector<8xf32>) -> vector<4xf32> {
  %c8 = arith.constant 8 : index
  %i = arith.floordivsi %n, %c8 : index
  %mask = vector.create_mask %n : vector<8xi1>
  %v = vector.maskedload %x[%i], %mask, %rest : memref<?xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  %low = vector.extract_strided_slice %v {offsets = [0], sizes = [4], strides = [1]} : vector<8xf32> to vector<4xf32>
  return %low : vector<4xf32>
}
