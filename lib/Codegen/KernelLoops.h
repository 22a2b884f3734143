//===- KernelLoops.h - The loops that an operation takes --------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_KERNELLOOPS_H
#define NNC_LIB_CODEGEN_KERNELLOOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// target[targetMap(i)] = source[sourceMap(i)], widened if the target is of a wider type.
mlir::linalg::GenericOp copyBuffer(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                                   mlir::Value target, mlir::AffineMap sourceMap,
                                   mlir::AffineMap targetMap);

/// Writes all that computes on buffers, copies and named operations, as linalg.generic; fills stay.
void generalizeKernels(mlir::IRRewriter &rewriter, mlir::func::FuncOp function);

/// Makes the loops of `op`, which is on buffers, few and long: loops of one iteration and axes of size
/// one go, and neighbouring loops that are one walk through the memory of every operand become one.
mlir::linalg::GenericOp simplifyLoops(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_KERNELLOOPS_H
