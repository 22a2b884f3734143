// RUN: nnc-opt %s --codegen-gpu-map-kernels --canonicalize --cse | FileCheck %s

#identity = affine_map<(d0, d1) -> (d0, d1)>
#rows = affine_map<(d0, d1) -> (d0)>
#columns = affine_map<(d0, d1) -> (d1)>
#scalar = affine_map<(d0, d1) -> ()>

// One thread an element.
// CHECK-LABEL: func.func @elements(
// CHECK-SAME: %[[X:.*]]: memref<?x7xf32>, %[[Y:.*]]: memref<?x7xf64>
// CHECK: %[[N:.*]] = arith.muli
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[N]], %c256
// CHECK: gpu.launch blocks(%[[BX:[a-z0-9]*]], {{.*}}) in (%{{.*}} = %[[BLOCKS]],
// CHECK-SAME: threads(%[[TX:[a-z0-9]*]], {{.*}}) in (%{{.*}} = %c256, %{{.*}} = %c1,
// CHECK: %[[FIRST:.*]] = arith.muli %[[BX]], %c256
// CHECK: %[[I:.*]] = arith.addi %[[FIRST]], %[[TX]]
// CHECK: %[[EXISTS:.*]] = arith.cmpi ult, %[[I]], %[[N]]
// CHECK: scf.if %[[EXISTS]]
// CHECK: %[[COLUMN:.*]] = arith.remui %[[I]], %c7
// CHECK: %[[ROW:.*]] = arith.divui %[[I]], %c7
// CHECK: memref.load %[[X]][%[[ROW]], %[[COLUMN]]]
// CHECK: arith.extf
// CHECK: memref.store %{{.*}}, %[[Y]][%[[ROW]], %[[COLUMN]]]
func.func @elements(%x: memref<?x7xf32>, %y: memref<?x7xf64>, %b: memref<7xf32>) {
  linalg.generic {indexing_maps = [#identity, #columns, #identity], iterator_types = ["parallel", "parallel"]}
      ins(%x, %b : memref<?x7xf32>, memref<7xf32>) outs(%y : memref<?x7xf64>) {
  ^bb0(%in: f32, %bias: f32, %out: f64):
    %0 = arith.addf %in, %bias : f32
    %1 = arith.extf %0 : f32 to f64
    linalg.yield %1 : f64
  }
  return
}

// Four neighbours a thread where there are many; the matrix is one long row, of which less may be left.
// CHECK-LABEL: func.func @vectors(
// CHECK: %[[X:.*]] = memref.collapse_shape %{{.*}} {{\[\[}}0, 1]]
// CHECK: %[[Y:.*]] = memref.collapse_shape
// CHECK: %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[N]], %c1024
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %[[BLOCKS]],
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %c4
// CHECK: scf.if
// CHECK: %[[FOUR:.*]] = vector.load %[[X]][%[[FIRST]]] {alignment = 16 : i64}
// CHECK: vector.extract %[[FOUR]][3]
// CHECK-COUNT-4: arith.negf
// CHECK: %[[RESULTS:.*]] = vector.from_elements
// CHECK: vector.store %[[RESULTS]], %[[Y]][%[[FIRST]]] {alignment = 16 : i64}
// CHECK: } else {
// CHECK: scf.for %[[I:.*]] = %[[FIRST]] to %[[N]]
// CHECK: memref.store %{{.*}}, %[[Y]][%[[I]]]
func.func @vectors(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}

// A warp a row: 8 rows a block, five shuffles, no memory.
// CHECK-LABEL: func.func @rowSums
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %{{.*}}, %c8
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %[[BLOCKS]]
// CHECK-NOT: workgroup
// CHECK: %[[LANE:.*]] = arith.remui %{{.*}}, %c32
// CHECK: scf.for %{{.*}} = %[[LANE]] to %{{.*}} step %c32 iter_args(%{{.*}} = %cst)
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: scf.if
// CHECK: memref.store
func.func @rowSums(%x: memref<?x512xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#identity, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x512xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// Neighbouring threads read neighbouring columns; eight sum the rows of each.
// CHECK-LABEL: func.func @columnSums
// CHECK: gpu.launch {{.*}} workgroup(%[[MEMORY:.*]] : memref<8x32xf32, #gpu.address_space<workgroup>>)
// CHECK: scf.for {{.*}} step %c8
// CHECK-NOT: gpu.shuffle
// CHECK: memref.store %{{.*}}, %[[MEMORY]]
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %c1 to %c8
func.func @columnSums(%x: memref<?x512xf32>, %y: memref<512xf32>) {
  linalg.generic {indexing_maps = [#identity, #columns], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<?x512xf32>) outs(%y : memref<512xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// One sum is all of a block's: warps leave theirs in its memory.
// CHECK-LABEL: func.func @total
// CHECK: gpu.launch {{.*}} workgroup(%[[MEMORY:.*]] : memref<8x1xf32, #gpu.address_space<workgroup>>)
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: gpu.barrier
func.func @total(%x: memref<?x?xf32>, %y: memref<f32>) {
  linalg.generic {indexing_maps = [#identity, #scalar], iterator_types = ["reduction", "reduction"]}
      ins(%x : memref<?x?xf32>) outs(%y : memref<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %out, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// Which of equal elements is found depends on the order: one thread looks at a row from its start.
// CHECK-LABEL: func.func @positionOfMost
// CHECK-NOT: gpu.shuffle
// CHECK-NOT: gpu.barrier
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (f32, i64)
func.func @positionOfMost(%x: memref<?x512xf32>, %y: memref<?xf32>, %at: memref<?xi64>) {
  linalg.generic {indexing_maps = [#identity, #rows, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x512xf32>) outs(%y, %at : memref<?xf32>, memref<?xi64>) {
  ^bb0(%in: f32, %out: f32, %place: i64):
    %0 = arith.cmpf ogt, %in, %out : f32
    %1 = linalg.index 1 : index
    %2 = arith.index_cast %1 : index to i64
    %3 = arith.select %0, %in, %out : f32
    %4 = arith.select %0, %2, %place : i64
    linalg.yield %3, %4 : f32, i64
  }
  return
}

// What a loop reads says where it writes: a thread for each element of the buffer runs it, and waits for its turn.
// CHECK-LABEL: func.func @scatter(
// CHECK-SAME: %[[PLACES:.*]]: memref<?xindex>, %{{.*}}: memref<?x64xf32>, %[[Y:.*]]: memref<10x64xf32>)
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c3,
// CHECK: %[[I:.*]] = arith.addi
// CHECK: %[[COLUMN:.*]] = arith.remui %[[I]], %c64
// CHECK: %[[ROW:.*]] = arith.remui %{{.*}}, %c10
// CHECK: scf.for
// CHECK: %[[PLACE:.*]] = memref.load %[[PLACES]]
// CHECK: %[[TO:.*]] = memref.subview %[[Y]][%[[PLACE]], 0]
// CHECK: %[[TURN:.*]] = arith.cmpi eq, %[[PLACE]], %[[ROW]]
// CHECK: scf.if %[[TURN]]
// CHECK: memref.store %{{.*}}, %[[TO]][%[[COLUMN]]]
func.func @scatter(%places: memref<?xindex>, %x: memref<?x64xf32>, %y: memref<10x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %places, %c0 : memref<?xindex>
  scf.for %i = %c0 to %n step %c1 {
    %place = memref.load %places[%i] : memref<?xindex>
    %from = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<?x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    %to = memref.subview %y[%place, 0] [1, 64] [1, 1] : memref<10x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        ins(%from : memref<64xf32, strided<[1], offset: ?>>) outs(%to : memref<64xf32, strided<[1], offset: ?>>) {
    ^bb0(%in: f32, %out: f32):
      %0 = arith.addf %out, %in : f32
      linalg.yield %0 : f32
    }
  }
  return
}

// Where the loop also reads what it wrote, one block runs it: its threads share the operations, and wait for each
// other around each.
// CHECK-LABEL: func.func @scatterAndRead(
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c1,
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK: scf.for {{.*}} step %c256
// CHECK: memref.store
// CHECK: gpu.barrier
func.func @scatterAndRead(%places: memref<?xindex>, %y: memref<10x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %places, %c0 : memref<?xindex>
  scf.for %i = %c0 to %n step %c1 {
    %place = memref.load %places[%i] : memref<?xindex>
    %from = memref.subview %y[3, 0] [1, 64] [1, 1] : memref<10x64xf32> to memref<64xf32, strided<[1], offset: 192>>
    %to = memref.subview %y[%place, 0] [1, 64] [1, 1] : memref<10x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        ins(%from : memref<64xf32, strided<[1], offset: 192>>) outs(%to : memref<64xf32, strided<[1], offset: ?>>) {
    ^bb0(%in: f32, %out: f32):
      %0 = arith.addf %out, %in : f32
      linalg.yield %0 : f32
    }
  }
  return
}

// A loop around what is placed by its own number stays on the host.
// CHECK-LABEL: func.func @steps
// CHECK: scf.for
// CHECK: memref.subview
// CHECK: gpu.launch
// CHECK-NOT: scf.for
func.func @steps(%n: index, %y: memref<?x64xf32>, %zero: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %to = memref.subview %y[%i, 0] [1, 64] [1, 1] : memref<?x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    linalg.fill ins(%zero : f32) outs(%to : memref<64xf32, strided<[1], offset: ?>>)
  }
  return
}

// Loops over scalars: iterations that have their own rows go to threads, the sum along a row stays a loop.
// CHECK-LABEL: func.func @runningSums(
// CHECK-SAME: %{{.*}}: memref<?x8x20xf32>, %[[Y:.*]]: memref<?x8x20xf32>, %[[N:.*]]: index)
// CHECK: %[[TOTAL:.*]] = arith.muli %[[N]], %c8
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[TOTAL]], %c32
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %[[BLOCKS]],
// CHECK: %[[J:.*]] = arith.remui %{{.*}}, %c8
// CHECK: %[[REST:.*]] = arith.divui %{{.*}}, %c8
// CHECK: %[[I:.*]] = arith.remui %[[REST]], %[[N]]
// CHECK: scf.for {{.*}} = %c0 to %c20 step %c1 iter_args
func.func @runningSums(%x: memref<?x8x20xf32>, %y: memref<?x8x20xf32>, %n: index) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c20 = arith.constant 20 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %c8 step %c1 {
      %total = scf.for %k = %c0 to %c20 step %c1 iter_args(%sum = %zero) -> (f32) {
        %0 = memref.load %x[%i, %j, %k] : memref<?x8x20xf32>
        %1 = arith.addf %sum, %0 : f32
        memref.store %1, %y[%i, %j, %k] : memref<?x8x20xf32>
        scf.yield %1 : f32
      }
    }
  }
  return
}

// One thread, where what an iteration writes the next one may read.
// CHECK-LABEL: func.func @recurrence(
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c1, {{.*}}) threads(%[[TX:[a-z0-9]*]],
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[TX]], %c0
// CHECK: scf.if %[[FIRST]]
// CHECK: scf.for
func.func @recurrence(%y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %0 = memref.load %y[%i] : memref<?xf32>
    %next = arith.addi %i, %c1 : index
    memref.store %0, %y[%next] : memref<?xf32>
  }
  return
}
