//===- LowerElementwise.h - One formula for each element --------*- C++ -*-===//
//
// What LowerElementwise.cpp shares with the formulas that have files of their own.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_LOWERELEMENTWISE_H
#define NNC_LIB_CODEGEN_LOWERELEMENTWISE_H

#include "ElementBuilder.h"

namespace nnc {

using ElementBody = llvm::function_ref<mlir::Value(ElementBuilder &, mlir::ValueRange)>;

/// The result of the elementwise `op` whose operands have become `operands`; the builder given to
/// `body` computes in the element type of the first.
mlir::Value lowerElementwise(const Lowering &lowering, mlir::OpBuilder &builder,
                             mlir::Operation *op, mlir::ValueRange operands, ElementBody body);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_LOWERELEMENTWISE_H
