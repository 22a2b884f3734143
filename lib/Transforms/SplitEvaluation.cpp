//===- SplitEvaluation.cpp - An evaluation in two functions ---------------===//
//
// Both are copies of the one: in the first the other results are dropped, in the second arguments
// stand for the outputs; then what nothing needs is removed from both.
//
//===----------------------------------------------------------------------===//
#include "nnc/Transforms/SplitEvaluation.h"

#include "nnc/IR/NN.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace nnc;

static bool isOutput(func::FuncOp function, unsigned result) {
  auto role = function.getResultAttrOfType<StringAttr>(result, nn::roleAttr);
  return role && role.getValue() == "output";
}

/// Removes the results that are outputs, or all others; then the ops and arguments without a use.
static void keepOnly(func::FuncOp function, bool outputs) {
  Operation *end = function.getBody().front().getTerminator();
  llvm::BitVector dropped(function.getNumResults());
  for (unsigned result = 0; result < function.getNumResults(); ++result)
    dropped[result] = isOutput(function, result) != outputs;
  end->eraseOperands(dropped);
  (void)function.eraseResults(dropped);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  llvm::BitVector unused(function.getNumArguments());
  for (BlockArgument argument : function.getArguments())
    unused[argument.getArgNumber()] = argument.use_empty();
  (void)function.eraseArguments(unused);
}

/// Whether the results that are no outputs need a derivative.
static bool needsGradient(func::FuncOp function) {
  SmallVector<Operation *> left;
  llvm::SmallPtrSet<Operation *, 32> seen;
  auto add = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (op && seen.insert(op).second)
      left.push_back(op);
  };
  Operation *end = function.getBody().front().getTerminator();
  for (auto [result, value] : llvm::enumerate(end->getOperands()))
    if (!isOutput(function, result))
      add(value);
  while (!left.empty()) {
    // With what its regions use.
    WalkResult found = left.pop_back_val()->walk([&](Operation *op) {
      llvm::for_each(op->getOperands(), add);
      return isa<nn::GradOp>(op) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (found.wasInterrupted())
      return true;
  }
  return false;
}

/// The number of rows: the first dimension of every input.
static std::optional<Dim> rowsOf(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments()) {
    auto role = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), nn::roleAttr);
    if (role && role.getValue() == "input")
      return getShape(argument).front();
  }
  return std::nullopt;
}

func::FuncOp nnc::splitEvaluation(func::FuncOp evaluate) {
  std::optional<Dim> rows = rowsOf(evaluate);
  Operation *end = evaluate.getBody().front().getTerminator();
  SmallVector<Value> outputs;
  SmallVector<DictionaryAttr> attributes;
  bool canSplit = rows && !needsGradient(evaluate);
  for (auto [result, value] : llvm::enumerate(end->getOperands()))
    if (isOutput(evaluate, result)) {
      outputs.push_back(value);
      attributes.push_back(evaluate.getResultAttrDict(result));
      canSplit &= !getShape(value).empty() && getShape(value).front() == *rows;
    }
  if (!canSplit || outputs.empty()) {
    keepOnly(evaluate, /*outputs=*/false);
    return {};
  }
  auto predict = cast<func::FuncOp>(evaluate->clone());
  predict.setName((evaluate.getName() + ".predict").str());
  evaluate->getBlock()->getOperations().insert(std::next(evaluate->getIterator()), predict);
  keepOnly(predict, /*outputs=*/true);
  Builder builder(evaluate.getContext());
  for (auto [value, names] : llvm::zip(outputs, attributes)) {
    unsigned place = evaluate.getNumArguments();
    NamedAttrList input(names);
    input.set(nn::roleAttr, builder.getStringAttr("input"));
    (void)evaluate.insertArgument(place, value.getType(), input.getDictionary(builder.getContext()),
                                  evaluate.getLoc());
    value.replaceAllUsesWith(evaluate.getArgument(place));
  }
  keepOnly(evaluate, /*outputs=*/false);
  return predict;
}
