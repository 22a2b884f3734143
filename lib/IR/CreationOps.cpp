//===- CreationOps.cpp - Ops that make tensors ----------------------------===//
//
// Shape rules and folders.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Inference.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

LogicalResult ConstantOp::inferReturnTypes(MLIRContext *, OptionalLoc, Adaptor adaptor,
                                           SmallVectorImpl<Type> &types) {
  types.push_back(adaptor.getValue().getType());
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

/// Checks that no dimension is a negative integer.
static LogicalResult checkShape(OptionalLoc loc, StringRef op, ArrayRef<Dim> shape) {
  for (const Dim &dim : shape)
    if (dim.isConstant() && dim.constant() < 0)
      return emitOptionalError(loc, "'", op, "' expects dimensions of zero or more, found ",
                               shapeToString(shape));
  return success();
}

LogicalResult FullOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  if (failed(checkShape(loc, "full", adaptor.getShape())))
    return failure();
  types.push_back(makeTensorType(adaptor.getShape(), adaptor.getDtype()));
  return success();
}

OpFoldResult FullOp::fold(FoldAdaptor) { return {}; }

LogicalResult IotaOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  Shape shape = adaptor.getShape();
  if (failed(checkShape(loc, "iota", shape)) ||
      !normalizeAxis(loc, "iota", adaptor.getAxis(), shape.size()))
    return failure();
  types.push_back(makeTensorType(shape, adaptor.getDtype()));
  return success();
}

static LogicalResult inferRandom(OptionalLoc loc, StringRef op, Value key, ArrayRef<Dim> shape,
                                 Type dtype, SmallVectorImpl<Type> &types) {
  auto keyType = cast<RankedTensorType>(key.getType());
  if (!keyType.getElementType().isInteger(64) || keyType.getShape() != ArrayRef<int64_t>{2})
    return emitOptionalError(loc, "'", op, "' expects a key of type i64[2], found ",
                             typeToString(keyType));
  if (!isa<FloatType>(dtype))
    return emitOptionalError(loc, "'", op, "' expects a floating-point dtype, found ",
                             typeToString(dtype));
  if (failed(checkShape(loc, op, shape)))
    return failure();
  types.push_back(makeTensorType(shape, dtype));
  return success();
}

LogicalResult UniformOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferRandom(loc, "uniform", adaptor.getKey(), adaptor.getShape(), adaptor.getDtype(),
                     types);
}

LogicalResult NormalOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  return inferRandom(loc, "normal", adaptor.getKey(), adaptor.getShape(), adaptor.getDtype(),
                     types);
}
