//===- KernelCost.h - What an operation takes, roughly ----------*- C++ -*-===//
//
// Estimates in cycles of one core, by which layouts are chosen. They need to be right about what is several
// times as dear, not about percents.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_KERNELCOST_H
#define NNC_LIB_CODEGEN_CPU_KERNELCOST_H

#include "KernelPlan.h"

namespace nnc {

/// Cycles an element for a copy that turns an array, memory included.
constexpr double kTurnCost = 0.75;

/// Whether vectors along `dim` would gather `input`, unless it is packed.
bool isGathered(mlir::linalg::GenericOp op, mlir::OpOperand *input, unsigned dim);

/// Whether vectors along `dim`, a loop of results, take `input` from a packed copy: because it would be
/// gathered again and again, or because it is read so often that it pays to bring its rows together.
/// If the copy `isFree`, because it is made once for many calls, that it is read again is enough.
bool isPacked(mlir::linalg::GenericOp op, mlir::OpOperand *input, unsigned dim,
              bool isFree = false);

/// Whether a few steps of a sum along `input` are on another page, which no processor guesses.
bool hasFarSteps(mlir::linalg::GenericOp op, mlir::OpOperand *input);

/// How many results use an element of an input that lies as `map` says.
double countReads(mlir::linalg::GenericOp op, mlir::AffineMap map);

/// Whether the tiles of `plan` take `input`, of which they read rows one number at a time, from a packed copy in
/// which what they read is one stretch of memory: because its rows lie far apart, and are read again and again.
/// It goes through the operation so many `times`.
bool isPackedByRows(mlir::linalg::GenericOp op, mlir::OpOperand *input, const KernelPlan &plan,
                    double times = 1);

/// Whether the rows of `input` along `dim` are so long that a tile had better not go from one to the next.
bool hasLongRows(mlir::linalg::GenericOp op, mlir::OpOperand *input, unsigned dim);

/// Cycles that an element of the result takes with vectors along `dim`: a vector of terms each, twice that
/// where lanes are added up, and more where an input is gathered or packed.
double elementCost(mlir::linalg::GenericOp op, unsigned dim, const TargetDescription &target);

/// The loop along which vectors are so much better used than along the plan's that it pays to turn the
/// result around; none if there is no such loop.
std::optional<unsigned> findBetterDim(mlir::linalg::GenericOp op, const KernelPlan &plan,
                                      const TargetDescription &target);

/// Cycles that `op` takes, with what is done to its operands.
double kernelCost(mlir::linalg::GenericOp op, const TargetDescription &target);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_KERNELCOST_H
