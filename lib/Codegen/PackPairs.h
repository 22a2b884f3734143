//===- PackPairs.h - Factors of bf16 for instructions that take two -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_PACKPAIRS_H
#define NNC_LIB_CODEGEN_PACKPAIRS_H

#include "CPU/KernelPlan.h"
#include "nnc/Codegen/Target.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// How many columns of pairs a panel has.
constexpr int64_t kPairPanel = 2 * kMatrixColumns;

/// A sum of products of bf16 that goes in pairs along the reduction `dim`.
struct PairLoop {
  mlir::OpOperand *left, *right;
  unsigned dim;
  /// The iterations of the reduction, zeros at the end included.
  int64_t size;
  /// What becomes of the left factor: it stays as it is; its axis of pairs is turned to the end; it is copied in
  /// the order of the loops, with zeros.
  enum class Left { Stays, Turned, Packed } leftKind;
};

/// How `op`, whose vectors go along `vectorDim`, does that; none if the target has nothing for it or it is too
/// little work. Copies of inputs that are in `early` are free.
std::optional<PairLoop> findPairLoop(mlir::linalg::GenericOp op, unsigned vectorDim,
                                     const TargetDescription &target,
                                     const llvm::DenseSet<mlir::Value> &early);

/// Replaces `op` by one on pairs, or by two where the columns end within a panel, with copies of its factors
/// before it.
void packPairs(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op, unsigned vectorDim,
               const PairLoop &pairs);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PACKPAIRS_H
