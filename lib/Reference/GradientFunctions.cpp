//===- GradientFunctions.cpp - What a gradient check differentiates -------===//
//
// A function in another precision, and its scalar form.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/NN.h"
#include "nnc/Reference/GradientCheck.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace nnc {

/// A copy of `function` right after it, named NAME.SUFFIX.
static func::FuncOp copyBeside(func::FuncOp function, StringRef suffix) {
  func::FuncOp copy = function.clone();
  copy.setName((function.getName() + "." + suffix).str());
  SymbolTable(function->getParentOp()).insert(copy, std::next(function->getIterator()));
  return copy;
}

//===-- In another precision ----------------------------------------------===//

static HostTensor toPrecision(const HostTensor &tensor, Type floatType) {
  if (!tensor.isFloat())
    return tensor;
  HostTensor result(floatType, tensor.getShape());
  for (int64_t index = 0; index < tensor.getNumElements(); ++index)
    result.setFloat(index, tensor.getFloat(index));
  return result;
}

SmallVector<HostTensor> toPrecision(ArrayRef<HostTensor> tensors, Type floatType) {
  return llvm::map_to_vector(
      tensors, [&](const HostTensor &tensor) { return toPrecision(tensor, floatType); });
}

static DenseElementsAttr toPrecision(DenseElementsAttr elements, Type floatType) {
  if (!isa<FloatType>(elements.getElementType()))
    return elements;
  HostTensor values = toPrecision(HostTensor::fromElements(elements), floatType);
  return DenseElementsAttr::getFromRawBuffer(elements.getType().clone(floatType), values.toBytes());
}

func::FuncOp buildInPrecision(func::FuncOp function, Type floatType) {
  func::FuncOp copy = copyBeside(function, elementTypeToString(floatType));
  AttrTypeReplacer replacer;
  replacer.addReplacement([=](FloatType) { return floatType; });
  // An attribute that is a number keeps its own type, which is f64 whatever the op's is.
  replacer.addReplacement(
      [](FloatAttr number) { return std::make_pair(Attribute(number), WalkResult::skip()); });
  replacer.addReplacement([=](DenseElementsAttr elements) {
    return std::make_pair(Attribute(toPrecision(elements, floatType)), WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(copy, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  return copy;
}

//===-- The weighted sum --------------------------------------------------===//

static bool hasArgumentNamed(func::FuncOp function, StringRef name) {
  for (unsigned number = 0; number < function.getNumArguments(); ++number)
    if (auto attr = function.getArgAttrOfType<StringAttr>(number, nn::nameAttr))
      if (attr.getValue() == name)
        return true;
  return false;
}

/// Gives the argument a name that begins with `stem` and is not taken.
static void nameArgument(func::FuncOp function, unsigned number, StringRef stem) {
  std::string name = stem.str();
  while (hasArgumentNamed(function, name))
    name += "_";
  function.setArgAttr(number, nn::nameAttr, StringAttr::get(function.getContext(), name));
}

func::FuncOp buildWeightedSum(func::FuncOp function) {
  if (llvm::none_of(function.getResultTypes(), [](Type type) {
        return isa<FloatType>(cast<RankedTensorType>(type).getElementType());
      }))
    return nullptr;
  func::FuncOp copy = copyBeside(function, "weighted");
  for (unsigned number = 0; number < copy.getNumArguments(); ++number)
    if (!copy.getArgAttr(number, nn::nameAttr))
      nameArgument(copy, number, "argument" + std::to_string(number));

  auto returnOp = cast<func::ReturnOp>(copy.front().getTerminator());
  OpBuilder builder(returnOp);
  Location loc = copy.getLoc();
  Value total;
  for (auto [number, result] : llvm::enumerate(llvm::to_vector(returnOp.getOperands()))) {
    if (!isa<FloatType>(nnc::getElementType(result)))
      continue;
    unsigned position = copy.getNumArguments();
    (void)copy.insertArgument(position, result.getType(), {}, loc);
    nameArgument(copy, position, "weight" + std::to_string(number));
    Value weighted = create<nn::MulOp>(builder, loc, {copy.getArgument(position), result});
    Value sum = create<nn::SumOp>(builder, loc, weighted);
    total = total ? create<nn::AddOp>(builder, loc, {total, sum}) : sum;
  }
  returnOp.getOperandsMutable().assign(total);
  copy.setResAttrsAttr(nullptr);
  copy.setFunctionType(builder.getFunctionType(copy.getArgumentTypes(), total.getType()));
  return copy;
}

} // namespace nnc
