//===- Contraction.h - Sums of products, tile by tile -----------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_CONTRACTION_H
#define NNC_LIB_CODEGEN_GPU_CONTRACTION_H

#include "Launch.h"
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

/// How many iterations some loops have; where it is not known, many.
int64_t estimateCount(mlir::linalg::GenericOp op, llvm::ArrayRef<unsigned> loops);

struct ContractionOptions {
  /// Whether the output is filled before: what few tiles would sum for long is summed in parts then, by more blocks.
  bool isFilled = false;
  /// Whether factors of f32 may be rounded to tf32.
  bool roundsFactors = false;
  /// Whether groups of four warps can multiply (wgmma), and a unit of its own copies tensors (TMA).
  bool hasWarpgroups = false;
};

/// Launches at `b` what computes `contraction`. If it is summed in parts, these are added in order by the operation
/// returned.
mlir::linalg::GenericOp emitContraction(mlir::OpBuilder &b, const OperationBody &body,
                                        const Contraction &contraction, ContractionOptions options);

/// The same by the threads of one block, at `b` in its kernel; they have to meet before and behind it.
void emitContractionInBlock(mlir::OpBuilder &b, const OperationBody &body,
                            const Contraction &contraction, mlir::gpu::LaunchOp launch,
                            SharedScratch &scratch, bool roundsFactors);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_CONTRACTION_H
