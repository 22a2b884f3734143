//===- KernelLoops.cpp - The loops that an operation takes ----------------===//
//
// A matrix on which every element is treated alike is one long row; a 1x1 convolution has no loops over its
// kernel, and its pixels are one row too.
//
//===----------------------------------------------------------------------===//
#include "KernelLoops.h"

#include "KernelFills.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {

/// Whether `map`, simplified, lets a loop alone walk an axis of `type` that `before` had it walk with others:
/// only if it walks all of it.
static bool walksWholeAxes(AffineMap before, AffineMap map, Type type, ArrayRef<int64_t> sizes) {
  for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
    auto dim = dyn_cast<AffineDimExpr>(map.getResult(axis));
    if (!dim || isa<AffineDimExpr>(before.getResult(axis)))
      continue;
    int64_t size = sizes[dim.getPosition()];
    if (ShapedType::isDynamic(size) || size != cast<MemRefType>(type).getDimSize(axis))
      return false;
  }
  return true;
}

/// Rebuilds `op` without the loops that run once.
static linalg::GenericOp dropUnitLoops(IRRewriter &rewriter, linalg::GenericOp op) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  if (op.hasIndexSemantics() || !llvm::is_contained(sizes, 1))
    return op;
  SmallVector<AffineExpr> replacements;
  SmallVector<utils::IteratorType> kinds;
  SmallVector<int64_t> kept;
  for (auto [size, kind] : llvm::zip_equal(sizes, op.getIteratorTypesArray())) {
    replacements.push_back(size == 1 ? rewriter.getAffineConstantExpr(0)
                                     : rewriter.getAffineDimExpr(kinds.size()));
    if (size == 1)
      continue;
    kinds.push_back(kind);
    kept.push_back(size);
  }
  SmallVector<AffineMap> maps;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    maps.push_back(simplifyAffineMap(map.replaceDimsAndSymbols(replacements, {}, kinds.size(), 0)));
    if (!walksWholeAxes(map, maps.back(), operand.get().getType(), kept))
      return op;
  }
  rewriter.setInsertionPoint(op);
  auto reduced = linalg::GenericOp::create(rewriter, op.getLoc(), op.getInputs(), op.getOutputs(),
                                           maps, kinds);
  reduced.getRegion().takeBody(op.getRegion());
  reduced->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
  return reduced;
}

/// Reads and writes operands that have axes of size one, of which only the start is used, without them.
static void dropUnitAxes(IRRewriter &rewriter, linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  AffineExpr zero = rewriter.getAffineConstantExpr(0);
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap &map = maps[operand.getOperandNumber()];
    SmallVector<AffineExpr> kept;
    SmallVector<int64_t> shape;
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
      if (map.getResult(axis) == zero && type.getDimSize(axis) == 1)
        continue;
      kept.push_back(map.getResult(axis));
      shape.push_back(type.getDimSize(axis));
    }
    if (kept.size() == map.getNumResults())
      continue;
    // What an output holds before goes with it.
    linalg::FillOp fill = op.isDpsInit(&operand) ? findFill(op, operand) : nullptr;
    rewriter.setInsertionPoint(fill ? fill.getOperation() : op.getOperation());
    FailureOr<Value> reduced =
        memref::SubViewOp::rankReduceIfNeeded(rewriter, op.getLoc(), operand.get(), shape);
    if (failed(reduced))
      continue;
    if (fill)
      fill.getDpsInitsMutable()[0].set(*reduced);
    operand.set(*reduced);
    map = AffineMap::get(map.getNumDims(), 0, kept, rewriter.getContext());
  }
  op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
}

/// Whether loops `dim` and `dim + 1` are one walk through the memory of each operand.
static bool walkTogether(linalg::GenericOp op, unsigned dim) {
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isFunctionOfDim(dim) && !map.isFunctionOfDim(dim + 1))
      continue;
    auto first = map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    auto second = map.getResultPosition(getAffineDimExpr(dim + 1, map.getContext()));
    if (!map.isProjectedPermutation() || !first || !second || *second != *first + 1)
      return false;
    SmallVector<ReassociationIndices> groups;
    for (int64_t i = 0; i < map.getNumResults(); ++i)
      if (i == *second)
        groups.back().push_back(i);
      else
        groups.push_back({i});
    auto type = cast<MemRefType>(operand.get().getType());
    if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
      return false;
  }
  return true;
}

/// Whether loops `dim` and `dim + 1` of a sum, as one, would be of a size that nobody knows, though that of one is
/// known and enough for a kernel's tiles, which need no rest then.
static bool hidesSize(linalg::GenericOp op, unsigned dim) {
  constexpr int64_t kEnough = 64;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  return op.getNumReductionLoops() != 0 && ShapedType::isDynamic(sizes[dim]) &&
         sizes[dim + 1] >= kEnough;
}

static linalg::GenericOp mergeLoops(IRRewriter &rewriter, linalg::GenericOp op) {
  bool allPermute = llvm::all_of(op.getIndexingMapsArray(),
                                 [](AffineMap map) { return map.isProjectedPermutation(); });
  if (op.hasIndexSemantics() || op.getNumLoops() < 2 || !allPermute)
    return op;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<ReassociationIndices> groups = {{0}};
  for (unsigned dim = 1; dim < op.getNumLoops(); ++dim) {
    if (kinds[dim] == kinds[dim - 1] && !hidesSize(op, dim - 1) && walkTogether(op, dim - 1))
      groups.back().push_back(dim);
    else
      groups.push_back({dim});
  }
  if (groups.size() == op.getNumLoops())
    return op;
  // The fills go with their outputs to the views that the merged operation writes.
  SmallVector<linalg::FillOp> fills;
  for (OpOperand &output : op.getDpsInitsMutable())
    fills.push_back(findFill(op, output));
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> merged = linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(merged))
    return op;
  auto generic = cast<linalg::GenericOp>(merged->collapsedOp);
  generic->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
  for (auto [fill, output] : llvm::zip_equal(fills, generic.getOutputs())) {
    if (!fill || fill.output() == output)
      continue;
    output.getDefiningOp()->moveBefore(fill);
    fill.getDpsInitsMutable()[0].set(output);
  }
  return generic;
}

static Value convert(OpBuilder &builder, Location loc, Value element, Conversion conversion) {
  if (isa<FloatType>(conversion.type))
    return arith::ExtFOp::create(builder, loc, conversion.type, element);
  if (conversion.kind == Conversion::Kind::Unsigned)
    return arith::ExtUIOp::create(builder, loc, conversion.type, element);
  if (conversion.kind == Conversion::Kind::Flipped) {
    unsigned width = conversion.type.getIntOrFloatBitWidth();
    auto highest = builder.getIntegerAttr(conversion.type, APInt::getSignMask(width));
    return arith::XOrIOp::create(builder, loc, element,
                                 arith::ConstantOp::create(builder, loc, highest));
  }
  return arith::ExtSIOp::create(builder, loc, conversion.type, element);
}

linalg::GenericOp copyBuffer(OpBuilder &builder, Location loc, Value source, Value target,
                             AffineMap sourceMap, AffineMap targetMap, Conversion conversion) {
  SmallVector<utils::IteratorType> parallel(sourceMap.getNumDims(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, source, target,
                                   ArrayRef<AffineMap>{sourceMap, targetMap}, parallel,
                                   [&](OpBuilder &body, Location bodyLoc, ValueRange arguments) {
                                     Value element = arguments[0];
                                     if (conversion)
                                       element = convert(body, bodyLoc, element, conversion);
                                     linalg::YieldOp::create(body, bodyLoc, element);
                                   });
}

void generalizeKernels(IRRewriter &rewriter, func::FuncOp function) {
  SmallVector<memref::CopyOp> copies;
  function.walk([&](memref::CopyOp op) { copies.push_back(op); });
  for (memref::CopyOp op : copies) {
    rewriter.setInsertionPoint(op);
    AffineMap identity =
        rewriter.getMultiDimIdentityMap(cast<MemRefType>(op.getSource().getType()).getRank());
    if (op.getSource() != op.getTarget())
      copyBuffer(rewriter, op.getLoc(), op.getSource(), op.getTarget(), identity, identity);
    rewriter.eraseOp(op);
  }
  SmallVector<linalg::LinalgOp> named;
  function.walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::FillOp>(op))
      named.push_back(op);
  });
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    (void)linalg::generalizeNamedOp(rewriter, op);
  }
}

linalg::GenericOp simplifyLoops(IRRewriter &rewriter, linalg::GenericOp op) {
  op = dropUnitLoops(rewriter, op);
  dropUnitAxes(rewriter, op);
  return mergeLoops(rewriter, op);
}

} // namespace nnc
