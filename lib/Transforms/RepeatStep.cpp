//===- RepeatStep.cpp - Many training steps in one function ---------------===//
//
// A step is a function from state and data to state and records, so N steps are a scan over it.
// Compiled as one function, N steps cost no dispatch, and small states never leave the cache.
//
//===----------------------------------------------------------------------===//
#include "nnc/Transforms/RepeatStep.h"

#include "nnc/IR/NN.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace nnc;

static StringRef getText(DictionaryAttr attributes, StringRef key) {
  auto attr = attributes ? attributes.getAs<StringAttr>(key) : StringAttr();
  return attr ? attr.getValue() : StringRef();
}

static bool isState(DictionaryAttr attributes) {
  StringRef role = getText(attributes, nn::roleAttr);
  return role == "param" || role == "state";
}

namespace {
/// Which results of a step are carried (with the argument each updates) and which are collected.
struct StepResults {
  SmallVector<unsigned> carried, carriedArguments, collected;

  explicit StepResults(func::FuncOp step) {
    for (unsigned result = 0; result < step.getNumResults(); ++result) {
      DictionaryAttr attributes = step.getResultAttrDict(result);
      if (isState(attributes)) {
        carried.push_back(result);
        carriedArguments.push_back(argumentNamed(step, getText(attributes, nn::nameAttr)));
      } else if (getText(attributes, nn::roleAttr) != "tap") {
        collected.push_back(result);
      }
    }
  }

  static unsigned argumentNamed(func::FuncOp step, StringRef name) {
    for (unsigned argument = 0; argument < step.getNumArguments(); ++argument)
      if (isState(step.getArgAttrDict(argument)) &&
          getText(step.getArgAttrDict(argument), nn::nameAttr) == name)
        return argument;
    llvm_unreachable("a state that a step returns is one of its arguments");
  }
};
} // namespace

static Type stacked(Type type, const Dim &count) {
  Shape shape = getShape(type);
  shape.insert(shape.begin(), count);
  return makeTensorType(shape, cast<RankedTensorType>(type).getElementType());
}

static func::FuncOp declareSteps(func::FuncOp step, const StepResults &results, const Dim &count) {
  SmallVector<Type> types;
  SmallVector<Attribute> resultAttributes;
  auto add = [&](unsigned result, Type type) {
    types.push_back(type);
    resultAttributes.push_back(step.getResultAttrDict(result));
  };
  for (unsigned result : results.carried)
    add(result, step.getResultTypes()[result]);
  for (unsigned result : results.collected)
    add(result, stacked(step.getResultTypes()[result], count));
  OpBuilder builder(step);
  builder.setInsertionPointAfter(step);
  auto steps = func::FuncOp::create(builder, step.getLoc(), (step.getName() + "s").str(),
                                    builder.getFunctionType(step.getArgumentTypes(), types));
  steps.setAllArgAttrs(SmallVector<Attribute>(
      step.getArgAttrsAttr() ? llvm::to_vector(step.getArgAttrsAttr()) : SmallVector<Attribute>()));
  steps.setAllResultAttrs(resultAttributes);
  steps->setAttr(nn::entryAttr, builder.getStringAttr("steps"));
  return steps;
}

/// The key of iteration `index`: the seed as it is, the counter advanced.
static Value advanceKey(OpBuilder &builder, Location loc, Value key, Value index) {
  auto type = cast<RankedTensorType>(key.getType());
  Value counterOnly = nn::ConstantOp::create(builder, loc, type,
                                             DenseElementsAttr::get(type, ArrayRef<int64_t>{0, 1}));
  return create<nn::AddOp>(builder, loc,
                           {key, create<nn::MulOp>(builder, loc, {index, counterOnly})});
}

func::FuncOp nnc::repeatStep(func::FuncOp step) {
  StepResults results(step);
  Dim count = Dim::symbol(nn::stepsSymbol);
  func::FuncOp steps = declareSteps(step, results, count);
  Block *entry = steps.addEntryBlock();
  OpBuilder builder = OpBuilder::atBlockEnd(entry);
  Location loc = step.getLoc();

  SmallVector<Value> inits;
  for (unsigned argument : results.carriedArguments)
    inits.push_back(entry->getArgument(argument));
  auto scan = nn::ScanOp::create(builder, loc, count, /*reverse=*/false, inits, ValueRange(),
                                 steps.getResultTypes());
  func::ReturnOp::create(builder, loc, scan.getResults());

  builder.setInsertionPointToEnd(&scan.getBody().front());
  IRMapping mapping;
  for (unsigned argument = 0; argument < step.getNumArguments(); ++argument) {
    Value value = entry->getArgument(argument);
    if (getText(step.getArgAttrDict(argument), nn::roleAttr) == "key")
      value = advanceKey(builder, loc, value, scan.getIndex());
    mapping.map(step.getArgument(argument), value);
  }
  for (auto [argument, carried] : llvm::zip(results.carriedArguments, scan.getCarriedArguments()))
    mapping.map(step.getArgument(argument), carried);
  Block &body = step.getBody().front();
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  SmallVector<Value> yielded;
  for (ArrayRef<unsigned> part : {ArrayRef(results.carried), ArrayRef(results.collected)})
    for (unsigned result : part)
      yielded.push_back(mapping.lookupOrDefault(body.getTerminator()->getOperand(result)));
  nn::YieldOp::create(builder, loc, yielded);
  return steps;
}
