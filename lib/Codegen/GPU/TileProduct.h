//===- TileProduct.h - How threads multiply what is in shared memory -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_TILEPRODUCT_H
#define NNC_LIB_CODEGEN_GPU_TILEPRODUCT_H

#include "TileFactor.h"

namespace nnc {

/// The sums of a thread of the block: threadRows by threadColumns of them, row by row.
class TileProduct {
public:
  virtual ~TileProduct() = default;

  /// Where the sums of the thread are in the tile.
  virtual llvm::SmallVector<mlir::Value> rows(mlir::OpBuilder &b) const = 0;
  virtual llvm::SmallVector<mlir::Value> columns(mlir::OpBuilder &b) const = 0;
  /// Columns that are neighbours, of those.
  virtual int64_t neighbours() const = 0;
  /// The sums and the products of one stage's terms.
  virtual llvm::SmallVector<mlir::Value> add(mlir::OpBuilder &b, const TileFactor &left,
                                             const TileFactor &right, mlir::Value stage,
                                             mlir::ValueRange sums) const = 0;
};

/// One by units that multiply matrices of `matrixType`, in f32 by threads if that is null; `thread` is the number of the thread in the block.
std::unique_ptr<TileProduct> createTileProduct(mlir::OpBuilder &b, mlir::Location loc,
                                               const Tile &tile, mlir::Type matrixType,
                                               mlir::Value thread);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_TILEPRODUCT_H
