//===- HiddenValues.h - What is computed where a mask is false --*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_HIDDENVALUES_H
#define NNC_LIB_CODEGEN_HIDDENVALUES_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// What is known of a value.
enum class Hidden { Unknown, Zero, NegativeInfinity };

/// What the body of an operation computes at an element, from what is known of its operands there. A number of which
/// nothing is known counts as finite: 0 x is 0, and -inf + x is -inf.
class HiddenValues {
public:
  HiddenValues(mlir::linalg::GenericOp op, llvm::function_ref<Hidden(mlir::OpOperand &)> known);

  /// What it writes to output `index`.
  Hidden written(unsigned index);
  /// Whether output `index`, which adds up or compares, keeps what it holds.
  bool isKept(unsigned index);

private:
  Hidden of(mlir::Value value);
  Hidden evaluate(mlir::Operation *op);

  mlir::linalg::GenericOp op;
  llvm::DenseMap<mlir::Value, Hidden> values;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_HIDDENVALUES_H
