// RUN: nnc-opt %s --codegen-gpu-emulate-launches | FileCheck %s
// RUN: not nnc-opt %S/Inputs/not-emulated.mlir --codegen-gpu-emulate-launches 2>&1 | FileCheck %s --check-prefix ERROR

// CHECK: llvm.mlir.global internal constant @kernels.k.place("net.nn:4:3\00")
// CHECK: llvm.mlir.global internal constant @kernels.k.name("k\00")

// CHECK-LABEL: func.func @f(
// CHECK: call @nnc_emulated_launch(
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%{{.*}}) step (%{{.*}}) {
// CHECK-NEXT: func.call @kernels.k(%{{.*}}) : (memref<8xf32>) -> ()

// CHECK-NOT: gpu.
// CHECK: func.func private @kernels.k(%[[X:.*]]: memref<8xf32>)
// CHECK: call @nnc_emulated_shared({{.*}}) : (i64) -> !llvm.ptr
// CHECK: %[[WHICH:.*]] = arith.constant 0 : i32
// CHECK: call @nnc_emulated_number(%[[WHICH]]) : (i32) -> i64
// CHECK: call @nnc_emulated_access(
// CHECK-NEXT: memref.load %[[X]]
// CHECK: call @nnc_emulated_shuffle(
// CHECK: call @nnc_emulated_barrier(
// CHECK: call @nnc_emulated_access(
// CHECK-NEXT: memref.store %{{.*}}, %{{.*}} : memref<8xf32>
// A thread of a warpgroup has names of sums, until it waits for what it asked for.
// CHECK: func.func private @kernels.products(
// CHECK: call @nnc_emulated_sum_fence()
// CHECK: llvm.store %{{.*}}, %[[SUMS:.*]] : !llvm.struct<(f32, f32, f32, f32)>, !llvm.ptr
// CHECK: call @nnc_emulated_shared_product(%{{.*}}, %[[SUMS]])
// CHECK: %[[NAMES:.*]] = llvm.load %[[SUMS]]
// CHECK: call @nnc_emulated_product_group()
// CHECK: call @nnc_emulated_product_wait(
// CHECK: %[[NAME:.*]] = llvm.extractvalue %[[NAMES]][0]
// CHECK: %[[SUM:.*]] = call @nnc_emulated_shared_sum(%[[NAME]],
// CHECK: memref.store %[[SUM]]

// Barriers in shared memory are numbers, the first of the second group the third.
// CHECK: func.func private @kernels.tensors(%[[MAP:.*]]: !llvm.ptr)
// CHECK: call @nnc_emulated_signal_init(
// CHECK: call @nnc_emulated_expect(
// CHECK: call @nnc_emulated_tensor_copy(%{{.*}}, %[[MAP]],
// CHECK: %[[THIRD:.*]] = arith.constant 2 : i32
// CHECK: %[[SIGNAL:.*]] = arith.addi %{{.*}}, %[[THIRD]]
// CHECK: call @nnc_emulated_arrive(%[[SIGNAL]])
// CHECK: call @nnc_emulated_signal_wait(
!bar = !nvgpu.mbarrier.group<memorySpace = #gpu.address_space<workgroup>, num_barriers = 2>
!map = !nvgpu.tensormap.descriptor<tensor = memref<8x64xbf16, #gpu.address_space<workgroup>>, swizzle = swizzle_128b, l2promo = l2promo_128b, oob = zero, interleave = none>
module attributes {gpu.container_module} {
  func.func @f(%x: memref<8xf32>, %n: index) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @kernels::@k blocks in (%n, %c1, %c1) threads in (%c32, %c1, %c1) args(%x : memref<8xf32>) loc("net.nn":4:3)
    return
  }
  gpu.module @kernels {
    gpu.func @k(%x: memref<8xf32>) workgroup(%shared: memref<8xf32, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %i = gpu.thread_id x
      %0 = memref.load %x[%i] : memref<8xf32>
      %c16 = arith.constant 16 : i32
      %c32 = arith.constant 32 : i32
      %1, %valid = gpu.shuffle xor %0, %c16, %c32 : f32
      gpu.barrier
      memref.store %1, %shared[%i] : memref<8xf32, #gpu.address_space<workgroup>>
      gpu.return
    }
    gpu.func @products(%left: i64, %right: i64, %y: memref<f32>) kernel {
      %zero = llvm.mlir.zero : !llvm.struct<(f32, f32, f32, f32)>
      nvvm.wgmma.fence.aligned
      %sums = nvvm.wgmma.mma_async %left, %right, %zero, <m = 64, n = 8, k = 16>, D[<f32>, <one>], A[<f16>, <one>, <row>], B[<f16>, <one>, <col>]
          : !llvm.struct<(f32, f32, f32, f32)> -> !llvm.struct<(f32, f32, f32, f32)>
      nvvm.wgmma.commit.group.sync.aligned
      nvvm.wgmma.wait.group.sync.aligned 0
      %sum = llvm.extractvalue %sums[0] : !llvm.struct<(f32, f32, f32, f32)>
      memref.store %sum, %y[] : memref<f32>
      gpu.return
    }
    gpu.func @tensors(%parameter: !llvm.ptr) workgroup(%shared: memref<8x64xbf16, #gpu.address_space<workgroup>>) kernel {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c1024 = arith.constant 1024 : index
      %even = arith.constant false
      %map = builtin.unrealized_conversion_cast %parameter : !llvm.ptr to !map
      %full = nvgpu.mbarrier.create -> !bar
      %empty = nvgpu.mbarrier.create -> !bar
      nvgpu.mbarrier.init %full[%c0], %c1 : !bar
      nvvm.fence.mbarrier.init
      nvgpu.mbarrier.arrive.expect_tx %full[%c0], %c1024 : !bar
      nvgpu.tma.async.load %map[%c0, %c0], %full[%c0] to %shared : !map, !bar -> memref<8x64xbf16, #gpu.address_space<workgroup>>
      %token = nvgpu.mbarrier.arrive %empty[%c0] : !bar -> !nvgpu.mbarrier.token
      nvgpu.mbarrier.try_wait.parity %full[%c0], %even, %c1024 : !bar
      nvvm.setmaxregister decrease 40
      gpu.return
    }
  }
}

// ERROR: not-emulated.mlir:4:15: error: expected an operation that can be emulated
