//===- LowerElementwise.cpp - Ops that work on each element ---------------===//
//
// One formula an op, `emit`, in terms of ElementBuilder. Division and powers are in
// LowerDivision.cpp.
//
//===----------------------------------------------------------------------===//
#include "LowerElementwise.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;

namespace nnc {
namespace {

//===-- Unary -------------------------------------------------------------===//

Value emit(ElementBuilder &b, nn::NegOp, ValueRange v) {
  return b.isFloat() ? b.make<arith::NegFOp>(v[0]) : b.sub(b.constant(0), v[0]);
}
Value emit(ElementBuilder &b, nn::AbsOp, ValueRange v) {
  if (b.isFloat())
    return b.make<math::AbsFOp>(v[0]);
  return b.isUnsignedNumber() ? v[0] : b.maximum(v[0], b.sub(b.constant(0), v[0]));
}
/// A NaN is neither less nor greater nor equal, and stays.
Value emit(ElementBuilder &b, nn::SignOp, ValueRange v) {
  Value zero = b.constant(0), one = b.constant(1);
  Value isPositive = b.less(zero, v[0]);
  if (b.isUnsignedNumber())
    return b.select(isPositive, one, zero);
  Value rest = b.isFloat() ? b.select(b.equal(v[0], zero), zero, v[0]) : zero;
  return b.select(isPositive, one, b.select(b.less(v[0], zero), b.constant(-1), rest));
}
Value emit(ElementBuilder &b, nn::SquareOp, ValueRange v) { return b.mul(v[0], v[0]); }
/// One maximum instruction, and NaN stays.
Value emit(ElementBuilder &b, nn::ReluOp, ValueRange v) {
  Value zero = b.constant(0);
  return b.select(b.less(v[0], zero), zero, v[0]);
}
Value emit(ElementBuilder &b, nn::ExpOp, ValueRange v) { return b.make<math::ExpOp>(v[0]); }
Value emit(ElementBuilder &b, nn::Expm1Op, ValueRange v) { return b.make<math::ExpM1Op>(v[0]); }
Value emit(ElementBuilder &b, nn::LogOp, ValueRange v) { return b.make<math::LogOp>(v[0]); }
Value emit(ElementBuilder &b, nn::Log1pOp, ValueRange v) { return b.make<math::Log1pOp>(v[0]); }
Value emit(ElementBuilder &b, nn::SqrtOp, ValueRange v) { return b.make<math::SqrtOp>(v[0]); }
Value emit(ElementBuilder &b, nn::SinOp, ValueRange v) { return b.make<math::SinOp>(v[0]); }
Value emit(ElementBuilder &b, nn::CosOp, ValueRange v) { return b.make<math::CosOp>(v[0]); }
Value emit(ElementBuilder &b, nn::TanhOp, ValueRange v) { return b.make<math::TanhOp>(v[0]); }
Value emit(ElementBuilder &b, nn::ErfOp, ValueRange v) { return b.make<math::ErfOp>(v[0]); }
Value emit(ElementBuilder &b, nn::FloorOp, ValueRange v) { return b.make<math::FloorOp>(v[0]); }
Value emit(ElementBuilder &b, nn::CeilOp, ValueRange v) { return b.make<math::CeilOp>(v[0]); }
Value emit(ElementBuilder &b, nn::RoundOp, ValueRange v) { return b.make<math::RoundEvenOp>(v[0]); }
Value emit(ElementBuilder &b, nn::ReciprocalOp, ValueRange v) {
  return b.make<arith::DivFOp>(b.constant(1), v[0]);
}
Value emit(ElementBuilder &b, nn::RsqrtOp, ValueRange v) {
  return b.make<arith::DivFOp>(b.constant(1), b.make<math::SqrtOp>(v[0]));
}
/// 1 / (1 + e^-x): where e^-x overflows the result is 0.
Value emit(ElementBuilder &b, nn::SigmoidOp, ValueRange v) {
  Value one = b.constant(1);
  Value exponential = b.make<math::ExpOp>(b.make<arith::NegFOp>(v[0]));
  return b.make<arith::DivFOp>(one, b.add(one, exponential));
}
/// max(x, 0) + log1p(e^-|x|): nothing overflows.
Value emit(ElementBuilder &b, nn::SoftplusOp, ValueRange v) {
  Value magnitude = b.make<math::AbsFOp>(v[0]);
  Value exponential = b.make<math::ExpOp>(b.make<arith::NegFOp>(magnitude));
  return b.add(b.maximum(v[0], b.constant(0)), b.make<math::Log1pOp>(exponential));
}
Value emit(ElementBuilder &b, nn::LogicalNotOp, ValueRange v) {
  return b.logicalXor(v[0], b.constant(1));
}
Value emit(ElementBuilder &b, nn::CastOp op, ValueRange v) {
  return castElement(b.builder, b.loc, v[0], b.elementType, op.getDtype());
}

//===-- Binary ------------------------------------------------------------===//

Value emit(ElementBuilder &b, nn::AddOp, ValueRange v) { return b.add(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::SubOp, ValueRange v) { return b.sub(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::MulOp, ValueRange v) { return b.mul(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::MaximumOp, ValueRange v) { return b.maximum(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::MinimumOp, ValueRange v) { return b.minimum(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::LogicalAndOp, ValueRange v) { return b.logicalAnd(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::LogicalOrOp, ValueRange v) { return b.logicalOr(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::LogicalXorOp, ValueRange v) { return b.logicalXor(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::EqualOp, ValueRange v) { return b.equal(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::NotEqualOp, ValueRange v) { return b.notEqual(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::LessOp, ValueRange v) { return b.less(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::LessEqualOp, ValueRange v) { return b.lessEqual(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::GreaterOp, ValueRange v) { return b.less(v[1], v[0]); }
Value emit(ElementBuilder &b, nn::GreaterEqualOp, ValueRange v) { return b.lessEqual(v[1], v[0]); }

//===-- Patterns ----------------------------------------------------------===//

template <typename OpTy> struct LowerElementwise : LowerPattern<OpTy> {
  using LowerPattern<OpTy>::LowerPattern;

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto body = [&](ElementBuilder &builder, ValueRange values) {
      return emit(builder, op, values);
    };
    rewriter.replaceOp(op,
                       lowerElementwise(this->lowering, rewriter, op, adaptor.getOperands(), body));
    return success();
  }
};

struct LowerWhere : LowerPattern<nn::WhereOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::WhereOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto body = [](ElementBuilder &b, ValueRange v) { return b.select(v[0], v[1], v[2]); };
    rewriter.replaceOp(op, lowerElementwise(lowering, rewriter, op, adaptor.getOperands(), body));
    return success();
  }
};

struct LowerStopGradient : LowerPattern<nn::StopGradientOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::StopGradientOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    // What is computed again from here on must not be found equal to the first time: a copy of which
    // nobody sees that it is one, until bufferization drops it.
    if (op->hasAttr(nn::againAttr)) {
      Value x = adaptor.getX();
      auto copy = bufferization::AllocTensorOp::create(
          rewriter, op.getLoc(), cast<RankedTensorType>(x.getType()), ValueRange(), x);
      copy->setAttr(nn::againAttr, rewriter.getUnitAttr());
      rewriter.replaceOp(op, copy);
      return success();
    }
    rewriter.replaceOp(op, adaptor.getX());
    return success();
  }
};

template <typename... Ops>
void addElementwise(RewritePatternSet &patterns, const Lowering &shared) {
  patterns.add<LowerElementwise<Ops>...>(shared, patterns.getContext());
}

} // namespace

Value lowerElementwise(const Lowering &lowering, OpBuilder &builder, Operation *op,
                       ValueRange operands, ElementBody body) {
  SmallVector<Type> elementTypes;
  for (Value operand : op->getOperands())
    elementTypes.push_back(getElementType(operand));
  Value result = op->getResult(0);
  return lowering.elementwise(builder, op->getLoc(), operands, elementTypes, getShape(result),
                              getElementType(result),
                              [&](OpBuilder &inner, Location loc, ValueRange values) {
                                ElementBuilder elementBuilder{inner, loc, elementTypes.front()};
                                return body(elementBuilder, values);
                              });
}

void populateElementwiseLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  using namespace nn;
  addElementwise<NegOp, AbsOp, SignOp, SquareOp, ReluOp, ExpOp, Expm1Op, LogOp, Log1pOp, SqrtOp,
                 RsqrtOp, ReciprocalOp, SinOp, CosOp, TanhOp, SigmoidOp, SoftplusOp, ErfOp, FloorOp,
                 CeilOp, RoundOp, LogicalNotOp, CastOp>(patterns, lowering);
  addElementwise<AddOp, SubOp, MulOp, MaximumOp, MinimumOp, LogicalAndOp, LogicalOrOp, LogicalXorOp,
                 EqualOp, NotEqualOp, LessOp, LessEqualOp, GreaterOp, GreaterEqualOp>(patterns,
                                                                                      lowering);
  patterns.add<LowerWhere, LowerStopGradient>(lowering, patterns.getContext());
}

} // namespace nnc
