//===- PackPairs.cpp - Factors of bf16 for instructions that take two -----===//
//
//   left[m, k]         stays, if k is its last axis and of a size that steps of the instruction divide
//   right[k, n]        pairs[n / width, k / 2, n % width]: rows 2 k and 2 k + 1 of a panel, side by side
//
// Zeros stand for what a last pair, or a last step, lacks: in both factors, as zero times anything but a
// number is not zero.
//
//===----------------------------------------------------------------------===//
#include "PackPairs.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "CPU/KernelPlan.h"
#include "CPU/PairProduct.h"
#include "CutLoop.h"
#include "KernelCost.h"
#include "KernelLoops.h"
#include "PackInput.h"
#include "PackOperands.h"
#include "nnc/IR/Remarks.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
namespace {

bool isKnown(int64_t size) { return !ShapedType::isDynamic(size); }

/// `size` and as many zeros as make it a number of equal steps, each of whole pairs.
int64_t padToSteps(int64_t size) {
  constexpr int64_t kStep = 2 * kMatrixPairs;
  int64_t steps = llvm::divideCeil(size, kStep);
  return steps * llvm::alignTo(llvm::divideCeil(size, steps), 2);
}

/// Whether another loop of results has rows of `left` at even distances, and enough of them.
bool hasRows(linalg::GenericOp op, OpOperand *left, OpOperand *right, unsigned vectorDim) {
  constexpr int64_t kFewestRows = 4;
  AffineMap leftMap = op.getMatchingIndexingMap(left), rightMap = op.getMatchingIndexingMap(right);
  for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges()))
    if (dim != vectorDim && (!isKnown(size) || size >= kFewestRows) &&
        op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel &&
        !rightMap.isFunctionOfDim(dim) &&
        findStep(leftMap, left->get().getType(), dim).value_or(0) > 0)
      return true;
  return false;
}

/// The pairs along `dim`, if that is an axis of its own in the right factor.
std::optional<PairLoop> pairsAlong(linalg::GenericOp op, OpOperand *left, OpOperand *right,
                                   unsigned dim) {
  // Shorter steps of the instruction take as long as whole ones, of 16 pairs.
  constexpr int64_t kEnoughPairs = 12, kFewestPairs = 4;
  AffineMap leftMap = op.getMatchingIndexingMap(left);
  AffineExpr here = getAffineDimExpr(dim, op.getContext());
  int64_t size = op.getStaticLoopRanges()[dim];
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (&operand == right ? !map.getResultPosition(here)
                          : &operand != left && map.isFunctionOfDim(dim))
      return std::nullopt;
  }
  if (!isKnown(size) || size < 2 * kFewestPairs)
    return std::nullopt;
  int64_t pairs = size % 2 == 0 ? pairsPerStep(size / 2) : 0;
  bool isAdjacent = findStep(leftMap, left->get().getType(), dim) == 1;
  if (isAdjacent && pairs >= kEnoughPairs)
    return PairLoop{left, right, dim, size, PairLoop::Left::Stays};
  if (leftMap.isProjectedPermutation() && leftMap.isFunctionOfDim(dim))
    return PairLoop{left, right, dim, padToSteps(size), PairLoop::Left::Packed};
  bool isOwn = llvm::all_of(leftMap.getResults(), [&](AffineExpr expr) {
    return expr == here || !expr.isFunctionOfDim(dim);
  });
  if (pairs < kFewestPairs || (!isAdjacent && !(isOwn && leftMap.isFunctionOfDim(dim))))
    return std::nullopt;
  return PairLoop{left, right, dim, size,
                  isAdjacent ? PairLoop::Left::Stays : PairLoop::Left::Turned};
}

/// What is packed of the right factor: the loops of its axes, that of the pairs and that of the vectors last.
SmallVector<unsigned> pairOrder(AffineMap map, unsigned pairDim, unsigned vectorDim) {
  SmallVector<unsigned> order;
  for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
    if (dim != pairDim && dim != vectorDim && map.isFunctionOfDim(dim))
      order.push_back(dim);
  order.append({pairDim, vectorDim});
  return order;
}

/// pairs[target loops] = the elements of `source`, which `map` reads in loops of `order`, at 2 k + first and, if
/// it is there, at 2 k + first + 1, where k is the last but one loop.
void copyPairs(IRRewriter &rewriter, Location loc, Value source, AffineMap map, Value target,
               ArrayRef<unsigned> order, int64_t first, bool hasSecond) {
  unsigned rank = order.size();
  auto reading = [&](int64_t element) {
    SmallVector<AffineExpr> replacements(map.getNumDims(), rewriter.getAffineConstantExpr(0));
    for (auto [place, dim] : llvm::enumerate(order))
      replacements[dim] = rewriter.getAffineDimExpr(place);
    replacements[order[rank - 2]] = rewriter.getAffineDimExpr(rank - 2) * 2 + element;
    return map.replaceDimsAndSymbols(replacements, {}, rank, 0);
  };
  SmallVector<AffineMap> maps = {reading(first)};
  SmallVector<Value> inputs = {source};
  if (hasSecond) {
    maps.push_back(reading(first + 1));
    inputs.push_back(source);
  }
  maps.push_back(rewriter.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  auto copy = linalg::GenericOp::create(
      rewriter, loc, inputs, target, maps, parallel,
      [&](OpBuilder &b, Location bodyLoc, ValueRange arguments) {
        Value second = hasSecond ? arguments[1] : Value();
        linalg::YieldOp::create(b, bodyLoc, makePair(b, bodyLoc, arguments[0], second));
      });
  simplifyLoops(rewriter, copy);
}

/// A factor as the operation on pairs reads it.
struct Factor {
  Value buffer;
  AffineMap map;
};

/// The left factor, or a copy in which its pairs are adjacent and a last step is whole.
Factor packLeft(IRRewriter &rewriter, linalg::GenericOp op, const PairLoop &pairs) {
  if (pairs.leftKind == PairLoop::Left::Turned)
    turnInput(rewriter, op, *pairs.left, pairs.dim);
  Factor left{pairs.left->get(), op.getMatchingIndexingMap(pairs.left)};
  if (pairs.leftKind == PairLoop::Left::Packed)
    left.buffer = packInput(rewriter, op.getLoc(), left.buffer, OperandLoops(op, pairs.dim),
                            left.map, pairs.size);
  return left;
}

/// A copy of the right factor of `op`, which is input number `input`, as pairs.
Factor packRight(IRRewriter &rewriter, linalg::GenericOp op, const OperandLoops &loops,
                 unsigned input, unsigned pairDim, int64_t paddedSize) {
  Location loc = op.getLoc();
  Value source = op.getInputs()[input];
  AffineMap map = loops.maps[input];
  Operation *place = findPackingPlace(op, source);
  rewriter.setInsertionPoint(place);
  if (classifyAccess(map, source.getType(), loops.vectorDim) != Access::Contiguous)
    source = packInput(rewriter, loc, source, loops, map);
  rewriter.setInsertionPoint(place);
  source = splitAxes(rewriter, loc, source, loops, map);
  SmallVector<unsigned> order = pairOrder(map, pairDim, loops.vectorDim);
  unsigned last = order.size() - 1;
  int64_t size = loops.sizes[pairDim], width = loops.sizes[loops.vectorDim];
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamicSizes;
  for (unsigned dim : order) {
    shape.push_back(loops.sizes[dim]);
    if (!isKnown(shape.back()))
      dynamicSizes.push_back(memref::DimOp::create(
          rewriter, loc, source, *map.getResultPosition(rewriter.getAffineDimExpr(dim))));
  }
  shape[last - 1] = paddedSize / 2;
  // The instruction reads whole vectors.
  shape[last] = llvm::alignTo(width, kMatrixColumns);
  Type i32 = rewriter.getI32Type();
  Value packed = memref::AllocOp::create(rewriter, loc, MemRefType::get(shape, i32), dynamicSizes);
  Value columns = shape[last] == width ? packed : takeSlice(rewriter, loc, packed, last, 0, width);
  auto rows = [&](int64_t begin, int64_t end) {
    bool isAll = begin == 0 && end == shape[last - 1];
    return isAll ? columns : takeSlice(rewriter, loc, columns, last - 1, begin, end - begin);
  };
  int64_t whole = size / 2, used = llvm::divideCeil(size, 2);
  copyPairs(rewriter, loc, source, map, rows(0, whole), order, 0, /*hasSecond=*/true);
  rewriter.setInsertionPoint(place);
  if (used > whole)
    copyPairs(rewriter, loc, source, map, rows(whole, used), order, size - 1, /*hasSecond=*/false);
  rewriter.setInsertionPoint(place);
  if (shape[last - 1] > used) {
    Value zero = arith::ConstantIntOp::create(rewriter, loc, 0, 32);
    linalg::FillOp::create(rewriter, loc, zero, rows(used, shape[last - 1]));
  }
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : order)
    exprs.push_back(rewriter.getAffineDimExpr(dim));
  return {columns, AffineMap::get(map.getNumDims(), 0, exprs, rewriter.getContext())};
}

/// Replaces `op` by one on pairs of these factors.
void replaceByPairs(IRRewriter &rewriter, linalg::GenericOp op, const OperandLoops &loops,
                    unsigned rightInput, unsigned pairDim, const Factor &left,
                    const Factor &right) {
  ShortProduct product = *matchShortProduct(op);
  if (product.right->getOperandNumber() != rightInput)
    std::swap(product.left, product.right);
  unsigned numLoops = loops.kinds.size();
  AffineExpr pair = getAffineDimExpr(pairDim, op.getContext());
  auto readLeft = [&](int64_t place) {
    AffineMap map = AffineMap::get(numLoops, 0, left.map.getResults(), op.getContext());
    return map.replace(pair, pair * 2 + place, numLoops, 0);
  };
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (input == product.left) {
      inputs.append({left.buffer, left.buffer});
      maps.append({readLeft(0), readLeft(1)});
    } else if (input == product.right) {
      inputs.push_back(right.buffer);
      maps.push_back(right.map);
    } else {
      inputs.push_back(input->get());
      maps.push_back(loops.maps[input->getOperandNumber()]);
    }
  }
  for (OpOperand &output : op.getDpsInitsMutable())
    maps.push_back(loops.maps[output.getOperandNumber()]);
  rewriter.setInsertionPoint(op);
  auto paired = linalg::GenericOp::create(
      rewriter, op.getLoc(), inputs, op.getOutputs(), maps, loops.kinds,
      [&](OpBuilder &b, Location loc, ValueRange arguments) {
        IRMapping mapping;
        Value low, high, packed;
        unsigned next = 0;
        for (OpOperand &operand : op->getOpOperands()) {
          Value argument = arguments[next++];
          if (&operand == product.left) {
            low = argument;
            high = arguments[next++];
          } else if (&operand == product.right) {
            packed = argument;
          } else {
            mapping.map(op.getMatchingBlockArgument(&operand), argument);
          }
        }
        SmallVector<Operation *> repeated = repeatedBody(op);
        Value old = mapping.lookup(op.getRegionOutputArgs().front());
        mapping.map(product.sum->getResult(0), addPairProduct(b, loc, low, high, packed, old));
        for (Operation &inner : op.getBody()->without_terminator())
          if (!llvm::is_contained(repeated, &inner) || inner.hasTrait<OpTrait::ConstantLike>())
            b.clone(inner, mapping);
        SmallVector<Value> results;
        for (Value result : op.getBody()->getTerminator()->getOperands())
          results.push_back(mapping.lookupOrDefault(result));
        linalg::YieldOp::create(b, loc, results);
      });
  paired->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
}

} // namespace

std::optional<PairLoop> findPairLoop(linalg::GenericOp op, unsigned vectorDim,
                                     const TargetDescription &target,
                                     const DenseSet<Value> &early) {
  // Less is done before the unit is configured.
  constexpr double kLeastProducts = 1 << 16;
  constexpr int64_t kFewestColumns = 8;
  // To pack a number takes as long as some products on vectors.
  constexpr double kFewestReads = 12;
  std::optional<ShortProduct> product = target.hasMatrixUnit ? matchShortProduct(op) : std::nullopt;
  if (!product)
    return std::nullopt;
  double products = 1;
  for (int64_t size : op.getStaticLoopRanges())
    products *= double(typicalSize(size));
  int64_t columns = op.getStaticLoopRanges()[vectorDim];
  if (products < kLeastProducts || !isKnown(columns) || columns < kFewestColumns)
    return std::nullopt;
  OpOperand *left = product->left, *right = product->right;
  auto isAlongVectors = [&](OpOperand *input) {
    return op.getMatchingIndexingMap(input).isFunctionOfDim(vectorDim);
  };
  if (!isAlongVectors(right))
    std::swap(left, right);
  if (!isAlongVectors(right) || isAlongVectors(left) ||
      !op.getMatchingIndexingMap(right).isProjectedPermutation() ||
      !hasRows(op, left, right, vectorDim))
    return std::nullopt;
  if (!early.contains(rootBuffer(right->get())) &&
      countReads(op, op.getMatchingIndexingMap(right)) < kFewestReads)
    return std::nullopt;
  std::optional<PairLoop> best;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  for (unsigned dim : reductions) {
    std::optional<PairLoop> pairs = pairsAlong(op, left, right, dim);
    if (pairs && (!best || pairs->leftKind < best->leftKind ||
                  (pairs->leftKind == best->leftKind && pairs->size >= best->size)))
      best = pairs;
  }
  return best;
}

void packPairs(IRRewriter &rewriter, linalg::GenericOp op, unsigned vectorDim,
               const PairLoop &pairs) {
  unsigned input = pairs.right->getOperandNumber();
  remarkDone(op.getLoc(), "prepare-kernels")
      << remark::add("sums of {0} products of bf16 go in pairs: input {1} is packed for that{2}",
                     op.getStaticLoopRanges()[pairs.dim], input,
                     pairs.leftKind == PairLoop::Left::Stays ? "" : ", and the other one, too");
  rewriter.setInsertionPoint(op);
  Factor left = packLeft(rewriter, op, pairs);
  SmallVector<linalg::GenericOp> parts = {op};
  int64_t columns = op.getStaticLoopRanges()[vectorDim], whole = columns - columns % kPairPanel;
  if (whole != 0 && whole != columns && isOwnAxis(op, vectorDim)) {
    auto [first, rest] = cutLoop(rewriter, op, vectorDim, whole);
    parts = {first, rest};
  }
  for (linalg::GenericOp part : parts) {
    OperandLoops loops(part, vectorDim);
    if (loops.sizes[vectorDim] > kPairPanel && isOwnAxis(part, vectorDim))
      loops.vectorDim = loops.split(loops.vectorDim, kPairPanel);
    Factor right = packRight(rewriter, part, loops, input, pairs.dim, pairs.size);
    loops.sizes[pairs.dim] = pairs.size / 2;
    replaceByPairs(rewriter, part, loops, input, pairs.dim, left, right);
  }
}

} // namespace nnc
