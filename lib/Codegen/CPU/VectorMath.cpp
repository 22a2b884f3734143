// Emission of the vocabulary of VectorMath.h: each function makes one op, on scalars or vectors.
#include "VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc::vm {

Type Val::typeOf(Type element) const {
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    return VectorType::get(vector.getShape(), element, vector.getScalableDims());
  return element;
}

static Val constant(const Val &like, TypedAttr number) {
  TypedAttr attribute = number;
  if (auto vector = dyn_cast<VectorType>(mlir::Value(like).getType()))
    attribute = DenseElementsAttr::get(vector, Attribute(number));
  return like.with(arith::ConstantOp::create(*like.builder, like.loc, attribute));
}

Val Val::lit(double number) const {
  return constant(*this, builder->getFloatAttr(elementType(), number));
}

Val Val::lit(int64_t number) const {
  if (isFloat())
    return lit(static_cast<double>(number));
  llvm::APInt bits(elementType().getIntOrFloatBitWidth(), number, /*isSigned=*/false,
                   /*implicitTrunc=*/true);
  return constant(*this, builder->getIntegerAttr(elementType(), bits));
}

template <typename FloatOp, typename IntegerOp> static Val arithmetic(Val a, Val b) {
  if (a.isFloat())
    return a.with(FloatOp::create(*a.builder, a.loc, a, b));
  return a.with(IntegerOp::create(*a.builder, a.loc, a, b));
}

Val operator+(Val a, Val b) { return arithmetic<arith::AddFOp, arith::AddIOp>(a, b); }
Val operator-(Val a, Val b) { return arithmetic<arith::SubFOp, arith::SubIOp>(a, b); }
Val operator*(Val a, Val b) { return arithmetic<arith::MulFOp, arith::MulIOp>(a, b); }
Val operator/(Val a, Val b) { return arithmetic<arith::DivFOp, arith::DivUIOp>(a, b); }

Val operator&(Val a, Val b) { return a.with(arith::AndIOp::create(*a.builder, a.loc, a, b)); }
Val operator|(Val a, Val b) { return a.with(arith::OrIOp::create(*a.builder, a.loc, a, b)); }
Val operator^(Val a, Val b) { return a.with(arith::XOrIOp::create(*a.builder, a.loc, a, b)); }

static Val compare(arith::CmpFPredicate predicate, Val a, Val b) {
  return a.with(arith::CmpFOp::create(*a.builder, a.loc, predicate, a, b));
}

Val operator<(Val a, Val b) { return compare(arith::CmpFPredicate::OLT, a, b); }
Val operator<=(Val a, Val b) { return compare(arith::CmpFPredicate::OLE, a, b); }
Val operator>(Val a, Val b) { return compare(arith::CmpFPredicate::OGT, a, b); }
Val operator>=(Val a, Val b) { return compare(arith::CmpFPredicate::OGE, a, b); }

Val operator==(Val a, Val b) {
  if (a.isFloat())
    return compare(arith::CmpFPredicate::OEQ, a, b);
  return a.with(arith::CmpIOp::create(*a.builder, a.loc, arith::CmpIPredicate::eq, a, b));
}

Val lessUnsigned(Val a, Val b) {
  return a.with(arith::CmpIOp::create(*a.builder, a.loc, arith::CmpIPredicate::ult, a, b));
}

Val isNaN(Val x) { return compare(arith::CmpFPredicate::UNO, x, x); }

Val operator!(Val condition) { return condition ^ condition.lit(1); }

Val fma(Val a, Val b, Val c) { return a.with(math::FmaOp::create(*a.builder, a.loc, a, b, c)); }

Val select(Val condition, Val ifTrue, Val ifFalse) {
  return ifTrue.with(
      arith::SelectOp::create(*ifTrue.builder, ifTrue.loc, condition, ifTrue, ifFalse));
}

// Written so that each becomes one min or max instruction of x86, which gives its second operand
// when either is NaN.
Val atMost(Val x, double bound) { return select(bound < x, x.lit(bound), x); }
Val atLeast(Val x, double bound) { return select(bound > x, x.lit(bound), x); }

Val abs(Val x) { return x.with(math::AbsFOp::create(*x.builder, x.loc, x)); }
Val sqrt(Val x) { return x.with(math::SqrtOp::create(*x.builder, x.loc, x)); }
Val trunc(Val x) { return x.with(math::TruncOp::create(*x.builder, x.loc, x)); }

Val copysign(Val magnitude, Val sign) {
  return magnitude.with(
      math::CopySignOp::create(*magnitude.builder, magnitude.loc, magnitude, sign));
}

static Val bitcast(Val x, Type element) {
  return x.with(arith::BitcastOp::create(*x.builder, x.loc, x.typeOf(element), x));
}

Val toBits(Val x) {
  return bitcast(x, x.builder->getIntegerType(x.elementType().getIntOrFloatBitWidth()));
}

Val fromBits(Val bits) {
  return bitcast(bits, bits.isSingle() ? Type(bits.builder->getF32Type())
                                       : Type(bits.builder->getF64Type()));
}

Val shiftLeft(Val bits, int count) {
  return bits.with(arith::ShLIOp::create(*bits.builder, bits.loc, bits, bits.lit(count)));
}

Val shiftRight(Val bits, int count) {
  return bits.with(arith::ShRUIOp::create(*bits.builder, bits.loc, bits, bits.lit(count)));
}

Val shiftLeft(Val bits, Val count) {
  return bits.with(arith::ShLIOp::create(*bits.builder, bits.loc, bits, count));
}

Val shiftRight(Val bits, Val count) {
  return bits.with(arith::ShRUIOp::create(*bits.builder, bits.loc, bits, count));
}

Val toInteger(Val x) {
  Type element = x.builder->getIntegerType(x.elementType().getIntOrFloatBitWidth());
  return x.with(arith::FPToSIOp::create(*x.builder, x.loc, x.typeOf(element), x));
}

Val resize(Val integer, unsigned bits) {
  unsigned from = integer.elementType().getIntOrFloatBitWidth();
  Type type = integer.typeOf(integer.builder->getIntegerType(bits));
  if (from < bits)
    return integer.with(arith::ExtUIOp::create(*integer.builder, integer.loc, type, integer));
  if (from > bits)
    return integer.with(arith::TruncIOp::create(*integer.builder, integer.loc, type, integer));
  return integer;
}

// Not arith.mului_extended, which LLVM splits into scalars for i64, and MLIR does not lower for
// vectors of rank 2.
std::pair<Val, Val> multiplyExtended(Val a, Val b) {
  if (a.isSingle()) {
    Val product = resize(a, 64) * resize(b, 64);
    return {resize(product, 32), resize(shiftRight(product, 32), 32)};
  }
  const int64_t half = 0xffffffff;
  Val aLow = a & half, aHigh = shiftRight(a, 32), bLow = b & half, bHigh = shiftRight(b, 32);
  Val inner = aLow * bHigh, outer = aHigh * bLow;
  Val middle = shiftRight(aLow * bLow, 32) + (inner & half) + (outer & half);
  Val high = aHigh * bHigh + shiftRight(inner, 32) + shiftRight(outer, 32);
  return {a * b, high + shiftRight(middle, 32)};
}

Val any(Val condition) {
  auto type = dyn_cast<VectorType>(Value(condition).getType());
  if (!type)
    return condition;
  auto flat = VectorType::get({type.getNumElements()}, type.getElementType());
  Value elements = condition;
  if (type.getRank() != 1)
    elements = vector::ShapeCastOp::create(*condition.builder, condition.loc, flat, elements);
  return condition.with(vector::ReductionOp::create(*condition.builder, condition.loc,
                                                    vector::CombiningKind::OR, elements));
}

Val convert(Val x, Type element) {
  unsigned from = x.elementType().getIntOrFloatBitWidth(), to = element.getIntOrFloatBitWidth();
  Type type = x.typeOf(element);
  if (!x.isFloat())
    return x.with(arith::SIToFPOp::create(*x.builder, x.loc, type, x));
  if (from < to)
    return x.with(arith::ExtFOp::create(*x.builder, x.loc, type, Value(x)));
  return x.with(arith::TruncFOp::create(*x.builder, x.loc, type, x));
}

Val polynomial(Val x, ArrayRef<double> coefficients) {
  Val sum = x.lit(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, x.lit(coefficient));
  return sum;
}

} // namespace nnc::vm
