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
#include "CPU/KernelBody.h"
#include "CPU/KernelCost.h"
#include "CutLoop.h"
#include "GroupLoop.h"
#include "KernelFills.h"
#include "KernelLoops.h"
#include "PackInput.h"
#include "PackWords.h"
#include "WidenInputs.h"
#include "nnc/IR/Remarks.h"
#include "nnc/IR/TypicalSize.h"

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

void turnInput(IRRewriter &rewriter, linalg::GenericOp op, OpOperand &input, unsigned dim,
               Conversion conversion) {
  SmallVector<int64_t> order = orderWithLast(op.getMatchingIndexingMap(&input), dim);
  AffineMap turn = AffineMap::getPermutationMap(order, rewriter.getContext());
  rewriter.setInsertionPoint(op);
  Value turned = allocateInOrder(rewriter, op.getLoc(), input.get(), order, conversion.type);
  AffineMap inOrder = rewriter.getMultiDimIdentityMap(order.size());
  simplifyLoops(rewriter,
                copyBuffer(rewriter, op.getLoc(), input.get(), turned, inOrder, turn, conversion));
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

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

namespace {

/// What stays in a second-level cache beside other things.
constexpr double kNearBytes = 512 << 10;

class InputPacker {
public:
  InputPacker(IRRewriter &rewriter, const TargetDescription &target, const DenseSet<Value> &early,
              int64_t grain)
      : rewriter(rewriter), target(target), early(early), grain(grain) {}

  /// `groups` is how many operations of this kind a loop does, each on other columns; 0 if there is no loop.
  void pack(linalg::GenericOp op, int64_t groups = 0);

private:
  /// Whether a copy of `input` is made once for many calls.
  bool isEarly(OpOperand *input) { return early.contains(rootBuffer(input->get())); }
  bool isPacked(OpOperand *input, unsigned vectorDim) {
    auto op = cast<linalg::GenericOp>(input->getOwner());
    return nnc::isPacked(op, input, vectorDim, isEarly(input)) && !changesShape(input->get());
  }
  std::optional<int64_t> panelWidth(linalg::GenericOp op, const KernelPlan &plan);
  std::optional<int64_t> groupSize(linalg::GenericOp op, unsigned vectorDim, int64_t width,
                                   function_ref<bool(OpOperand *)> isInPanels,
                                   SmallVector<unsigned> &singles);
  void packGroups(linalg::GenericOp op, unsigned vectorDim, ArrayRef<unsigned> singles,
                  int64_t size);
  linalg::GenericOp packColumns(linalg::GenericOp op, unsigned vectorDim,
                                std::optional<int64_t> width);
  linalg::GenericOp packRows(linalg::GenericOp op, unsigned panelDim, int64_t groups);
  linalg::GenericOp replace(linalg::GenericOp op, ArrayRef<Value> inputs,
                            const OperandLoops &loops);

  IRRewriter &rewriter;
  const TargetDescription &target;
  const DenseSet<Value> &early;
  int64_t grain;
};

/// How wide the panels of `op` are to be; none if it wants none.
std::optional<int64_t> InputPacker::panelWidth(linalg::GenericOp op, const KernelPlan &plan) {
  unsigned dim = *plan.vectorDim;
  int64_t size = op.getStaticLoopRanges()[dim], width = int64_t(plan.columns) * plan.lanes;
  if (ShapedType::isDynamic(size) || size <= width || !isOwnAxis(op, dim))
    return std::nullopt;
  bool wanted = llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    return isPacked(input, dim) && hasLongRows(op, input, dim);
  });
  return wanted ? std::optional(width) : std::nullopt;
}

/// The memory of an input, that of symbols as it typically is.
double countBytes(linalg::GenericOp op, OpOperand *input) {
  double bytes = getElementTypeOrSelf(input->get().getType()).getIntOrFloatBitWidth() / 8.0;
  for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges()))
    if (op.getMatchingIndexingMap(input).isFunctionOfDim(dim))
      bytes *= double(typicalSize(size));
  return bytes;
}

/// How many columns go into panels at a time, so that these stay near until all rows have read them, where a copy
/// of all would not; none if it does. `singles` are the loops that such panels are in.
std::optional<int64_t> InputPacker::groupSize(linalg::GenericOp op, unsigned vectorDim,
                                              int64_t width,
                                              function_ref<bool(OpOperand *)> isInPanels,
                                              SmallVector<unsigned> &singles) {
  constexpr int64_t kFewestGroups = 8, kFewestPanels = 2, kEnoughPanels = 4;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  double bytes = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (!map.isFunctionOfDim(vectorDim) || !isInPanels(input))
      continue;
    if (isEarly(input) || findPackingPlace(op, input->get()) != op)
      return std::nullopt;
    double panel = width * getElementTypeOrSelf(input->get().getType()).getIntOrFloatBitWidth() / 8;
    for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
      if (dim == vectorDim || !map.isFunctionOfDim(dim))
        continue;
      if (op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel) {
        if (!llvm::is_contained(singles, dim))
          singles.push_back(dim);
      } else if (ShapedType::isDynamic(sizes[dim])) {
        return std::nullopt;
      } else {
        panel *= double(sizes[dim]);
      }
    }
    bytes += panel;
  }
  llvm::sort(singles);
  double trips = 1;
  for (unsigned dim : singles) {
    if (!isOwnAxis(op, dim))
      return std::nullopt;
    trips *= double(typicalSize(sizes[dim]));
  }
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (map.isFunctionOfDim(vectorDim))
      continue;
    unsigned rowLoops = 0;
    for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
      bool isRows = map.isFunctionOfDim(dim) &&
                    op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel;
      // What does not move with the columns would be packed again for each group of them; and rows of each of
      // several images stay near themselves, while all columns go by.
      if (isRows && (++rowLoops > 1 || llvm::is_contained(singles, dim)))
        return std::nullopt;
    }
  }
  int64_t panels = sizes[vectorDim] / width;
  double all = double(panels) * trips;
  if (bytes * all <= 2 * kNearBytes || all < kFewestGroups * kFewestPanels)
    return std::nullopt;
  int64_t most = std::max<int64_t>(kEnoughPanels, int64_t(kNearBytes / bytes));
  most = std::min({most, panels, int64_t(all / kFewestGroups)});
  // Few left over.
  int64_t best = most;
  for (int64_t size = most; 2 * size > most; --size)
    if (panels % size < panels % best)
      best = size;
  return best * width;
}

linalg::GenericOp InputPacker::replace(linalg::GenericOp op, ArrayRef<Value> inputs,
                                       const OperandLoops &loops) {
  rewriter.setInsertionPoint(op);
  auto packed = linalg::GenericOp::create(rewriter, op.getLoc(), inputs, op.getOutputs(),
                                          loops.maps, loops.kinds);
  packed.getRegion().takeBody(op.getRegion());
  packed->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
  return packed;
}

linalg::GenericOp InputPacker::packColumns(linalg::GenericOp op, unsigned vectorDim,
                                           std::optional<int64_t> width) {
  OperandLoops loops(op, vectorDim);
  if (width)
    loops.vectorDim = loops.split(vectorDim, *width);
  SmallVector<Value> inputs = llvm::to_vector(op.getInputs());
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (!isPacked(input, vectorDim))
      continue;
    unsigned position = input->getOperandNumber();
    remarkDone(op.getLoc(), "prepare-kernels")
        << remark::add("input {0} is packed{1}: it is read again and again, and {2}", position,
                       width ? " in panels" : "",
                       isGathered(op, input, vectorDim) ? "its neighbours across vectors lie apart"
                                                        : "its rows lie far apart");
    rewriter.setInsertionPoint(findPackingPlace(op, input->get()));
    inputs[position] = packInput(rewriter, op.getLoc(), input->get(), loops, loops.maps[position],
                                 std::nullopt, findWidening(op, input));
  }
  return replace(op, inputs, loops);
}

/// `panelDim` is the loop over panels of columns. Panels of rows, which are small, go by for each of these; in a
/// group panels of columns, which are near, go by for each few rows.
linalg::GenericOp InputPacker::packRows(linalg::GenericOp op, unsigned panelDim, int64_t groups) {
  constexpr int64_t kMostRest = 16;
  KernelPlan plan = planKernel(op, target);
  if (!plan.vectorDim || plan.reducesLanes || !plan.rowDim || !isOwnAxis(op, *plan.rowDim))
    return op;
  // All columns go by for each panel of rows: those of a panel, or few that stay near while the rows come from afar.
  constexpr double kFarBytes = 3 * kNearBytes;
  int64_t columns = op.getStaticLoopRanges()[*plan.vectorDim];
  bool isPanel = columns == int64_t(plan.columns) * plan.lanes;
  auto isNear = [&](OpOperand *input) {
    return op.getMatchingIndexingMap(input).isFunctionOfDim(*plan.rowDim) ||
           countBytes(op, input) <= kNearBytes;
  };
  if (!isPanel && (ShapedType::isDynamic(columns) || groups != 0 ||
                   !llvm::all_of(op.getDpsInputOperands(), isNear)))
    return op;
  unsigned rowDim = *plan.rowDim;
  int64_t size = op.getStaticLoopRanges()[rowDim], height = plan.rows;
  llvm::SmallDenseSet<unsigned> packed;
  for (OpOperand *input : op.getDpsInputOperands())
    if (isPackedByRows(op, input, plan, double(std::max<int64_t>(groups, 1))) &&
        (isPanel || countBytes(op, input) > kFarBytes) && !changesShape(input->get()))
      packed.insert(input->getOperandNumber());
  auto readsRows = [&](OpOperand *input) {
    AffineMap map = op.getMatchingIndexingMap(input);
    return map.isFunctionOfDim(rowDim) && map.isProjectedPermutation();
  };
  bool canSplit = !ShapedType::isDynamic(size) && size > height &&
                  kMostRest * (size % height) <= size &&
                  llvm::any_of(op.getDpsInputOperands(), readsRows);
  if (packed.empty() && (groups == 0 || !canSplit))
    return op;
  // What is left over reads the same panels of columns.
  if (size % height != 0) {
    auto [whole, rest] = cutLoop(rewriter, op, rowDim, size - size % height);
    readWide(rewriter, rest);
    op = whole;
  }
  OperandLoops loops(op, *plan.vectorDim);
  loops.vectorDim = loops.split(rowDim, height);
  if (panelDim != *plan.vectorDim && (rowDim < panelDim) != (groups != 0))
    loops.exchange(rowDim, panelDim);
  SmallVector<Value> inputs = llvm::to_vector(op.getInputs());
  for (OpOperand *input : op.getDpsInputOperands()) {
    unsigned position = input->getOperandNumber();
    if (!packed.contains(position)) {
      rewriter.setInsertionPoint(op);
      if (readsRows(input))
        inputs[position] =
            splitAxes(rewriter, op.getLoc(), input->get(), loops, loops.maps[position]);
      continue;
    }
    remarkDone(op.getLoc(), "prepare-kernels")
        << remark::add("input {0} is packed in panels of rows: it is read again and again, and its "
                       "rows lie far apart",
                       position);
    rewriter.setInsertionPoint(findPackingPlace(op, input->get()));
    inputs[position] = packInput(rewriter, op.getLoc(), input->get(), loops, loops.maps[position],
                                 std::nullopt, findWidening(op, input));
  }
  return replace(op, inputs, loops);
}

void InputPacker::packGroups(linalg::GenericOp op, unsigned vectorDim, ArrayRef<unsigned> singles,
                             int64_t size) {
  double work = 1;
  for (int64_t extent : op.getStaticLoopRanges())
    work *= double(typicalSize(extent));
  bool isParallel = grain != 0 && work / target.lanes(32) >= 2.0 * double(grain);
  int64_t groups = op.getStaticLoopRanges()[vectorDim] / size;
  pack(loopOverGroups(rewriter, op, singles, vectorDim, size, isParallel), groups);
}

void InputPacker::pack(linalg::GenericOp op, int64_t groups) {
  KernelPlan plan = planKernel(op, target);
  if (!plan.vectorDim || plan.reducesLanes || op.getNumReductionLoops() == 0)
    return;
  unsigned vectorDim = *plan.vectorDim;
  op = orderReductions(rewriter, op, vectorDim);
  auto cutTo = [&](int64_t size) {
    int64_t all = op.getStaticLoopRanges()[vectorDim];
    if (all % size == 0)
      return;
    auto [whole, rest] = cutLoop(rewriter, op, vectorDim, all - all % size);
    pack(rest);
    op = whole;
  };
  // Packs by groups, if that is worth it.
  auto packInGroups = [&](int64_t width, function_ref<bool(OpOperand *)> isInPanels) {
    SmallVector<unsigned> singles;
    if (groups != 0)
      return false;
    std::optional<int64_t> size = groupSize(op, vectorDim, width, isInPanels, singles);
    if (!size)
      return false;
    cutTo(*size);
    packGroups(op, vectorDim, singles, *size);
    return true;
  };
  if (std::optional<WordLoop> words = findWordLoop(op, vectorDim, target, early)) {
    // All panels of a group go by before the next rows do.
    bool canGroup = words->leavesLeft() && isOwnAxis(op, vectorDim) &&
                    !ShapedType::isDynamic(op.getStaticLoopRanges()[vectorDim]) &&
                    countBytes(op, words->factors.left) <= kNearBytes;
    auto isRight = [&](OpOperand *input) { return input == words->factors.right; };
    if (!canGroup || !packInGroups(words->panel, isRight))
      packWords(rewriter, op, vectorDim, *words);
    return;
  }
  widenInputs(rewriter, op, vectorDim);
  std::optional<int64_t> width = panelWidth(op, plan);
  if (groups != 0)
    width = int64_t(plan.columns) * plan.lanes;
  if (width && packInGroups(*width, [&](OpOperand *input) { return isPacked(input, vectorDim); }))
    return;
  if (width)
    cutTo(*width);
  op = packColumns(op, vectorDim, width);
  op = packRows(op, vectorDim, groups);
  readWide(rewriter, op);
}

} // namespace

void packInputs(IRRewriter &rewriter, linalg::GenericOp op, const TargetDescription &target,
                const DenseSet<Value> &early, int64_t grain) {
  InputPacker(rewriter, target, early, grain).pack(op);
}

} // namespace nnc
