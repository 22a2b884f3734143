//===- LowerDivision.cpp - Quotients, remainders and powers ---------------===//
//
// Integer division rounds down and never traps: dividing by zero gives 0 (quotient and remainder),
// and the lowest number divided by -1 wraps. A small constant exponent becomes multiplications.
//
//===----------------------------------------------------------------------===//
#include "LowerElementwise.h"

#include <cmath>

using namespace mlir;

namespace nnc {
namespace {

/// The quotient rounded down and the remainder with the divisor's sign.
struct Division {
  Value quotient, remainder;
};

Division divideUnsigned(ElementBuilder &b, Value x, Value y) {
  Value zero = b.constant(0);
  Value byZero = b.equal(y, zero);
  Value divisor = b.select(byZero, b.constant(1), y);
  Value quotient = b.make<arith::DivUIOp>(x, divisor);
  Value remainder = b.make<arith::RemUIOp>(x, divisor);
  return {b.select(byZero, zero, quotient), b.select(byZero, zero, remainder)};
}

Division divideSigned(ElementBuilder &b, Value x, Value y) {
  Value zero = b.constant(0), one = b.constant(1);
  Value byZero = b.equal(y, zero), byMinusOne = b.equal(y, b.constant(-1));
  Value divisor = b.select(b.logicalOr(byZero, byMinusOne), one, y);
  Value truncated = b.make<arith::DivSIOp>(x, divisor);
  Value rest = b.sub(x, b.mul(truncated, divisor));
  Value differs = b.logicalXor(b.less(rest, zero), b.less(divisor, zero));
  Value roundsUp = b.logicalAnd(b.notEqual(rest, zero), differs);
  Value quotient = b.select(roundsUp, b.sub(truncated, one), truncated);
  quotient = b.select(byMinusOne, b.sub(zero, x), quotient);
  Value remainder = b.select(roundsUp, b.add(rest, divisor), rest);
  return {b.select(byZero, zero, quotient), remainder};
}

Value floorQuotient(ElementBuilder &b, Value x, Value y) {
  return b.make<math::FloorOp>(b.make<arith::DivFOp>(x, y));
}

/// x - floor(x / y) y with one rounding; a quotient that was rounded up to an integer leaves a rest of the
/// wrong sign. An infinite y is larger than every x: the rest is x, or y where their signs differ.
Value floatRemainder(ElementBuilder &b, Value x, Value y) {
  Value zero = b.constant(0);
  Value quotient = floorQuotient(b, x, y);
  Value rest = b.make<math::FmaOp>(b.make<arith::NegFOp>(quotient), y, x);
  Value isInfinite = b.equal(b.make<math::AbsFOp>(y), b.constant(INFINITY));
  // NaN for an infinite x.
  Value whole = b.add(x, b.mul(x, zero));
  rest = b.select(isInfinite, whole, rest);
  Value differs = b.logicalXor(b.less(rest, zero), b.less(y, zero));
  Value isWrong = b.logicalAnd(b.notEqual(rest, zero), differs);
  return b.select(isWrong, b.add(rest, y), rest);
}

Value emit(ElementBuilder &b, nn::DivOp, ValueRange v) { return b.make<arith::DivFOp>(v[0], v[1]); }
Value emit(ElementBuilder &b, nn::FloorDivideOp, ValueRange v) {
  if (b.isFloat())
    return floorQuotient(b, v[0], v[1]);
  return (b.isUnsignedNumber() ? divideUnsigned : divideSigned)(b, v[0], v[1]).quotient;
}
Value emit(ElementBuilder &b, nn::ModOp, ValueRange v) {
  if (b.isFloat())
    return floatRemainder(b, v[0], v[1]);
  return (b.isUnsignedNumber() ? divideUnsigned : divideSigned)(b, v[0], v[1]).remainder;
}

/// The integer that `exponent` is, if it is a constant from -8 to 8.
std::optional<int64_t> smallExponent(ElementBuilder &b, Value exponent) {
  Attribute constant;
  if (!matchPattern(exponent, m_Constant(&constant)))
    return std::nullopt;
  double value = 0;
  if (auto floating = dyn_cast<FloatAttr>(constant))
    value = floating.getValueAsDouble();
  else if (auto integer = dyn_cast<IntegerAttr>(constant))
    value = integer.getValue().roundToDouble(/*isSigned=*/!b.isUnsignedNumber());
  bool isSmall = std::abs(value) <= 8 && value == std::floor(value);
  return isSmall ? std::optional<int64_t>(value) : std::nullopt;
}

/// By repeated squaring.
Value constantPower(ElementBuilder &b, Value x, int64_t exponent) {
  Value power;
  for (uint64_t rest = std::abs(exponent); rest != 0; rest /= 2) {
    if (rest % 2 == 1)
      power = power ? b.mul(power, x) : x;
    if (rest > 1)
      x = b.mul(x, x);
  }
  if (!power)
    power = b.constant(1);
  return exponent < 0 ? b.make<arith::DivFOp>(b.constant(1), power) : power;
}

/// Products wrap. A negative exponent gives the reciprocal truncated: 0 unless x is 1 or -1. The
/// power of a u8 is computed in i32, where neither number is negative.
Value integerPower(ElementBuilder &b, Value x, Value exponent) {
  if (!b.isUnsignedNumber())
    return b.make<math::IPowIOp>(x, exponent);
  Type wide = b.builder.getI32Type();
  Value power = b.make<math::IPowIOp>(b.make<arith::ExtUIOp>(wide, x),
                                      b.make<arith::ExtUIOp>(wide, exponent));
  return b.make<arith::TruncIOp>(x.getType(), power);
}

Value emit(ElementBuilder &b, nn::PowOp, ValueRange v) {
  std::optional<int64_t> exponent = smallExponent(b, v[1]);
  if (exponent && (b.isFloat() || *exponent >= 0))
    return constantPower(b, v[0], *exponent);
  return b.isFloat() ? b.make<math::PowFOp>(v[0], v[1]) : integerPower(b, v[0], v[1]);
}

template <typename OpTy> struct LowerDivision : LowerPattern<OpTy> {
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

} // namespace

void populateDivisionLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerDivision<nn::DivOp>, LowerDivision<nn::FloorDivideOp>, LowerDivision<nn::ModOp>,
               LowerDivision<nn::PowOp>>(lowering, patterns.getContext());
}

} // namespace nnc
