// tanh, of f32 and f64.
//
// Below 0.55 an odd minimax polynomial, x + x³ P(x²); from there 1 - 2 / (e^2|x| + 1), where the
// error of the exponential is divided by more than it is multiplied. Both are evaluated, one is
// selected. Coefficients: utils/minimax.sollya.
//
// Greatest error measured, in ulp (f32, f64): 1.45, 1.46.
#include "VectorMath.h"

namespace nnc::vm {

namespace {
// tanh x ≈ x + x³ P(x²) on |x| ≤ 0.55, relative error 2^-29.7 and 2^-60.6.
constexpr double tanhF32[] = {-0x1.55554ap-2, 0x1.110dp-3, -0x1.b92358p-5, 0x1.5918a4p-6,
                              -0x1.9a79bap-8};
constexpr double tanhF64[] = {-0x1.555555555554fp-2,  0x1.1111111110794p-3,  -0x1.ba1ba1b97d0ep-5,
                              0x1.664f4859598d1p-6,   -0x1.226e2f11e98b2p-7, 0x1.d6d29b3a9be7ep-9,
                              -0x1.7d8fcf79b25dfp-10, 0x1.34838ed8def68p-11, -0x1.e96e9aaa7d2cdp-13,
                              0x1.5d71385dfb6a7p-14,  -0x1.4709c2bd57d9fp-16};
} // namespace

Val tanh(Val x) {
  Val magnitude = abs(x);
  // From 9.1 (f32) or 19.1 (f64) on the result rounds to 1.
  Val bounded = atMost(magnitude, x.isSingle() ? 10 : 20);
  Val large = 1.0 - 2.0 / (expBounded(bounded * 2.0) + 1.0);
  Val square = x * x;
  llvm::ArrayRef<double> coefficients = tanhF64;
  if (x.isSingle())
    coefficients = tanhF32;
  Val small = fma(magnitude * square, polynomial(square, coefficients), magnitude);
  return copysign(select(magnitude < 0.55, small, large), x);
}

} // namespace nnc::vm
