// The vocabulary in which the vector maths is written.
//
// A Val is an SSA value, scalar or vector (of any rank), with the arithmetic of C: `a * b + 1.0`
// emits arith ops for the whole vector, and a number beside a Val becomes a constant of its type.
// With it an algorithm reads as in the paper that it comes from. Branches do not exist; a
// comparison gives a Val of i1 for select(). Products that are to be fused are written fma(): the
// code generator must not contract others (several algorithms rest on a product being rounded).
//
// Private to lib/Codegen/CPU; the public face is nnc/Codegen/MathExpansions.h.
#ifndef NNC_LIB_CODEGEN_CPU_VECTORMATH_H
#define NNC_LIB_CODEGEN_CPU_VECTORMATH_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>
#include <type_traits>
#include <utility>

namespace nnc::vm {

class Val {
public:
  Val(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value)
      : builder(&builder), loc(loc), value(value) {}

  operator mlir::Value() const { return value; }
  mlir::Type elementType() const { return mlir::getElementTypeOrSelf(value.getType()); }
  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType()); }
  /// f32 or i32; the alternative is f64 or i64.
  bool isSingle() const { return elementType().getIntOrFloatBitWidth() == 32; }

  /// A value made with the same builder.
  Val with(mlir::Value other) const { return Val(*builder, loc, other); }
  /// The scalar or vector type of this shape with another element type.
  mlir::Type typeOf(mlir::Type element) const;
  /// A constant of this value's type.
  Val lit(double number) const;
  Val lit(int64_t number) const;
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
  Val lit(T number) const {
    return lit(static_cast<int64_t>(number));
  }
  /// One of two constants, by the width of this value's elements.
  Val lit(double single, double wide) const { return lit(isSingle() ? single : wide); }

  mlir::OpBuilder *builder;
  mlir::Location loc;

private:
  mlir::Value value;
};

template <typename T> using IfNumber = std::enable_if_t<std::is_arithmetic_v<T>, Val>;

#define NNC_VAL_BINARY(OPERATOR)                                                                   \
  Val operator OPERATOR(Val a, Val b);                                                             \
  template <typename T> IfNumber<T> operator OPERATOR(Val a, T b) { return a OPERATOR a.lit(b); }  \
  template <typename T> IfNumber<T> operator OPERATOR(T a, Val b) { return b.lit(a) OPERATOR b; }
NNC_VAL_BINARY(+)
NNC_VAL_BINARY(-)
NNC_VAL_BINARY(*)
NNC_VAL_BINARY(/)
// Integers and i1 only.
NNC_VAL_BINARY(&)
NNC_VAL_BINARY(|)
NNC_VAL_BINARY(^)
// Floating point only, ordered (false for NaN).
NNC_VAL_BINARY(<)
NNC_VAL_BINARY(<=)
NNC_VAL_BINARY(>)
NNC_VAL_BINARY(>=)
// Of floats (ordered) or integers.
NNC_VAL_BINARY(==)
#undef NNC_VAL_BINARY

Val lessUnsigned(Val a, Val b);
Val operator!(Val condition);
/// a * b + c, rounded once. Where c is a constant, a product that is rounded first must do as well: that is
/// what processors without the instruction compute.
Val fma(Val a, Val b, Val c);
/// The same without the instruction; f64 may round twice, if not in what the product's rounding lost.
Val fmaBySteps(Val a, Val b, Val c);

Val select(Val condition, Val ifTrue, Val ifFalse);
/// The lesser or greater of the two; x where x is NaN.
Val atMost(Val x, double bound);
Val atLeast(Val x, double bound);

Val abs(Val x);
Val sqrt(Val x);
/// The magnitude of the first with the sign of the second.
Val copysign(Val magnitude, Val sign);
Val trunc(Val x);
Val isNaN(Val x);

/// The same bits as an integer, or as a float.
Val toBits(Val x);
Val fromBits(Val bits);
Val shiftLeft(Val bits, int count);
Val shiftRight(Val bits, int count); // zeros come in
Val shiftLeft(Val bits, Val count);
Val shiftRight(Val bits, Val count);
/// Between float types, or from a signed integer to a float.
Val convert(Val x, mlir::Type element);
/// The conversions of f16, and to bf16, without the instructions.
Val halfToSingle(Val half);
Val singleToHalf(Val x);
Val singleToBrain(Val x);
/// To a signed integer of the same width, towards zero.
Val toInteger(Val x);
/// To a wider or narrower integer; zeros come in.
Val resize(Val integer, unsigned bits);
/// The low and high halves of a product of unsigned integers.
std::pair<Val, Val> multiplyExtended(Val a, Val b);
/// Whether a condition holds for some element: a scalar i1.
Val any(Val condition);

/// c0 + c1 x + c2 x² + …, by Horner's rule with fma.
Val polynomial(Val x, llvm::ArrayRef<double> coefficients);

/// x = 2^e m with m in [2/3, 4/3), for positive x, denormals included.
struct Binary {
  Val e, m;
};
Binary decompose(Val x);

/// The algorithms, on f32 or f64.
Val exp(Val x);
Val exp2(Val x);
Val expm1(Val x);
/// The same bits as exp, with `scaleBy` for p 2^n, or 0.
Val expScaled(Val x, llvm::function_ref<Val(Val p, Val n, Val isZero)> scaleBy);
/// exp for |x| below 80 (f32) or 700 (f64), where neither overflow nor denormals can arise.
Val expBounded(Val x);
/// e^(high + low) for a low that is at most a unit in high's last place.
Val expSum(Val high, Val low);
/// 2^x in f64 with the accuracy of f32, for |x| ≤ 1000.
Val exp2ForSingle(Val x);
Val log(Val x);
/// log for positive finite x.
Val logPositive(Val x);
Val log1p(Val x);
Val tanh(Val x);
Val sigmoid(Val x);
Val erf(Val x);
Val sin(Val x);
Val cos(Val x);
Val rsqrt(Val x);
/// Half away from zero.
Val round(Val x);
/// C's pow.
Val pow(Val x, Val y);
/// x to the power of a signed integer of any width; x a float.
Val powInteger(Val x, Val n);
/// x to the power of a number known now, where that is a few multiplications or a root; x a float.
std::optional<Val> powConstant(Val x, double y);
/// An integer to the power of an integer, modulo 2^bits; 0 for what lies between 0 and ±1.
Val ipow(Val x, Val n);

} // namespace nnc::vm

#endif // NNC_LIB_CODEGEN_CPU_VECTORMATH_H
