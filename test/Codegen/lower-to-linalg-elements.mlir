// RUN: nnc-opt %s --codegen-lower-to-linalg --canonicalize --cse | FileCheck %s

// relu keeps NaN and is one instruction.
// CHECK-LABEL: func.func @relu(
// CHECK:         %[[LESS:.*]] = arith.cmpf olt, %[[X:.*]], %[[ZERO:.*]] : f32
// CHECK-NEXT:    arith.select %[[LESS]], %[[ZERO]], %[[X]] : f32
func.func @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// A small constant exponent is multiplications; another is left to the vector maths.
// CHECK-LABEL: func.func @power(
// CHECK:         %[[SQUARE:.*]] = arith.mulf %[[X:.*]], %[[X]] : f32
// CHECK-NEXT:    arith.mulf %[[X]], %[[SQUARE]] : f32
// CHECK:         math.powf
func.func @power(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %three = nn.constant dense<3.0> : tensor<f32>
  %0 = nn.pow %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = nn.pow %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// No division by zero or by -1 is executed.
// CHECK-LABEL: func.func @floor_divide(
// CHECK-DAG:     %[[BY_ZERO:.*]] = arith.cmpi eq, %[[Y:.*]], %c0_i32
// CHECK-DAG:     %[[BY_MINUS_ONE:.*]] = arith.cmpi eq, %[[Y]], %c-1_i32
// CHECK:         %[[EITHER:.*]] = arith.ori %[[BY_ZERO]], %[[BY_MINUS_ONE]]
// CHECK:         %[[DIVISOR:.*]] = arith.select %[[EITHER]], %c1_i32, %[[Y]]
// CHECK:         arith.divsi %{{.*}}, %[[DIVISOR]]
func.func @floor_divide(%x: tensor<4xi32>, %y: tensor<4xi32>) -> tensor<4xi32> {
  %0 = nn.floor_divide %x, %y : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// Only numbers within the range are converted.
// CHECK-LABEL: func.func @saturate(
// CHECK:         %[[SAFE:.*]] = arith.select %{{.*}}, %cst{{.*}}, %[[X:.*]] : f32
// CHECK:         arith.fptosi %[[SAFE]] : f32 to i32
func.func @saturate(%x: tensor<4xf32>) -> tensor<4xi32> {
  %0 = nn.cast %x {dtype = i32} : (tensor<4xf32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// bf16 is computed in f32; comparing gives bytes.
// CHECK-LABEL: func.func @short(
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<4xi8>)
// CHECK:           %[[X:.*]] = arith.extf %{{.*}} : bf16 to f32
// CHECK:           %[[Y:.*]] = arith.extf %{{.*}} : bf16 to f32
// CHECK:           %[[LESS:.*]] = arith.cmpf olt, %[[X]], %[[Y]] : f32
// CHECK:           arith.extui %[[LESS]] : i1 to i8
func.func @short(%x: tensor<4xbf16>, %y: tensor<4xbf16>) -> tensor<4xi1> {
  %0 = nn.less %x, %y : (tensor<4xbf16>, tensor<4xbf16>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}

// The first of equals, and a NaN before any number.
// CHECK-LABEL: func.func @argmax(
// CHECK:         linalg.generic {{.*}}iterator_types = ["reduction"]
// CHECK:           arith.cmpf olt, %[[BEST:.*]], %[[X:.*]] : f32
// CHECK:           arith.cmpf ord, %[[BEST]], %[[BEST]]
// CHECK:           arith.cmpf uno, %[[X]], %[[X]]
// CHECK:           linalg.index 0
func.func @argmax(%x: tensor<4xf32>) -> tensor<i64> {
  %0 = nn.argmax %x {axis = 0 : i64} : (tensor<4xf32>) -> tensor<i64>
  return %0 : tensor<i64>
}
