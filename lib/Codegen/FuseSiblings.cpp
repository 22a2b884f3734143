//===- FuseSiblings.cpp - One loop for what walks over the same elements --===//
//
// Adam reads a gradient for its two moments and for the parameter, the backward pass of a
// normalization sums two functions of the same activations. Operations with the same loops that
// read the same tensor become one operation with several results, which reads it once; so does an
// operation that reads the result of another, which others need, too.
//
//   in     linalg.generic on tensors, elementwise chains fused
//   out    the same, fewer of them; each element is computed by the same arithmetic as before
//
//===----------------------------------------------------------------------===//
#include "LoopCost.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSESIBLINGSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Arrays that a loop walks through at a time: addresses have to stay in registers.
constexpr unsigned kMostOperands = 14;
/// A reduction's partial results share the registers.
constexpr unsigned kMostReductions = 4;
/// What may move up in front of the first of two siblings.
constexpr unsigned kMostMoved = 8;

/// Whether `map` reaches another element in each iteration.
bool isWhole(AffineMap map) {
  return map.isProjectedPermutation(/*allowZeroInResults=*/true) &&
         llvm::all_of(llvm::seq(map.getNumDims()),
                      [&](unsigned dim) { return map.isFunctionOfDim(dim); });
}

/// The position among the results of `producer` of what `operand` reads, element by element as they
/// are computed.
std::optional<unsigned> findResult(linalg::GenericOp producer, linalg::GenericOp consumer,
                                   OpOperand *operand) {
  auto result = dyn_cast<OpResult>(operand->get());
  if (!result || result.getOwner() != producer || producer.getNumReductionLoops() != 0)
    return std::nullopt;
  OpOperand *init = producer.getDpsInitOperand(result.getResultNumber());
  AffineMap map = producer.getMatchingIndexingMap(init);
  if (map != consumer.getMatchingIndexingMap(operand) || !isWhole(map))
    return std::nullopt;
  return result.getResultNumber();
}

bool readsSame(linalg::GenericOp first, linalg::GenericOp second) {
  for (OpOperand *left : first.getDpsInputOperands())
    for (OpOperand *right : second.getDpsInputOperands())
      if (left->get() == right->get() && isa<RankedTensorType>(left->get().getType()) &&
          first.getMatchingIndexingMap(left) == second.getMatchingIndexingMap(right) &&
          isWhole(first.getMatchingIndexingMap(left)))
        return true;
  return llvm::any_of(second.getDpsInputOperands(), [&](OpOperand *operand) {
    return findResult(first, second, operand).has_value();
  });
}

/// Two operations of a block, `first` before `second`, and what lies between.
class Siblings {
public:
  Siblings(linalg::GenericOp former, linalg::GenericOp latter) : first(former), second(latter) {}

  bool areWorthFusing();
  /// Whether neither needs the other, but for elements that `first` has just computed.
  bool areIndependent();
  linalg::GenericOp fuse(IRRewriter &rewriter);
  Location firstLoc() { return first.getLoc(); }

private:
  bool collect(Operation *op);

  linalg::GenericOp first, second;
  /// What `second` needs of the operations between the two.
  llvm::SetVector<Operation *> needed;
  /// Whether something between the two needs `first`: then `second` moves up, else `first` down.
  bool movesUp = false;
};

bool Siblings::areWorthFusing() {
  if (first.getIteratorTypesArray() != second.getIteratorTypesArray() || !readsSame(first, second))
    return false;
  unsigned outputs = first.getNumDpsInits() + second.getNumDpsInits();
  if (first.getNumReductionLoops() != 0 && outputs > kMostReductions)
    return false;
  llvm::SmallPtrSet<Value, 16> inputs(llvm::from_range, first.getInputs());
  inputs.insert_range(second.getInputs());
  return inputs.size() + outputs <= kMostOperands &&
         bodyCost(first) + bodyCost(second) <= kMostBodyCost;
}

/// Adds what `op` needs of the operations after `first`; fails if that needs `first`.
bool Siblings::collect(Operation *op) {
  bool isFree = true;
  op->walk([&](Operation *inner) {
    for (OpOperand &operand : inner->getOpOperands()) {
      Operation *source = operand.get().getDefiningOp();
      if (!source)
        continue;
      source = first->getBlock()->findAncestorOpInBlock(*source);
      if (source == first)
        // What the body extracts from `first` at a place of its own needs all of it.
        isFree &= inner == second && findResult(first, second, &operand).has_value();
      else if (source && source != op && first->isBeforeInBlock(source) && needed.insert(source) &&
               needed.size() <= kMostMoved)
        isFree &= collect(source);
    }
  });
  return isFree && needed.size() <= kMostMoved;
}

bool Siblings::areIndependent() {
  if (!collect(second))
    return false;
  for (Operation *user : first->getUsers()) {
    user = first->getBlock()->findAncestorOpInBlock(*user);
    movesUp |= user && user->isBeforeInBlock(second);
  }
  return !movesUp || llvm::all_of(needed, [](Operation *op) { return isPure(op); });
}

linalg::GenericOp Siblings::fuse(IRRewriter &rewriter) {
  if (movesUp) {
    SmallVector<Operation *> inOrder = llvm::to_vector(needed);
    llvm::sort(inOrder,
               [](Operation *left, Operation *right) { return left->isBeforeInBlock(right); });
    for (Operation *op : inOrder)
      op->moveBefore(first);
  }
  rewriter.setInsertionPoint(movesUp ? first : second);

  // Each distinct input once; -1: a result of the first.
  SmallVector<Value> inputs, outputs = llvm::to_vector(first.getOutputs());
  SmallVector<AffineMap> maps, outputMaps;
  SmallVector<int> firstPlaces, secondPlaces;
  auto place = [&](linalg::GenericOp op, OpOperand *operand) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    for (unsigned i = 0; i < inputs.size(); ++i)
      if (inputs[i] == operand->get() && maps[i] == map)
        return int(i);
    inputs.push_back(operand->get());
    maps.push_back(map);
    return int(inputs.size() - 1);
  };
  for (OpOperand *operand : first.getDpsInputOperands())
    firstPlaces.push_back(place(first, operand));
  for (OpOperand *operand : second.getDpsInputOperands())
    secondPlaces.push_back(findResult(first, second, operand) ? -1 : place(second, operand));
  llvm::append_range(outputs, second.getOutputs());
  for (linalg::GenericOp op : {first, second})
    for (OpOperand &operand : op.getDpsInitsMutable())
      maps.push_back(op.getMatchingIndexingMap(&operand));

  unsigned split = first.getNumDpsInits();
  auto fused = linalg::GenericOp::create(
      rewriter, rewriter.getFusedLoc({first.getLoc(), second.getLoc()}),
      ValueRange(outputs).getTypes(), inputs, outputs, maps, first.getIteratorTypesArray(),
      [&](OpBuilder &b, Location loc, ValueRange arguments) {
        IRMapping mapping;
        SmallVector<Value> results;
        auto clone = [&](linalg::GenericOp op, ArrayRef<int> places, unsigned firstOutput) {
          for (auto [operand, input] : llvm::zip(op.getDpsInputOperands(), places))
            mapping.map(op.getMatchingBlockArgument(operand),
                        input < 0 ? results[*findResult(first, second, operand)]
                                  : arguments[input]);
          for (auto [index, argument] : llvm::enumerate(op.getRegionOutputArgs()))
            mapping.map(argument, arguments[inputs.size() + firstOutput + index]);
          for (Operation &inner : op.getBody()->without_terminator())
            b.clone(inner, mapping);
          for (Value value : op.getBody()->getTerminator()->getOperands())
            results.push_back(mapping.lookupOrDefault(value));
        };
        clone(first, firstPlaces, 0);
        clone(second, secondPlaces, split);
        linalg::YieldOp::create(b, loc, results);
      });
  rewriter.replaceOp(second, fused.getResults().drop_front(split));
  rewriter.replaceOp(first, fused.getResults().take_front(split));
  return fused;
}

class FuseSiblings : public impl::FuseSiblingsPassBase<FuseSiblings> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    for (linalg::GenericOp op : ops)
      while (std::optional<Siblings> siblings = findSiblings(op)) {
        remarkDone(op.getLoc(), "fuse-siblings")
            << "one loop with that of " << lineText(siblings->firstLoc())
            << ", which walks over the same elements";
        op = siblings->fuse(rewriter);
      }
  }

  /// `op` and the last operation before it with which it can be fused: that reads what `op` reads,
  /// or makes it.
  std::optional<Siblings> findSiblings(linalg::GenericOp op) {
    llvm::SetVector<Operation *> candidates;
    for (Value input : op.getInputs()) {
      if (Operation *producer = input.getDefiningOp())
        candidates.insert(producer);
      candidates.insert_range(input.getUsers());
    }
    SmallVector<linalg::GenericOp> before;
    for (Operation *candidate : candidates) {
      auto generic = dyn_cast<linalg::GenericOp>(candidate);
      if (generic && generic->getBlock() == op->getBlock() && generic->isBeforeInBlock(op))
        before.push_back(generic);
    }
    llvm::sort(before, [](linalg::GenericOp left, linalg::GenericOp right) {
      return right->isBeforeInBlock(left);
    });
    for (linalg::GenericOp generic : before) {
      Siblings siblings(generic, op);
      if (siblings.areWorthFusing() && siblings.areIndependent())
        return siblings;
    }
    return std::nullopt;
  }
};

} // namespace
} // namespace nnc
