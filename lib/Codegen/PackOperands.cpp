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
#include "CutLoop.h"
#include "KernelCost.h"
#include "KernelFills.h"
#include "KernelLoops.h"
#include "PackInput.h"
#include "PackPairs.h"
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
  if (ShapedType::isDynamic(size) || size <= width || !isOwnAxis(op, dim))
    return std::nullopt;
  bool wanted = llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    return isPacked(op, input, dim, isEarly(input, early)) && hasLongRows(op, input, dim);
  });
  return wanted ? std::optional(width) : std::nullopt;
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
  if (std::optional<PairLoop> pairs = findPairLoop(op, vectorDim, target))
    return packPairs(rewriter, op, vectorDim, *pairs);
  std::optional<int64_t> width = panelWidth(op, plan, early);
  int64_t size = op.getStaticLoopRanges()[vectorDim];
  if (width && size % *width != 0) {
    auto [whole, rest] = cutLoop(rewriter, op, vectorDim, size - size % *width);
    packInputs(rewriter, rest, target, early);
    op = whole;
  }
  OperandLoops loops(op, vectorDim);
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
  packed->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
}

} // namespace nnc
