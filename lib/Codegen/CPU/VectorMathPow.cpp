// C's pow of floats, and powers of whole numbers.
//
// x^y = e^(y log x), where the logarithm needs more digits than the result has. f32 goes through
// f64. f64 uses pairs of doubles, whose sum has twice the digits: log m = 2 atanh(s) with s =
// (m - 1) / (m + 1), its first terms in pairs, the rest in one double, as in SLEEF's pow. The edges
// of C's Annex F are selects at the end. Small constant exponents are multiplications.
// Coefficients: utils/minimax.sollya.
//
// Greatest error measured, in ulp (f32, f64): pow 0.54, 1.15; by multiplication 1.90, 1.90.
#include "VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;

namespace nnc::vm {

namespace {
// log2 m ≈ s P(s²) in f64 for f32, relative error 2^-42.4.
constexpr double log2ForSingle[] = {0x1.71547652b7e94p1,  0x1.ec709dcb590a4p-1,
                                    0x1.2776bc50023dep-1, 0x1.a61e9da66998bp-2,
                                    0x1.46f2b909bd6e1p-2, 0x1.29cefb9abad3fp-2};
// log m ≈ 2 s + 2/3 s³ + s⁵ P(s²), relative error 2^-75.6.
constexpr double logTail[] = {0x1.999999999999ap-2, 0x1.2492492492359p-2, 0x1.c71c71c747cf1p-3,
                              0x1.745d172d62e3cp-3, 0x1.3b13b93a756cep-3, 0x1.110f7490c7c07p-3,
                              0x1.e249900103356p-4, 0x1.a743ffdf8361ep-4, 0x1.da5bd0d631e89p-4};

/// An unevaluated sum; low is at most about a unit in high's last place.
struct Pair {
  Val high, low;
};

/// a + b exactly, for |a| ≥ |b| or a zero.
Pair sumOrdered(Val a, Val b) {
  Val sum = a + b;
  return {sum, b - (sum - a)};
}

Pair multiply(Pair a, Pair b) {
  Val high = a.high * b.high;
  Val error = fma(a.high, b.high, -0.0 - high);
  return {high, error + fma(a.high, b.low, a.low * b.high)};
}

/// s = (m - 1) / (m + 1).
Pair atanhArgument(Val m) {
  Val numerator = m - 1.0; // exact
  Pair denominator = sumOrdered(m.lit(1), m);
  Val reciprocal = 1.0 / denominator.high;
  Val s = numerator * reciprocal;
  Val minus = -0.0 - s;
  Val rest = fma(minus, denominator.low, fma(minus, denominator.high, numerator));
  return {s, rest * reciprocal};
}

/// log x for a positive finite x.
Pair logPair(Val x) {
  auto [e, m] = decompose(x);
  Pair s = atanhArgument(m);
  Pair z = multiply(s, s);
  Pair factor = sumOrdered(x.lit(0x1.5555555555555p-1), z.high * polynomial(z.high, logTail));
  factor.low = factor.low + 0x1.5555555555555p-55;
  Pair cubic = multiply(multiply(s, z), factor);
  Pair logM = sumOrdered(s.high * 2.0, cubic.high);
  logM.low = logM.low + fma(s.low, x.lit(2), cubic.low);
  Pair sum = sumOrdered(e * 0x1.62e42fefa3p-1, logM.high); // a product without rounding
  Val low = fma(e, x.lit(0x1.3de6af278ece6p-42), sum.low + logM.low);
  return sumOrdered(sum.high, low);
}

/// x^y for a positive finite x and finite y.
Val powDouble(Val x, Val y) {
  Pair log = logPair(x);
  Val bounded = atMost(atLeast(y, -0x1p80), 0x1p80); // beyond which even x next to 1 overflows
  Val high = bounded * log.high;
  Val low = fma(bounded, log.high, -0.0 - high) + bounded * log.low;
  return expSum(high, select(abs(high) < 800, low, low.lit(0)));
}

Val powSingle(Val x, Val yWide) {
  auto [e, m] = decompose(convert(x, x.builder->getF64Type()));
  Val s = (m - 1.0) / (m + 1.0);
  Val log = fma(s, polynomial(s * s, log2ForSingle), e);
  Val bounded = atMost(atLeast(yWide * log, -200), 200);
  return convert(exp2ForSingle(bounded), x.elementType());
}

/// What the edges ask about an exponent.
struct Exponent {
  Val y;
  Val whole, odd; // i1
};

/// Annex F.10.4.4, given |x|^y for a finite positive |x| and finite y.
Val powEdges(Val x, Exponent exponent, Val power) {
  Val y = exponent.y, magnitude = abs(x);
  Val atLimit = (magnitude == 0.0) | (magnitude == INFINITY) | (abs(y) == INFINITY);
  Val grows = !((magnitude > 1.0) ^ (y > 0.0));
  Val limit = select(grows, x.lit(INFINITY), x.lit(0));
  Val result = select(atLimit, limit, power);
  result = select(magnitude == 1.0, x.lit(1), result);

  Val sign = select(exponent.odd, toBits(x) ^ toBits(magnitude), toBits(x.lit(0)));
  result = fromBits(toBits(result) ^ sign);

  Val noRoot = (x < 0.0) & (magnitude < INFINITY) & !exponent.whole;
  result = select(noRoot | isNaN(x) | isNaN(y), x.lit(NAN), result);
  return select((x == 1.0) | (y == 0.0), x.lit(1), result);
}
} // namespace

Val pow(Val x, Val y) {
  Val magnitude = abs(x);
  Val power = x.isSingle() ? powSingle(magnitude, convert(y, x.builder->getF64Type()))
                           : powDouble(magnitude, y);
  Val whole = trunc(y) == y, half = y * 0.5;
  return powEdges(x, {y, whole, whole & !(trunc(half) == half)}, power);
}

Val powInteger(Val x, Val n) {
  Val magnitude = abs(x);
  Val wide = convert(n, x.builder->getF64Type());
  Val power = x.isSingle() ? powSingle(magnitude, wide) : powDouble(magnitude, wide);
  Val always = n == n;
  return powEdges(x, {convert(n, x.elementType()), always, (n & 1) == 1}, power);
}

std::optional<Val> powConstant(Val x, double y) {
  if (y == 0)
    return x.lit(1);
  if (y == 1)
    return x;
  if (y == 2)
    return x * x;
  if (y == 3)
    return x * x * x;
  if (y == 4)
    return (x * x) * (x * x);
  if (y == -1)
    return 1.0 / x;
  if (y == -2)
    return (1.0 / x) * (1.0 / x);
  // Unlike the root, pow(-0, 1/2) is +0 and pow(-∞, 1/2) is ∞.
  if (y == 0.5)
    return select(x == -INFINITY, x.lit(INFINITY), sqrt(x + 0.0));
  if (y == -0.5)
    return select(x == -INFINITY, x.lit(0), 1.0 / sqrt(x + 0.0));
  return std::nullopt;
}

// By squaring, one bit of n after the other.
Val ipow(Val x, Val n) {
  OpBuilder &builder = *x.builder;
  unsigned bits = x.elementType().getIntOrFloatBitWidth();
  Value zero = arith::ConstantIndexOp::create(builder, x.loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, x.loc, 1);
  Value steps = arith::ConstantIndexOp::create(builder, x.loc, bits);
  auto loop = scf::ForOp::create(builder, x.loc, zero, steps, one, ValueRange{x.lit(1), x, n});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Val product = x.with(loop.getRegionIterArg(0)), power = x.with(loop.getRegionIterArg(1)),
        rest = x.with(loop.getRegionIterArg(2));
    Val next = select((rest & 1) == 1, product * power, product);
    scf::YieldOp::create(builder, x.loc, ValueRange{next, power * power, shiftRight(rest, 1)});
  }
  Val inverse = select(x == 1, x, x.lit(0));
  inverse = select(x == -1, select((n & 1) == 1, x, x.lit(1)), inverse);
  Val negative = shiftRight(n, bits - 1) == 1;
  return select(negative, inverse, x.with(loop.getResult(0)));
}

} // namespace nnc::vm
