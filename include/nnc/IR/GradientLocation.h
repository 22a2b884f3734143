//===- GradientLocation.h - Which ops come of differentiation ---*- C++ -*-===//
//
// An op of the backward graph stands where the op that it differentiates stands in the text, and its
// location says that it is a gradient, through all later stages.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_GRADIENTLOCATION_H
#define NNC_IR_GRADIENTLOCATION_H

#include "mlir/IR/Location.h"

namespace nnc {

/// `location` with the mark; its name, if it has one, stays outermost.
mlir::Location markGradient(mlir::Location location);
bool isGradient(mlir::Location location);

} // namespace nnc

#endif // NNC_IR_GRADIENTLOCATION_H
