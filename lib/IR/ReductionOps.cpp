//===- ReductionOps.cpp - Ops that combine elements along axes ------------===//
//
// Shape rules.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Inference.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

static LogicalResult inferReduction(OptionalLoc loc, StringRef op, OperandKind kind, Value x,
                                    std::optional<ArrayRef<int64_t>> axis, bool keepdims,
                                    Type resultElementType, SmallVectorImpl<Type> &types) {
  if (failed(checkKind(loc, op, x, kind)))
    return failure();
  Shape shape = getShape(x);
  std::optional<SmallVector<int64_t>> axes = normalizeAxes(loc, op, axis, shape.size());
  if (!axes)
    return failure();
  types.push_back(makeTensorType(reduceShape(shape, *axes, keepdims), resultElementType));
  return success();
}

#define NN_REDUCTION(Op, name)                                                                     \
  LogicalResult Op::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,              \
                                     SmallVectorImpl<Type> &types) {                               \
    return inferReduction(loc, name, operandKind, adaptor.getX(), adaptor.getAxis(),               \
                          adaptor.getKeepdims(), getElementType(adaptor.getX()), types);           \
  }
NN_REDUCTION(SumOp, "sum")
NN_REDUCTION(ProdOp, "prod")
NN_REDUCTION(MaxOp, "max")
NN_REDUCTION(MinOp, "min")
NN_REDUCTION(MeanOp, "mean")
NN_REDUCTION(LogsumexpOp, "logsumexp")
NN_REDUCTION(AnyOp, "any")
NN_REDUCTION(AllOp, "all")
#undef NN_REDUCTION

#define NN_ARG(Op, name)                                                                           \
  LogicalResult Op::inferReturnTypes(MLIRContext *context, OptionalLoc loc, Adaptor adaptor,       \
                                     SmallVectorImpl<Type> &types) {                               \
    return inferReduction(loc, name, OperandKind::Number, adaptor.getX(),                          \
                          ArrayRef<int64_t>(adaptor.getAxis()), adaptor.getKeepdims(),             \
                          IntegerType::get(context, 64), types);                                   \
  }
NN_ARG(ArgmaxOp, "argmax")
NN_ARG(ArgminOp, "argmin")
#undef NN_ARG

#define NN_SOFTMAX(Op, name)                                                                       \
  LogicalResult Op::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,              \
                                     SmallVectorImpl<Type> &types) {                               \
    Value x = adaptor.getX();                                                                      \
    if (failed(checkKind(loc, name, x, OperandKind::Float)) ||                                     \
        !normalizeAxis(loc, name, adaptor.getAxis(), getShape(x).size()))                          \
      return failure();                                                                            \
    types.push_back(x.getType());                                                                  \
    return success();                                                                              \
  }
NN_SOFTMAX(SoftmaxOp, "softmax")
NN_SOFTMAX(LogSoftmaxOp, "log_softmax")
#undef NN_SOFTMAX
