//===- CutLoop.cpp - One operation as two, one after the other ------------===//
#include "CutLoop.h"

#include "KernelFills.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {

bool isOwnAxis(linalg::GenericOp op, unsigned dim) {
  AffineExpr here = getAffineDimExpr(dim, op.getContext());
  return llvm::all_of(op.getIndexingMapsArray(), [&](AffineMap map) {
    return !map.isFunctionOfDim(dim) || map.getResultPosition(here);
  });
}

Value takeSlice(OpBuilder &b, Location loc, Value buffer, unsigned axis, int64_t begin,
                int64_t size) {
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, buffer);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)),
      strides(sizes.size(), b.getIndexAttr(1));
  offsets[axis] = b.getIndexAttr(begin);
  sizes[axis] = b.getIndexAttr(size);
  return memref::SubViewOp::create(b, loc, buffer, offsets, sizes, strides);
}

OpFoldResult loopExtent(OpBuilder &b, linalg::GenericOp op, unsigned dim) {
  int64_t size = op.getStaticLoopRanges()[dim];
  if (!ShapedType::isDynamic(size))
    return b.getIndexAttr(size);
  for (OpOperand &operand : op->getOpOperands())
    if (auto axis = op.getMatchingIndexingMap(&operand).getResultPosition(b.getAffineDimExpr(dim)))
      return memref::getMixedSize(b, op.getLoc(), operand.get(), *axis);
  llvm_unreachable("the loop has an axis of its own");
}

Value takeRanges(OpBuilder &b, Location loc, Value buffer, AffineMap map,
                 ArrayRef<LoopRange> ranges) {
  if (!isa<MemRefType>(buffer.getType()))
    return buffer;
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, buffer),
                            offsets(sizes.size(), b.getIndexAttr(0)),
                            strides(sizes.size(), b.getIndexAttr(1));
  bool isPart = false;
  for (const LoopRange &range : ranges)
    if (auto axis = map.getResultPosition(b.getAffineDimExpr(range.dim))) {
      offsets[*axis] = range.begin;
      sizes[*axis] = range.size;
      isPart = true;
    }
  return isPart ? memref::SubViewOp::create(b, loc, buffer, offsets, sizes, strides).getResult()
                : buffer;
}

Value rebuildView(OpBuilder &b, Location loc, Value view, Value root, Value block) {
  if (view == root)
    return block;
  Operation *op = view.getDefiningOp();
  Value source = rebuildView(b, loc, op->getOperand(0), root, block);
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op))
    return memref::CollapseShapeOp::create(b, loc, source, collapse.getReassociationIndices());
  auto expand = cast<memref::ExpandShapeOp>(op);
  SmallVector<OpFoldResult> sourceSizes = memref::getMixedSizes(b, loc, source), extents;
  SmallVector<int64_t> shape;
  for (auto [axis, axes] : llvm::enumerate(expand.getReassociationIndices())) {
    bool isTaken = false;
    for (int64_t part : axes) {
      bool takesAll =
          !isTaken && (expand.getResultType().getDimSize(part) != 1 || part == axes.back());
      isTaken |= takesAll;
      extents.push_back(takesAll ? sourceSizes[axis] : b.getIndexAttr(1));
      shape.push_back(getConstantIntValue(extents.back()).value_or(ShapedType::kDynamic));
    }
  }
  return memref::ExpandShapeOp::create(b, loc, shape, source, expand.getReassociationIndices(),
                                       extents);
}

/// Iterations [begin, begin + size) of loop `dim` of `op` as an operation before it, that starts from
/// these `fills`.
static linalg::GenericOp cloneRange(OpBuilder &b, linalg::GenericOp op,
                                    ArrayRef<linalg::FillOp> fills, unsigned dim, int64_t begin,
                                    int64_t size) {
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(takeRanges(b, loc, operand.get(), op.getMatchingIndexingMap(&operand),
                                  LoopRange{dim, b.getIndexAttr(begin), b.getIndexAttr(size)}));
  for (unsigned index = 0; index < fills.size(); ++index)
    if (linalg::FillOp fill = fills[index])
      linalg::FillOp::create(b, loc, fill.value(), operands[op.getNumDpsInputs() + index]);
  auto clone = cast<linalg::GenericOp>(b.clone(*op));
  clone->setOperands(operands);
  return clone;
}

std::pair<linalg::GenericOp, linalg::GenericOp> cutLoop(IRRewriter &rewriter, linalg::GenericOp op,
                                                        unsigned dim, int64_t size) {
  SmallVector<linalg::FillOp> fills;
  for (OpOperand &output : op.getDpsInitsMutable())
    fills.push_back(findFill(op, output));
  int64_t all = op.getStaticLoopRanges()[dim];
  linalg::GenericOp first = cloneRange(rewriter, op, fills, dim, 0, size);
  linalg::GenericOp rest = cloneRange(rewriter, op, fills, dim, size, all - size);
  rewriter.eraseOp(op);
  for (linalg::FillOp fill : fills)
    if (fill)
      rewriter.eraseOp(fill);
  return {first, rest};
}

} // namespace nnc
