//===- ShrinkFills.cpp - Fill the border of what is overwritten inside ----===//
//
//   in     linalg on buffers, epilogues fused
//   out    the same; a fill whose buffer is overwritten but for a border, before anything reads it, as fills
//          of that border
//
//===----------------------------------------------------------------------===//
#include "BufferPlaces.h"
#include "KernelFills.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_SHRINKFILLSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// The part of `root` that `op` overwrites, all of it; null if it does anything else with the buffer.
memref::SubViewOp findOverwritten(Operation *op, Value root) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return nullptr;
  memref::SubViewOp part;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<BaseMemRefType>(operand.get().getType()) || rootBuffer(operand.get()) != root)
      continue;
    auto view = operand.get().getDefiningOp<memref::SubViewOp>();
    bool overwrites = linalgOp.isDpsInit(&operand) &&
                      !linalgOp.payloadUsesValueFromOperand(&operand) &&
                      linalgOp.getMatchingIndexingMap(&operand).isProjectedPermutation();
    if (!view || !overwrites || view.getSource() != root || (part && part != view))
      return nullptr;
    part = view;
  }
  bool loads = op->walk([](memref::LoadOp) { return WalkResult::interrupt(); }).wasInterrupted();
  return loads ? nullptr : part;
}

/// Whether `part` is `whole` without a border of known width: all of each axis of unknown size.
bool hasKnownBorder(memref::AllocOp whole, memref::SubViewOp part) {
  MemRefType type = whole.getType();
  if (!part.hasUnitStride() || part.getType().getRank() != type.getRank())
    return false;
  SmallVector<OpFoldResult> extents = whole.getMixedSizes(), sizes = part.getMixedSizes();
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    bool isAll = part.getStaticOffset(axis) == 0 && sizes[axis] == extents[axis];
    bool isKnown = !type.isDynamicDim(axis) && !ShapedType::isDynamic(part.getStaticOffset(axis)) &&
                   !ShapedType::isDynamic(part.getStaticSize(axis));
    if (!isAll && !isKnown)
      return false;
  }
  return true;
}

/// Fills what `part` leaves of its buffer: of each axis both ends, without the ends of the axes before.
void fillBorder(IRRewriter &rewriter, linalg::FillOp fill, memref::SubViewOp part) {
  Location loc = fill.getLoc();
  Value buffer = fill.output();
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(rewriter, loc, buffer),
                            offsets(sizes.size(), rewriter.getIndexAttr(0)),
                            strides(sizes.size(), rewriter.getIndexAttr(1));
  auto fillFrom = [&](unsigned axis, int64_t from, int64_t count) {
    if (count == 0)
      return;
    SmallVector<OpFoldResult> begin(offsets), extent(sizes);
    begin[axis] = rewriter.getIndexAttr(from);
    extent[axis] = rewriter.getIndexAttr(count);
    Value edge = memref::SubViewOp::create(rewriter, loc, buffer, begin, extent, strides);
    linalg::FillOp::create(rewriter, loc, fill.value(), edge);
  };
  for (unsigned axis = 0; axis < sizes.size(); ++axis) {
    int64_t all = part.getSourceType().getDimSize(axis), offset = part.getStaticOffset(axis),
            size = part.getStaticSize(axis);
    if (ShapedType::isDynamic(all) || size == all)
      continue;
    fillFrom(axis, 0, offset);
    fillFrom(axis, offset + size, all - offset - size);
    offsets[axis] = rewriter.getIndexAttr(offset);
    sizes[axis] = rewriter.getIndexAttr(size);
  }
}

class ShrinkFills : public impl::ShrinkFillsPassBase<ShrinkFills> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::FillOp> fills;
    getOperation().walk([&](linalg::FillOp fill) { fills.push_back(fill); });
    for (linalg::FillOp fill : fills)
      shrink(rewriter, fill);
  }

  void shrink(IRRewriter &rewriter, linalg::FillOp fill) {
    Value root = fill.output();
    auto alloc = root.getDefiningOp<memref::AllocOp>();
    if (!alloc)
      return;
    Operation *next = fill->getNextNode();
    while (next && !mayTouch(next, root))
      next = next->getNextNode();
    memref::SubViewOp part = next ? findOverwritten(next, root) : nullptr;
    if (!part || !hasKnownBorder(alloc, part))
      return;
    remarkDone(fill.getLoc(), "shrink-fills")
        << "only the border is filled: " << lineText(next->getLoc()) << " overwrites the rest";
    rewriter.setInsertionPoint(fill);
    fillBorder(rewriter, fill, part);
    rewriter.eraseOp(fill);
  }
};

} // namespace
} // namespace nnc
