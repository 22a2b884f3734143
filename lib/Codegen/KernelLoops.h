//===- KernelLoops.h - The loops that an operation takes --------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_KERNELLOOPS_H
#define NNC_LIB_CODEGEN_KERNELLOOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// A wider type to convert elements to, if there is one; integers as if they had no sign, or with it.
struct Widening {
  mlir::Type type;
  bool isUnsigned = false;

  explicit operator bool() const { return bool(type); }
};

/// target[targetMap(i)] = source[sourceMap(i)], widened.
mlir::linalg::GenericOp copyBuffer(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                                   mlir::Value target, mlir::AffineMap sourceMap,
                                   mlir::AffineMap targetMap, Widening widening = {});

/// Writes all that computes on buffers, copies and named operations, as linalg.generic; fills stay.
void generalizeKernels(mlir::IRRewriter &rewriter, mlir::func::FuncOp function);

/// Makes the loops of `op`, which is on buffers, few and long: loops of one iteration and axes of size
/// one go, and neighbouring loops that are one walk through the memory of every operand become one.
mlir::linalg::GenericOp simplifyLoops(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_KERNELLOOPS_H
