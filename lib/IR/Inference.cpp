//===- Inference.cpp - Shape and type rules that families share -----------===//
//
// Checks of operands and the arithmetic of shapes.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Inference.h"

using namespace mlir;

namespace nnc {

static bool isOfKind(Type elementType, nn::OperandKind kind) {
  switch (kind) {
  case nn::OperandKind::Any:
    return true;
  case nn::OperandKind::Number:
    return !elementType.isInteger(1);
  case nn::OperandKind::Float:
    return isa<FloatType>(elementType);
  case nn::OperandKind::Bool:
    return elementType.isInteger(1);
  }
  return false;
}

static StringRef describe(nn::OperandKind kind) {
  switch (kind) {
  case nn::OperandKind::Any:
    return "any";
  case nn::OperandKind::Number:
    return "a numeric";
  case nn::OperandKind::Float:
    return "a floating-point";
  case nn::OperandKind::Bool:
    return "a bool";
  }
  return "";
}

LogicalResult checkKind(OptionalLoc loc, StringRef op, Value value, nn::OperandKind kind) {
  if (isOfKind(getElementType(value), kind))
    return success();
  return emitOptionalError(loc, "'", op, "' expects ", describe(kind), " tensor, found ",
                           typeToString(value.getType()));
}

LogicalResult checkSameElementType(OptionalLoc loc, StringRef op, ValueRange operands) {
  for (Value operand : operands.drop_front())
    if (getElementType(operand) != getElementType(operands.front()))
      return emitOptionalError(loc, "'", op, "' expects operands of one element type, found ",
                               typeToString(operands.front().getType()), " and ",
                               typeToString(operand.getType()));
  return success();
}

std::optional<Shape> broadcastShapes(OptionalLoc loc, StringRef op, ArrayRef<Dim> left,
                                     ArrayRef<Dim> right) {
  Shape result(std::max(left.size(), right.size()));
  for (size_t fromEnd = 1; fromEnd <= result.size(); ++fromEnd) {
    Dim &dim = result[result.size() - fromEnd];
    Dim one(1);
    const Dim &leftDim = fromEnd <= left.size() ? left[left.size() - fromEnd] : one;
    const Dim &rightDim = fromEnd <= right.size() ? right[right.size() - fromEnd] : one;
    if (leftDim != rightDim && leftDim != one && rightDim != one) {
      (void)emitOptionalError(loc, "'", op, "' cannot broadcast shapes ", shapeToString(left),
                              " and ", shapeToString(right), ": dimension ", leftDim.str(),
                              " does not match ", rightDim.str());
      return std::nullopt;
    }
    dim = leftDim == one ? rightDim : leftDim;
  }
  return result;
}

std::optional<int64_t> normalizeAxis(OptionalLoc loc, StringRef op, int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return normalizedAxis(axis, rank);
  (void)emitOptionalError(loc, "'", op, "' expects an axis from ", -rank, " to ", rank - 1,
                          " for a tensor of rank ", rank, ", found ", axis);
  return std::nullopt;
}

std::optional<SmallVector<int64_t>>
normalizeAxes(OptionalLoc loc, StringRef op, std::optional<ArrayRef<int64_t>> axes, int64_t rank) {
  if (axes)
    for (int64_t axis : *axes)
      if (!normalizeAxis(loc, op, axis, rank))
        return std::nullopt;
  SmallVector<int64_t> result = normalizedAxes(axes, rank);
  if (auto repeated = std::adjacent_find(result.begin(), result.end()); repeated != result.end()) {
    (void)emitOptionalError(loc, "'", op, "' expects distinct axes, found axis ", *repeated,
                            " twice");
    return std::nullopt;
  }
  return result;
}

SmallVector<int64_t> normalizedAxes(std::optional<ArrayRef<int64_t>> axes, int64_t rank) {
  if (!axes)
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  SmallVector<int64_t> result;
  for (int64_t axis : *axes)
    result.push_back(normalizedAxis(axis, rank));
  llvm::sort(result);
  return result;
}

Shape reduceShape(ArrayRef<Dim> shape, ArrayRef<int64_t> axes, bool keepdims) {
  Shape result;
  for (auto [index, dim] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(axes, int64_t(index)))
      result.push_back(dim);
    else if (keepdims)
      result.push_back(Dim(1));
  }
  return result;
}

} // namespace nnc
