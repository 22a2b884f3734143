//===- Passes.td - From linalg on buffers to GPU kernels, in order --------===//
//
// What leaves bufferization becomes a host function that launches kernels, and the kernels. Nothing here
// knows how a kernel becomes PTX, nor how the host copies memory and launches.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_GPU_PASSES
#define NNC_CODEGEN_GPU_PASSES

include "mlir/Pass/PassBase.td"

def FuseTilesPass : Pass<"codegen-gpu-fuse-tiles", "mlir::func::FuncOp"> {
  let summary = "Go along matrices between products tile by tile";
  let description = [{
    Sums along the rows or the columns of a matrix that products make, as those of attention with its weights, become
    loops over the matrix in tiles, each made where it is needed: a block of threads has some rows, or columns, and goes
    along the others. The matrix is nowhere as a whole, however large it is. What several such loops need is made by each
    of them. It is left where rows fit in shared memory (codegen-gpu-fuse-blocks), where a factor is the same for all
    matrices, and where there are too few blocks for all of a GPU.

    A softmax has read all of a row before it divides. Here its sum and what is made of it go on from tile to tile while
    the maximum grows, by which they are scaled again, and they are divided at the end:

    e^(x - m') = e^(x - m) e^(m - m'), and the sum of (e / l) v is the sum of e v, by l.

    That costs at most 3 units in the last place for each tile, and one for each unit by which the maximum grows. What
    cannot be mended so waits for the sum, in a loop of its own. Sums are added in the order of the tiles. Tiles that a
    mask around the diagonal hides are left out.

    ```mlir
    linalg.generic {maps = (h, q, k, d) -> (h, q, d), (h, k, d), (h, q, k)} ins(%q, %k) outs(%scores)
    ... // %maxima, %scores = exp(%scores - %maxima), %sums
    linalg.generic {maps = (h, q, d, k) -> (h, q, k), (h, q), (h, k, d), (h, q, d); (s / l) * v}
        ins(%scores, %sums, %v) outs(%found)
    // becomes
    scf.parallel (%block) = (%c0) to (%blocks) step (%c1) {
      %tile = memref.alloc() : memref<1x64x64xf32>
      scf.for %k = ... step %c64 {
        linalg.generic ... ins(%q_rows, %k_rows) outs(%tile)
        linalg.generic {max} ins(%tile) outs(%maximum_of_tile)
        linalg.generic ins(%maximum_of_tile) outs(%maximum, %shift, %scale)
        linalg.generic ins(%scale) outs(%sum)
        linalg.generic ins(%scale) outs(%found_rows)
        linalg.generic {exp(s - m)} ins(%tile, %shift) outs(%tile)
        linalg.generic ins(%tile) outs(%sum)
        linalg.generic {s * v} ins(%tile, %v_rows) outs(%found_rows)
      }
      linalg.generic {f / l} ins(%found_rows, %sum) outs(%found at the rows)
    }
    ```
  }];
  let options = [Option<"sharedBytes", "shared-bytes", "int64_t", "99 << 10",
                        "What a block may have of its memory, in bytes">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::linalg::LinalgDialect", "mlir::math::MathDialect",
                           "mlir::memref::MemRefDialect", "mlir::scf::SCFDialect"];
}

def FuseBlocksPass : Pass<"codegen-gpu-fuse-blocks", "mlir::func::FuncOp"> {
  let summary = "Keep matrices between products in the memory of a block of threads";
  let description = [{
    Operations that meet in a matrix for each of many, as those of attention in its weights, become a loop over blocks
    of rows (codegen-fuse-loops), of which each keeps its rows of the matrix in shared memory: what a product leaves
    there, and what is made of it row by row, the next product reads. So nothing of the size of positions by positions
    goes to far memory, forwards or backwards. Sums over the rows, as those of the gradients of keys and values, go on
    from block to block of one matrix, in order.

    It is left where there are too few matrices or rows for all of a GPU, and where a factor is the same for all.

    ```mlir
    linalg.generic {maps = (h, q, k, d) -> (h, q, d), (h, k, d), (h, q, k)} ins(%q, %k) outs(%scores)
    linalg.generic {maps = (h, q, d, k) -> (h, q, k), (h, k, d), (h, q, d)} ins(%scores, %v) outs(%found)
    // becomes
    scf.parallel (%block) = (%c0) to (%blocks) step (%c1) {
      %rows = memref.alloc() : memref<1x32x512xf32>
      linalg.generic ... ins(%q_rows, %k_matrix) outs(%rows)
      linalg.generic ... ins(%rows, %v_matrix) outs(%found_rows)
    }
    ```
  }];
  let options = [Option<"sharedBytes", "shared-bytes", "int64_t", "99 << 10",
                        "What a block may have of its memory, in bytes">];
  let dependentDialects = ["mlir::affine::AffineDialect", "mlir::arith::ArithDialect",
                           "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect"];
}

def MapKernelsPass : Pass<"codegen-gpu-map-kernels", "mlir::func::FuncOp"> {
  let summary = "Let blocks of threads share what computes on buffers";
  let description = [{
    Each linalg operation becomes a `gpu.launch`. A thread computes one element of the results, or four neighbours; where a sum
    is long beside the number of results, a warp or a block computes it, in an order that the shape alone
    decides: each thread sums every so manieth term, and these sums are added pairwise.

    Products of matrices, convolutions and the gradients of both are computed tile by tile through shared memory,
    with the factors read through their index maps; those of f16 and bf16 by the units that multiply matrices, those
    of f32 too if factors may be rounded to the 10 bits that these read. Where groups of four warps can multiply (wgmma),
    they do so for f16 and bf16: the unit reads both factors from shared memory, where their lines are as it wants them, and
    is still busy with one stage when the next one's products are on their way. Large products whose factors are tensors in
    memory have a warpgroup more, one thread of which has boxes of them copied (TMA): barriers in shared memory tell the
    others that a stage is there, and it that they have left one. A factor that lies in memory as it is goes
    to shared memory while threads compute, for several tiles ahead. What would be few tiles, each a long sum, is cut
    into parts that other blocks sum, and these are added in order. What follows a sum and needs one of its results at a time
    is done with each as it is done; a fill before it is what it starts from. Operations that follow each other and
    need of each other only their own row, as in a softmax or a normalization, are one kernel.

    An iteration of a scf.parallel loop is a block. Its threads share each operation in it, products tile by tile, sums
    a warp each, all else element by element, and wait for each other in between; what the loop allocates is memory of
    the block.

    Scalars that a program reads from buffers stay where the device can have them: the store of one is a
    launch, and so is a loop that only reads and writes scalars, or in which what it reads decides where
    operations write. That of a scatter has a thread for each element that may change, one of scalars a thread for
    each iteration that keeps to its own row.

    ```mlir
    linalg.generic {maths = relu} ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
    // becomes
    gpu.launch blocks(%bx, ...) in (%blocks = ceildiv(%n, 256), ...) threads(%tx, ...) in (256, 1, 1) {
      %i = %bx * 256 + %tx
      scf.if %i < %n {
        %0 = memref.load %x[%i]
        memref.store relu(%0), %y[%i]
      }
    }
    ```
  }];
  let options = [Option<"roundsFactors", "rounds-factors", "bool", "false",
                        "Whether factors of f32 may be rounded to tf32">,
                 Option<"hasWarpgroups", "has-warpgroups", "bool", "false",
                        "Whether groups of four warps can multiply (wgmma)">];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::affine::AffineDialect",
                           "mlir::arith::ArithDialect", "mlir::NVVM::NVVMDialect", "mlir::gpu::GPUDialect",
                           "mlir::linalg::LinalgDialect", "mlir::math::MathDialect",
                           "mlir::memref::MemRefDialect", "mlir::nvgpu::NVGPUDialect",
                           "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"];
}

def JoinLaunchesPass : Pass<"codegen-gpu-join-launches", "mlir::func::FuncOp"> {
  let summary = "Make one launch of several that touch nothing of each other";
  let description = [{
    Launches of which none reads or writes what another one writes become one with the blocks of all, if they have
    little memory for each block: elementwise ones, and sums by a block. So an optimizer updates many parameters at once.
    They move down to the last of them, past what does not depend on them; what is one block moves up first, to others
    of its kind.
    What is equal but for its buffers is in the kernel once, and a block finds those that are its own.

    ```mlir
    gpu.launch blocks(%b, ...) in (%n, ...) { first(%b) }
    gpu.launch blocks(%b, ...) in (%m, ...) { second(%b) }
    // becomes
    gpu.launch blocks(%b, ...) in (%n + %m, ...) {
      scf.if %b < %n { first(%b) } else { second(%b - %n) }
    }
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::gpu::GPUDialect",
                           "mlir::scf::SCFDialect"];
}

def OutlineKernelsPass : Pass<"codegen-gpu-outline-kernels", "mlir::ModuleOp"> {
  let summary = "Make the body of each launch a kernel of the module's gpu.module";
  let description = [{
    A kernel takes pointers and numbers: a buffer of known shape that lies row by row as it is, any other as
    the buffer it is a view of, with the offset, sizes and strides that its type leaves open. Constants, and
    what is computed from scalars in buffers that nothing writes, are computed again in the kernel. More than 48 KB
    of a block's memory is not declared but asked for by the launch. What the host describes of a tensor is a parameter of
    its own, which codegen-gpu-finish-kernels knows by its alignment.

    ```mlir
    gpu.launch ... { use %x : memref<?x4xf32>, %y : memref<8xf32> }
    // becomes
    %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %x
    gpu.launch_func @kernels::@f_0 ... args(%base : memref<f32>, %sizes#0 : index, %y : memref<8xf32>)

    gpu.module @kernels {
      gpu.func @f_0(%base: memref<f32>, %size: index, %y: memref<8xf32>) kernel {
        %x = memref.reinterpret_cast %base to offset: [0], sizes: [%size, 4], strides: [4, 1]
        use %x, %y
      }
    }
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::NVVM::NVVMDialect",
                           "mlir::arith::ArithDialect", "mlir::gpu::GPUDialect",
                           "mlir::memref::MemRefDialect"];
}

def EmulateLaunchesPass : Pass<"codegen-gpu-emulate-launches", "mlir::ModuleOp"> {
  let summary = "Run kernels on the CPU, one thread after the other";
  let description = [{
    For tests where there is no GPU. A kernel becomes a function, and its launch a parallel loop over its
    threads, which nnc_parallel_for runs: that of lib/Emulation gives each thread a stack of its own and
    switches between them at barriers and shuffles. The kernel asks it who it is, and tells it what it
    reads and writes, so that it can report races. Copies past the registers land when it likes, at the wait for
    them at the latest; products of matrices in shared memory are made when it likes, and until a thread has waited for
    them, what it has of their sums is no number. So do copies of tensors, before the barrier that counts their bytes
    opens.

    ```mlir
    gpu.launch_func @kernels::@f_0 blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1) args(%x : memref<8xf32>)
    // becomes
    func.call @nnc_emulated_launch(%name, %n, %c1, %c1, %c256, %c1, %c1)
    scf.parallel (%thread) = (%c0) to (%n * %c256) step (%c1) { func.call @kernels.f_0(%x) }
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect",
                           "mlir::func::FuncDialect", "mlir::memref::MemRefDialect",
                           "mlir::scf::SCFDialect", "mlir::ub::UBDialect",
                           "mlir::vector::VectorDialect"];
}

def MergeKernelsPass : Pass<"codegen-gpu-merge-kernels", "mlir::ModuleOp"> {
  let summary = "Let equal launches share a kernel";
  let description = [{
    Kernels that are equal but for their names become the first of them. Launches keep their own places in
    the program.

    ```mlir
    gpu.launch_func @kernels::@f_0 ... args(%x : memref<8xf32>)
    gpu.launch_func @kernels::@f_1 ... args(%y : memref<8xf32>)
    // becomes, if @f_1 is what @f_0 is
    gpu.launch_func @kernels::@f_0 ... args(%x : memref<8xf32>)
    gpu.launch_func @kernels::@f_0 ... args(%y : memref<8xf32>)
    ```
  }];
}

def MarkArgumentsPass : Pass<"codegen-gpu-mark-arguments", "mlir::ModuleOp"> {
  let summary = "Say which buffers of a kernel are apart";
  let description = [{
    Arguments of an entry are apart, and so are temporaries. An argument of a kernel that is another one's
    buffer in no launch does not alias them: what it reads alone goes the way of constants.

    ```mlir
    gpu.launch_func @kernels::@f_0 ... args(%x : memref<8xf32>, %temporary : memref<8xf32>)
    // becomes
    gpu.func @f_0(%x: memref<8xf32> {llvm.noalias}, %y: memref<8xf32> {llvm.noalias}) kernel
    ```
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

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

def MarkLinesPass : Pass<"codegen-gpu-mark-lines", "mlir::gpu::GPUModuleOp"> {
  let summary = "Name the lines of the program in kernels";
  let description = [{
    For profilers: PTX has `.loc` directives, and machine code a table of lines. An operation has the first place
    that its location names, in a file without its folder.
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

def FinishKernelsPass : Pass<"codegen-gpu-finish-kernels", "mlir::gpu::GPUModuleOp"> {
  let summary = "Say of kernels what the conversion to NVVM leaves out";
  let description = [{
    Shared memory whose size the launch decides begins where other shared memory ends: the conversion
    gives it a byte of its own at the same place. Buffers of the caller are in global memory and aligned
    to 64 bytes. A pointer that is aligned to 128 bytes is a description of a tensor, which the kernel has as its
    parameter. What loops say of how far they are to be unrolled becomes that of their branches.

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
    the number of the kernel in its gpu.module and the line of the program. What describes a tensor is filled by a call of
    `nnc_device_tensor_map` before.

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
