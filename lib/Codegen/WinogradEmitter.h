//===- WinogradEmitter.h - Convolutions as products of transformed tiles -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_WINOGRADEMITTER_H
#define NNC_LIB_CODEGEN_WINOGRADEMITTER_H

#include "CPU/SizeArithmetic.h"
#include "WinogradBlocks.h"
#include "WinogradTransforms.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace nnc {

/// Writes a contraction over windows of three by three elements as products of transformed tiles.
class WinogradEmitter {
public:
  using Size = mlir::OpFoldResult;

  /// The operation's channels and filters lie next to each other in memory where it has them. `parts`: how
  /// many groups of blocks there are that threads may share, each with memory of its own; 1 for none. `tileWidth`: how many results
  /// a kernel's tile has along vectors.
  WinogradEmitter(mlir::IRRewriter &rewriter, const WindowContraction &contraction,
                  const WinogradBlocks &blocks, int64_t parts, int64_t tileWidth);

  /// Replaces the operation and the fill that it starts from.
  void replace();

private:
  /// Tiles in a row along one axis.
  struct Segment {
    /// Where the pixels begin in the image, and the tiles in the block.
    Size firstPixel;
    int64_t firstTile, tiles;
    bool skipsFirst;
  };
  struct Block {
    Size firstImage, images;
    mlir::SmallVector<Segment> rows;
  };
  using Values = mlir::SmallVector<mlir::Value>;

  // Loops over blocks.
  void forBlocks(mlir::function_ref<void(mlir::Value part, const Block &block)> body, bool inParts);
  void forRange(Size count, mlir::function_ref<void(mlir::Value)> body);
  Block makeBlock(Size number);
  Size countBlocks();
  Size countImages();
  mlir::SmallVector<Segment> wholeAxis(unsigned axis);

  // The two kinds.
  void emitPixels();
  void emitTaps();
  void emitRest(mlir::Value taps);

  // Steps.
  mlir::Value transformTaps();
  void transformTiles(mlir::OpOperand *operand, int64_t size, const Block &block,
                      mlir::Value target, mlir::function_ref<winograd::Matrix(bool)> matrix);
  void transformInput(const Block &block, mlir::Value target);
  void transformPixels(const Block &block, mlir::Value target);
  void multiply(mlir::Value x, mlir::Value taps, mlir::Value products);
  void storePixels(const Block &block, mlir::Value products);
  mlir::Value transformToTaps(mlir::Value products);

  // Memory.
  mlir::Value allocate(mlir::ArrayRef<int64_t> shape);
  mlir::Value allocateTiles(int64_t panels, int64_t width);
  mlir::Value allocateFilters();
  mlir::Value tilesOf(mlir::Value buffer, mlir::Value part, const Block &block);
  mlir::Value slice(mlir::Value buffer, mlir::ArrayRef<Size> offsets, mlir::ArrayRef<Size> extents,
                    unsigned dropped = 0);
  Values products(mlir::Value tiles, const Segment &rows, const Segment &columns);
  Values products(mlir::Value filters);
  Values products(mlir::Value buffer, mlir::SmallVector<Size> offsets,
                  mlir::SmallVector<Size> extents);
  mlir::Value viewOf(mlir::OpOperand *operand, const Block &block, const Segment &rows,
                     const Segment &columns);
  mlir::AffineMap mapOf(mlir::OpOperand *operand, int64_t row, int64_t column);

  mlir::AffineExpr filterAt(unsigned panel, unsigned lane);
  int64_t numPanels() { return window.size(window.filter) / panelWidth; }
  mlir::Type elementType() { return mlir::getElementTypeOrSelf(window.x->get().getType()); }

  mlir::IRRewriter &b;
  WindowContraction window;
  mlir::Location loc;
  const WinogradBlocks &cut;
  int64_t numParts, panelWidth;
  SizeArithmetic sizes;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_WINOGRADEMITTER_H
