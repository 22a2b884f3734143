//===- Functions.cpp - Functions being built ------------------------------===//
//
// Arguments are inserted by role, in the order parameters and states, key, inputs.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

void Elaborator::beginFunction(const std::string &name, const std::string &entry, SourceRange range,
                               ModelInfo *model) {
  frame = std::make_unique<FunctionFrame>();
  frame->model = model;
  builder.setInsertionPointToEnd(program.module->getBody());
  frame->function =
      func::FuncOp::create(builder, locationOf(range), name, builder.getFunctionType({}, {}));
  frame->function->setAttr(nn::entryAttr, builder.getStringAttr(entry));
  frame->block = frame->function.addEntryBlock();
  builder.setInsertionPointToEnd(frame->block);
}

static unsigned rankOf(const std::string &role) {
  return role == "param" || role == "state" ? 0 : role == "key" ? 1 : 2;
}

Value Elaborator::addArgument(const std::string &name, const std::string &role, Type type) {
  for (const FunctionFrame::Argument &argument : frame->arguments)
    if (argument.name == name && rankOf(argument.role) == rankOf(role))
      return argument.value;
  size_t position = 0;
  while (position < frame->arguments.size() &&
         rankOf(frame->arguments[position].role) <= rankOf(role))
    ++position;
  Location loc = NameLoc::get(builder.getStringAttr(name), frame->function.getLoc());
  Value value = frame->block->insertArgument(position, type, loc);
  frame->arguments.insert(frame->arguments.begin() + position, {name, role, value});
  return value;
}

void Elaborator::addResult(const std::string &name, const std::string &role, Value value) {
  std::string unique = name;
  for (unsigned count = 2;
       llvm::any_of(frame->results,
                    [&](const FunctionFrame::Result &result) { return result.name == unique; });
       ++count)
    unique = fmt::format("{}_{}", name, count);
  frame->results.push_back({unique, role, value});
}

Value Elaborator::getKey() {
  return addArgument("key", "key", RankedTensorType::get({2}, builder.getI64Type()));
}

void Elaborator::endFunction() {
  SmallVector<Value> values;
  SmallVector<Type> argumentTypes, resultTypes;
  for (const FunctionFrame::Result &result : frame->results) {
    values.push_back(result.value);
    resultTypes.push_back(result.value.getType());
  }
  for (const FunctionFrame::Argument &argument : frame->arguments)
    argumentTypes.push_back(argument.value.getType());
  builder.setInsertionPointToEnd(frame->block);
  func::ReturnOp::create(builder, frame->function.getLoc(), values);
  frame->function.setFunctionType(builder.getFunctionType(argumentTypes, resultTypes));
  for (auto [index, argument] : llvm::enumerate(frame->arguments)) {
    frame->function.setArgAttr(index, nn::nameAttr, builder.getStringAttr(argument.name));
    frame->function.setArgAttr(index, nn::roleAttr, builder.getStringAttr(argument.role));
  }
  for (auto [index, result] : llvm::enumerate(frame->results)) {
    frame->function.setResultAttr(index, nn::nameAttr, builder.getStringAttr(result.name));
    frame->function.setResultAttr(index, nn::roleAttr, builder.getStringAttr(result.role));
  }
  frame.reset();
}

} // namespace nnc
