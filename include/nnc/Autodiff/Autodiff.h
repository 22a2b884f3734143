//===- Autodiff.h - Symbolic differentiation --------------------*- C++ -*-===//
//
// Reverse mode on the nn dialect. The derivative of an op is a rule written in nn ops (one file a
// family in lib/Autodiff); the engine applies the rules from the outputs back to the values of
// interest. What comes out is an ordinary program: it prints, parses, and can be differentiated
// again.
//
// Where a derivative does not exist, the rules choose:
//   relu, abs at 0        0
//   maximum, minimum      half to each of two equal operands
//   max, min              in equal parts to the equal extreme elements
//   sign, floor, ceil, round, floor_divide    0
//
//===----------------------------------------------------------------------===//
#ifndef NNC_AUTODIFF_AUTODIFF_H
#define NNC_AUTODIFF_AUTODIFF_H

#include "nnc/IR/NN.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SmallBitVector.h"

#include "nnc/Autodiff/GradientInterface.h.inc"

namespace nnc {

/// Attaches a rule to every differentiable op of the nn dialect.
void registerGradientModels(mlir::DialectRegistry &registry);

/// The vector-Jacobian product: for each of `wrt`, the sum over `outputs` of the cotangent times
/// the derivative of the output with respect to it. The ops are built at `builder`'s insertion
/// point, which the outputs precede. Values of enclosing blocks are followed to their definitions;
/// arguments of enclosing blocks are independent variables. A value without influence gets zeros.
///
/// A scan on the way is followed by a copy of itself that also collects what the way back needs,
/// and its uses move there; the old one is left dead.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
differentiate(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange outputs,
              mlir::ValueRange cotangents, mlir::ValueRange wrt);

/// Builds `NAME.grad` after `function`: its arguments and, for each differentiable result, the
/// cotangent `d_<result>`; its results are `d_<argument>` for each of the arguments named in `wrt`.
/// Without names, for the parameters, or for all floating-point arguments if there are none. A
/// result with the role "loss", or the only result if it is a scalar, is differentiated alone and
/// has no cotangent argument: it is 1. An unknown name is an error at the function's location.
mlir::FailureOr<mlir::func::FuncOp> buildGradientFunction(mlir::func::FuncOp function,
                                                          llvm::ArrayRef<std::string> wrt = {});

/// The name that `value` has in the source: of its location, or of the function's argument. Empty
/// if it has none.
llvm::StringRef getValueName(mlir::Value value);

/// Erases the ops of `region` whose results are not used and that have no effects.
void eraseUnusedOps(mlir::Region &region);

} // namespace nnc

#endif // NNC_AUTODIFF_AUTODIFF_H
