// Operations that are equal but for their buffers become calls of one function.
// RUN: nnc-opt %s --codegen-share-kernels | FileCheck %s

#map = affine_map<(i) -> (i)>

// The calls stand where the operations stood; a view may start anywhere.
// CHECK-LABEL: func.func @f
// CHECK: call @kernel.0(%arg0, %arg1, %arg3) : (memref<64xf32>, memref<64xf32>, f32) -> ()
// CHECK: %[[VIEW:.*]] = memref.cast %{{.*}} : memref<64xf32, strided<[1], offset: 64>> to memref<64xf32, strided<[1], offset: ?>>
// CHECK: call @kernel.1(%[[VIEW]], %arg0)
// CHECK: linalg.generic {{.*}}ins(%arg0, %arg0 :
// CHECK: math.log
func.func @f(%x: memref<64xf32>, %y: memref<64xf32>, %z: memref<128xf32>, %scale: f32) {
  linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.mulf %a, %scale : f32
      linalg.yield %r : f32
  }
  %view = memref.subview %z[64] [64] [1] : memref<128xf32> to memref<64xf32, strided<[1], offset: 64>>
  linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%view : memref<64xf32, strided<[1], offset: 64>>) outs(%x : memref<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = math.exp %a : f32
      linalg.yield %r : f32
  }
  // This one there is once.
  linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
      ins(%x, %x : memref<64xf32>, memref<64xf32>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = math.log %a : f32
      linalg.yield %r : f32
  }
  return
}

// CHECK-LABEL: func.func @g
// CHECK: scf.for
// CHECK: call @kernel.1
// CHECK: call @kernel.0(%arg1, %arg0, %arg3)
func.func @g(%x: memref<64xf32>, %y: memref<64xf32>, %z: memref<192xf32>, %other: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %view = memref.subview %z[128] [64] [1] : memref<192xf32> to memref<64xf32, strided<[1], offset: 128>>
  scf.for %i = %c0 to %n step %c1 {
    linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
        ins(%view : memref<64xf32, strided<[1], offset: 128>>) outs(%x : memref<64xf32>) {
      ^bb0(%a: f32, %o: f32):
        %r = math.exp %a : f32
        linalg.yield %r : f32
    }
  }
  linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%y : memref<64xf32>) outs(%x : memref<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.mulf %a, %other : f32
      linalg.yield %r : f32
  }
  return
}

// A fill that an operation starts from goes with it; another number is another function.
// CHECK-LABEL: func.func @sums
// CHECK-NOT: linalg.fill
// CHECK: call @kernel.2
// CHECK: call @kernel.2
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK: return
func.func @sums(%x: memref<64xf32>, %y: memref<64xf32>, %a: memref<f32>, %b: memref<f32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<f32>)
  linalg.generic {indexing_maps = [#map, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%x : memref<64xf32>) outs(%a : memref<f32>) {
    ^bb0(%v: f32, %o: f32):
      %s = arith.addf %o, %v : f32
      linalg.yield %s : f32
  }
  linalg.fill ins(%zero : f32) outs(%b : memref<f32>)
  linalg.generic {indexing_maps = [#map, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%y : memref<64xf32>) outs(%b : memref<f32>) {
    ^bb0(%v: f32, %o: f32):
      %s = arith.addf %o, %v : f32
      linalg.yield %s : f32
  }
  linalg.fill ins(%one : f32) outs(%b : memref<f32>)
  linalg.generic {indexing_maps = [#map, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%x : memref<64xf32>) outs(%b : memref<f32>) {
    ^bb0(%v: f32, %o: f32):
      %s = arith.addf %o, %v : f32
      linalg.yield %s : f32
  }
  return
}

// Two outputs in one buffer start from one fill, and the second has the last word.
// CHECK-LABEL: func.func @overwrites
// CHECK-NOT: linalg.fill
// CHECK: call @kernel.3(%arg0, %arg2, %arg2)
// CHECK: call @kernel.3(%arg1, %arg3, %arg3)
// CHECK: return
func.func @overwrites(%x: memref<64xf32>, %y: memref<64xf32>, %a: memref<64xf32>, %b: memref<64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<64xf32>)
  linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
      ins(%x : memref<64xf32>) outs(%a, %a : memref<64xf32>, memref<64xf32>) {
    ^bb0(%v: f32, %o: f32, %p: f32):
      %s = arith.addf %o, %v : f32
      %t = math.sqrt %s : f32
      linalg.yield %s, %t : f32, f32
  }
  linalg.fill ins(%zero : f32) outs(%b : memref<64xf32>)
  linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
      ins(%y : memref<64xf32>) outs(%b, %b : memref<64xf32>, memref<64xf32>) {
    ^bb0(%v: f32, %o: f32, %p: f32):
      %s = arith.addf %o, %v : f32
      %t = math.sqrt %s : f32
      linalg.yield %s, %t : f32, f32
  }
  return
}

// CHECK: func.func private @kernel.0(%[[IN:.*]]: memref<64xf32>, %[[OUT:.*]]: memref<64xf32>, %[[SCALE:.*]]: f32) attributes {llvm.linkage = #llvm.linkage<internal>}
// CHECK: linalg.generic {{.*}}ins(%[[IN]] : memref<64xf32>) outs(%[[OUT]] : memref<64xf32>)
// CHECK: arith.mulf %{{.*}}, %[[SCALE]]
// CHECK: func.func private @kernel.1(%{{.*}}: memref<64xf32, strided<[1], offset: ?>>, %{{.*}}: memref<64xf32>)
// CHECK: math.exp
// CHECK: func.func private @kernel.2
// CHECK: linalg.fill
// CHECK-NEXT: linalg.generic
// CHECK: func.func private @kernel.3
// CHECK: linalg.fill
// CHECK-NOT: linalg.fill
// CHECK: linalg.generic
