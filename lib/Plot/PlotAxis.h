//===- PlotAxis.h - Ranges and ticks -----------------------------*- C++ -*-===//
//
// Where an axis begins and ends, and which values it names: round ones, few enough to be read.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_PLOT_PLOTAXIS_H
#define NNC_LIB_PLOT_PLOTAXIS_H

#include <string>
#include <vector>

namespace nnc {

struct PlotAxis {
  double low = 0, high = 1;
  bool isLog = false;
  /// The part of the length (on a log axis, of the decades) to leave free at both ends.
  double padding = 0.04;

  /// The axis that holds the finite values among these (on a log axis the positive ones). An axis
  /// of nothing is [0, 1] and not logarithmic.
  static PlotAxis around(const std::vector<double> &values, bool isLog, double padding);

  std::vector<double> ticks() const;
};

} // namespace nnc

#endif // NNC_LIB_PLOT_PLOTAXIS_H
