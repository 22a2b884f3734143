//===- PackWords.h - Factors for instructions that take words of them -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_PACKWORDS_H
#define NNC_LIB_CODEGEN_PACKWORDS_H

#include "CPU/KernelPlan.h"
#include "CPU/WordProduct.h"
#include "nnc/Codegen/Target.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// A sum of products of short factors that goes in words along the reduction `dim`.
struct WordLoop {
  ShortProduct factors;
  /// What the words hold, the left ones perhaps moved by 128.
  ShortKind leftKind, rightKind;
  bool isLeftMoved = false;
  unsigned dim;
  /// The iterations of the reduction, zeros at the end included.
  int64_t size;
  /// What becomes of the left factor: it stays as it is; its axis of words is turned to the end; it is copied in
  /// the order of the loops, with zeros.
  enum class Left { Stays, Turned, Packed } left;
  /// How many columns of words a panel has, and of how many the columns in memory are a multiple.
  int64_t panel, columnUnit;

  /// Whether the left factor is read where it is.
  bool leavesLeft() const { return left == Left::Stays && leftKind == factors.leftKind; }
};

/// How `op`, whose vectors go along `vectorDim`, does that; none if the target has nothing for it or it is too
/// little work. Copies of inputs that are in `early` are free.
std::optional<WordLoop> findWordLoop(mlir::linalg::GenericOp op, unsigned vectorDim,
                                     const TargetDescription &target,
                                     const llvm::DenseSet<mlir::Value> &early);

/// Replaces `op` by one on words, or by two where the columns end within a panel, with copies of its factors
/// before it.
void packWords(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op, unsigned vectorDim,
               const WordLoop &words);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PACKWORDS_H
