//===- LinearOps.cpp - Contractions ---------------------------------------===//
//
// The shape rule of matmul.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Inference.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX(), y = adaptor.getY();
  Shape left = getShape(x), right = getShape(y);
  if (failed(checkKind(loc, "matmul", x, OperandKind::Number)) ||
      failed(checkSameElementType(loc, "matmul", {x, y})))
    return failure();
  if (left.empty() || right.empty())
    return emitOptionalError(loc, "'matmul' expects tensors of rank 1 or more, found ",
                             typeToString(x.getType()), " and ", typeToString(y.getType()));
  const Dim &contracted = right[right.size() == 1 ? 0 : right.size() - 2];
  if (left.back() != contracted)
    return emitOptionalError(
        loc, "'matmul' expects the last dimension of the left operand to equal the ",
        right.size() == 1 ? "only" : "second-last", " of the right one, found ",
        typeToString(x.getType()), " and ", typeToString(y.getType()));
  ArrayRef<Dim> leftBatch = ArrayRef(left).drop_back(std::min<size_t>(left.size(), 2));
  ArrayRef<Dim> rightBatch = ArrayRef(right).drop_back(std::min<size_t>(right.size(), 2));
  std::optional<Shape> shape = broadcastShapes(loc, "matmul", leftBatch, rightBatch);
  if (!shape)
    return failure();
  if (left.size() > 1)
    shape->push_back(left[left.size() - 2]);
  if (right.size() > 1)
    shape->push_back(right.back());
  types.push_back(makeTensorType(*shape, getElementType(x)));
  return success();
}
