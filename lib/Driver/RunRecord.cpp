//===- RunRecord.cpp - What a training recorded ---------------------------===//
//
// Appending, finding, and which evaluation was the best.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/RunRecord.h"

#include <cmath>

namespace nnc {

void Series::append(const Tensor &tensor, int64_t times) {
  for (int64_t index = 0; index < times * width(); ++index)
    values.push_back(tensor.at(index));
}

const Series *findSeries(const History &history, const std::string &name) {
  for (const Series &series : history)
    if (series.name == name)
      return &series;
  return nullptr;
}

int64_t RunRecord::best(const KeepPlan &keep, double minDelta) const {
  const Series *series = findSeries(evaluations, keep.quantity);
  int64_t best = -1;
  double bestValue = 0;
  for (int64_t index = 0; series && index < series->length(); ++index) {
    double value = keep.isMax ? series->values[index] : -series->values[index];
    if (!std::isnan(value) && (best < 0 || value > bestValue + minDelta)) {
      best = index;
      bestValue = value;
    }
  }
  return best;
}

} // namespace nnc
