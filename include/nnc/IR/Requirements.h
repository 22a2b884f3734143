//===- Requirements.h - What sizes a function works for ---------*- C++ -*-===//
//
// Where sizes are symbols, an op may be right for some of them only: x[-3] needs three rows. What
// cannot be decided when compiling is decided when the sizes are known, before the function runs.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_REQUIREMENTS_H
#define NNC_IR_REQUIREMENTS_H

#include "nnc/IR/Dim.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

/// `value` is at least zero, or the op at `location` would read outside a tensor.
struct Requirement {
  Dim value;
  mlir::Location location;

  /// "N >= 3"; of more than one symbol "N - M >= 0".
  std::string str() const;
  /// "needs N >= 3, found N = 1" if it is not met for these values of the symbols; none if it is met
  /// or depends on others.
  std::optional<std::string> complaint(const std::map<std::string, Dim> &values) const;
};

/// What `function` requires of its symbols, each once, in the order of its ops.
std::vector<Requirement> collectRequirements(mlir::func::FuncOp function);

} // namespace nnc

#endif // NNC_IR_REQUIREMENTS_H
