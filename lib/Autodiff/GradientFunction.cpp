//===- GradientFunction.cpp - The gradient of a function ------------------===//
//
// func NAME(arguments) -> results becomes func NAME.grad(arguments, d_<result>…) -> d_<argument>….
// Applied to its own result it gives the second derivative.
//
//===----------------------------------------------------------------------===//
#include "nnc/Autodiff/Autodiff.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace nnc {

static bool isFloat(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<FloatType>(tensor.getElementType());
}

static StringRef argumentAttr(func::FuncOp function, unsigned index, StringRef name) {
  auto attr = function.getArgAttrOfType<StringAttr>(index, name);
  return attr ? attr.getValue() : StringRef();
}

static StringRef resultAttr(func::FuncOp function, unsigned index, StringRef name) {
  auto attr = function.getResultAttrOfType<StringAttr>(index, name);
  return attr ? attr.getValue() : StringRef();
}

static DictionaryAttr describe(MLIRContext *context, const Twine &name, StringRef role) {
  Builder builder(context);
  return builder.getDictionaryAttr(
      {builder.getNamedAttr(nn::nameAttr, builder.getStringAttr(name)),
       builder.getNamedAttr(nn::roleAttr, builder.getStringAttr(role))});
}

//===-- What is differentiated --------------------------------------------===//

static FailureOr<unsigned> findArgument(func::FuncOp function, StringRef name) {
  SmallVector<StringRef> names;
  for (unsigned index = 0; index < function.getNumArguments(); ++index) {
    if (!isFloat(function.getArgument(index).getType()))
      continue;
    names.push_back(argumentAttr(function, index, nn::nameAttr));
    if (names.back() == name)
      return index;
  }
  return function.emitError("expected a floating-point argument to differentiate (")
         << llvm::join(names, ", ") << "), found '" << name << "'";
}

/// The arguments of floating point with the role `role`; of any role if it is empty.
static SmallVector<unsigned> argumentsOfRole(func::FuncOp function, StringRef role) {
  SmallVector<unsigned> arguments;
  for (unsigned index = 0; index < function.getNumArguments(); ++index)
    if (isFloat(function.getArgument(index).getType()) &&
        (role.empty() || argumentAttr(function, index, nn::roleAttr) == role))
      arguments.push_back(index);
  return arguments;
}

static FailureOr<SmallVector<unsigned>> chooseArguments(func::FuncOp function,
                                                        ArrayRef<std::string> wrt) {
  SmallVector<unsigned> arguments;
  for (StringRef name : wrt) {
    FailureOr<unsigned> index = findArgument(function, name);
    if (failed(index))
      return failure();
    arguments.push_back(*index);
  }
  if (arguments.empty())
    arguments = argumentsOfRole(function, "param");
  if (arguments.empty())
    arguments = argumentsOfRole(function, "");
  return arguments;
}

/// The loss if there is one, else the outputs.
static SmallVector<unsigned> chooseResults(func::FuncOp function) {
  SmallVector<unsigned> outputs;
  for (unsigned index = 0; index < function.getNumResults(); ++index) {
    StringRef role = resultAttr(function, index, nn::roleAttr);
    if (!isFloat(function.getResultTypes()[index]))
      continue;
    if (role == "loss")
      return {index};
    if (role.empty() || role == "output")
      outputs.push_back(index);
  }
  return outputs;
}

//===-- The function ------------------------------------------------------===//

/// One for a single scalar; else a new argument for each result.
static FailureOr<SmallVector<Value>> seedCotangents(OpBuilder &builder, func::FuncOp function,
                                                    ArrayRef<unsigned> results) {
  auto scalarOnly = [&] {
    return results.size() == 1 &&
           cast<RankedTensorType>(function.getResultTypes()[results.front()]).getRank() == 0;
  };
  if (scalarOnly())
    return SmallVector<Value>{createScalar(
        builder, function.getLoc(),
        cast<RankedTensorType>(function.getResultTypes()[results.front()]).getElementType(), 1.0)};
  SmallVector<Value> cotangents;
  for (unsigned index : results) {
    StringRef name = resultAttr(function, index, nn::nameAttr);
    DictionaryAttr attributes =
        describe(builder.getContext(),
                 "d_" + (name.empty() ? "result" + std::to_string(index) : name.str()), "input");
    unsigned position = function.getNumArguments();
    if (failed(function.insertArgument(position, function.getResultTypes()[index], attributes,
                                       function.getLoc())))
      return failure();
    cotangents.push_back(function.getArgument(position));
  }
  return cotangents;
}

static void setResults(func::FuncOp function, func::ReturnOp returnOp, ArrayRef<unsigned> wrt,
                       ArrayRef<Value> gradients) {
  SmallVector<Attribute> attributes;
  for (unsigned index : wrt) {
    StringRef name = argumentAttr(function, index, nn::nameAttr);
    attributes.push_back(describe(
        function.getContext(),
        "d_" + (name.empty() ? "argument" + std::to_string(index) : name.str()), "output"));
  }
  returnOp.getOperandsMutable().assign(gradients);
  function.setResAttrsAttr({});
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getArgumentTypes(),
                        llvm::map_to_vector(gradients, [](Value v) { return v.getType(); })));
  function.setResAttrsAttr(ArrayAttr::get(function.getContext(), attributes));
}

FailureOr<func::FuncOp> buildGradientFunction(func::FuncOp function, ArrayRef<std::string> wrt) {
  FailureOr<SmallVector<unsigned>> arguments = chooseArguments(function, wrt);
  if (failed(arguments))
    return failure();
  SmallVector<unsigned> results = chooseResults(function);
  if (arguments->empty() || results.empty())
    return function.emitError("expected floating-point arguments and results to differentiate, "
                              "found none in '")
           << function.getName() << "'";

  func::FuncOp gradient = function.clone();
  gradient.setName((function.getName() + ".grad").str());
  SymbolTable(function->getParentOp()).insert(gradient, std::next(function->getIterator()));
  auto returnOp = cast<func::ReturnOp>(gradient.getBody().back().getTerminator());
  OpBuilder builder(returnOp);
  FailureOr<SmallVector<Value>> cotangents = seedCotangents(builder, gradient, results);
  SmallVector<Value> outputs, values;
  for (unsigned index : results)
    outputs.push_back(returnOp.getOperand(index));
  for (unsigned index : *arguments)
    values.push_back(gradient.getArgument(index));
  FailureOr<SmallVector<Value>> gradients = failure();
  if (succeeded(cotangents))
    gradients = differentiate(builder, function.getLoc(), outputs, *cotangents, values);
  if (failed(gradients)) {
    gradient.erase();
    return failure();
  }
  setResults(gradient, returnOp, *arguments, *gradients);
  eraseUnusedOps(gradient.getBody());
  return gradient;
}

} // namespace nnc
