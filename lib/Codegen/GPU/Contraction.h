//===- Contraction.h - Sums of products, tile by tile -----------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_CONTRACTION_H
#define NNC_LIB_CODEGEN_GPU_CONTRACTION_H

#include "OperationBody.h"

#include <optional>

namespace nnc {

/// An operation as a batch of products of two matrices, which are never written: what is at a row and a term, or at
/// a term and a column, is computed where it is needed.
struct Contraction {
  /// Loops of both factors, of the left one, of the right one, and over the terms.
  llvm::SmallVector<unsigned> batch, rows, columns, terms;
  /// Values of the body.
  mlir::Value left, right;
};

/// `op` as a contraction, if it is one worth tiles.
std::optional<Contraction> findContraction(mlir::linalg::GenericOp op);

/// Launches at `b` what computes `contraction`. If `fills` says that the output is filled before, what few tiles
/// would sum for long is summed in parts, by more blocks: these are added in order by the operation returned.
mlir::linalg::GenericOp emitContraction(mlir::OpBuilder &b, const OperationBody &body,
                                        const Contraction &contraction, bool isFilled);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_CONTRACTION_H
