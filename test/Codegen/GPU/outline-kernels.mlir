// RUN: nnc-opt %s --codegen-gpu-outline-kernels --canonicalize --cse | FileCheck %s

// CHECK: module attributes {gpu.container_module}

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[X:.*]]: memref<?x4xf32>, %[[Y:.*]]: memref<8xf32>, %[[FACTOR:.*]]: f32)
// CHECK: %[[BASE:.*]], %{{.*}}, %[[SIZES:.*]]:2, %{{.*}}:2 = memref.extract_strided_metadata %[[X]]
// CHECK: gpu.launch_func @kernels::@f_0 blocks in (%c2, %c1, %c1) threads in (%c64, %c1, %c1)
// CHECK-SAME: args(%[[BASE]] : memref<f32>, %[[SIZES]]#0 : index, %[[FACTOR]] : f32, %[[Y]] : memref<8xf32>)
func.func @f(%x: memref<?x4xf32>, %y: memref<8xf32>, %factor: f32) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c2, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %0 = memref.load %x[%bx, %tx] : memref<?x4xf32>
    %1 = arith.mulf %0, %factor : f32
    memref.store %1, %y[%tx] : memref<8xf32>
    gpu.terminator
  }
  return
}

// What is read from a buffer that nothing writes is read in the kernel, and a view that it places made there.
// CHECK-LABEL: func.func @g(
// CHECK-NEXT: arith.constant
// CHECK-NEXT: arith.constant
// CHECK-NEXT: gpu.launch_func @kernels::@g_0 {{.*}} args(%{{.*}} : memref<8x64xf32>, %{{.*}} : memref<2xindex>)
func.func @g(%places: memref<2xindex>, %y: memref<8x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %place = memref.load %places[%c0] : memref<2xindex>
  %next = arith.addi %place, %c1 : index
  %row = memref.subview %y[%next, 0] [1, 64] [1, 1] : memref<8x64xf32> to memref<64xf32, strided<[1], offset: ?>>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    memref.store %zero, %row[%tx] : memref<64xf32, strided<[1], offset: ?>>
    gpu.terminator
  }
  return
}

// What describes a tensor is a parameter that is known by its alignment; the kernel is given the buffer as well. Memory is
// aligned as far as its size is. A launch may say how many blocks a multiprocessor is to have.
// CHECK-LABEL: func.func @h(
// CHECK-SAME: %[[X:.*]]: memref<64x64xf16>)
// CHECK: %[[MAP:.*]] = nvgpu.tma.create.descriptor
// CHECK: %[[POINTER:.*]] = builtin.unrealized_conversion_cast %[[MAP]] : {{.*}} to !llvm.ptr
// CHECK: gpu.launch_func @kernels::@h_0 {{.*}} args(%[[POINTER]] : !llvm.ptr, %[[X]] : memref<64x64xf16>)
!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xf16, #gpu.address_space<workgroup>>, swizzle = swizzle_128b, l2promo = l2promo_128b, oob = zero, interleave = none>
!barriers = !nvgpu.mbarrier.group<memorySpace = #gpu.address_space<workgroup>, num_barriers = 1>
func.func @h(%x: memref<64x64xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %open = memref.cast %x : memref<64x64xf16> to memref<*xf16>
  %map = nvgpu.tma.create.descriptor %open box[%c64, %c64] : memref<*xf16> -> !map
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1)
      workgroup(%small: memref<3x4xf32, #gpu.address_space<workgroup>>, %shared: memref<64x64xf16, #gpu.address_space<workgroup>>) {
    %barriers = nvgpu.mbarrier.create -> !barriers
    nvgpu.tma.async.load %map[%c0, %c0], %barriers[%c0] to %shared : !map, !barriers -> memref<64x64xf16, #gpu.address_space<workgroup>>
    gpu.terminator
  } {nvvm.minctasm = 1 : i32}
  return
}

// CHECK: gpu.module @kernels
// CHECK: gpu.func @f_0(%[[BASE:.*]]: memref<f32>, %[[SIZE:.*]]: index, %[[FACTOR:.*]]: f32, %[[Y:.*]]: memref<8xf32>)
// CHECK-SAME: kernel attributes {known_block_size = array<i32: 64, 1, 1>, nvvm.minctasm = 2 : i32}
// CHECK: %[[X:.*]] = memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [%[[SIZE]], 4], strides: [4, 1]
// CHECK: %[[BX:.*]] = gpu.block_id x
// CHECK: %[[TX:.*]] = gpu.thread_id x
// CHECK: memref.load %[[X]][%[[BX]], %[[TX]]]
// CHECK: gpu.return
// CHECK: gpu.func @g_0(%[[Y:.*]]: memref<8x64xf32>, %[[PLACES:.*]]: memref<2xindex>)
// CHECK: %[[PLACE:.*]] = memref.load %[[PLACES]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[PLACE]]
// CHECK: memref.subview %[[Y]][%[[NEXT]], 0]
// CHECK: gpu.func @h_0(%[[MAP:.*]]: !llvm.ptr {llvm.align = 128 : i64}, %{{.*}}: memref<64x64xf16>)
// CHECK-SAME: workgroup(%{{.*}} : memref<3x4xf32, #gpu.address_space<workgroup>> {llvm.align = 16 : i64}, %{{.*}} : memref<64x64xf16, #gpu.address_space<workgroup>> {llvm.align = 1024 : i64})
// CHECK-SAME: nvvm.minctasm = 1 : i32
// CHECK: %[[TENSOR:.*]] = builtin.unrealized_conversion_cast %[[MAP]]
// CHECK: nvgpu.tma.async.load %[[TENSOR]]
