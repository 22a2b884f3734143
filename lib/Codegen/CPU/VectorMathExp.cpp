// exp, exp2, expm1 and the logistic function, of f32 and f64.
//
// x = n ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite, two steps of fma), e^r from a minimax
// polynomial, the result scaled by 2^n. Rounding to the integer n is adding 1.5 · 2^23 (or 2^52),
// which leaves n in the low bits too, where the scaling takes it from. Coefficients:
// utils/minimax.sollya.
//
// Greatest error measured, in ulp (f32, f64): exp 1.00, 1.00; exp2 0.88, 0.77; expm1 1.51, 1.78;
// the logistic function 2.48, 2.04.
#include "VectorMath.h"

namespace nnc::vm {

namespace {
// e^r ≈ 1 + r + r² q(r) on |r| ≤ 0.3475, relative error 2^-28.2 and 2^-57.9.
constexpr double expF32[] = {0x1.fffffap-2, 0x1.55549p-3, 0x1.555a22p-5, 0x1.123b04p-7,
                             0x1.695414p-10};
constexpr double expF64[] = {0x1.000000000000ap-1,  0x1.55555555554f9p-3,  0x1.5555555550629p-5,
                             0x1.1111111127d09p-7,  0x1.6c16c184a9d23p-10, 0x1.a01a012aa8e77p-13,
                             0x1.a01998b27e796p-16, 0x1.71df22fd74365p-19, 0x1.28aeb476caa8dp-22,
                             0x1.ad85bb7fcf4dap-26};

// e^r - 1 ≈ r + r² q(r), relative to e^r - 1: 2^-26.1 and 2^-61.5.
constexpr double expm1F32[] = {0x1.fffffep-2, 0x1.5554aep-3, 0x1.555712p-5, 0x1.12292ep-7,
                               0x1.6b79b2p-10};
constexpr double expm1F64[] = {0x1p-1,
                               0x1.5555555555559p-3,
                               0x1.555555555554dp-5,
                               0x1.111111110f63p-7,
                               0x1.6c16c16c1ab0fp-10,
                               0x1.a01a01b01d04fp-13,
                               0x1.a01a018e14p-16,
                               0x1.71ddf7b89cf72p-19,
                               0x1.27e51301d15d1p-22,
                               0x1.af5fe54cc235bp-26,
                               0x1.1f1aea57045bp-29};

// 2^r ≈ 1 + r q(r) on |r| ≤ 1/2, relative error 2^-28.0 and 2^-57.3.
constexpr double exp2F32[] = {0x1.62e43p-1,  0x1.ebfbd8p-3,  0x1.c6af74p-5,
                              0x1.3b3096p-7, 0x1.5f0ca8p-10, 0x1.3fad5ep-13};
constexpr double exp2F64[] = {0x1.62e42fefa39efp-1,  0x1.ebfbdff82c5a6p-3,  0x1.c6b08d704a12cp-5,
                              0x1.3b2ab6fb9fd9dp-7,  0x1.5d87fe789e99p-10,  0x1.4309130f6fc36p-13,
                              0x1.ffcbfc667754fp-17, 0x1.62bfc64f78e84p-20, 0x1.b52522db1abedp-24,
                              0x1.e61d57b37fd08p-28, 0x1.e972f145eece9p-32};

Val polynomialOf(Val x, llvm::ArrayRef<double> single, llvm::ArrayRef<double> wide) {
  return polynomial(x, x.isSingle() ? single : wide);
}

/// An integer n as a float, and in the low bits of `bits` n plus twice the exponent's bias.
struct Integer {
  Val n, bits;
};

/// The number whose unit in the last place is 1, plus twice the bias of the exponent.
Val roundingShift(Val x) { return x.lit(0x1.8p23 + 2 * 127, 0x1.8p52 + 2 * 1023); }

/// p · 2^n through 2^⌊n/2⌋ and 2^⌈n/2⌉, so that one rounding makes a denormal or an infinity; 0 where that is known, by
/// a factor of 0, since processors take a hundred times as long for a product that becomes too small.
Val scale(Val p, Integer power, Val isZero) {
  int mantissa = p.isSingle() ? 23 : 52;
  Val half = shiftRight(power.bits, 1);
  Val low = fromBits(shiftLeft(half, mantissa));
  Val high = fromBits(shiftLeft(power.bits - half, mantissa));
  return p * low * select(isZero, high.lit(0.0), high);
}

/// 2^n for n within the normal numbers, less `less`.
Val powerOfTwo(Integer power, int less = 0) {
  int mantissa = power.n.isSingle() ? 23 : 52, bias = power.n.isSingle() ? 127 : 1023;
  return fromBits(shiftLeft(power.bits - (bias + less), mantissa));
}

/// n and r with x = n ln 2 + r, |r| ≤ ln 2 / 2.
std::pair<Integer, Val> reduce(Val x) {
  Val shifted = fma(x, x.lit(0x1.71547652b82fep0), roundingShift(x));
  Val n = shifted - roundingShift(x);
  Val r = fma(n, x.lit(-0x1.62e43p-1, -0x1.62e42fefa39efp-1), x);
  r = fma(n, x.lit(0x1.05c61p-29, -0x1.abc9e3b39803fp-56), r);
  return {{n, toBits(shifted)}, r};
}

/// e^r for |r| ≤ ln 2 / 2.
Val expReduced(Val r) {
  Val q = polynomialOf(r, expF32, expF64);
  return fma(r * r, q, r) + 1.0;
}

Val within(Val x, std::pair<double, double> single, std::pair<double, double> wide) {
  auto [low, high] = x.isSingle() ? single : wide;
  return atMost(atLeast(x, low), high);
}
} // namespace

/// Where e^x is 0.
static Val isExpZero(Val x) { return x < x.lit(-104, -746); }

Val exp(Val x) {
  auto [power, r] = reduce(within(x, {-104, 89}, {-746, 710}));
  return scale(expReduced(r), power, isExpZero(x));
}

Val expScaled(Val x, llvm::function_ref<Val(Val p, Val n, Val isZero)> scaleBy) {
  auto [power, r] = reduce(within(x, {-104, 89}, {-746, 710}));
  return scaleBy(expReduced(r), power.n, isExpZero(x));
}

Val expBounded(Val x) {
  auto [power, r] = reduce(x);
  return expReduced(r) * powerOfTwo(power);
}

Val expSum(Val high, Val low) {
  auto [power, r] = reduce(within(high, {-104, 89}, {-746, 710}));
  return scale(expReduced(r + low), power, isExpZero(high));
}

Val exp2ForSingle(Val x) {
  Val shifted = x + roundingShift(x);
  Val n = shifted - roundingShift(x);
  Val r = x - n;
  return fma(r, polynomial(r, exp2F32), r.lit(1)) * powerOfTwo({n, toBits(shifted)});
}

Val exp2(Val x) {
  Val bounded = within(x, {-151, 129}, {-1076, 1025});
  Val shifted = bounded + roundingShift(x);
  Val n = shifted - roundingShift(x);
  Val r = bounded - n;
  Val p = fma(r, polynomialOf(r, exp2F32, exp2F64), r.lit(1));
  return scale(p, {n, toBits(shifted)}, x < x.lit(-151, -1076));
}

// 2^n (e^r - 1) + (2^n - 1), halved while it is formed so that n = 128 does not overflow early.
Val expm1(Val x) {
  auto [power, r] = reduce(within(x, {-20, 89}, {-40, 710}));
  Val p = fma(r * r, polynomialOf(r, expm1F32, expm1F64), r);
  Val half = powerOfTwo(power, 1);
  Val sum = (half * p + (half - 0.5)) * 2.0; // a product without rounding
  // The sign of x is that of the result, a zero included.
  return copysign(select(power.n == 0.0, p, sum), x);
}

// Where e^-x overflows to infinity the quotient is 0, as it is in the limit.
Val sigmoid(Val x) { return 1.0 / (1.0 + exp(-0.0 - x)); }

} // namespace nnc::vm
