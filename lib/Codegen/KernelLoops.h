//===- KernelLoops.h - The loops that an operation takes --------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_KERNELLOOPS_H
#define NNC_LIB_CODEGEN_KERNELLOOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// What elements become when they are copied: those of a type, if there is one.
struct Conversion {
  mlir::Type type;
  /// To a wider type, integers as they are with a sign or without; or, in the same type, with the highest bit of
  /// each flipped, which moves numbers with a sign to the range of those without, and back.
  enum class Kind { Signed, Unsigned, Flipped } kind = Kind::Signed;

  explicit operator bool() const { return bool(type); }
};

/// target[targetMap(i)] = source[sourceMap(i)], converted.
mlir::linalg::GenericOp copyBuffer(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                                   mlir::Value target, mlir::AffineMap sourceMap,
                                   mlir::AffineMap targetMap, Conversion conversion = {});

/// Writes all that computes on buffers, copies and named operations, as linalg.generic; fills stay.
void generalizeKernels(mlir::IRRewriter &rewriter, mlir::func::FuncOp function);

/// Makes the loops of `op`, which is on buffers, few and long: loops of one iteration and axes of size
/// one go, and neighbouring loops that are one walk through the memory of every operand become one.
mlir::linalg::GenericOp simplifyLoops(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_KERNELLOOPS_H
