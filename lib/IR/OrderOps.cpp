//===- OrderOps.cpp - Ops for which the order along an axis counts --------===//
//
// Shape rules: the shape stays.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Inference.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

LogicalResult CumsumOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX();
  if (failed(checkKind(loc, "cumsum", x, OperandKind::Number)) ||
      !normalizeAxis(loc, "cumsum", adaptor.getAxis(), getShape(x).size()))
    return failure();
  types.push_back(x.getType());
  return success();
}

LogicalResult SortOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX();
  if (!normalizeAxis(loc, "sort", adaptor.getAxis(), getShape(x).size()))
    return failure();
  types.push_back(x.getType());
  return success();
}

LogicalResult ArgsortOp::inferReturnTypes(MLIRContext *context, OptionalLoc loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  Shape shape = getShape(adaptor.getX());
  if (!normalizeAxis(loc, "argsort", adaptor.getAxis(), shape.size()))
    return failure();
  types.push_back(makeTensorType(shape, IntegerType::get(context, 64)));
  return success();
}
