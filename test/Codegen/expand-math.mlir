// RUN: nnc-opt %s --codegen-expand-math=cpu=cooperlake --split-input-file | FileCheck %s

// The whole of exp: into range, n = round(x / ln 2), r = x - n ln 2, the polynomial, times 2^n in
// two halves.
// CHECK-LABEL: func @exp
// CHECK-SAME: (%[[x:.*]]: f32)
// CHECK-NOT: math.exp
// CHECK: %[[above:.*]] = arith.cmpf ogt, %{{.*}}, %[[x]]
// CHECK: %[[low:.*]] = arith.select %[[above]], %{{.*}}, %[[x]]
// CHECK: %[[below:.*]] = arith.cmpf olt, %{{.*}}, %[[low]]
// CHECK: %[[in:.*]] = arith.select %[[below]], %{{.*}}, %[[low]]
// CHECK: %[[shifted:.*]] = math.fma %[[in]], %{{.*}}, %[[shift:.*]] : f32
// CHECK: %[[n:.*]] = arith.subf %[[shifted]], %[[shift]]
// CHECK: %[[r0:.*]] = math.fma %[[n]], %{{.*}}, %[[in]]
// CHECK: %[[r:.*]] = math.fma %[[n]], %{{.*}}, %[[r0]]
// CHECK: %[[bits:.*]] = arith.bitcast %[[shifted]] : f32 to i32
// CHECK-COUNT-4: math.fma %{{.*}}, %[[r]],
// CHECK: %[[half:.*]] = arith.shrui %[[bits]]
// CHECK-COUNT-2: arith.mulf
// CHECK: return
func.func @exp(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// -----

// Scalars and vectors of any rank are written alike.
// CHECK-LABEL: func @shapes
// CHECK-NOT: math.{{exp|log|tanh}}
// CHECK: math.fma {{.*}} : f64
// CHECK: math.fma {{.*}} : vector<2x4xf32>
// CHECK: return
func.func @shapes(%x: f64, %y: vector<2x4xf32>) -> (f64, vector<2x4xf32>) {
  %0 = math.log %x : f64
  %1 = math.tanh %y : vector<2x4xf32>
  return %0, %1 : f64, vector<2x4xf32>
}

// -----

// Short floats are computed in f32.
// CHECK-LABEL: func @half
// CHECK-SAME: (%[[x:.*]]: vector<16xbf16>)
// CHECK: arith.extf %[[x]] : vector<16xbf16> to vector<16xf32>
// CHECK: %[[wide:.*]] = {{.*}} : vector<16xf32>
// CHECK: arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
func.func @half(%x: vector<16xbf16>) -> vector<16xbf16> {
  %0 = math.expm1 %x : vector<16xbf16>
  return %0 : vector<16xbf16>
}

// -----

// Small constant exponents are multiplications and roots; others go through the logarithm.
// CHECK-LABEL: func @powers
// CHECK-SAME: (%[[x:.*]]: vector<8xf32>)
// CHECK: %[[square:.*]] = arith.mulf %[[x]], %[[x]]
// CHECK: arith.mulf %[[square]], %[[x]]
// CHECK: math.sqrt
// CHECK: arith.extf %{{.*}} : vector<8xf32> to vector<8xf64>
// CHECK-NOT: math.powf
// CHECK: return
func.func @powers(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>) {
  %three = arith.constant dense<3.0> : vector<8xf32>
  %half = arith.constant dense<0.5> : vector<8xf32>
  %seven = arith.constant dense<7.0> : vector<8xf32>
  %0 = math.powf %x, %three : vector<8xf32>
  %1 = math.powf %x, %half : vector<8xf32>
  %2 = math.powf %x, %seven : vector<8xf32>
  return %0, %1, %2 : vector<8xf32>, vector<8xf32>, vector<8xf32>
}

// -----

// The only branch: past the reduction of huge angles, where there are none.
// CHECK-LABEL: func @sine
// CHECK: %[[huge:.*]] = arith.andi %{{.*}}, %{{.*}} : vector<2x8xi1>
// CHECK: %[[flat:.*]] = vector.shape_cast %[[huge]] : vector<2x8xi1> to vector<16xi1>
// CHECK: %[[any:.*]] = vector.reduction <or>, %[[flat]]
// CHECK: scf.if %[[any]] -> (vector<2x8xf32>, vector<2x8xi32>)
// CHECK: arith.muli {{.*}} : vector<2x8xi64>
// CHECK: else
// CHECK-NEXT: scf.yield
func.func @sine(%x: vector<2x8xf32>) -> vector<2x8xf32> {
  %0 = math.sin %x : vector<2x8xf32>
  return %0 : vector<2x8xf32>
}

// -----

// What is an instruction stays.
// CHECK-LABEL: func @instructions
// CHECK: math.absf
// CHECK: math.sqrt
// CHECK: math.floor
// CHECK: math.ceil
// CHECK: math.roundeven
// CHECK: math.copysign
func.func @instructions(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.absf %x : vector<8xf32>
  %1 = math.sqrt %0 : vector<8xf32>
  %2 = math.floor %1 : vector<8xf32>
  %3 = math.ceil %2 : vector<8xf32>
  %4 = math.roundeven %3 : vector<8xf32>
  %5 = math.copysign %4, %x : vector<8xf32>
  return %5 : vector<8xf32>
}

// -----

// AVX-512 multiplies by a power of two in one instruction; elsewhere two halves of it do. Where the result is 0 neither
// multiplies: it would take a hundred times as long.
// CHECK-LABEL: func.func @scaled
// CHECK: %[[IS_ZERO:.*]] = arith.cmpf olt, %arg0,
// CHECK: %[[KEPT:.*]] = arith.xori %[[IS_ZERO]],
// CHECK: %[[LANES:.*]] = llvm.bitcast %[[KEPT]] : vector<16xi1> to i16
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"({{.*}}, %[[LANES]],
// CHECK-NOT: arith.shli
// CHECK: return
func.func @scaled(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}
