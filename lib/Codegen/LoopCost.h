//===- LoopCost.h - What one iteration of an operation costs ----*- C++ -*-===//
//
// The passes that fuse decide by it whether computing an element again is cheaper than loading it,
// and whether a loop has become too long for the registers.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_LOOPCOST_H
#define NNC_LIB_CODEGEN_LOOPCOST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// The operations of the body of `op`: dear ones (exp, division) count 16, others 1.
unsigned bodyCost(mlir::linalg::GenericOp op);

/// More than this in one body spills registers and earns no more.
constexpr unsigned kMostBodyCost = 200;

} // namespace nnc

#endif // NNC_LIB_CODEGEN_LOOPCOST_H
