//===- ScratchMemory.h - Memory that is used again --------------*- C++ -*-===//
//
// A view at the iteration of a parallel loop, of memory that only that iteration needs. Iterations that run
// one after the other on a thread may as well all have that of the first, which is in a near cache by then.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_SCRATCHMEMORY_H
#define NNC_LIB_CODEGEN_SCRATCHMEMORY_H

#include "mlir/IR/Builders.h"

namespace nnc {

constexpr llvm::StringLiteral kScratchAttr = "nn.scratch";

/// Says that `view`, or an offset, of which a loop's number is an operand, is that of such memory.
inline void markScratch(mlir::Value view) {
  mlir::Operation *op = view.getDefiningOp();
  op->setAttr(kScratchAttr, mlir::UnitAttr::get(op->getContext()));
}

} // namespace nnc

#endif // NNC_LIB_CODEGEN_SCRATCHMEMORY_H
