//===- BlockShare.h - What the threads of one block share -------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_BLOCKSHARE_H
#define NNC_LIB_CODEGEN_BLOCKSHARE_H

#include "GPU/Launch.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace nnc {

/// Has the threads of a block of `launch` share each operation in `root`, which is in the kernel; thread 0 stores scalars.
/// All threads run the loops around, and wait for each other before and behind each operation. Factors of f32 may be
/// rounded to tf32 if `roundsFactors`.
void shareInBlock(mlir::Operation *root, mlir::gpu::LaunchOp launch, bool roundsFactors);

/// A kernel of as many blocks as `loop`, in place of it. What the iterations allocate is memory of the blocks.
void mapBlocks(mlir::scf::ParallelOp loop, bool roundsFactors);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_BLOCKSHARE_H
