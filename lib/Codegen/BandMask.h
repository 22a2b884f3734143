//===- BandMask.h - Masks that are true in a band around the diagonal -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_BANDMASK_H
#define NNC_LIB_CODEGEN_BANDMASK_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace nnc {

/// What a mask lets through of each row: the columns j of row i with i + from <= j < i + until.
struct Band {
  std::optional<int64_t> from, until;
  bool operator==(const Band &other) const { return from == other.from && until == other.until; }
};

/// A matrix of truth values that is true where the place along one axis and that along another are so far apart:
/// a causal mask, or one of neighbours.
class BandMask {
public:
  /// What `op` writes, if it is one.
  static std::optional<BandMask> match(mlir::linalg::GenericOp op);

  /// Its two axes.
  llvm::ArrayRef<unsigned> axes() const { return places; }
  /// For each place along `rowAxis`, the places along the other.
  Band bandOf(unsigned rowAxis) const;
  /// Whether it is true at these places along its axes, integers.
  mlir::Value compare(mlir::OpBuilder &builder, mlir::Location loc,
                      llvm::ArrayRef<mlir::Value> at) const;
  /// Has `op` compare instead of reading its input number `input`, which holds this mask. `placeOf` makes, in the body,
  /// the place along one of its axes.
  void replaceInput(mlir::RewriterBase &rewriter, mlir::linalg::GenericOp op, unsigned input,
                    llvm::function_ref<mlir::Value(unsigned axis)> placeOf) const;

private:
  bool addCondition(mlir::Value condition);

  llvm::SmallVector<unsigned, 2> places;
  /// The places along the first axis less those along the second are at least and at most so much.
  std::optional<int64_t> least, most;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_BANDMASK_H
