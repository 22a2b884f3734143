//===- Launch.h - Start a kernel --------------------------------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_LAUNCH_H
#define NNC_LIB_CODEGEN_GPU_LAUNCH_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nnc {

constexpr int64_t kWarpSize = 32;
constexpr int64_t kBlockSize = 256;
/// What a kernel's parameter that describes a tensor has, and what it begins at a multiple of: pointers to buffers say
/// less of where they begin, so that one knows it by that.
constexpr int64_t kTensorMapBytes = 128;

/// Creates a kernel of `blocks` times `threads` threads at `b`, which moves into it.
mlir::gpu::LaunchOp launchThreads(mlir::OpBuilder &b, mlir::Location loc,
                                  mlir::gpu::KernelDim3 blocks, int64_t threads);
/// The same with blocks in one row.
mlir::gpu::LaunchOp launchThreads(mlir::OpBuilder &b, mlir::Location loc, mlir::Value blocks,
                                  int64_t threads);

/// Memory of the kernel's blocks.
mlir::Value addSharedMemory(mlir::gpu::LaunchOp launch, llvm::ArrayRef<int64_t> shape,
                            mlir::Type element);

/// Memory of the kernel's blocks that operations have one after the other.
class SharedScratch {
public:
  explicit SharedScratch(mlir::gpu::LaunchOp kernel) : launch(kernel) {}

  /// The next piece, with type `shape` of `element`.
  mlir::Value take(mlir::OpBuilder &b, llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// Begins again: nobody needs what was taken any more.
  void restart() { used = 0; }

private:
  mlir::gpu::LaunchOp launch;
  mlir::Value memory;
  int64_t used = 0;
};

/// Has LLVM write out `times` iterations of `loop` at a time, no more.
void setUnrolling(mlir::scf::ForOp loop, int32_t times);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_LAUNCH_H
