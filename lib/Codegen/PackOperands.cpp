//===- PackOperands.cpp - Operands in the order of the loops --------------===//
//
// A panel holds, for as many results as a tile has along its vectors, all that the reduction reads: one
// stretch of memory that the innermost loop walks from end to end.
//
//   matrix    b[k, n]                                    rows of N
//   panels    packed[n / width, k, n % width]            the loop over n becomes two
//
// What is left over of a loop that the width does not divide is an operation of its own.
//
//===----------------------------------------------------------------------===//
#include "PackOperands.h"

#include "BufferPlaces.h"
#include "KernelCost.h"
#include "KernelFills.h"
#include "KernelLoops.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

/// Orders the reductions so that what each row reads moves least in the innermost one.
linalg::GenericOp orderReductions(IRRewriter &rewriter, linalg::GenericOp op, unsigned vectorDim) {
  SmallVector<unsigned> places, dims;
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction)
      places.push_back(dim);
  auto distance = [&](unsigned dim) {
    int64_t most = 0;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      if (map.isFunctionOfDim(vectorDim))
        continue;
      std::optional<int64_t> step = findStep(map, input->get().getType(), dim);
      most = std::max(most, step ? std::abs(*step) : std::numeric_limits<int64_t>::max());
    }
    return most;
  };
  dims = places;
  llvm::sort(dims, [&](unsigned left, unsigned right) {
    return std::pair(distance(right), left) < std::pair(distance(left), right);
  });
  if (dims == places)
    return op;
  SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(op.getNumLoops()));
  for (auto [place, dim] : llvm::zip_equal(places, dims))
    order[place] = dim;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::GenericOp> ordered = linalg::interchangeGenericOp(rewriter, op, order);
  return succeeded(ordered) ? *ordered : op;
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

/// Whether a copy of `input` is made once for many calls.
bool isEarly(OpOperand *input, const DenseSet<Value> &early) {
  return early.contains(rootBuffer(input->get()));
}

/// How wide the panels of `op` are to be; none if it wants none.
std::optional<int64_t> panelWidth(linalg::GenericOp op, const KernelPlan &plan,
                                  const DenseSet<Value> &early) {
  unsigned dim = *plan.vectorDim;
  int64_t size = op.getStaticLoopRanges()[dim], width = int64_t(plan.columns) * plan.lanes;
  if (ShapedType::isDynamic(size) || size <= width)
    return std::nullopt;
  AffineExpr here = getAffineDimExpr(dim, op.getContext());
  for (AffineMap map : op.getIndexingMapsArray())
    if (map.isFunctionOfDim(dim) && !map.getResultPosition(here))
      return std::nullopt;
  bool wanted = llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    return isPacked(op, input, dim, isEarly(input, early)) && hasLongRows(op, input, dim);
  });
  return wanted ? std::optional(width) : std::nullopt;
}

/// The part of `buffer` that iterations [begin, begin + size) of `dim` use.
Value takeRange(OpBuilder &b, Location loc, Value buffer, AffineMap map, unsigned dim,
                int64_t begin, int64_t size) {
  auto axis = map.getResultPosition(b.getAffineDimExpr(dim));
  if (!axis)
    return buffer;
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, buffer);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)),
      strides(sizes.size(), b.getIndexAttr(1));
  offsets[*axis] = b.getIndexAttr(begin);
  sizes[*axis] = b.getIndexAttr(size);
  return memref::SubViewOp::create(b, loc, buffer, offsets, sizes, strides);
}

/// Iterations [begin, begin + size) of loop `dim` of `op` as an operation before it, that starts from
/// these `fills`.
linalg::GenericOp cloneRange(OpBuilder &b, linalg::GenericOp op, ArrayRef<linalg::FillOp> fills,
                             unsigned dim, int64_t begin, int64_t size) {
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(
        takeRange(b, loc, operand.get(), op.getMatchingIndexingMap(&operand), dim, begin, size));
  for (unsigned index = 0; index < fills.size(); ++index)
    if (linalg::FillOp fill = fills[index])
      linalg::FillOp::create(b, loc, fill.value(), operands[op.getNumDpsInputs() + index]);
  auto clone = cast<linalg::GenericOp>(b.clone(*op));
  clone->setOperands(operands);
  return clone;
}

/// Cuts loop `dim` at `size`: two operations, of which the first is for iterations [0, size).
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

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// The loops of an operation while its operands are packed.
struct Loops {
  SmallVector<AffineMap> maps;
  SmallVector<utils::IteratorType> kinds;
  SmallVector<int64_t> sizes;
  unsigned vectorDim;

  Loops(linalg::GenericOp op, unsigned dim)
      : maps(op.getIndexingMapsArray()), kinds(op.getIteratorTypesArray()),
        sizes(op.getStaticLoopRanges()), vectorDim(dim) {}

  /// Makes two loops of the vectors' one: an outer one in its place, and the innermost, of `width`.
  void split(int64_t width) {
    MLIRContext *context = maps.front().getContext();
    unsigned inner = kinds.size();
    SmallVector<AffineExpr> replacements;
    for (unsigned dim = 0; dim < inner; ++dim)
      replacements.push_back(getAffineDimExpr(dim, context));
    replacements[vectorDim] = replacements[vectorDim] * width + getAffineDimExpr(inner, context);
    for (AffineMap &map : maps)
      map = map.replaceDimsAndSymbols(replacements, {}, inner + 1, 0);
    kinds.push_back(kinds[vectorDim]);
    sizes[vectorDim] /= width;
    sizes.push_back(width);
    vectorDim = inner;
  }
};

/// `source`, which `map` reads, with two axes where the loops split one.
Value splitAxes(IRRewriter &rewriter, Location loc, Value source, const Loops &loops,
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

/// Copies `source`, which `map` reads, to a buffer in the order of the loops, the vectors' loop last, and
/// makes `map` read that. The copy itself goes through the source from end to end.
Value packInput(IRRewriter &rewriter, Location loc, Value source, const Loops &loops,
                AffineMap &map) {
  source = splitAxes(rewriter, loc, source, loops, map);
  unsigned numLoops = loops.kinds.size();
  SmallVector<unsigned> sourceOrder, packedOrder;
  for (AffineExpr expr : map.getResults())
    for (unsigned dim = 0; dim < numLoops; ++dim)
      if (expr.isFunctionOfDim(dim))
        sourceOrder.push_back(dim);
  for (unsigned dim = 0; dim < numLoops; ++dim)
    if (dim != loops.vectorDim && map.isFunctionOfDim(dim))
      packedOrder.push_back(dim);
  packedOrder.push_back(loops.vectorDim);
  SmallVector<AffineExpr> copyDims(numLoops, rewriter.getAffineConstantExpr(0)), packedExprs;
  for (auto [place, dim] : llvm::enumerate(sourceOrder))
    copyDims[dim] = rewriter.getAffineDimExpr(place);
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
  auto type = MemRefType::get(shape, cast<MemRefType>(source.getType()).getElementType());
  Value packed = memref::AllocOp::create(rewriter, loc, type, dynamicSizes);
  AffineMap packedMap = AffineMap::get(numLoops, 0, packedExprs, rewriter.getContext());
  auto onCopyDims = [&](AffineMap from) {
    return from.replaceDimsAndSymbols(copyDims, {}, sourceOrder.size(), 0);
  };
  simplifyLoops(rewriter,
                copyBuffer(rewriter, loc, source, packed, onCopyDims(map), onCopyDims(packedMap)));
  map = packedMap;
  return packed;
}

} // namespace

void turnOutput(IRRewriter &rewriter, linalg::GenericOp op, const TargetDescription &target) {
  std::optional<unsigned> dim = findBetterDim(op, planKernel(op, target), target);
  linalg::FillOp fill = dim ? findFill(op, *op.getDpsInitOperand(0)) : nullptr;
  if (!fill)
    return;
  Location loc = op.getLoc();
  remarkDone(loc, "prepare-kernels") << remark::add(
      "computed with the {0} elements of another dimension across vectors, and turned "
      "afterwards: that fills the vectors better",
      op.getStaticLoopRanges()[*dim]);
  OpOperand &output = *op.getDpsInitOperand(0);
  AffineMap map = op.getMatchingIndexingMap(&output);
  int64_t last = *map.getResultPosition(rewriter.getAffineDimExpr(*dim));
  // turned[..., i_last] = output[i]
  SmallVector<int64_t> order;
  for (int64_t axis = 0; axis < map.getNumResults(); ++axis)
    if (axis != last)
      order.push_back(axis);
  order.push_back(last);
  AffineMap turn = AffineMap::getPermutationMap(order, rewriter.getContext());
  rewriter.setInsertionPoint(op);
  Value turned = allocateInOrder(rewriter, loc, output.get(), order);
  linalg::FillOp::create(rewriter, loc, fill.value(), turned);
  rewriter.setInsertionPointAfter(op);
  AffineMap inOrder = rewriter.getMultiDimIdentityMap(map.getNumResults());
  simplifyLoops(rewriter, copyBuffer(rewriter, loc, turned, output.get(), turn, inOrder));
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[output.getOperandNumber()] = turn.compose(map);
  op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
  output.set(turned);
  rewriter.eraseOp(fill);
}

void packInputs(IRRewriter &rewriter, linalg::GenericOp op, const TargetDescription &target,
                const DenseSet<Value> &early) {
  KernelPlan plan = planKernel(op, target);
  if (!plan.vectorDim || plan.reducesLanes || op.getNumReductionLoops() == 0)
    return;
  unsigned vectorDim = *plan.vectorDim;
  op = orderReductions(rewriter, op, vectorDim);
  std::optional<int64_t> width = panelWidth(op, plan, early);
  int64_t size = op.getStaticLoopRanges()[vectorDim];
  if (width && size % *width != 0) {
    auto [whole, rest] = cutLoop(rewriter, op, vectorDim, size - size % *width);
    packInputs(rewriter, rest, target, early);
    op = whole;
  }
  Loops loops(op, vectorDim);
  if (width)
    loops.split(*width);
  SmallVector<Value> inputs = llvm::to_vector(op.getInputs());
  bool packs = false;
  rewriter.setInsertionPoint(op);
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (!isPacked(op, input, vectorDim, isEarly(input, early)))
      continue;
    unsigned position = input->getOperandNumber();
    remarkDone(op.getLoc(), "prepare-kernels")
        << remark::add("input {0} is packed{1}: it is read again and again, and {2}", position,
                       width ? " in panels" : "",
                       isGathered(op, input, vectorDim) ? "its neighbours across vectors lie apart"
                                                        : "its rows lie far apart");
    inputs[position] = packInput(rewriter, op.getLoc(), input->get(), loops, loops.maps[position]);
    packs = true;
  }
  if (!packs)
    return;
  rewriter.setInsertionPoint(op);
  auto packed = linalg::GenericOp::create(rewriter, op.getLoc(), inputs, op.getOutputs(),
                                          loops.maps, loops.kinds);
  packed.getRegion().takeBody(op.getRegion());
  rewriter.eraseOp(op);
}

} // namespace nnc
