//===- WidenInputs.h - Short factors as they are computed with --*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_WIDENINPUTS_H
#define NNC_LIB_CODEGEN_WIDENINPUTS_H

#include "KernelLoops.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// How the body of `op` widens the elements of `input`, if that is all that it does with them.
Conversion findWidening(mlir::linalg::GenericOp op, mlir::OpOperand *input);

/// Lets the body of `op` read inputs as wide as they are.
void readWide(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op);

/// Reads a copy of `input` that is converted.
void convertInput(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op, mlir::OpOperand &input,
                  Conversion conversion);

/// Widens, once, inputs of which each number is in all lanes for so many vectors that this is cheaper than to widen
/// it for each.
void widenInputs(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op, unsigned vectorDim);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_WIDENINPUTS_H
