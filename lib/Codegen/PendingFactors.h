//===- PendingFactors.h - Sums that go on while what they are made of changes -*- C++ -*-===//
//
// A softmax reads a row three times: for its maximum m, for the sum l of e^(x - m), and to divide by it. In one pass
// over the row m and l are not known yet. With those of what has been seen so far,
//
//   e^(x - m')  =  e^(x - m) e^(m - m')        where m' is the larger maximum that follows m
//   sum of (e / l) v  =  (sum of e v) / l
//
// so a sum of such terms is multiplied by e^(m - m') when the maximum grows, and divided once at the end. Of a value
// this says which of these factors it lacks, and whether it has them at most once, so that sums of it can be mended.
//
// The error: e^(m - m') is at most 1 and rounded by 2 units in the last place u, its product by half of one; the
// rounding of the differences adds up to (m at the end - m at first) u. After b blocks that is at most
// (3 b + m at the end - m at first) u of each term, where the difference x - m alone costs a term (m - x) u.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_PENDINGFACTORS_H
#define NNC_LIB_CODEGEN_PENDINGFACTORS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace nnc {

/// What a value still has to be multiplied by.
struct Pending {
  /// The buffer of the running maximum m, if it is a multiple of e^-m.
  mlir::Value maximum;
  /// The buffers of running sums that it is still to be divided by.
  llvm::SmallVector<mlir::Value, 1> divisors;
  /// Whether some terms are 0 whatever they would be divided by.
  bool hasZeros = false;

  bool isComplete() const { return !maximum && divisors.empty(); }
};

/// What an operand holds: values that lack factors, or those of a buffer with maxima or sums that are not complete.
struct PendingOperand {
  Pending pending;
  mlir::Value runningMaximum, runningSum;
};

/// Follows what is pending through the body of an operation.
class PendingFactors {
public:
  PendingFactors(mlir::linalg::GenericOp op,
                 llvm::function_ref<PendingOperand(mlir::OpOperand &)> known);

  /// What output `index` lacks, or the terms that it sums; none if that cannot be mended.
  std::optional<Pending> written(unsigned index);

private:
  std::optional<Pending> of(mlir::Value value);
  std::optional<Pending> evaluate(mlir::Operation *inner);

  mlir::linalg::GenericOp op;
  llvm::DenseMap<mlir::Value, std::optional<Pending>> values;
  llvm::DenseMap<mlir::Value, mlir::Value> maxima, sums;
};

/// Leaves out the divisions of the body of `op` by arguments that are running sums. Whether it leaves all as it is then.
bool dropPendingDivisions(mlir::linalg::GenericOp op,
                          llvm::function_ref<bool(mlir::OpOperand &)> isRunning);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PENDINGFACTORS_H
