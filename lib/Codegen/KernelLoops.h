//===- KernelLoops.h - The loops that an operation takes --------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_KERNELLOOPS_H
#define NNC_LIB_CODEGEN_KERNELLOOPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// Makes the loops of `op`, which is on buffers, few and long: loops of one iteration and axes of size
/// one go, and neighbouring loops that are one walk through the memory of every operand become one.
mlir::linalg::GenericOp simplifyLoops(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_KERNELLOOPS_H
