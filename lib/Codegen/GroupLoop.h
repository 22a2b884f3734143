//===- GroupLoop.h - A loop over parts of an operation ----------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GROUPLOOP_H
#define NNC_LIB_CODEGEN_GROUPLOOP_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// Puts `op`, with the fills that it starts from, into a loop over groups of `size` iterations of `dim`, which
/// divides them, and over each iteration of `singles`. All of these loops have axes of their own. Threads may share
/// the loop if it `isParallel`. Returns what each trip does.
mlir::linalg::GenericOp loopOverGroups(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op,
                                       llvm::ArrayRef<unsigned> singles, unsigned dim, int64_t size,
                                       bool isParallel);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GROUPLOOP_H
