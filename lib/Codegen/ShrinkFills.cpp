//===- ShrinkFills.cpp - Fill the border of what is overwritten inside ----===//
//
//   in     linalg on buffers, epilogues fused
//   out    the same; a fill whose buffer is overwritten but for a border, before anything reads it, as fills
//          of that border
//
//===----------------------------------------------------------------------===//
#include "BufferPlaces.h"
#include "ConcreteSizes.h"
#include "KernelFills.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"
#include "nnc/IR/TypicalSize.h"

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

struct Edge {
  SmallVector<OpFoldResult> offsets, sizes;
};

/// What `part` leaves of its buffer, which is of `sizes`: of each axis both ends, without the ends of the axes before.
SmallVector<Edge> findBorder(memref::SubViewOp part, SmallVector<OpFoldResult> sizes) {
  OpBuilder builder(part.getContext());
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<Edge> border;
  for (unsigned axis = 0; axis < sizes.size(); ++axis) {
    int64_t all = part.getSourceType().getDimSize(axis), offset = part.getStaticOffset(axis),
            size = part.getStaticSize(axis);
    if (ShapedType::isDynamic(all) || size == all)
      continue;
    for (auto [from, to] : {std::pair(int64_t(0), offset), std::pair(offset + size, all)}) {
      if (from == to)
        continue;
      Edge &edge = border.emplace_back(Edge{offsets, sizes});
      edge.offsets[axis] = builder.getIndexAttr(from);
      edge.sizes[axis] = builder.getIndexAttr(to - from);
    }
    offsets[axis] = builder.getIndexAttr(offset);
    sizes[axis] = builder.getIndexAttr(size);
  }
  return border;
}

/// Cycles for filling `sizes` of a buffer of `type`, roughly: a store for each line of a cache, and a loop around each
/// stretch of memory.
double fillCost(MemRefType type, ArrayRef<OpFoldResult> sizes) {
  constexpr double kLoop = 1, kLineBytes = 64;
  double stretch = elementBytes(type), stretches = 1;
  bool isWhole = true;
  for (int64_t axis = type.getRank(); axis-- > 0;) {
    std::optional<int64_t> known = getConstantIntValue(sizes[axis]);
    (isWhole ? stretch : stretches) *= double(known.value_or(kTypicalSize));
    isWhole &= known == type.getDimSize(axis) || (!known && type.isDynamicDim(axis));
  }
  return stretches * (kLoop + std::ceil(stretch / kLineBytes));
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
    rewriter.setInsertionPoint(fill);
    Location loc = fill.getLoc();
    SmallVector<OpFoldResult> sizes = alloc.getMixedSizes();
    SmallVector<Edge> border = findBorder(part, sizes);
    double cost = 0;
    for (const Edge &edge : border)
      cost += fillCost(alloc.getType(), edge.sizes);
    if (cost >= fillCost(alloc.getType(), sizes))
      return;
    remarkDone(loc, "shrink-fills")
        << "only the border is filled: " << lineText(next->getLoc()) << " overwrites the rest";
    SmallVector<OpFoldResult> strides(sizes.size(), rewriter.getIndexAttr(1));
    for (const Edge &edge : border) {
      Value view =
          memref::SubViewOp::create(rewriter, loc, root, edge.offsets, edge.sizes, strides);
      linalg::FillOp::create(rewriter, loc, fill.value(), view);
    }
    rewriter.eraseOp(fill);
  }
};

} // namespace
} // namespace nnc
