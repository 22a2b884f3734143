//===- CutLoop.h - One operation as two, one after the other ----*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_CUTLOOP_H
#define NNC_LIB_CODEGEN_CUTLOOP_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// Whether loop `dim` goes along an axis of its own in each operand that it moves.
bool isOwnAxis(mlir::linalg::GenericOp op, unsigned dim);

/// Elements [begin, begin + size) along `axis` of `buffer`.
mlir::Value takeSlice(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer,
                      unsigned axis, int64_t begin, int64_t size);

/// Iterations of a loop.
struct LoopRange {
  unsigned dim;
  mlir::OpFoldResult begin, size;
};

/// How many iterations loop `dim`, which has an axis of its own, has.
mlir::OpFoldResult loopExtent(mlir::OpBuilder &builder, mlir::linalg::GenericOp op, unsigned dim);

/// The part of an operand, which lies as `map` says, that these ranges use: along axes that are loops of their own.
mlir::Value takeRanges(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer,
                       mlir::AffineMap map, llvm::ArrayRef<LoopRange> ranges);

/// `view` of `root`, by expansions and collapses, with `block`, a part of `root`, in its place.
mlir::Value rebuildView(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value view,
                        mlir::Value root, mlir::Value block);

/// Cuts loop `dim`, which has an axis of its own, at `size`: two operations, of which the first is for iterations
/// [0, size).
std::pair<mlir::linalg::GenericOp, mlir::linalg::GenericOp>
cutLoop(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op, unsigned dim, int64_t size);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CUTLOOP_H
