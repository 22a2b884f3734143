// log and log1p, of f32 and f64.
//
// x = 2^e m with m in [2/3, 4/3); log x = e ln 2 + log(1 + f), f = m - 1. In f32 log(1 + f) is
// f - f²/2 + f³ P(f); in f64 it goes through s = f / (2 + f), as in FreeBSD's e_log.c: log(1 + f) =
// 2 atanh(s) = f - f²/2 + s (f²/2 + R(s²)), which needs half the terms. log1p shares all of it,
// with f = 2^-e x + (2^-e - 1) rounded once, where e is the exponent of 1 + x. Coefficients:
// utils/minimax.sollya.
//
// Greatest error measured, in ulp (f32, f64): log 0.87, 0.80; log1p 1.58, 1.45.
#include "VectorMath.h"

#include <cmath>

namespace nnc::vm {

namespace {
// log(1 + f) ≈ f - f²/2 + f³ P(f) on |f| ≤ 1/3, relative error 2^-27.7.
constexpr double logF32[] = {0x1.555506p-2, -0x1.fffefp-3,  0x1.99d05ep-3, -0x1.559de4p-3,
                             0x1.1ed424p-3, -0x1.f30e36p-4, 0x1.1e73a2p-3, -0x1.080cap-3};
// 2 atanh(s) ≈ 2 s + s³ P(s²) on |s| ≤ 1/5, relative error 2^-62.7.
constexpr double logF64[] = {0x1.555555555554fp-1, 0x1.999999999c15bp-2, 0x1.24924921e6fe5p-2,
                             0x1.c71c748ce6f3fp-3, 0x1.745c4b977115fp-3, 0x1.3b35a76777094p-3,
                             0x1.0dcd50a6c0f7cp-3, 0x1.1b75928799d54p-3};

/// e ln 2 + log(1 + f) for |f| ≤ 1/3.
Val logReduced(Val e, Val f) {
  Val square = f * f;
  Val ln2 = f.lit(0x1.62e43p-1, 0x1.62e42fefa39efp-1);
  Val ln2Low = f.lit(-0x1.05c61p-29, 0x1.abc9e3b39803fp-56);
  if (f.isSingle()) {
    Val q = fma(f, polynomial(f, logF32), f.lit(-0.5));
    return fma(e, ln2, f + fma(square, q, e * ln2Low));
  }
  Val s = f / (f + 2.0), z = s * s, half = square * 0.5;
  Val low = fma(s, fma(z, polynomial(z, logF64), half), e * ln2Low);
  return fma(e, ln2, f - (half - low));
}

/// The binary exponent of a positive normal x, against the boundary 2/3, biased; and x's bits less
/// those of 2/3.
struct Exponent {
  Val biased;   // e + bias, an integer
  Val mantissa; // the bits of m = x / 2^e
};

Exponent exponentOf(Val x) {
  bool single = x.isSingle();
  int64_t one = single ? 0x3f800000 : 0x3ff0000000000000;
  int64_t twoThirds = single ? 0x3f2aaaab : 0x3fe5555555555555;
  int64_t mask = single ? 0x007fffff : 0x000fffffffffffff;
  Val shifted = toBits(x) + (one - twoThirds);
  return {shiftRight(shifted, single ? 23 : 52), (shifted & mask) + twoThirds};
}

/// biased - bias - less, as a float, without the conversion of i64 that AVX2 lacks.
Val exponentAsFloat(Val biased, Val less) {
  bool single = biased.isSingle();
  Val shifted = fromBits(biased | (single ? 0x4b000000 : 0x4330000000000000)); // 2^23, 2^52
  return shifted - less;
}

double exponentShift(Val x) { return x.isSingle() ? 0x1p23 + 127 : 0x1p52 + 1023; }
} // namespace

Binary decompose(Val x) {
  double denormalScale = x.isSingle() ? 23 : 52;
  Val small = x < x.lit(0x1p-126, 0x1p-1022);
  Val normal = select(small, x * std::exp2(denormalScale), x);
  Exponent exponent = exponentOf(normal);
  Val less = select(small, x.lit(exponentShift(x) + denormalScale), x.lit(exponentShift(x)));
  return {exponentAsFloat(exponent.biased, less), fromBits(exponent.mantissa)};
}

Val logPositive(Val x) {
  auto [e, m] = decompose(x);
  return logReduced(e, m - 1.0);
}

Val log(Val x) {
  Val notPositive = select(x == 0.0, x.lit(-INFINITY), x.lit(NAN));
  return select(x > 0.0, select(x < INFINITY, logPositive(x), x), notPositive);
}

Val log1p(Val x) {
  bool single = x.isSingle();
  Val sum = x + 1.0;
  Val biased = exponentOf(sum).biased;
  Val bits = shiftLeft(biased - (single ? 127 : 1023), single ? 23 : 52);
  // 2^-e; 0 where that is below the normal numbers, which is too small to matter.
  Val reciprocal = atLeast(fromBits(toBits(x.lit(1.0)) - bits), 0);
  Val f = fromBits(toBits(x) - bits) + (reciprocal - 1.0);
  Val result = logReduced(exponentAsFloat(biased, x.lit(exponentShift(x))), f);
  Val edge = select(x == -1.0, x.lit(-INFINITY), x.lit(NAN));
  Val signedZero = select(x == 0.0, x, result);
  return select(x > -1.0, select(x < INFINITY, signedZero, x), edge);
}

} // namespace nnc::vm
