//===- RowGroup.h - Operations on the same rows -----------------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_ROWGROUP_H
#define NNC_LIB_CODEGEN_ROWGROUP_H

#include "GPU/Reduction.h"

namespace nnc {

/// Operations that follow each other, where each, for a row, needs only what the others have for this row: a softmax, a
/// normalization. One kernel computes all of them, row by row.
struct RowGroup {
  llvm::SmallVector<mlir::linalg::GenericOp> ops;
  /// The first loops of each operation, which are over the rows.
  unsigned numRowLoops = 0;
  ReductionShape shape;
};

/// The group that begins with `op`; it has other operations, or there is none.
std::optional<RowGroup> findRowGroup(mlir::linalg::GenericOp op);

/// Emits at `b`, in `launch`, what one thread computes of `body`, an operation of `group` without sums.
void emitRowElements(mlir::OpBuilder &b, const OperationBody &body, const RowGroup &group,
                     mlir::gpu::LaunchOp launch);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_ROWGROUP_H
