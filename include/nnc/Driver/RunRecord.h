//===- RunRecord.h - What a training recorded -------------------*- C++ -*-===//
//
// The values of each step, from which reports, logs and plots are made: these are functions of the
// record alone, so that a run that was cut off and resumed shows the same.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_RUNRECORD_H
#define NNC_DRIVER_RUNRECORD_H

#include "nnc/Data/Tensor.h"

#include <string>
#include <vector>

namespace nnc {

/// What one name was, time after time, flattened: `width` numbers each time.
struct Series {
  std::string name;
  std::string role; ///< "loss" or "record"
  TensorShape shape;
  std::vector<double> values;

  int64_t width() const { return std::max<int64_t>(numElements(shape).value_or(1), 1); }
  int64_t length() const { return int64_t(values.size()) / width(); }
  /// Appends `times` values, the first dimension of `tensor`.
  void append(const Tensor &tensor, int64_t times);
};

using History = std::vector<Series>;

} // namespace nnc

#endif // NNC_DRIVER_RUNRECORD_H
