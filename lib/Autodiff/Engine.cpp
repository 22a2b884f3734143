//===- Engine.cpp - Reverse-mode differentiation --------------------------===//
//
// Two sweeps over the ops before the insertion point. Forward: which values depend on those of
// interest, `wrt`. Backward: each such op whose result has a cotangent gives cotangents to what it
// reads, and those of one value are added in the order in which they come. When the backward sweep
// reaches the op that defines a value, its cotangent is complete.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"
#include "nnc/IR/GradientLocation.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace nnc {

//===-- Names -------------------------------------------------------------===//

StringRef getValueName(Value value) {
  if (auto name = dyn_cast<NameLoc>(value.getLoc()))
    return name.getName();
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return {};
  auto function = dyn_cast_or_null<FunctionOpInterface>(argument.getOwner()->getParentOp());
  if (!function || !argument.getOwner()->isEntryBlock())
    return {};
  auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), nn::nameAttr);
  return name ? name.getValue() : StringRef();
}

static Location withoutName(Location loc) {
  auto name = dyn_cast<NameLoc>(loc);
  return name ? name.getChildLoc() : loc;
}

//===-- Unused ops --------------------------------------------------------===//

void eraseUnusedOps(Region &region) {
  for (Block &block : llvm::reverse(region))
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
      if (isOpTriviallyDead(&op)) {
        op.erase();
        continue;
      }
      for (Region &nested : op.getRegions())
        eraseUnusedOps(nested);
    }
}

//===-- The engine --------------------------------------------------------===//

namespace {
class ReverseMode {
public:
  ReverseMode(OpBuilder &builder, Location loc, ValueRange wrt, bool followsOuter)
      : builder(builder), loc(loc) {
    active.insert(wrt.begin(), wrt.end());
    collectOps(followsOuter);
    findActive();
  }

  /// Adds to the cotangent of `value`.
  void add(Value value, Value cotangent) {
    Value &sum = cotangents[value];
    sum = sum ? create<nn::AddOp>(builder, loc, {sum, cotangent}) : cotangent;
  }

  LogicalResult sweepBack() {
    for (Operation *op : llvm::reverse(ops))
      if (failed(visit(op)))
        return failure();
    return success();
  }

  /// The cotangent of `value` after the sweep, null if it has no influence.
  Value get(Value value) {
    Value cotangent = cotangents.lookup(value);
    if (cotangent)
      nameAfter(value, cotangent);
    return cotangent;
  }

private:
  /// The ops before the insertion point, in its block and in those around it, outermost first.
  void collectOps(bool followsOuter) {
    Block *block = builder.getInsertionBlock();
    Block::iterator end = builder.getInsertionPoint();
    while (true) {
      for (Operation &op : llvm::reverse(llvm::make_range(block->begin(), end)))
        ops.push_back(&op);
      Operation *parent = block->getParentOp();
      if (!followsOuter || !parent || parent->hasTrait<OpTrait::IsIsolatedFromAbove>())
        break;
      block = parent->getBlock();
      end = parent->getIterator();
    }
    std::reverse(ops.begin(), ops.end());
  }

  static bool isFloat(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && isa<FloatType>(type.getElementType());
  }

  static SmallVector<Value> inputsOf(Operation *op) {
    if (auto rule = dyn_cast<GradientOpInterface>(op))
      return rule.getGradientInputs();
    return llvm::to_vector(op->getOperands());
  }

  /// An op of ours without a rule stops gradients; one of another dialect cannot be judged.
  static bool stopsGradients(Operation *op) {
    return !isa<GradientOpInterface>(op) && isa_and_present<nn::NNDialect>(op->getDialect());
  }

  void findActive() {
    for (Operation *op : ops) {
      bool depends =
          llvm::any_of(inputsOf(op), [&](Value input) { return active.contains(input); });
      if (depends && !stopsGradients(op))
        active.insert(op->result_begin(), op->result_end());
    }
  }

  LogicalResult visit(Operation *op) {
    SmallVector<Value> resultCotangents;
    for (Value result : op->getResults())
      resultCotangents.push_back(cotangents.lookup(result));
    SmallVector<Value> inputs = inputsOf(op);
    llvm::SmallBitVector needed(inputs.size());
    for (auto [index, input] : llvm::enumerate(inputs))
      needed[index] = active.contains(input) && isFloat(input);
    bool isOnPath = needed.any() && llvm::any_of(resultCotangents, [](Value v) { return bool(v); });
    if (!isOnPath || stopsGradients(op))
      return success();
    auto rule = dyn_cast<GradientOpInterface>(op);
    if (!rule)
      return op->emitError("cannot differentiate '") << op->getName().stripDialect() << "'";
    for (Value result : op->getResults())
      if (Value cotangent = cotangents.lookup(result))
        nameAfter(result, cotangent);
    return applyRule(rule, inputs, resultCotangents, needed);
  }

  LogicalResult applyRule(GradientOpInterface rule, ArrayRef<Value> inputs,
                          ArrayRef<Value> resultCotangents, const llvm::SmallBitVector &needed) {
    Operation *last = lastOp();
    FailureOr<SmallVector<Value>> gradients =
        rule.buildGradients(builder, resultCotangents, needed);
    if (failed(gradients))
      return failure();
    eraseUnusedAfter(last, *gradients);
    markAfter(last);
    for (unsigned index : needed.set_bits())
      if (Value gradient = (*gradients)[index])
        add(inputs[index], gradient);
    return success();
  }

  /// The op before the insertion point, null at the beginning of the block.
  Operation *lastOp() {
    Block *block = builder.getInsertionBlock();
    Block::iterator point = builder.getInsertionPoint();
    return point == block->begin() ? nullptr : &*std::prev(point);
  }

  /// Says of what a rule built that it is a gradient.
  void markAfter(Operation *last) {
    for (Operation *op = lastOp(); op && op != last; op = op->getPrevNode())
      op->walk([](Operation *inner) { inner->setLoc(markGradient(inner->getLoc())); });
  }

  /// Erases what a rule built for inputs whose cotangents are not asked for.
  void eraseUnusedAfter(Operation *last, ArrayRef<Value> keep) {
    Operation *op = lastOp();
    while (op && op != last) {
      Operation *previous = op->getPrevNode();
      bool isKept = llvm::any_of(op->getResults(),
                                 [&](Value result) { return llvm::is_contained(keep, result); });
      if (!isKept && isOpTriviallyDead(op))
        op->erase();
      op = previous;
    }
  }

  /// Gives the op that computes `cotangent` the name d_<value>, unless it has a name.
  void nameAfter(Value value, Value cotangent) {
    StringRef name = getValueName(value);
    Operation *op = cotangent.getDefiningOp();
    if (name.empty() || !op || isa<NameLoc>(op->getLoc()) || op->getNumResults() != 1)
      return;
    op->setLoc(NameLoc::get(builder.getStringAttr("d_" + name), op->getLoc()));
  }

  OpBuilder &builder;
  Location loc;
  SmallVector<Operation *> ops;
  llvm::DenseSet<Value> active;
  llvm::DenseMap<Value, Value> cotangents;
};
} // namespace

static FailureOr<SmallVector<Value>> run(ReverseMode engine, ValueRange outputs,
                                         ValueRange cotangents, ValueRange wrt) {
  for (auto [output, cotangent] : llvm::zip_equal(outputs, cotangents))
    engine.add(output, cotangent);
  if (failed(engine.sweepBack()))
    return failure();
  return llvm::map_to_vector(wrt, [&](Value value) { return engine.get(value); });
}

FailureOr<SmallVector<Value>> differentiateBlock(OpBuilder &builder, Location loc,
                                                 ValueRange outputs, ValueRange cotangents,
                                                 ValueRange wrt) {
  return run(ReverseMode(builder, loc, wrt, /*followsOuter=*/false), outputs, cotangents, wrt);
}

FailureOr<SmallVector<Value>> differentiate(OpBuilder &builder, Location loc, ValueRange outputs,
                                            ValueRange cotangents, ValueRange wrt) {
  Place place{builder, withoutName(loc)};
  FailureOr<SmallVector<Value>> gradients =
      run(ReverseMode(builder, place.loc, wrt, /*followsOuter=*/true), outputs, cotangents, wrt);
  if (failed(gradients))
    return failure();
  for (auto [value, gradient] : llvm::zip_equal(wrt, *gradients))
    if (!gradient)
      gradient = zerosLike({&place, value}).value;
  return gradients;
}

} // namespace nnc
