//===- Reduction.h - Sums that several threads share ------------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_REDUCTION_H
#define NNC_LIB_CODEGEN_GPU_REDUCTION_H

#include "Launch.h"
#include "OperationBody.h"

namespace nnc {

/// How the threads of a block share results: each of `results` of them by `terms` threads.
struct ReductionShape {
  int64_t results = kBlockSize, terms = 1;
  /// Whether neighbouring threads sum neighbouring terms of one result, not of neighbouring results.
  bool termsFirst = false;
};

/// The shape for `op`; one thread a result where that is enough, or where the order of the terms matters.
ReductionShape chooseReductionShape(mlir::linalg::GenericOp op);

/// What a thread works on.
struct RowShare {
  /// The result among those of the block and among all, and whether there is such a one.
  mlir::Value result, number, exists;
  /// The first of its terms.
  mlir::Value term;
};

/// The share of the thread that runs at `b`, of `total` results.
RowShare findShare(mlir::OpBuilder &b, mlir::Location loc, ReductionShape shape,
                   mlir::gpu::LaunchOp launch, mlir::Value total);

/// Emits at `b`, in `launch`, the share of one thread.
void emitSharedReduction(mlir::OpBuilder &b, const OperationBody &body, ReductionShape shape,
                         mlir::gpu::LaunchOp launch);

/// Emits at `b` what a warp of the only block does: results warp, warp + 8, and so on. False, with nothing emitted, where
/// a warp cannot sum terms, or they would not lie side by side.
bool emitReductionByWarps(mlir::OpBuilder &b, const OperationBody &body,
                          mlir::gpu::LaunchOp launch);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_REDUCTION_H
