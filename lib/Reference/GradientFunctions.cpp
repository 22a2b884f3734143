//===- GradientFunctions.cpp - What a gradient check differentiates -------===//
//
// A function in f64, and its scalar form.
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

//===-- In f64 ------------------------------------------------------------===//

static DenseElementsAttr convertElements(DenseElementsAttr elements) {
  if (!isa<FloatType>(elements.getElementType()))
    return elements;
  HostTensor values = HostTensor::fromElements(elements);
  SmallVector<double> numbers;
  for (int64_t index = 0; index < values.getNumElements(); ++index)
    numbers.push_back(values.getFloat(index));
  auto type = elements.getType().clone(Float64Type::get(elements.getContext()));
  return DenseElementsAttr::get(type, ArrayRef<double>(numbers));
}

func::FuncOp buildInDouble(func::FuncOp function) {
  func::FuncOp copy = copyBeside(function, "f64");
  AttrTypeReplacer replacer;
  replacer.addReplacement(
      [](FloatType type) -> Type { return Float64Type::get(type.getContext()); });
  // An attribute that is a number has its own type; numbers of ops are f64 as they are.
  replacer.addReplacement(
      [](FloatAttr number) { return std::make_pair(Attribute(number), WalkResult::skip()); });
  replacer.addReplacement([](DenseElementsAttr elements) {
    return std::make_pair(Attribute(convertElements(elements)), WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(copy, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  return copy;
}

HostTensor toDouble(const HostTensor &tensor) {
  if (!tensor.isFloat())
    return tensor;
  HostTensor result(Float64Type::get(tensor.getElementType().getContext()), tensor.getShape());
  for (int64_t index = 0; index < tensor.getNumElements(); ++index)
    result.setFloat(index, tensor.getFloat(index));
  return result;
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
