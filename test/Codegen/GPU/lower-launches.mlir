// RUN: nnc-opt %s --split-input-file --codegen-gpu-lower-launches --verify-diagnostics | FileCheck %s

// One array of values, one of their places, for all launches of a function.

// CHECK-LABEL: func.func @two
// CHECK-DAG: %[[VALUES:.*]] = llvm.alloca %{{.*}} x i64 {alignment = 8 : i64}
// CHECK-DAG: %[[ARGUMENTS:.*]] = llvm.alloca %{{.*}} x !llvm.ptr {alignment = 8 : i64}
// CHECK: %[[FIRST:.*]] = llvm.getelementptr %[[VALUES]][0]
// CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[ARGUMENTS]][0]
// CHECK: llvm.store %[[FIRST]], %[[SLOT]]
// CHECK: %[[SECOND:.*]] = llvm.getelementptr %[[VALUES]][1]
// CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[ARGUMENTS]][1]
// CHECK: llvm.store %[[SECOND]], %[[SLOT]]
// CHECK: %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %arg0
// CHECK: %[[WORD:.*]] = arith.index_cast %[[ADDRESS]] : index to i64
// CHECK: %[[POINTER:.*]] = llvm.inttoptr %[[WORD]]
// CHECK: %[[PLACE:.*]] = llvm.getelementptr %[[VALUES]][0]
// CHECK: llvm.store %[[POINTER]], %[[PLACE]]
// CHECK: %[[N:.*]] = arith.index_cast %arg1 : index to i64
// CHECK: %[[PLACE:.*]] = llvm.getelementptr %[[VALUES]][1]
// CHECK: llvm.store %[[N]], %[[PLACE]]
// CHECK: %[[TABLE:.*]] = llvm.mlir.addressof @nnc.kernels
// CHECK: %[[NUMBER:.*]] = llvm.mlir.constant(1 : i64)
// CHECK: %[[TEXT:.*]] = llvm.mlir.addressof @nnc.place.0
// CHECK: llvm.call @nnc_device_launch(%[[TABLE]], %[[NUMBER]], %[[TEXT]], %{{.*}}, %{{.*}}, %{{.*}}, %[[ARGUMENTS]])
// CHECK: %[[SHARED:.*]] = arith.extui %{{.*}} : i32 to i64
// CHECK: %[[TEXT:.*]] = llvm.mlir.addressof @nnc.place.1
// CHECK: llvm.call @nnc_device_launch(%{{.*}}, %{{.*}}, %[[TEXT]], %{{.*}}, %{{.*}}, %[[SHARED]], %[[ARGUMENTS]])
// CHECK-NOT: gpu.launch_func
// CHECK-DAG: llvm.mlir.global external @nnc.kernels() {{.*}}: !llvm.array<0 x i8>
// CHECK-DAG: llvm.mlir.global internal constant @nnc.place.0("net.nn:3:7\00")
// CHECK-DAG: llvm.mlir.global internal constant @nnc.place.1("net.nn:9:1\00")
// CHECK-DAG: llvm.func @nnc_device_launch(!llvm.ptr, i64, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64, !llvm.ptr)
module attributes {gpu.container_module} {
  func.func @two(%x: memref<8xf32>, %n: index) {
    %c1 = arith.constant 1 : index
    %c256 = arith.constant 256 : index
    %bytes = arith.constant 60000 : i32
    gpu.launch_func @kernels::@second blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1)
        args(%x : memref<8xf32>, %n : index) loc("net.nn":3:7)
    gpu.launch_func @kernels::@first blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1)
        dynamic_shared_memory_size %bytes args(%x : memref<8xf32>) loc(fused["w", "net.nn":9:1])
    return
  }
  gpu.module @kernels {
    gpu.func @first(%x: memref<8xf32>) kernel {
      gpu.return
    }
    gpu.func @helper() {
      gpu.return
    }
    gpu.func @second(%x: memref<8xf32>, %n: index) kernel {
      gpu.return
    }
  }
}

// -----

// Buffers that are more than a pointer are taken apart before.

module attributes {gpu.container_module} {
  func.func @open(%x: memref<?xf32>) {
    %c1 = arith.constant 1 : index
    // expected-error @+1 {{operand 0 is no number and no buffer of known shape}}
    gpu.launch_func @kernels::@first blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<?xf32>)
    return
  }
  gpu.module @kernels {
    gpu.func @first(%x: memref<?xf32>) kernel {
      gpu.return
    }
  }
}

// -----

// The host has no way to what is on the device.

func.func @host(%x: memref<8xf32>, %y: memref<8xf32>) {
  // expected-error @+1 {{expected a kernel to read and write buffers, found memref.copy}}
  memref.copy %x, %y : memref<8xf32> to memref<8xf32>
  return
}

// -----

// The runtime describes a tensor before; the launch passes that, not a pointer to it, and the next one values again.
// CHECK-LABEL: func.func @tensor
// CHECK: %[[MAP:.*]] = llvm.alloca %{{.*}} x i8 {alignment = 64 : i64}
// CHECK: llvm.call @nnc_device_tensor_map(%[[MAP]], %{{.*}}, %{{.*}}, %[[AXES:.*]], %{{.*}}, %{{.*}}, %{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, !llvm.ptr, !llvm.ptr, !llvm.ptr)
// CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[ARGUMENTS:.*]][0]
// CHECK: llvm.store %[[MAP]], %[[SLOT]]
// CHECK: llvm.call @nnc_device_launch
// CHECK: %[[VALUE:.*]] = llvm.getelementptr %{{.*}}[0]
// CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[ARGUMENTS]][0]
// CHECK: llvm.store %[[VALUE]], %[[SLOT]]
// CHECK-NOT: nvgpu
!map = !nvgpu.tensormap.descriptor<tensor = memref<128x64xbf16, #gpu.address_space<workgroup>>, swizzle = swizzle_128b, l2promo = l2promo_128b, oob = zero, interleave = none>
module attributes {gpu.container_module} {
  func.func @tensor(%x: memref<256x512xbf16>) {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %open = memref.cast %x : memref<256x512xbf16> to memref<*xbf16>
    %map = nvgpu.tma.create.descriptor %open box[%c128, %c64] : memref<*xbf16> -> !map
    %pointer = builtin.unrealized_conversion_cast %map : !map to !llvm.ptr
    gpu.launch_func @kernels::@copies blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1)
        args(%pointer : !llvm.ptr, %x : memref<256x512xbf16>)
    return
  }
  gpu.module @kernels {
    gpu.func @copies(%map: !llvm.ptr, %x: memref<256x512xbf16>) kernel {
      gpu.return
    }
  }
}
