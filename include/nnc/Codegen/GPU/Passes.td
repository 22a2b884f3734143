//===- Passes.td - From linalg on buffers to GPU kernels, in order --------===//
#ifndef NNC_CODEGEN_GPU_PASSES
#define NNC_CODEGEN_GPU_PASSES

include "mlir/Pass/PassBase.td"

def ExpandKernelMathPass : Pass<"codegen-gpu-expand-kernel-math", "mlir::gpu::GPUModuleOp"> {
  let summary = "Write mathematical functions of kernels as arithmetic";
  let description = [{
    As codegen-expand-math does for the CPU, so that results have the same bits. What a GPU has an
    instruction for becomes that instruction; nothing calls NVIDIA's library.

    ```mlir
    %1 = math.exp %0 : f32
    %3 = math.sqrt %2 : f32
    // becomes
    %t = llvm.call_intrinsic "llvm.fma"(%0, %log2e, %shift) : (f32, f32, f32) -> f32
    ...
    %3 = llvm.call_intrinsic "llvm.sqrt"(%2) : (f32) -> f32
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect",
                           "mlir::math::MathDialect", "mlir::scf::SCFDialect",
                           "mlir::vector::VectorDialect"];
}

def FinishKernelsPass : Pass<"codegen-gpu-finish-kernels", "mlir::gpu::GPUModuleOp"> {
  let summary = "Say of kernels what the conversion to NVVM leaves out";
  let description = [{
    Shared memory whose size the launch decides begins where other shared memory ends: the conversion
    gives it a byte of its own at the same place. Buffers of the caller are in global memory and aligned
    to 64 bytes.

    ```mlir
    llvm.mlir.global internal @__dynamic_shmem__0() {addr_space = 3, alignment = 16} : !llvm.array<0 x i8>
    llvm.func @f_0(%x: !llvm.ptr, %n: i64) attributes {nvvm.kernel}
    // becomes
    llvm.mlir.global external @__dynamic_shmem__0() {addr_space = 3, alignment = 1024} : !llvm.array<0 x i8>
    llvm.func @f_0(%x: !llvm.ptr {llvm.align = 64}, %n: i64) attributes {nvvm.kernel}
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

def BufferBytesPass : Pass<"codegen-gpu-buffer-bytes", "mlir::ModuleOp"> {
  let summary = "Tell how large the buffers of an entry are";
  let description = [{
    For each argument of an entry that is a buffer, a function of the symbols: the runtime copies so much
    to the device or back.

    ```mlir
    func.func @f(%x: memref<?x3xf32> {nn.buffer = 0, nn.shape = ["N", 3]}, ...)
    // becomes
    func.func @f(...)
    func.func @f_bytes_0(%N: index {nn.symbol = "N"}) -> i64 { 12 * %N }
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::func::FuncDialect"];
}

def LowerLaunchesPass : Pass<"codegen-gpu-lower-launches", "mlir::ModuleOp"> {
  let summary = "Launch kernels by calls of the runtime";
  let description = [{
    A launch stores its operands, buffers as pointers, and calls `nnc_device_launch` (nnc_device.h) with
    the number of the kernel in its gpu.module and the line of the program.

    ```mlir
    gpu.launch_func @kernels::@f_0 blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1) args(%x : memref<8xf32>)
    // becomes
    llvm.store %pointer, %values[0]
    llvm.call @nnc_device_launch(@nnc.kernels, 0, "net.nn:3:7", %blocks, %threads, 0, %arguments)
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect",
                           "mlir::memref::MemRefDialect"];
}

#endif // NNC_CODEGEN_GPU_PASSES
