// Equal loops become calls of one function, as operations do; what is equal in others becomes one still.
// RUN: nnc-opt %s --codegen-share-kernels | FileCheck %s

#map = affine_map<(i) -> (i)>

// CHECK-LABEL: func.func @f
// CHECK-SAME: %[[X:.*]]: memref<8x64xf32>, %[[Y:.*]]: memref<8x64xf32>, %[[N:.*]]: index)
// CHECK: call @kernel.0(%[[N]], %[[X]], %[[Y]])
// CHECK: call @kernel.0(%[[N]], %[[Y]], %[[X]])
// Those that step or end otherwise are others, and only what they do is the same.
// CHECK: scf.parallel
// CHECK: call @kernel.1
// CHECK: scf.parallel
// CHECK: call @kernel.1
// CHECK: return
// CHECK-LABEL: func.func private @kernel.0(
// CHECK-SAME: %[[UPPER:.*]]: index, %[[IN:.*]]: memref<8x64xf32>, %[[OUT:.*]]: memref<8x64xf32>)
// CHECK: scf.parallel (%[[I:.*]]) = (%{{.*}}) to (%[[UPPER]])
// CHECK: memref.subview %[[IN]][%[[I]], 0]
// CHECK: memref.subview %[[OUT]][%[[I]], 0]
// CHECK: func.func private @kernel.1(
// CHECK: math.exp
func.func @f(%x: memref<8x64xf32>, %y: memref<8x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %in = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    %out = memref.subview %y[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%in : memref<64xf32, strided<[1], offset: ?>>) outs(%out : memref<64xf32, strided<[1], offset: ?>>) {
      ^bb0(%a: f32, %o: f32):
        %r = math.exp %a : f32
        linalg.yield %r : f32
    }
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %in = memref.subview %y[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    %out = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%in : memref<64xf32, strided<[1], offset: ?>>) outs(%out : memref<64xf32, strided<[1], offset: ?>>) {
      ^bb0(%a: f32, %o: f32):
        %r = math.exp %a : f32
        linalg.yield %r : f32
    }
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c2) {
    %in = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    %out = memref.subview %y[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%in : memref<64xf32, strided<[1], offset: ?>>) outs(%out : memref<64xf32, strided<[1], offset: ?>>) {
      ^bb0(%a: f32, %o: f32):
        %r = math.exp %a : f32
        linalg.yield %r : f32
    }
  }
  scf.parallel (%i) = (%c0) to (%c2) step (%c1) {
    %in = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    %out = memref.subview %y[%i, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%in : memref<64xf32, strided<[1], offset: ?>>) outs(%out : memref<64xf32, strided<[1], offset: ?>>) {
      ^bb0(%a: f32, %o: f32):
        %r = math.exp %a : f32
        linalg.yield %r : f32
    }
  }
  return
}
