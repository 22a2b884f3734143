//===- Random.h - The random numbers of a key -------------------*- C++ -*-===//
//
// Counter-based random numbers: a number is a function of (seed, step), of the stream of the call
// and of the element's index, so that it does not depend on the order of computation. The bits are
// those of Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3,
// SC 2011). Generated code computes the same; this is the definition.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SUPPORT_RANDOM_H
#define NNC_SUPPORT_RANDOM_H

#include <array>
#include <cmath>
#include <cstdint>

namespace nnc {

using PhiloxWords = std::array<uint32_t, 4>;

/// Ten rounds of Philox 4x32.
inline PhiloxWords philox(PhiloxWords counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t left = uint64_t(0xD2511F53) * counter[0], right = uint64_t(0xCD9E8D57) * counter[2];
    counter = {uint32_t(right >> 32) ^ counter[1] ^ key[0], uint32_t(right),
               uint32_t(left >> 32) ^ counter[3] ^ key[1], uint32_t(left)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// The words of element `index` of the call `stream`: (seed, step) are the elements of its key.
inline PhiloxWords randomWords(int64_t seed, int64_t step, int64_t stream, int64_t index) {
  return philox(
      {uint32_t(index), uint32_t(uint64_t(index) >> 32), uint32_t(stream), uint32_t(step)},
      {uint32_t(seed), uint32_t(uint64_t(seed) >> 32)});
}

/// The random integer below 2^24 (for f32 and narrower) or below 2^53 (for f64) in `words`.
inline uint64_t randomBits24(const PhiloxWords &words) { return words[0] >> 8; }
inline uint64_t randomBits53(const PhiloxWords &words) {
  return ((uint64_t(words[0]) << 32) | words[1]) >> 11;
}

/// In [0, 1): for uniform numbers.
inline double unitInterval24(const PhiloxWords &words) {
  return double(randomBits24(words)) * 0x1p-24;
}
inline double unitInterval53(const PhiloxWords &words) {
  return double(randomBits53(words)) * 0x1p-53;
}
/// The coefficients of AS 241's PPND16, from the constant term up.
namespace wichura {
inline constexpr double centerTop[8] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                        1.9715909503065514427e3, 1.3731693765509461125e4,
                                        4.5921953931549871457e4, 6.7265770927008700853e4,
                                        3.3430575583588128105e4, 2.5090809287301226727e3};
inline constexpr double centerBottom[8] = {1.0,
                                           4.2313330701600911252e1,
                                           6.8718700749205790830e2,
                                           5.3941960214247511077e3,
                                           2.1213794301586595867e4,
                                           3.9307895800092710610e4,
                                           2.8729085735721942674e4,
                                           5.2264952788528545610e3};
inline constexpr double middleTop[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                        5.76949722146069140550e0,  3.64784832476320460504e0,
                                        1.27045825245236838258e0,  2.41780725177450611770e-1,
                                        2.27238449892691845833e-2, 7.74545014278341407640e-4};
inline constexpr double middleBottom[8] = {1.0,
                                           2.05319162663775882187e0,
                                           1.67638483018380384940e0,
                                           6.89767334985100004550e-1,
                                           1.48103976427480074590e-1,
                                           1.51986665636164571966e-2,
                                           5.47593808499534494600e-4,
                                           1.05075007164441684324e-9};
inline constexpr double tailTop[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                      1.78482653991729133580e0,  2.96560571828504891230e-1,
                                      2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                      2.71155556874348757815e-5, 2.01033439929228813265e-7};
inline constexpr double tailBottom[8] = {1.0,
                                         5.99832206555887937690e-1,
                                         1.36929880922735805310e-1,
                                         1.48753612908506148525e-2,
                                         7.86869131145613259100e-4,
                                         1.84631831751005468180e-5,
                                         1.42151175831644588870e-7,
                                         2.04426310338993978564e-15};
} // namespace wichura

/// The number below which a standard normal random number lies with probability `p`: algorithm
/// AS 241, PPND16 (Wichura, Applied Statistics 37, 1988), about 1 part in 10^16.
inline double normalQuantile(double p) {
  using namespace wichura;
  auto ratio = [](double x, const double (&top)[8], const double (&bottom)[8]) {
    double numerator = top[7], denominator = bottom[7];
    for (int power = 6; power >= 0; --power) {
      numerator = numerator * x + top[power];
      denominator = denominator * x + bottom[power];
    }
    return numerator / denominator;
  };
  double q = p - 0.5;
  if (std::fabs(q) <= 0.425)
    return q * ratio(0.180625 - q * q, centerTop, centerBottom);
  double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  double tail =
      r <= 5 ? ratio(r - 1.6, middleTop, middleBottom) : ratio(r - 5, tailTop, tailBottom);
  return q < 0 ? -tail : tail;
}

/// The normal number of a random integer below 2^bits: the quantile at the middle of its step. From
/// the nearer end, where that is exact; the other half mirrors it.
inline double normalOfBits(uint64_t number, int bits) {
  uint64_t half = uint64_t(1) << (bits - 1);
  bool isLow = number < half;
  uint64_t fromEnd = isLow ? number : 2 * half - 1 - number;
  double x = normalQuantile(std::ldexp(double(fromEnd) + 0.5, -bits));
  return isLow ? x : -x;
}
inline double normal24(const PhiloxWords &words) { return normalOfBits(randomBits24(words), 24); }
inline double normal53(const PhiloxWords &words) { return normalOfBits(randomBits53(words), 53); }

} // namespace nnc

#endif // NNC_SUPPORT_RANDOM_H
