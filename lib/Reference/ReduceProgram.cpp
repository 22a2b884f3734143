//===- ReduceProgram.cpp - A failing program made small -------------------===//
//
// Tries simpler programs one after another and keeps those that still fail: that return the results
// of the first op that will do, and with an op's results given as arguments, with the values that
// the interpreter finds for them.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/RandomProgram.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace nnc {

static RandomProgram copyProgram(RandomProgram &program) {
  RandomProgram copy;
  copy.module = OwningOpRef<ModuleOp>(program.module->clone());
  copy.function = copy.module->lookupSymbol<func::FuncOp>(program.function.getName());
  copy.arguments = program.arguments;
  return copy;
}

static void setResults(func::FuncOp function, ArrayRef<Value> results) {
  function.front().getTerminator()->setOperands(results);
  function.setResAttrsAttr(nullptr);
  function.setFunctionType(FunctionType::get(function.getContext(), function.getArgumentTypes(),
                                             TypeRange(ValueRange(results))));
}

static void eraseUnused(RandomProgram &program) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(program.function.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  for (unsigned number = program.function.getNumArguments(); number-- > 0;) {
    if (!program.function.getArgument(number).use_empty())
      continue;
    // It may be what tells a symbol.
    RandomProgram without = copyProgram(program);
    (void)without.function.eraseArgument(number);
    without.arguments.erase(without.arguments.begin() + number);
    llvm::Expected<SmallVector<HostTensor>> results =
        interpret(without.function, without.arguments);
    bool isNeeded = !results;
    llvm::consumeError(results.takeError());
    if (!isNeeded)
      program = std::move(without);
  }
}

static Operation *findOp(RandomProgram &program, unsigned number) {
  return &*std::next(program.function.front().begin(), number);
}

/// Replaces the results of op `number` by arguments. False if they are not known.
static bool replaceByArguments(RandomProgram &program, unsigned number) {
  Operation *op = findOp(program, number);
  SmallVector<HostTensor> values;
  InterpretOptions options;
  options.afterOp = [&](Operation *done, MutableArrayRef<HostTensor> results) {
    if (done == op)
      values.assign(results.begin(), results.end());
    return llvm::Error::success();
  };
  llvm::consumeError(interpret(program.function, program.arguments, options).takeError());
  if (values.size() != op->getNumResults())
    return false;
  for (auto [result, value] : llvm::zip_equal(op->getResults(), values)) {
    unsigned position = program.function.getNumArguments();
    if (failed(program.function.insertArgument(position, result.getType(), {}, op->getLoc())))
      return false;
    result.replaceAllUsesWith(program.function.getArgument(position));
    program.arguments.push_back(value);
  }
  op->erase();
  return true;
}

RandomProgram reduceProgram(RandomProgram &program,
                            llvm::function_ref<bool(RandomProgram &)> fails) {
  RandomProgram best = copyProgram(program);
  for (unsigned number = 0; !isa<func::ReturnOp>(findOp(best, number)); ++number) {
    RandomProgram simpler = copyProgram(best);
    setResults(simpler.function, llvm::to_vector_of<Value>(findOp(simpler, number)->getResults()));
    eraseUnused(simpler);
    if (fails(simpler)) {
      best = std::move(simpler);
      break;
    }
  }
  // An op that is replaced makes room for the next at its number.
  for (unsigned number = 0; !isa<func::ReturnOp>(findOp(best, number));) {
    RandomProgram simpler = copyProgram(best);
    if (replaceByArguments(simpler, number)) {
      eraseUnused(simpler);
      if (fails(simpler)) {
        best = std::move(simpler);
        continue;
      }
    }
    ++number;
  }
  return best;
}

} // namespace nnc
