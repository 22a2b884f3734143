//===- ParallelRange.h - Iterations that may be one -------------*- C++ -*-===//
//
// An iteration of a parallel loop that does something from its own number on up to an end. A thread that has several
// iterations, one after the other, does so in one go, up to the end of the last: what all of them read comes from
// memory once.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_PARALLELRANGE_H
#define NNC_LIB_CODEGEN_CPU_PARALLELRANGE_H

#include "mlir/IR/Builders.h"

namespace nnc {

constexpr llvm::StringLiteral kRangeEndAttr = "nn.range_end";

/// Says that `end`, computed in a parallel loop's body, may as well be that of any later iteration.
inline void markRangeEnd(mlir::Value end) {
  mlir::Operation *op = end.getDefiningOp();
  op->setAttr(kRangeEndAttr, mlir::UnitAttr::get(op->getContext()));
}

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_PARALLELRANGE_H
