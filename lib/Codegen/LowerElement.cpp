//===- LowerElement.cpp - How elements are stored and converted -----------===//
//
// The short floating-point types are computed in f32 and rounded once when stored; bool is a byte
// in memory. Conversions follow nn.cast: to integers truncates and saturates, NaN becomes 0.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nnc {

static bool isShortFloat(Type type) { return isa<Float16Type, BFloat16Type>(type); }

bool isUnsigned(Type elementType) { return elementType.isUnsignedInteger(); }

Type storageType(Type elementType) {
  bool isByte = elementType.isInteger(1) || elementType.isUnsignedInteger(8);
  return isByte ? IntegerType::get(elementType.getContext(), 8) : elementType;
}

Type computeType(Type elementType) {
  if (isShortFloat(elementType))
    return Float32Type::get(elementType.getContext());
  return elementType.isInteger(1) ? elementType : storageType(elementType);
}

Value constantElement(OpBuilder &builder, Location loc, double value, Type elementType) {
  Type type = computeType(elementType);
  if (auto floatType = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(floatType, value));
  if (type.isInteger(1))
    return arith::ConstantIntOp::create(builder, loc, value != 0, 1);
  llvm::APSInt integer(type.getIntOrFloatBitWidth(), isUnsigned(elementType));
  bool isExact;
  llvm::APFloat(value).convertToInteger(integer, llvm::APFloat::rmTowardZero, &isExact);
  return arith::ConstantOp::create(builder, loc, IntegerAttr::get(type, integer));
}

Value loadElement(OpBuilder &builder, Location loc, Value stored, Type elementType) {
  if (isShortFloat(elementType))
    return builder.createOrFold<arith::ExtFOp>(loc, computeType(elementType), stored);
  if (!elementType.isInteger(1))
    return stored;
  Value zero = arith::ConstantIntOp::create(builder, loc, 0, 8);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, stored, zero);
}

Value storeElement(OpBuilder &builder, Location loc, Value computed, Type elementType) {
  if (isShortFloat(elementType))
    return arith::TruncFOp::create(builder, loc, elementType, computed);
  if (!elementType.isInteger(1))
    return computed;
  return arith::ExtUIOp::create(builder, loc, builder.getI8Type(), computed);
}

namespace {

/// Conversions between the types that are computed in.
struct Converter {
  OpBuilder &builder;
  Location loc;

  Value floatConstant(Type type, double value) {
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, value));
  }
  Value compare(arith::CmpFPredicate predicate, Value x, double value) {
    return arith::CmpFOp::create(builder, loc, predicate, x, floatConstant(x.getType(), value));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(builder, loc, condition, x, y);
  }

  Value toBool(Value x) {
    if (isa<FloatType>(x.getType()))
      return compare(arith::CmpFPredicate::UNE, x, 0.0);
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(x.getType()));
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, x, zero);
  }

  Value integerToInteger(Value x, Type from, Type to) {
    unsigned fromWidth = x.getType().getIntOrFloatBitWidth(), toWidth = to.getIntOrFloatBitWidth();
    if (fromWidth == toWidth)
      return x;
    if (fromWidth > toWidth)
      return arith::TruncIOp::create(builder, loc, to, x);
    if (from.isInteger(1) || isUnsigned(from))
      return arith::ExtUIOp::create(builder, loc, to, x);
    return arith::ExtSIOp::create(builder, loc, to, x);
  }

  Value integerToFloat(Value x, Type from, Type to) {
    // Bytes go through i32, for which there are vector instructions.
    if (x.getType().getIntOrFloatBitWidth() < 32)
      x = integerToInteger(x, from, builder.getI32Type());
    return arith::SIToFPOp::create(builder, loc, to, x);
  }

  /// Out of range, the hardware's result is not defined: only numbers within are converted.
  Value floatToInteger(Value x, Type to, Type stored) {
    unsigned width = stored.getIntOrFloatBitWidth();
    APInt lowest = isUnsigned(to) ? APInt(width, 0) : APInt::getSignedMinValue(width);
    APInt highest = isUnsigned(to) ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
    double low = isUnsigned(to) ? 0.0 : -std::ldexp(1.0, width - 1);
    double beyond = std::ldexp(1.0, isUnsigned(to) ? width : width - 1);
    Value below = compare(arith::CmpFPredicate::OLT, x, low);
    Value above = compare(arith::CmpFPredicate::OGE, x, beyond);
    Value isNaN = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNO, x, x);
    Value outside =
        arith::OrIOp::create(builder, loc, arith::OrIOp::create(builder, loc, below, above), isNaN);
    Value safe = select(outside, floatConstant(x.getType(), 0.0), x);
    Type wide = width < 32 ? builder.getI32Type() : stored;
    Value result = arith::FPToSIOp::create(builder, loc, wide, safe);
    if (wide != stored)
      result = arith::TruncIOp::create(builder, loc, stored, result);
    auto integer = [&](const APInt &value) {
      return arith::ConstantOp::create(builder, loc, IntegerAttr::get(stored, value));
    };
    return select(below, integer(lowest), select(above, integer(highest), result));
  }

  /// f64 to f32 rounded to odd: rounding the result once more, to fewer bits, then gives what one
  /// rounding of the f64 gives (Boldo and Melquiond, 2008).
  Value roundToOdd(Value x) {
    Type f32 = builder.getF32Type(), i32 = builder.getI32Type();
    Value nearest = arith::TruncFOp::create(builder, loc, f32, x);
    Value back = arith::ExtFOp::create(builder, loc, x.getType(), nearest);
    Value bits = arith::BitcastOp::create(builder, loc, i32, nearest);
    Value one = arith::ConstantIntOp::create(builder, loc, 1, 32);
    Value zero = floatConstant(x.getType(), 0.0);
    // Whether the magnitude grew: the sign of x decides which way that is.
    Value larger = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, back, x);
    Value smaller = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, back, x);
    Value negative = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, x, zero);
    Value grew = select(negative, smaller, larger);
    Value towardsZero = select(grew, arith::SubIOp::create(builder, loc, bits, one), bits);
    Value odd = arith::OrIOp::create(builder, loc, towardsZero, one);
    Value inexact = arith::OrIOp::create(builder, loc, larger, smaller);
    return arith::BitcastOp::create(builder, loc, f32, select(inexact, odd, bits));
  }

  Value floatToFloat(Value x, Type to) {
    unsigned fromWidth = x.getType().getIntOrFloatBitWidth(), toWidth = to.getIntOrFloatBitWidth();
    if (isShortFloat(to) && fromWidth == 64)
      return roundToOdd(x);
    Type computed = computeType(to);
    if (x.getType() == computed)
      return x;
    if (fromWidth < toWidth)
      return arith::ExtFOp::create(builder, loc, computed, x);
    return arith::TruncFOp::create(builder, loc, computed, x);
  }
};

} // namespace

Value castElement(OpBuilder &builder, Location loc, Value computed, Type from, Type to) {
  if (from == to)
    return computed;
  Converter converter{builder, loc};
  if (to.isInteger(1))
    return converter.toBool(computed);
  if (isa<FloatType>(from))
    return isa<FloatType>(to) ? converter.floatToFloat(computed, to)
                              : converter.floatToInteger(computed, to, computeType(to));
  if (!isa<FloatType>(to))
    return converter.integerToInteger(computed, from, computeType(to));
  // Where there are registers for masks, one instruction, or none if what follows takes a mask.
  if (from.isInteger(1))
    return converter.select(computed, converter.floatConstant(computeType(to), 1),
                            converter.floatConstant(computeType(to), 0));
  if (!isShortFloat(to))
    return converter.integerToFloat(computed, from, to);
  Value exact = converter.integerToFloat(computed, from, builder.getF64Type());
  return converter.floatToFloat(exact, to);
}

} // namespace nnc
