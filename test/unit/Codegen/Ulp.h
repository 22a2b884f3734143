// How far a computed number is from the exact one.
#ifndef NNC_TEST_UNIT_CODEGEN_ULP_H
#define NNC_TEST_UNIT_CODEGEN_ULP_H

#include <algorithm>
#include <cmath>
#include <limits>

namespace nnc::test {

/// The distance of `got` from `exact` in units of T's last place at `exact`; infinite where one is
/// NaN, infinite or zero and the other is not the same. A result that overflows counts as 2^emax.
template <typename T, typename Wide> double ulpError(T got, Wide exact) {
  const double wrong = std::numeric_limits<double>::infinity();
  using Limits = std::numeric_limits<T>;
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) && std::isnan(got) ? 0 : wrong;
  if (exact == 0 || std::isinf(exact))
    return got == static_cast<T>(exact) && std::signbit(got) == std::signbit(exact) ? 0 : wrong;
  Wide overflow = std::ldexp(Wide(1), Limits::max_exponent);
  Wide value = std::clamp<Wide>(got, -overflow, overflow);
  exact = std::clamp<Wide>(exact, -overflow, overflow);
  int exponent = std::clamp(std::ilogb(exact), Limits::min_exponent - 1, Limits::max_exponent - 1);
  Wide unit = std::ldexp(Wide(1), exponent - Limits::digits + 1);
  return static_cast<double>(std::abs(value - exact) / unit);
}

} // namespace nnc::test

#endif // NNC_TEST_UNIT_CODEGEN_ULP_H
