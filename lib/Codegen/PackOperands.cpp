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
#include "WidenInputs.h"
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

/// How many rows a panel of rows is to have; none if `op` wants none.
std::optional<int64_t> panelHeight(linalg::GenericOp op, const KernelPlan &plan) {
  bool wanted = plan.rowDim && isOwnAxis(op, *plan.rowDim) &&
                llvm::any_of(op.getDpsInputOperands(),
                             [&](OpOperand *input) { return isPackedByRows(op, input, plan); });
  return wanted ? std::optional<int64_t>(plan.rows) : std::nullopt;
}

} // namespace

/// The order of axes of an operand, which lies as `map` says, that has the one of loop `dim` last.
static SmallVector<int64_t> orderWithLast(AffineMap map, unsigned dim) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(map.getNumResults()));
  int64_t last = *map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
  order.erase(order.begin() + last);
  order.push_back(last);
  return order;
}

/// Points `operand` of `op` at `turned`, element turn(i) of which is its element i.
static void setTurned(linalg::GenericOp op, OpOperand &operand, Value turned, AffineMap turn) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[operand.getOperandNumber()] = turn.compose(op.getMatchingIndexingMap(&operand));
  op.setIndexingMapsAttr(OpBuilder(op).getAffineMapArrayAttr(maps));
  operand.set(turned);
}

void turnInput(IRRewriter &rewriter, linalg::GenericOp op, OpOperand &input, unsigned dim) {
  SmallVector<int64_t> order = orderWithLast(op.getMatchingIndexingMap(&input), dim);
  AffineMap turn = AffineMap::getPermutationMap(order, rewriter.getContext());
  rewriter.setInsertionPoint(op);
  Value turned = allocateInOrder(rewriter, op.getLoc(), input.get(), order);
  AffineMap inOrder = rewriter.getMultiDimIdentityMap(order.size());
  simplifyLoops(rewriter, copyBuffer(rewriter, op.getLoc(), input.get(), turned, inOrder, turn));
  setTurned(op, input, turned, turn);
}

void turnOutput(IRRewriter &rewriter, linalg::GenericOp op, unsigned dim) {
  Location loc = op.getLoc();
  OpOperand &output = *op.getDpsInitOperand(0);
  linalg::FillOp fill = findFill(op, output);
  SmallVector<int64_t> order = orderWithLast(op.getMatchingIndexingMap(&output), dim);
  AffineMap turn = AffineMap::getPermutationMap(order, rewriter.getContext());
  rewriter.setInsertionPoint(op);
  Value turned = allocateInOrder(rewriter, loc, output.get(), order);
  linalg::FillOp::create(rewriter, loc, fill.value(), turned);
  rewriter.setInsertionPointAfter(op);
  AffineMap inOrder = rewriter.getMultiDimIdentityMap(order.size());
  simplifyLoops(rewriter, copyBuffer(rewriter, loc, turned, output.get(), turn, inOrder));
  setTurned(op, output, turned, turn);
  rewriter.eraseOp(fill);
}

void turnBadlyFilled(IRRewriter &rewriter, linalg::GenericOp op, const TargetDescription &target) {
  std::optional<unsigned> dim = findBetterDim(op, planKernel(op, target), target);
  if (!dim || !findFill(op, *op.getDpsInitOperand(0)))
    return;
  remarkDone(op.getLoc(), "prepare-kernels") << remark::add(
      "computed with the {0} elements of another dimension across vectors, and turned "
      "afterwards: that fills the vectors better",
      op.getStaticLoopRanges()[*dim]);
  turnOutput(rewriter, op, *dim);
}

void packInputs(IRRewriter &rewriter, linalg::GenericOp op, const TargetDescription &target,
                const DenseSet<Value> &early) {
  KernelPlan plan = planKernel(op, target);
  if (!plan.vectorDim || plan.reducesLanes || op.getNumReductionLoops() == 0)
    return;
  unsigned vectorDim = *plan.vectorDim;
  op = orderReductions(rewriter, op, vectorDim);
  if (std::optional<PairLoop> pairs = findPairLoop(op, vectorDim, target, early))
    return packPairs(rewriter, op, vectorDim, *pairs);
  widenInputs(rewriter, op, vectorDim);
  // What is packed is settled before the loops are cut, which is done for its sake.
  llvm::SmallDenseSet<unsigned> byColumns, byRows;
  std::optional<int64_t> width = panelWidth(op, plan, early), height;
  // Columns that are in no panels go by for each panel of rows: at most those of one tile may.
  if (width || op.getStaticLoopRanges()[vectorDim] == int64_t(plan.columns) * plan.lanes)
    height = panelHeight(op, plan);
  for (OpOperand *input : op.getDpsInputOperands())
    if (height && isPackedByRows(op, input, plan))
      byRows.insert(input->getOperandNumber());
    else if (isPacked(op, input, vectorDim, isEarly(input, early)))
      byColumns.insert(input->getOperandNumber());
  if (byRows.empty() && byColumns.empty())
    return;
  auto cutToPanels = [&](unsigned dim, std::optional<int64_t> size) {
    int64_t all = op.getStaticLoopRanges()[dim];
    if (!size || all % *size == 0)
      return;
    auto [whole, rest] = cutLoop(rewriter, op, dim, all - all % *size);
    packInputs(rewriter, rest, target, early);
    op = whole;
  };
  cutToPanels(vectorDim, width);
  if (height)
    cutToPanels(*plan.rowDim, height);
  OperandLoops loops(op, vectorDim), rowLoops = loops;
  if (width)
    loops.vectorDim = loops.split(vectorDim, *width);
  if (height) {
    unsigned rowDim = *plan.rowDim, inner = loops.split(rowDim, *height);
    // Panels of rows, which are small, go by for each panel of columns.
    if (width && rowDim < vectorDim)
      loops.exchange(rowDim, vectorDim);
    rowLoops = loops;
    rowLoops.vectorDim = inner;
  }
  SmallVector<Value> inputs = llvm::to_vector(op.getInputs());
  for (OpOperand *input : op.getDpsInputOperands()) {
    unsigned position = input->getOperandNumber();
    bool inRows = byRows.contains(position);
    if (!inRows && !byColumns.contains(position))
      continue;
    bool isFar = inRows || !isGathered(op, input, vectorDim);
    remarkDone(op.getLoc(), "prepare-kernels") << remark::add(
        "input {0} is packed{1}: it is read again and again, and {2}", position,
        inRows  ? " in panels of rows"
        : width ? " in panels"
                : "",
        isFar ? "its rows lie far apart" : "its neighbours across vectors lie apart");
    rewriter.setInsertionPoint(findPackingPlace(op, input->get()));
    inputs[position] = packInput(rewriter, op.getLoc(), input->get(), inRows ? rowLoops : loops,
                                 loops.maps[position], std::nullopt, widenedType(op, input));
  }
  rewriter.setInsertionPoint(op);
  auto packed = linalg::GenericOp::create(rewriter, op.getLoc(), inputs, op.getOutputs(),
                                          loops.maps, loops.kinds);
  packed.getRegion().takeBody(op.getRegion());
  packed->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
  readWide(rewriter, packed);
}

} // namespace nnc
