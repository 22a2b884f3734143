// sin and cos, of f32 and f64.
//
// |x| = n π/2 + r with |r| ≤ π/4; the sine and cosine of r are minimax polynomials, and n modulo 4
// says which of them is the result, with which sign. For moderate x, r = x - n π/2 with π/2 in
// three parts (Cody and Waite): the first step is exact with fma. Where a vector holds an element
// too large for that, it takes a detour (the one branch in the vector maths): the bits of 2/π that
// matter for the element's exponent are multiplied by its mantissa in integers (Payne and Hanek),
// in f64 for both types. Coefficients: utils/minimax.sollya.
//
// Greatest error measured, in ulp (f32, f64): sin 1.53, 1.49; cos 1.52, 1.47.
#include "VectorMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <array>
#include <cmath>

using namespace mlir;

namespace nnc::vm {

namespace {
// sin r ≈ r + r³ P(r²), cos r ≈ 1 - r²/2 + r⁴ P(r²) on |r| ≤ 0.787, relative error of the sines
// 2^-27.8 and 2^-57.9, of the cosines 2^-33.0 and 2^-63.8.
constexpr double sinF32[] = {-0x1.555544p-3, 0x1.1106e2p-7, -0x1.992aacp-13};
constexpr double cosF32[] = {0x1.55554ap-5, -0x1.6c0c26p-10, 0x1.99e71cp-16};
constexpr double sinF64[] = {-0x1.5555555555548p-3, 0x1.111111110f738p-7,   -0x1.a01a019beabb5p-13,
                             0x1.71de3556eb738p-19, -0x1.ae5e4d19b6dabp-26, 0x1.5d8bd7fdc2237p-33};
constexpr double cosF64[] = {0x1.555555555554ap-5,   -0x1.6c16c16c14e31p-10, 0x1.a01a019c645efp-16,
                             -0x1.27e4f7d4e9039p-22, 0x1.1ee9c9700d1edp-29,  -0x1.8f9d6fe46aebp-37};

/// A word of zeros, then the first 1,216 bits of 2/π.
constexpr uint64_t twoOverPi[] = {0,
                                  0xa2f9836e4e441529,
                                  0xfc2757d1f534ddc0,
                                  0xdb6295993c439041,
                                  0xfe5163abdebbc561,
                                  0xb7246e3a424dd2e0,
                                  0x06492eea09d1921c,
                                  0xfe1deb1cb129a73e,
                                  0xe88235f52ebb4484,
                                  0xe99c7026b45f7e41,
                                  0x3991d639835339f4,
                                  0x9c845f8bbdf9283b,
                                  0x1ff897ffde05980f,
                                  0xef2f118b5a0a6d1f,
                                  0x6d367ecf27cb09b7,
                                  0x4f463f669e5fea2d,
                                  0x7527bac7ebe5f17b,
                                  0x3d0739f78a5292ea,
                                  0x6bfb5fb11f8d5d08,
                                  0x56033046fc7b6bab};

/// r, and an integer whose low two bits are n modulo 4.
struct Reduced {
  Val r, quadrant;
};

Reduced reduceModerate(Val x) {
  Val shift = x.lit(0x1.8p23, 0x1.8p52);
  Val shifted = fma(x, x.lit(0x1.45f306dc9c883p-1), shift);
  Val n = shifted - shift;
  Val r = fma(n, x.lit(-0x1.921fb6p0, -0x1.921fb54442d18p0), x);
  r = fma(n, x.lit(0x1.777a5cp-25, -0x1.1a62633145c07p-54), r);
  r = fma(n, x.lit(0x1.ee59dap-50, 0x1.f1976b7ed8fbcp-110), r);
  return {r, toBits(shifted)};
}

/// The 192 bits of the table from the bit `position` on, in three words.
std::array<Val, 3> bitsOfTwoOverPi(Val position) {
  Val index = shiftRight(position, 6), shift = position & 63;
  SmallVector<Val> words;
  for (uint64_t word : twoOverPi)
    words.push_back(position.lit(static_cast<int64_t>(word)));
  words.resize(16 + 16 + 3, position.lit(0));
  // Each step moves the word that is wanted first to within `step` of the front.
  for (int step = 16; step > 0; step /= 2) {
    Val skip = (index & step) == step;
    for (int i = 0; i < step + 3; ++i)
      words[i] = select(skip, words[i + step], words[i]);
  }
  auto join = [&](Val high, Val low) {
    return shiftLeft(high, shift) | shiftRight(shiftRight(low, 1), 63 - shift);
  };
  return {join(words[0], words[1]), join(words[1], words[2]), join(words[2], words[3])};
}

/// For f64 x ≥ 2^10. x = m 2^k with a 53-bit m; with F the bits of 2/π that weigh less than
/// 2^(2-k), x · 2/π is 4 m F but for multiples of 4.
Reduced reduceHuge(Val x) {
  Type f64 = x.elementType();
  Val bits = toBits(x);
  Val m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  Val k = shiftRight(bits, 52) - 1075;
  auto [first, second, third] = bitsOfTwoOverPi(k + (64 - 2));
  // m F modulo 1, as a 128-bit fraction: its top two bits are n.
  auto [low, middle] = multiplyExtended(m, second);
  Val fraction = low + multiplyExtended(m, third).second;
  Val carry = resize(lessUnsigned(fraction, low), 64);
  Val top = m * first + middle + carry;
  Val n = shiftRight(top + (int64_t(1) << 61), 62);
  Val rest = top - shiftLeft(n, 62); // signed, in units of 2^-62 together with `fraction` below it
  Val high = convert(rest, f64);
  Val low64 = rest - toInteger(high);
  Val tail = fma(convert(shiftRight(fraction, 1), f64), x.lit(0x1p-63), convert(low64, f64));
  Val halfPi = x.lit(0x1.921fb54442d18p0), halfPiLow = x.lit(0x1.1a62633145c07p-54);
  Val r = fma(high, halfPi, fma(high, halfPiLow, tail * halfPi)) * 0x1p-62;
  return {r, n};
}

/// Replaces the elements of `moderate` for which x is too large; a branch past it where there are
/// none.
Reduced reduceWhereHuge(Val x, Reduced moderate) {
  OpBuilder &builder = *x.builder;
  Val huge = (x > x.lit(0x1p16, 0x1p28)) & (x < INFINITY);
  auto type = [](Val value) { return mlir::Value(value).getType(); };
  auto branch = scf::IfOp::create(builder, x.loc, {type(moderate.r), type(moderate.quadrant)},
                                  any(huge), /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&branch.getElseRegion().front());
  scf::YieldOp::create(builder, x.loc, ValueRange{moderate.r, moderate.quadrant});

  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  auto [r, quadrant] = reduceHuge(convert(x, builder.getF64Type()));
  if (x.isSingle()) {
    r = convert(r, x.elementType());
    quadrant = resize(quadrant, 32);
  }
  r = select(huge, r, moderate.r);
  quadrant = select(huge, quadrant, moderate.quadrant);
  scf::YieldOp::create(builder, x.loc, ValueRange{r, quadrant});
  return {x.with(branch.getResult(0)), x.with(branch.getResult(1))};
}

/// The sine of |x| + `quarters` π/2.
Val sinOfQuarters(Val x, int quarters) {
  Val magnitude = abs(x);
  auto [r, n] = reduceWhereHuge(magnitude, reduceModerate(magnitude));
  Val z = r * r;
  Val sinP = x.isSingle() ? polynomial(z, sinF32) : polynomial(z, sinF64);
  Val cosP = x.isSingle() ? polynomial(z, cosF32) : polynomial(z, cosF64);
  Val sine = fma(r * z, sinP, r);
  Val cosine = fma(z, fma(z, cosP, z.lit(-0.5)), z.lit(1));
  Val quadrant = n + quarters;
  Val result = select((quadrant & 1) == 0, sine, cosine);
  Val sign = shiftLeft(quadrant & 2, x.isSingle() ? 30 : 62);
  return fromBits(toBits(result) ^ sign);
}
} // namespace

Val cos(Val x) { return sinOfQuarters(x, 1); }

Val sin(Val x) {
  Val sign = toBits(x) ^ toBits(abs(x));
  return fromBits(toBits(sinOfQuarters(x, 0)) ^ sign);
}

} // namespace nnc::vm
