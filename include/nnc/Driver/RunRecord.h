//===- RunRecord.h - What a training recorded -------------------*- C++ -*-===//
//
// The values of each step and of each evaluation, from which reports, logs and plots are made: these
// are functions of the record alone, so that a run that was cut off and resumed shows the same.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_RUNRECORD_H
#define NNC_DRIVER_RUNRECORD_H

#include "nnc/Data/Tensor.h"
#include "nnc/Syntax/Program.h"

#include <string>
#include <vector>

namespace nnc {

/// What one name was, time after time, flattened: `width` numbers each time.
struct Series {
  std::string name;
  TensorShape shape;
  std::vector<double> values;

  int64_t width() const { return std::max<int64_t>(numElements(shape).value_or(1), 1); }
  int64_t length() const { return int64_t(values.size()) / width(); }
  bool isScalar() const { return shape.empty(); }
  /// Appends `times` values, the first dimension of `tensor`.
  void append(const Tensor &tensor, int64_t times);
};

using History = std::vector<Series>;

/// The series of that name; null if there is none.
const Series *findSeries(const History &history, const std::string &name);

struct RunRecord {
  /// The loss and what is recorded, at each step.
  History steps;
  /// The loss and the metrics on the validation data, after each of the steps in `evaluatedAt`.
  History evaluations;
  std::vector<int64_t> evaluatedAt;

  /// The index of the evaluation with the best value, the first of equal ones; -1 if there is none.
  /// What is better by less than `minDelta` is no better.
  int64_t best(const KeepPlan &keep, double minDelta = 0) const;
};

} // namespace nnc

#endif // NNC_DRIVER_RUNRECORD_H
