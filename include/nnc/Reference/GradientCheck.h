//===- GradientCheck.h - Derivatives by finite differences ------*- C++ -*-===//
//
// Compares the gradient of a function, whoever made it, with finite differences of the function in
// f64. A function of several results of any shape is first turned into a scalar one, the sum of its
// results with weights that are further arguments: random weights cover every result at once.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_REFERENCE_GRADIENTCHECK_H
#define NNC_REFERENCE_GRADIENTCHECK_H

#include "nnc/Reference/Interpreter.h"

namespace nnc {

/// A copy of `function` beside it, NAME.f64 for f64, with `floatType` in place of every
/// floating-point type.
mlir::func::FuncOp buildInPrecision(mlir::func::FuncOp function, mlir::Type floatType);
/// The same for tensors.
llvm::SmallVector<HostTensor> toPrecision(llvm::ArrayRef<HostTensor> tensors, mlir::Type floatType);

/// A copy of `function`, which is in f64, beside it: NAME.weighted has a further argument for each
/// floating-point result, of its type, and returns the sum of results times these weights. Every
/// argument of it has a name. Null if no result is floating-point.
mlir::func::FuncOp buildWeightedSum(mlir::func::FuncOp function);

struct GradientCheckOptions {
  /// Of a derivative, relative to the largest derivative with respect to the same argument.
  double tolerance = 1e-7;
  /// Arguments of more elements are checked along as many random directions instead.
  int64_t maxElements = 64;
  uint64_t seed = 1;
};

struct GradientMismatch {
  std::string argument;
  /// Number of the element, or -1 - number of the random direction.
  int64_t element;
  double symbolic, numeric;
  /// Of a gradient: 1, of the gradient of a gradient: 2.
  unsigned order = 1;
  std::string str() const;
};

struct GradientReport {
  int64_t numChecked = 0;
  /// Derivatives so near a kink that finite differences cannot tell.
  int64_t numUnclear = 0;
  /// Relative, as for the tolerance.
  double largestError = 0;
  std::vector<GradientMismatch> mismatches;

  bool passed() const { return numChecked > 0 && mismatches.empty(); }
  void merge(const GradientReport &other);
  std::string str() const;
};

/// Checks that `gradient` returns the derivatives of the scalar `function`, both in f64 and with the
/// same arguments, with respect to the arguments numbered `wrt`. What passes nn.stop_gradient stays
/// as it is at `arguments`.
llvm::Expected<GradientReport> checkGradient(mlir::func::FuncOp function,
                                             mlir::func::FuncOp gradient,
                                             llvm::ArrayRef<unsigned> wrt,
                                             llvm::ArrayRef<HostTensor> arguments,
                                             const GradientCheckOptions &options = {});

} // namespace nnc

#endif // NNC_REFERENCE_GRADIENTCHECK_H
