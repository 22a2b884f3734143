//===- ElementwiseOps.cpp - Ops that work on each element -----------------===//
//
// Shape rules and folders. A folder replaces an op by one of its operands or by a constant where
// that is exact in the element type; constants of more than a few elements are left alone.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Inference.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

//===-- Unary ops ---------------------------------------------------------===//

template <typename OpTy>
static LogicalResult inferUnary(OptionalLoc loc, StringRef op, Value x,
                                SmallVectorImpl<Type> &types) {
  if (failed(checkKind(loc, op, x, OpTy::floatOnly ? OperandKind::Float : OperandKind::Number)))
    return failure();
  types.push_back(x.getType());
  return success();
}

/// Folding a function of a constant could differ from the generated code in the last bit, so the
/// only folds of unary ops are those of negation.
template <typename OpTy> static OpFoldResult foldUnary(OpTy op) { return {}; }
template <> OpFoldResult foldUnary(NegOp op) {
  if (auto inner = op.getX().template getDefiningOp<NegOp>())
    return inner.getX();
  return {};
}

#define NN_UNARY(Op, name)                                                                         \
  LogicalResult Op::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,              \
                                     SmallVectorImpl<Type> &types) {                               \
    return inferUnary<Op>(loc, name, adaptor.getX(), types);                                       \
  }                                                                                                \
  OpFoldResult Op::fold(FoldAdaptor) { return foldUnary<Op>(*this); }

NN_UNARY(NegOp, "neg")
NN_UNARY(AbsOp, "abs")
NN_UNARY(SignOp, "sign")
NN_UNARY(SquareOp, "square")
NN_UNARY(ReluOp, "relu")
NN_UNARY(ExpOp, "exp")
NN_UNARY(Expm1Op, "expm1")
NN_UNARY(LogOp, "log")
NN_UNARY(Log1pOp, "log1p")
NN_UNARY(SqrtOp, "sqrt")
NN_UNARY(RsqrtOp, "rsqrt")
NN_UNARY(ReciprocalOp, "reciprocal")
NN_UNARY(SinOp, "sin")
NN_UNARY(CosOp, "cos")
NN_UNARY(TanhOp, "tanh")
NN_UNARY(SigmoidOp, "sigmoid")
NN_UNARY(SoftplusOp, "softplus")
NN_UNARY(ErfOp, "erf")
NN_UNARY(FloorOp, "floor")
NN_UNARY(CeilOp, "ceil")
NN_UNARY(RoundOp, "round")
#undef NN_UNARY

LogicalResult LogicalNotOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  if (failed(checkKind(loc, "logical_not", adaptor.getX(), OperandKind::Bool)))
    return failure();
  types.push_back(adaptor.getX().getType());
  return success();
}

OpFoldResult LogicalNotOp::fold(FoldAdaptor) {
  if (auto inner = getX().getDefiningOp<LogicalNotOp>())
    return inner.getX();
  return {};
}

//===-- Binary ops --------------------------------------------------------===//

static LogicalResult inferBinary(OptionalLoc loc, StringRef op, OperandKind kind, Value x, Value y,
                                 Type resultElementType, SmallVectorImpl<Type> &types) {
  if (failed(checkKind(loc, op, x, kind)) || failed(checkKind(loc, op, y, kind)) ||
      failed(checkSameElementType(loc, op, {x, y})))
    return failure();
  std::optional<Shape> shape = broadcastShapes(loc, op, getShape(x), getShape(y));
  if (!shape)
    return failure();
  types.push_back(
      makeTensorType(*shape, resultElementType ? resultElementType : getElementType(x)));
  return success();
}

/// Whether every element of the constant `value` is `number`.
static bool isSplat(Value value, double number) {
  DenseElementsAttr elements;
  if (auto full = value.getDefiningOp<FullOp>())
    return full.getValue().convertToDouble() == number;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return false;
  if (isa<FloatType>(elements.getElementType())) {
    APFloat splat = elements.getSplatValue<APFloat>();
    bool lossy;
    splat.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
    return splat.convertToDouble() == number;
  }
  APInt splat = elements.getSplatValue<APInt>();
  return double(splat.getSExtValue()) == number;
}

/// `x` where the op returns x unchanged: its other operand is a neutral constant that does not
/// widen the shape.
template <typename OpTy> static OpFoldResult foldNeutral(OpTy op, double neutral, bool bothSides) {
  if (op.getX().getType() == op.getType() && isSplat(op.getY(), neutral))
    return op.getX();
  if (bothSides && op.getY().getType() == op.getType() && isSplat(op.getX(), neutral))
    return op.getY();
  return {};
}

/// The result of `compute` on two scalar constants, in the element type. Exact for the correctly
/// rounded operations + - * /.
template <typename OpTy>
static Attribute foldScalars(OpTy op, Attribute left, Attribute right,
                             function_ref<APFloat(const APFloat &, const APFloat &)> onFloats,
                             function_ref<APInt(const APInt &, const APInt &)> onIntegers) {
  auto x = dyn_cast_or_null<DenseElementsAttr>(left),
       y = dyn_cast_or_null<DenseElementsAttr>(right);
  auto type = cast<RankedTensorType>(op.getType());
  if (!x || !y || x.getNumElements() != 1 || y.getNumElements() != 1 || type.getEncoding())
    return {};
  if (isa<FloatType>(type.getElementType()))
    return DenseElementsAttr::get(
        type, onFloats(*x.template value_begin<APFloat>(), *y.template value_begin<APFloat>()));
  if (!onIntegers)
    return {};
  return DenseElementsAttr::get(
      type, onIntegers(*x.template value_begin<APInt>(), *y.template value_begin<APInt>()));
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  // x + (-0.0) is x for every x; x + 0.0 turns -0.0 into 0.0, which no model can tell apart
  // usefully.
  if (OpFoldResult folded = foldNeutral(*this, 0.0, /*bothSides=*/true))
    return folded;
  return foldScalars(*this, adaptor.getX(), adaptor.getY(), std::plus<APFloat>(),
                     std::plus<APInt>());
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult folded = foldNeutral(*this, 0.0, /*bothSides=*/false))
    return folded;
  return foldScalars(*this, adaptor.getX(), adaptor.getY(), std::minus<APFloat>(),
                     std::minus<APInt>());
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult folded = foldNeutral(*this, 1.0, /*bothSides=*/true))
    return folded;
  return foldScalars(*this, adaptor.getX(), adaptor.getY(), std::multiplies<APFloat>(),
                     std::multiplies<APInt>());
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult folded = foldNeutral(*this, 1.0, /*bothSides=*/false))
    return folded;
  return foldScalars(*this, adaptor.getX(), adaptor.getY(), std::divides<APFloat>(), nullptr);
}

OpFoldResult PowOp::fold(FoldAdaptor) { return foldNeutral(*this, 1.0, /*bothSides=*/false); }
OpFoldResult FloorDivideOp::fold(FoldAdaptor) { return {}; }
OpFoldResult ModOp::fold(FoldAdaptor) { return {}; }

template <typename OpTy> static OpFoldResult foldIdempotent(OpTy op) {
  return op.getX() == op.getY() ? OpFoldResult(op.getX()) : OpFoldResult();
}
OpFoldResult MaximumOp::fold(FoldAdaptor) { return foldIdempotent(*this); }
OpFoldResult MinimumOp::fold(FoldAdaptor) { return foldIdempotent(*this); }
OpFoldResult LogicalAndOp::fold(FoldAdaptor) { return foldIdempotent(*this); }
OpFoldResult LogicalOrOp::fold(FoldAdaptor) { return foldIdempotent(*this); }
OpFoldResult LogicalXorOp::fold(FoldAdaptor) { return {}; }

#define NN_BINARY(Op, name)                                                                        \
  LogicalResult Op::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,              \
                                     SmallVectorImpl<Type> &types) {                               \
    return inferBinary(loc, name, operandKind, adaptor.getX(), adaptor.getY(), Type(), types);     \
  }
NN_BINARY(AddOp, "add")
NN_BINARY(SubOp, "sub")
NN_BINARY(MulOp, "mul")
NN_BINARY(DivOp, "div")
NN_BINARY(FloorDivideOp, "floor_divide")
NN_BINARY(ModOp, "mod")
NN_BINARY(PowOp, "pow")
NN_BINARY(MaximumOp, "maximum")
NN_BINARY(MinimumOp, "minimum")
NN_BINARY(LogicalAndOp, "logical_and")
NN_BINARY(LogicalOrOp, "logical_or")
NN_BINARY(LogicalXorOp, "logical_xor")
#undef NN_BINARY

#define NN_COMPARISON(Op, name)                                                                    \
  LogicalResult Op::inferReturnTypes(MLIRContext *context, OptionalLoc loc, Adaptor adaptor,       \
                                     SmallVectorImpl<Type> &types) {                               \
    return inferBinary(loc, name, operandKind, adaptor.getX(), adaptor.getY(),                     \
                       IntegerType::get(context, 1), types);                                       \
  }                                                                                                \
  OpFoldResult Op::fold(FoldAdaptor) { return {}; }
NN_COMPARISON(EqualOp, "equal")
NN_COMPARISON(NotEqualOp, "not_equal")
NN_COMPARISON(LessOp, "less")
NN_COMPARISON(LessEqualOp, "less_equal")
NN_COMPARISON(GreaterOp, "greater")
NN_COMPARISON(GreaterEqualOp, "greater_equal")
#undef NN_COMPARISON

//===-- Choice and conversion ---------------------------------------------===//

LogicalResult WhereOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  Value condition = adaptor.getCondition(), x = adaptor.getX(), y = adaptor.getY();
  if (failed(checkKind(loc, "where", condition, OperandKind::Bool)) ||
      failed(checkSameElementType(loc, "where", {x, y})))
    return failure();
  std::optional<Shape> shape = broadcastShapes(loc, "where", getShape(x), getShape(y));
  if (shape)
    shape = broadcastShapes(loc, "where", getShape(condition), *shape);
  if (!shape)
    return failure();
  types.push_back(makeTensorType(*shape, getElementType(x)));
  return success();
}

OpFoldResult WhereOp::fold(FoldAdaptor) {
  return getX() == getY() && getX().getType() == getType() ? OpFoldResult(getX()) : OpFoldResult();
}

LogicalResult CastOp::inferReturnTypes(MLIRContext *, OptionalLoc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  types.push_back(makeTensorType(getShape(adaptor.getX()), adaptor.getDtype()));
  return success();
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? OpFoldResult(getX()) : OpFoldResult();
}

LogicalResult StopGradientOp::inferReturnTypes(MLIRContext *, OptionalLoc, Adaptor adaptor,
                                               SmallVectorImpl<Type> &types) {
  types.push_back(adaptor.getX().getType());
  return success();
}
