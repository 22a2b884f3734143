//===- ParallelMarks.h - What a parallel loop's body may share --*- C++ -*-===//
//
// Marks on operations in the body of a parallel loop, for the iterations that run one after the other on a thread:
//
//   scratch     a view, at the iteration's number, of memory that only that iteration needs: all may as well have
//               that of the first, which is in a near cache by then
//   range end   an end up to which the iteration does something from its own number on: all are done in one go, up to
//               the end of the last, and what they read comes from memory once
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_PARALLELMARKS_H
#define NNC_LIB_CODEGEN_CPU_PARALLELMARKS_H

#include "mlir/IR/Builders.h"

namespace nnc {

constexpr llvm::StringLiteral kScratchAttr = "nn.scratch", kRangeEndAttr = "nn.range_end";

/// Puts one of these on what makes `value`.
inline void markInLoop(mlir::Value value, llvm::StringRef mark) {
  mlir::Operation *op = value.getDefiningOp();
  op->setAttr(mark, mlir::UnitAttr::get(op->getContext()));
}

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_PARALLELMARKS_H
