//===- LowerReshape.cpp - Another shape for the same elements -------------===//
//
// A reshape splits into groups of neighbouring dimensions with equal numbers of elements on both
// sides: the row-major order does not move across such a cut. Each group is collapsed to one
// dimension, then expanded. Symbolic sizes compare as polynomials.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace nnc {
namespace {

struct Groups {
  SmallVector<ReassociationIndices> from, to;
  Shape sizes;
};

/// Cuts where the products of the leading dimensions agree; what follows the last cut are ones,
/// which join the last group.
Groups groupDimensions(ArrayRef<Dim> from, ArrayRef<Dim> to) {
  Groups groups;
  size_t fromStart = 0, toStart = 0;
  Dim fromProduct(1);
  for (size_t fromEnd = 1; fromEnd <= from.size(); ++fromEnd) {
    fromProduct = fromProduct * from[fromEnd - 1];
    Dim toProduct = numElements(to.take_front(toStart));
    for (size_t toEnd = toStart + 1; toEnd <= to.size(); ++toEnd) {
      toProduct = toProduct * to[toEnd - 1];
      if (toProduct != fromProduct)
        continue;
      groups.from.push_back(llvm::to_vector(llvm::seq<int64_t>(fromStart, fromEnd)));
      groups.to.push_back(llvm::to_vector(llvm::seq<int64_t>(toStart, toEnd)));
      groups.sizes.push_back(numElements(from.slice(fromStart, fromEnd - fromStart)));
      fromStart = fromEnd;
      toStart = toEnd;
      break;
    }
  }
  if (groups.from.empty()) {
    groups.from.emplace_back();
    groups.to.emplace_back();
    groups.sizes.push_back(numElements(from));
  }
  for (size_t rest = fromStart; rest < from.size(); ++rest) {
    groups.from.back().push_back(rest);
    groups.sizes.back() = groups.sizes.back() * from[rest];
  }
  for (size_t rest = toStart; rest < to.size(); ++rest)
    groups.to.back().push_back(rest);
  return groups;
}

Value castTo(OpBuilder &builder, Location loc, Value value, RankedTensorType type) {
  return value.getType() == type ? value : tensor::CastOp::create(builder, loc, type, value);
}

bool isOneToOne(ArrayRef<ReassociationIndices> groups) {
  return llvm::all_of(groups, [](ArrayRef<int64_t> group) { return group.size() == 1; });
}

} // namespace

Value Lowering::reshape(OpBuilder &builder, Location loc, Value source, ArrayRef<Dim> from,
                        ArrayRef<Dim> to) const {
  if (from == to)
    return source;
  Type stored = getElementType(source);
  RankedTensorType resultType = convert(makeTensorType(to, stored));
  if (to.empty())
    return tensor::CollapseShapeOp::create(builder, loc, resultType, source,
                                           ArrayRef<ReassociationIndices>());
  if (from.empty())
    return tensor::ExpandShapeOp::create(builder, loc, resultType, source,
                                         ArrayRef<ReassociationIndices>(),
                                         foldedSizes(builder, loc, to));
  Groups groups = groupDimensions(from, to);
  if (!isOneToOne(groups.from))
    source = tensor::CollapseShapeOp::create(builder, loc, source, groups.from);
  if (isOneToOne(groups.to))
    return castTo(builder, loc, source, resultType);
  // A group is dynamic exactly when a dimension that it expands to is.
  SmallVector<int64_t> middle;
  for (ArrayRef<int64_t> group : groups.to) {
    int64_t size = 1;
    for (int64_t dim : group)
      size = ShapedType::isDynamic(size) || resultType.isDynamicDim(dim)
                 ? ShapedType::kDynamic
                 : size * resultType.getDimSize(dim);
    middle.push_back(size);
  }
  source = castTo(builder, loc, source, RankedTensorType::get(middle, stored));
  return tensor::ExpandShapeOp::create(builder, loc, resultType, source, groups.to,
                                       foldedSizes(builder, loc, to));
}

} // namespace nnc
