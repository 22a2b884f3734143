//===- WinogradMemory.cpp - Where transformed tiles and pixels lie --------===//
#include "CPU/ParallelMarks.h"
#include "WinogradEmitter.h"

using namespace mlir;
using namespace nnc::winograd;

namespace nnc {

/// Room for the products of filters.
Value WinogradEmitter::allocateFilters() {
  return allocate({kTile, kTile, numPanels(), window.size(window.channel), panelWidth});
}

Value WinogradEmitter::allocate(ArrayRef<int64_t> shape) {
  return memref::AllocOp::create(b, loc, MemRefType::get(shape, elementType()));
}

/// Room for the tiles of one block in each part, with so many panels of `width` elements a product.
Value WinogradEmitter::allocateTiles(int64_t panels, int64_t width) {
  SmallVector<int64_t> shape = {kTile,        kTile, panels, cut.images, cut.rowsInBuffer(),
                                cut.tiles(1), width};
  if (numParts > 1)
    shape.insert(shape.begin(), numParts);
  return allocate(shape);
}

Value WinogradEmitter::slice(Value buffer, ArrayRef<Size> offsets, ArrayRef<Size> extents,
                             unsigned dropped) {
  SmallVector<int64_t> shape;
  for (Size extent : extents.drop_front(dropped))
    shape.push_back(getConstantIntValue(extent).value_or(ShapedType::kDynamic));
  SmallVector<Size> strides(offsets.size(), b.getIndexAttr(1));
  MemRefType type = memref::SubViewOp::inferRankReducedResultType(
      shape, cast<MemRefType>(buffer.getType()), offsets, extents, strides);
  return memref::SubViewOp::create(b, loc, type, buffer, offsets, extents, strides);
}

/// What `block`, in `part`, takes of a buffer for tiles.
Value WinogradEmitter::tilesOf(Value buffer, Value part, const Block &block) {
  SmallVector<Size> extents;
  for (int64_t size : cast<MemRefType>(buffer.getType()).getShape())
    extents.push_back(b.getIndexAttr(size));
  SmallVector<Size> offsets(extents.size(), b.getIndexAttr(0));
  if (part) {
    offsets[0] = part;
    extents[0] = b.getIndexAttr(1);
    buffer = slice(buffer, offsets, extents, /*dropped=*/1);
    markInLoop(buffer, kScratchAttr);
    offsets.erase(offsets.begin());
    offsets[0] = b.getIndexAttr(0);
    extents.erase(extents.begin());
  }
  int64_t rows = 0;
  for (const Segment &segment : block.rows)
    rows += segment.tiles;
  extents[3] = block.images;
  extents[4] = b.getIndexAttr(rows);
  return slice(buffer, offsets, extents);
}

/// The sixteen products of the tiles in these rows and columns.
SmallVector<Value> WinogradEmitter::products(Value tiles, const Segment &rows,
                                             const Segment &columns) {
  SmallVector<Size> extents = memref::getMixedSizes(b, loc, tiles),
                    offsets(extents.size(), b.getIndexAttr(0));
  offsets[4] = b.getIndexAttr(rows.firstTile);
  extents[4] = b.getIndexAttr(rows.tiles);
  offsets[5] = b.getIndexAttr(columns.firstTile);
  extents[5] = b.getIndexAttr(columns.tiles);
  return products(tiles, offsets, extents);
}

/// The sixteen products of filters.
SmallVector<Value> WinogradEmitter::products(Value filters) {
  SmallVector<Size> extents = memref::getMixedSizes(b, loc, filters),
                    offsets(extents.size(), b.getIndexAttr(0));
  return products(filters, offsets, extents);
}

SmallVector<Value> WinogradEmitter::products(Value buffer, SmallVector<Size> offsets,
                                             SmallVector<Size> extents) {
  extents[0] = extents[1] = b.getIndexAttr(1);
  Values views;
  for (int64_t product = 0; product < kTile * kTile; ++product) {
    offsets[0] = b.getIndexAttr(product / kTile);
    offsets[1] = b.getIndexAttr(product % kTile);
    views.push_back(slice(buffer, offsets, extents, /*dropped=*/2));
  }
  return views;
}

/// The part of an operand that the tiles in these rows and columns of the block touch.
Value WinogradEmitter::viewOf(OpOperand *operand, const Block &block, const Segment &rows,
                              const Segment &columns) {
  const Segment *segments[] = {&rows, &columns};
  bool isInput = operand == window.x;
  SmallVector<Size> extents = memref::getMixedSizes(b, loc, operand->get()),
                    offsets(extents.size(), b.getIndexAttr(0));
  AffineMap map = window.op.getMatchingIndexingMap(operand);
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    if (expr == b.getAffineDimExpr(window.image)) {
      offsets[axis] = block.firstImage;
      extents[axis] = block.images;
    }
    for (auto [loops, segment] : llvm::zip_equal(window.axes, segments)) {
      if (!expr.isFunctionOfDim(loops.pixel))
        continue;
      int64_t border = isInput ? kTile - kPixels : 0, begin = isInput ? loops.begin() : 0;
      offsets[axis] = sizes.add(segment->firstPixel, sizes.constant(begin));
      extents[axis] = b.getIndexAttr(kPixels * segment->tiles + border);
    }
  }
  return slice(operand->get(), offsets, extents);
}

/// Element `lane` of a panel as a filter.
AffineExpr WinogradEmitter::filterAt(unsigned panel, unsigned lane) {
  return b.getAffineDimExpr(panel) * panelWidth + b.getAffineDimExpr(lane);
}

/// Where element (row, column) of tile (panel, image, row, column, lane) lies in such a view.
AffineMap WinogradEmitter::mapOf(OpOperand *operand, int64_t row, int64_t column) {
  AffineMap map = window.op.getMatchingIndexingMap(operand);
  int64_t places[] = {row, column};
  SmallVector<AffineExpr> exprs;
  for (AffineExpr expr : map.getResults()) {
    AffineExpr here = expr;
    if (expr == b.getAffineDimExpr(window.image))
      here = b.getAffineDimExpr(1);
    else if (expr == b.getAffineDimExpr(window.channel))
      here = b.getAffineDimExpr(4);
    else if (expr == b.getAffineDimExpr(window.filter))
      here = filterAt(0, 4);
    for (unsigned axis = 0; axis < 2; ++axis)
      if (expr.isFunctionOfDim(window.axes[axis].pixel))
        here = b.getAffineDimExpr(2 + axis) * kPixels + places[axis];
    exprs.push_back(here);
  }
  return AffineMap::get(5, 0, exprs, b.getContext());
}

} // namespace nnc
