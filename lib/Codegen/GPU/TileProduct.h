//===- TileProduct.h - How threads multiply what is in shared memory -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_TILEPRODUCT_H
#define NNC_LIB_CODEGEN_GPU_TILEPRODUCT_H

#include "TileFactor.h"

#include <memory>

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

  /// How many stages are still read when `add` has returned.
  virtual int64_t stagesBehind() const { return 0; }
  /// What a thread does when what it brought is there, before it meets the others.
  virtual void publish(mlir::OpBuilder &) const {}
  /// What goes from stage to stage, at first.
  virtual llvm::SmallVector<mlir::Value> start(mlir::OpBuilder &b) const = 0;
  /// The same with the products of one stage's terms.
  virtual llvm::SmallVector<mlir::Value> add(mlir::OpBuilder &b, const TileFactor &left,
                                             const TileFactor &right, mlir::Value stage,
                                             mlir::ValueRange carried) const = 0;
  /// The sums, when all is added.
  virtual llvm::SmallVector<mlir::Value> finish(mlir::OpBuilder &, mlir::ValueRange carried) const {
    return llvm::SmallVector<mlir::Value>(carried);
  }
};

/// One by the unit of `tile`, of factors of `matrixType` if it is one for matrices; `thread` is the number of the thread
/// in the block.
std::unique_ptr<TileProduct> createTileProduct(mlir::OpBuilder &b, mlir::Location loc,
                                               const Tile &tile, mlir::Type matrixType,
                                               mlir::Value thread);
std::unique_ptr<TileProduct> createWarpgroupProduct(mlir::OpBuilder &b, mlir::Location loc,
                                                    const Tile &tile, mlir::Type matrixType,
                                                    mlir::Value thread);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_TILEPRODUCT_H
