//===- SimplifyArithmetic.cpp - Rules of algebra on elements --------------===//
//
// Only what holds for every number, infinities and NaN included, up to the sign of zero and the
// last bit of a power: x * 0 stays.
//
//===----------------------------------------------------------------------===//
#include "Simplify.h"

#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

std::optional<double> getSplat(Value value) {
  if (auto broadcast = value.getDefiningOp<BroadcastToOp>())
    return getSplat(broadcast.getX());
  if (auto full = value.getDefiningOp<FullOp>())
    return full.getValue().convertToDouble();
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  if (!isa<FloatType>(elements.getElementType()))
    return double(elements.getSplatValue<APInt>().getSExtValue());
  APFloat splat = elements.getSplatValue<APFloat>();
  bool isLossy;
  splat.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &isLossy);
  return splat.convertToDouble();
}

/// The operand of the negation that defines `value`, or null.
static Value negated(Value value) {
  auto neg = value.getDefiningOp<NegOp>();
  return neg ? neg.getX() : Value();
}

//===-- Sums and products -------------------------------------------------===//

static Expr addNegated(AddOp op, const Place &place) { // x + -y = x - y
  if (Value y = negated(op.getY()))
    return place(op.getX()) - place(y);
  if (Value x = negated(op.getX()))
    return place(op.getY()) - place(x);
  return {};
}

static Expr subtractNegated(SubOp op, const Place &place) { // x - -y = x + y
  Value y = negated(op.getY());
  return y ? place(op.getX()) + place(y) : Expr();
}

static Expr multiplyByMinusOne(MulOp op, const Place &place) { // x * -1 = -x
  if (op.getX().getType() == op.getType() && getSplat(op.getY()) == -1)
    return -place(op.getX());
  if (op.getY().getType() == op.getType() && getSplat(op.getX()) == -1)
    return -place(op.getY());
  return {};
}

static Expr multiplyNegated(MulOp op, const Place &place) { // -x * y = -(x * y)
  if (Value x = negated(op.getX()))
    return -(place(x) * place(op.getY()));
  if (Value y = negated(op.getY()))
    return -(place(op.getX()) * place(y));
  return {};
}

static Expr divideNegated(DivOp op, const Place &place) { // -x / y = -(x / y)
  Value x = negated(op.getX());
  return x ? -(place(x) / place(op.getY())) : Expr();
}

static Expr negateDifference(NegOp op, const Place &place) { // -(x - y) = y - x
  auto sub = op.getX().getDefiningOp<SubOp>();
  return sub && sub->hasOneUse() ? place(sub.getY()) - place(sub.getX()) : Expr();
}

static Expr negateProduct(NegOp op, const Place &place) { // -(x * c) = x * -c
  auto mul = op.getX().getDefiningOp<MulOp>();
  std::optional<double> factor = mul ? getSplat(mul.getY()) : std::nullopt;
  if (!factor || !mul->hasOneUse() || mul.getX().getType() != op.getType())
    return {};
  Expr x = place(mul.getX());
  return x * scalar(x, -*factor);
}

static Expr addToSelf(AddOp op, const Place &place) { // x + x = x * 2
  Expr x = place(op.getX());
  return op.getX() == op.getY() ? x * scalar(x, 2) : Expr();
}

static Expr multiplyBySelf(MulOp op, const Place &place) { // x * x = square(x)
  return op.getX() == op.getY() ? square(place(op.getX())) : Expr();
}

/// Whether `number` is a power of two that is normal in every type, or the negative of one.
static bool isPowerOfTwo(double number) {
  int exponent;
  return std::abs(std::frexp(number, &exponent)) == 0.5 && std::abs(exponent) < 14;
}

/// x / c = x * (1 / c), exact for a power of two.
static Expr divideByPowerOfTwo(DivOp op, const Place &place) {
  std::optional<double> divisor = getSplat(op.getY());
  if (op.getX().getType() != op.getType() || !divisor || !isPowerOfTwo(*divisor))
    return {};
  Expr x = place(op.getX());
  return x * scalar(x, 1 / *divisor);
}

/// (x * c) * d = x * (c * d), exact if one of the two is a power of two.
static Expr multiplyTwice(MulOp op, const Place &place) {
  auto inner = op.getX().getDefiningOp<MulOp>();
  if (!inner || !isa<FloatType>(getElementType(op)) || inner.getX().getType() != op.getType())
    return {};
  std::optional<double> outerFactor = getSplat(op.getY()), innerFactor = getSplat(inner.getY());
  if (!outerFactor || !innerFactor || !(isPowerOfTwo(*outerFactor) || isPowerOfTwo(*innerFactor)))
    return {};
  Expr x = place(inner.getX());
  return x * scalar(x, *innerFactor * *outerFactor);
}

//===-- Functions ---------------------------------------------------------===//

template <typename OpTy> static Expr evenOfNegated(OpTy op, const Place &place) { // f(-x) = f(x)
  Value x = negated(op.getX());
  return x ? apply<OpTy>({place(x)}) : Expr();
}

/// x^2, x^3, x^0.5, x^-0.5, x^-1 as the ops that are made for them.
static Expr raiseToConstant(PowOp op, const Place &place) {
  std::optional<double> exponent = getSplat(op.getY());
  Expr x = place(op.getX());
  if (op.getX().getType() != op.getType() || !exponent)
    return {};
  if (*exponent == 2)
    return square(x);
  if (*exponent == 3)
    return x * square(x);
  if (!isa<FloatType>(x.elementType()))
    return {};
  if (*exponent == 0.5)
    return apply<SqrtOp>({x});
  if (*exponent == -0.5)
    return apply<RsqrtOp>({x});
  if (*exponent == -1)
    return apply<ReciprocalOp>({x});
  return {};
}

//===-- Conversions -------------------------------------------------------===//

static unsigned significandBits(Type floatType) {
  return APFloat::semanticsPrecision(mlir::cast<FloatType>(floatType).getFloatSemantics());
}

/// Whether every number of type `from` is one of type `to`.
static bool holds(Type from, Type to) {
  if (from == to || from.isInteger(1))
    return true;
  bool isFromFloat = isa<FloatType>(from), isToFloat = isa<FloatType>(to);
  if (to.isInteger(1) || (isFromFloat && !isToFloat))
    return false;
  if (isFromFloat)
    return significandBits(from) <= significandBits(to) && !(from.isBF16() && to.isF16()) &&
           from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth();
  if (isToFloat)
    return from.getIntOrFloatBitWidth() <= significandBits(to);
  bool isFromUnsigned = from.isUnsignedInteger(), isToUnsigned = to.isUnsignedInteger();
  return from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth() &&
         (isFromUnsigned || !isToUnsigned);
}

static Expr castTwice(CastOp op, const Place &place) {
  auto inner = op.getX().getDefiningOp<CastOp>();
  if (!inner || !holds(getElementType(inner.getX()), inner.getDtype()))
    return {};
  if (inner.getX().getType() == op.getType())
    return place(inner.getX());
  return cast(place(inner.getX()), op.getDtype());
}

void addArithmeticRules(RewritePatternSet &patterns) {
  addRule(patterns, addNegated);
  addRule(patterns, subtractNegated);
  addRule(patterns, multiplyByMinusOne);
  addRule(patterns, multiplyNegated);
  addRule(patterns, divideNegated);
  addRule(patterns, negateDifference);
  addRule(patterns, negateProduct);
  addRule(patterns, addToSelf);
  addRule(patterns, multiplyBySelf);
  addRule(patterns, multiplyTwice);
  addRule(patterns, divideByPowerOfTwo);
  addRule(patterns, evenOfNegated<SquareOp>);
  addRule(patterns, evenOfNegated<AbsOp>);
  addRule(patterns, evenOfNegated<CosOp>);
  addRule(patterns, raiseToConstant);
  addRule(patterns, castTwice);
}

} // namespace nnc
