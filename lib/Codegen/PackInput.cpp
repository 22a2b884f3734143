//===- PackInput.cpp - A copy of an operand in the order of the loops -----===//
#include "PackInput.h"

#include "BufferPlaces.h"
#include "CutLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

using namespace mlir;

namespace nnc {

unsigned OperandLoops::split(unsigned dim, int64_t width) {
  MLIRContext *context = maps.front().getContext();
  unsigned inner = kinds.size();
  SmallVector<AffineExpr> replacements;
  for (unsigned loop = 0; loop < inner; ++loop)
    replacements.push_back(getAffineDimExpr(loop, context));
  replacements[dim] = replacements[dim] * width + getAffineDimExpr(inner, context);
  for (AffineMap &map : maps)
    map = map.replaceDimsAndSymbols(replacements, {}, inner + 1, 0);
  kinds.push_back(kinds[dim]);
  sizes[dim] /= width;
  sizes.push_back(width);
  return inner;
}

void OperandLoops::exchange(unsigned first, unsigned second) {
  SmallVector<AffineExpr> replacements;
  for (unsigned loop = 0; loop < kinds.size(); ++loop)
    replacements.push_back(getAffineDimExpr(loop, maps.front().getContext()));
  std::swap(replacements[first], replacements[second]);
  for (AffineMap &map : maps)
    map = map.replaceDimsAndSymbols(replacements, {}, kinds.size(), 0);
  std::swap(kinds[first], kinds[second]);
  std::swap(sizes[first], sizes[second]);
}

Value splitAxes(IRRewriter &rewriter, Location loc, Value source, const OperandLoops &loops,
                AffineMap &map) {
  SmallVector<ReassociationIndices> groups;
  SmallVector<AffineExpr> exprs;
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(rewriter, loc, source), split;
  SmallVector<int64_t> shape;
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    SmallVector<unsigned> dims;
    for (unsigned dim = 0; dim < loops.kinds.size(); ++dim)
      if (expr.isFunctionOfDim(dim))
        dims.push_back(dim);
    groups.emplace_back();
    for (unsigned dim : dims) {
      groups.back().push_back(exprs.size());
      exprs.push_back(rewriter.getAffineDimExpr(dim));
      split.push_back(dims.size() == 1 ? sizes[axis] : rewriter.getIndexAttr(loops.sizes[dim]));
      shape.push_back(loops.sizes[dim]);
    }
  }
  if (exprs.size() == map.getNumResults())
    return source;
  map = AffineMap::get(map.getNumDims(), 0, exprs, rewriter.getContext());
  return memref::ExpandShapeOp::create(rewriter, loc, shape, source, groups, split);
}

/// Whether anything in `loop` may write to the memory of `root`.
static bool isWrittenIn(LoopLikeOpInterface loop, Value root) {
  return loop
      ->walk([&](Operation *inner) {
        auto op = dyn_cast<linalg::LinalgOp>(inner);
        bool isHarmless =
            op ? llvm::none_of(op.getDpsInits(),
                               [&](Value output) { return rootBuffer(output) == root; })
               : isPure(inner) || isa<memref::AllocOp>(inner) || inner->getNumRegions() != 0 ||
                     inner->hasTrait<OpTrait::IsTerminator>();
        return isHarmless ? WalkResult::advance() : WalkResult::interrupt();
      })
      .wasInterrupted();
}

Operation *findPackingPlace(linalg::GenericOp op, Value source) {
  Operation *place = op;
  Value root = rootBuffer(source);
  for (auto loop = op->getParentOfType<LoopLikeOpInterface>(); loop && !isWrittenIn(loop, root);
       loop = loop->getParentOfType<LoopLikeOpInterface>()) {
    moveLoopInvariantCode(loop);
    if (!loop.isDefinedOutsideOfLoop(source))
      break;
    place = loop;
  }
  return place;
}

static bool dependsOnTrip(Value size) {
  if (auto argument = dyn_cast<BlockArgument>(size))
    return isa<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
  if (auto dim = size.getDefiningOp<memref::DimOp>())
    return changesShape(dim.getSource());
  return llvm::any_of(size.getDefiningOp()->getOperands(), dependsOnTrip);
}

bool changesShape(Value source) {
  Operation *op = source.getDefiningOp();
  if (!op)
    return false;
  if (auto view = dyn_cast<memref::SubViewOp>(op);
      view && llvm::any_of(view.getSizes(), dependsOnTrip))
    return true;
  auto view = dyn_cast<ViewLikeOpInterface>(op);
  return view && changesShape(view.getViewSource());
}

/// Copies `source` to `target`, which lie as these maps say, in the order of the source.
static void copyInOrder(IRRewriter &rewriter, Location loc, Value source, Value target,
                        OperandLoops loops, AffineMap sourceMap, AffineMap targetMap,
                        Conversion conversion) {
  constexpr int64_t kRows = 16, kManyPanels = 24;
  SmallVector<unsigned> order;
  for (AffineExpr expr : sourceMap.getResults())
    order.push_back(cast<AffineDimExpr>(expr).getPosition());
  // Row by row, each has a part in every panel. These are more than there are pages at hand: they are written in
  // pieces of several lines, a few rows at a time.
  if (order.size() == 3 && order[2] == loops.vectorDim && loops.sizes[order[0]] % kRows == 0 &&
      !ShapedType::isDynamic(loops.sizes[order[0]]) && loops.sizes[order[1]] >= kManyPanels &&
      targetMap.getResult(1) == sourceMap.getResult(0)) {
    loops.maps = {sourceMap, targetMap};
    order.insert(order.begin() + 2, loops.split(order[0], kRows));
    source = splitAxes(rewriter, loc, source, loops, loops.maps[0]);
    target = splitAxes(rewriter, loc, target, loops, loops.maps[1]);
    std::tie(sourceMap, targetMap) = std::pair(loops.maps[0], loops.maps[1]);
  }
  SmallVector<AffineExpr> places(loops.kinds.size(), rewriter.getAffineConstantExpr(0));
  for (auto [place, dim] : llvm::enumerate(order))
    places[dim] = rewriter.getAffineDimExpr(place);
  auto inOrder = [&](AffineMap map) {
    return map.replaceDimsAndSymbols(places, {}, order.size(), 0);
  };
  simplifyLoops(rewriter, copyBuffer(rewriter, loc, source, target, inOrder(sourceMap),
                                     inOrder(targetMap), conversion));
}

Value packInput(IRRewriter &rewriter, Location loc, Value source, const OperandLoops &loops,
                AffineMap &map, std::optional<int64_t> length, Conversion conversion) {
  source = splitAxes(rewriter, loc, source, loops, map);
  unsigned numLoops = loops.kinds.size();
  SmallVector<unsigned> packedOrder;
  for (unsigned dim = 0; dim < numLoops; ++dim)
    if (dim != loops.vectorDim && map.isFunctionOfDim(dim))
      packedOrder.push_back(dim);
  packedOrder.push_back(loops.vectorDim);
  SmallVector<AffineExpr> packedExprs;
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamicSizes;
  for (unsigned dim : packedOrder) {
    AffineExpr expr = rewriter.getAffineDimExpr(dim);
    packedExprs.push_back(expr);
    shape.push_back(loops.sizes[dim]);
    if (ShapedType::isDynamic(shape.back()))
      dynamicSizes.push_back(
          memref::DimOp::create(rewriter, loc, source, *map.getResultPosition(expr)));
  }
  int64_t size = shape.back();
  shape.back() = length.value_or(size);
  auto type =
      MemRefType::get(shape, conversion ? conversion.type : getElementTypeOrSelf(source.getType()));
  Value packed = memref::AllocOp::create(rewriter, loc, type, dynamicSizes), target = packed;
  if (shape.back() != size) {
    unsigned last = shape.size() - 1;
    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(type.getElementType()));
    linalg::FillOp::create(rewriter, loc, zero,
                           takeSlice(rewriter, loc, packed, last, size, shape.back() - size));
    target = takeSlice(rewriter, loc, packed, last, 0, size);
  }
  AffineMap packedMap = AffineMap::get(numLoops, 0, packedExprs, rewriter.getContext());
  copyInOrder(rewriter, loc, source, target, loops, map, packedMap, conversion);
  map = packedMap;
  return packed;
}

} // namespace nnc
