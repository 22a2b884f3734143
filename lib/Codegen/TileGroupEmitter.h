//===- TileGroupEmitter.h - What is done with a matrix, as a loop over tiles -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_TILEGROUPEMITTER_H
#define NNC_LIB_CODEGEN_TILEGROUPEMITTER_H

#include "CPU/SizeArithmetic.h"
#include "TileGroup.h"

namespace nnc {

/// Writes a group where its last member is, which stays, as the others do.
class TileGroupEmitter {
public:
  TileGroupEmitter(mlir::IRRewriter &rewriter, const TileGroup &group)
      : b(rewriter), group(group), loc(group.last().location()), sizes(rewriter, loc) {}

  /// `isNeeded` tells which sums others read.
  void emit(llvm::function_ref<bool(mlir::Value)> isNeeded);

private:
  using Size = SizeArithmetic::Size;
  struct Range {
    Size offset, extent;
  };
  /// What follows from the maximum of a tile: e^(x - shift) is finite, and e^(old maximum - new) is `scale`.
  struct Maximum {
    mlir::Value ofTile, shift, scale;
  };

  Size countPlaces(unsigned dim);
  Range cut(unsigned dim, Size offset);
  Size move(Size place, int64_t more);
  Size beginOfStream(const std::optional<Band> &band);
  Size endOfStream(const std::optional<Band> &band);
  void allocate();
  void startSums();
  void emitMember(const TileMember &member);
  void growMaximum(mlir::Value root);
  void rescale(mlir::Value root, mlir::Value maximum);
  void finish(mlir::Value root);
  mlir::Value take(const TileMember &member, mlir::OpOperand &operand);
  mlir::Value takeUsed(mlir::Value block, const TileGroup::Axes &axes);
  void shiftIndices(mlir::linalg::GenericOp part, const TileMember &member);
  mlir::AffineMap along(mlir::Value root, mlir::Value of);
  mlir::Value begin(unsigned dim);

  mlir::IRRewriter &b;
  const TileGroup &group;
  mlir::Location loc;
  SizeArithmetic sizes;
  /// Where the block is along each dimension.
  llvm::SmallVector<Range> ranges;
  /// Memory of the block, by buffer.
  llvm::DenseMap<mlir::Value, mlir::Value> blocks;
  llvm::DenseMap<mlir::Value, Maximum> maxima;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_TILEGROUPEMITTER_H
