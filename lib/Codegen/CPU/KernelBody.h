//===- KernelBody.h - What is computed in each iteration, and what at the end -*- C++ -*-===//
//
// An operation that sums may have results besides its sums: what is made of a sum once it is complete, an
// epilogue. As every operation on buffers writes its results in each iteration, so does an epilogue, and
// the last iteration's are the ones that stay. The kernel emitter computes only these.
//
//   (m, n, k):  sum = old + a * b        accumulated: the body uses what the output holds
//               y = max(sum + bias, 0)   epilogue: it does not
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_KERNELBODY_H
#define NNC_LIB_CODEGEN_CPU_KERNELBODY_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// On an operation with an epilogue, that nobody reads its sums once they are complete.
constexpr llvm::StringLiteral kUnreadSums = "nnc.unread_sums";

/// How many outputs of `op` are accumulated, if it reduces, or else all of them. They are its first ones.
unsigned countAccumulators(mlir::linalg::GenericOp op);

/// Whether output `index` is made of the sums of `op` when these are complete.
bool isEpilogue(mlir::linalg::GenericOp op, unsigned index);
bool hasEpilogue(mlir::linalg::GenericOp op);

/// Whether output `index` holds sums that nobody reads: what an epilogue makes of them is written in their place,
/// or goes elsewhere alone.
bool areSumsUnread(mlir::linalg::GenericOp op, unsigned index);

/// What each iteration computes, in order: all, or what sums need.
llvm::SmallVector<mlir::Operation *> repeatedBody(mlir::linalg::GenericOp op);
/// What is computed at the end alone.
llvm::SmallVector<mlir::Operation *> epilogueBody(mlir::linalg::GenericOp op);

/// The inputs that each iteration reads.
llvm::SmallVector<mlir::OpOperand *> repeatedInputs(mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_KERNELBODY_H
