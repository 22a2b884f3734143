// erf, of f32 and f64.
//
// Near zero an odd minimax polynomial; from there 1 - e^P(|x|), where P approximates log erfc so
// that the absolute error of erfc is least: what counts beside 1. Both are evaluated, one is
// selected. The split is that of N. Juffa's erff. Coefficients: utils/minimax.sollya.
//
// Greatest error measured, in ulp (f32, f64): 1.12, 1.03.
#include "VectorMath.h"

namespace nnc::vm {

namespace {
// erf x ≈ x + x P(x²), on |x| ≤ 0.92 (f32) and |x| ≤ 1 (f64), relative error 2^-30.1 and 2^-56.0.
constexpr double smallF32[] = {0x1.06eba8p-3, -0x1.812742p-2,  0x1.ce2decp-4, -0x1.b80cdap-6,
                               0x1.54bb3ap-8, -0x1.a9e392p-11, 0x1.5bd58cp-14};
constexpr double smallF64[] = {
    0x1.06eba8214db68p-3,  -0x1.812746b0379b1p-2,  0x1.ce2f21a04081ep-4,  -0x1.b82ce311eb2e8p-6,
    0x1.565bccf783b69p-8,  -0x1.c02db0064bb23p-11, 0x1.f9a2b5fc15964p-14, -0x1.f4ca0b6fc8e6p-17,
    0x1.b97d74d2f0fc6p-20, -0x1.5bf97757f7cbdp-23, 0x1.d6c10f85a249ep-27, -0x1.aaad1e012a4a3p-31};
// log erfc x, up to where erf rounds to 1; error of erfc 2^-28.0 and 2^-58.7.
constexpr double tailF32[] = {-0x1.b225ep-13, -0x1.20ac3p0,   -0x1.4647b4p-1, -0x1.a9653ap-4,
                              0x1.6b8e86p-6,  -0x1.8da182p-9, 0x1.98d4bp-13};
constexpr double tailF64[] = {
    -0x1.8beba7946487fp-23, -0x1.20dd55664f90bp0,   -0x1.45f432847bba6p-1,  -0x1.a4d9aa902fe98p-4,
    0x1.388e9261d51e6p-6,   0x1.27ee20fb8bcabp-12,  -0x1.d03c35398486ap-10, 0x1.51069eed5ca83p-11,
    -0x1.81757621a6b3p-15,  -0x1.2491783712b22p-14, 0x1.7791de09713ccp-15,  -0x1.138408c76d6c8p-16,
    0x1.20b29ae9d5197p-18,  -0x1.c5c6e3873a0adp-21, 0x1.0c1561aab50a7p-23,  -0x1.d0a43fc2c79ccp-27,
    0x1.1793e192b5e3dp-30,  -0x1.a1fc8ccd9d7d1p-35, 0x1.247b85ff14557p-40};
} // namespace

Val erf(Val x) {
  Val magnitude = abs(x), square = x * x;
  Val bounded = atMost(magnitude, x.isSingle() ? 3.95 : 5.95);
  Val p = x.isSingle() ? polynomial(square, smallF32) : polynomial(square, smallF64);
  Val q = x.isSingle() ? polynomial(bounded, tailF32) : polynomial(bounded, tailF64);
  Val small = fma(magnitude, p, magnitude);
  Val large = 1.0 - expBounded(q);
  return copysign(select(magnitude < x.lit(0.92, 1.0), small, large), x);
}

} // namespace nnc::vm
