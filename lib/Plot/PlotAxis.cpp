//===- PlotAxis.cpp - Ranges and ticks ------------------------------------===//
//
// Ticks are multiples of 1, 2 or 5 times a power of ten; on a long log axis, powers of ten.
//
//===----------------------------------------------------------------------===//
#include "PlotAxis.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nnc {

PlotAxis PlotAxis::around(const std::vector<double> &values, bool isLog, double padding) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double value : values) {
    // gnuplot's arithmetic needs room above the largest numbers.
    if (!std::isfinite(value) || std::fabs(value) > 1e300 || (isLog && value < 1e-300))
      continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high)
    return {};
  if (isLog) {
    double factor = low == high ? 2 : std::pow(high / low, padding);
    return {low / factor, high * factor, true, padding};
  }
  // A constant is shown in the middle of a range of its size.
  double space = low == high ? std::max(std::fabs(low) * 0.1, 1e-6) : (high - low) * padding;
  return {low - space, high + space, false, padding};
}

/// The smallest of 1, 2 and 5 times a power of ten that divides `length` into at most `parts`.
static double roundStep(double length, int parts) {
  double raw = length / parts, power = std::pow(10, std::floor(std::log10(raw)));
  for (double multiple : {1, 2, 5})
    if (raw <= multiple * power * (1 + 1e-9))
      return multiple * power;
  return 10 * power;
}

static std::vector<double> logTicks(double low, double high) {
  std::vector<double> ticks;
  int first = int(std::floor(std::log10(low))), last = int(std::ceil(std::log10(high)));
  int stride = std::max(1, (last - first + 5) / 6);
  bool isShort = std::log10(high / low) < 2.5;
  for (int power = first; power <= last; power += isShort ? 1 : stride)
    for (double multiple : {1, 2, 5})
      if (double tick = multiple * std::pow(10, power);
          (isShort || multiple == 1) && tick >= low && tick <= high)
        ticks.push_back(tick);
  return ticks;
}

std::vector<double> PlotAxis::ticks() const {
  if (isLog) {
    std::vector<double> ticks = logTicks(low, high);
    // Within a decade, even steps name more values than 1, 2 and 5 do.
    if (ticks.size() >= 4 || high / low > 10)
      return ticks;
  }
  std::vector<double> ticks;
  double step = roundStep(high - low, 6);
  double first = std::ceil(low / step - 1e-9), last = std::floor(high / step + 1e-9);
  // Near the ends of double's precision there is nothing between two ticks.
  if (!(last - first <= 20))
    return {low, high};
  for (int i = 0; i <= int(last - first); ++i) {
    // Not -0, and not 0.30000000000000004.
    double multiple = std::round(first + i);
    ticks.push_back(multiple == 0 ? 0 : multiple * step);
  }
  return ticks;
}

} // namespace nnc
