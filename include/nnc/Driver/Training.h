//===- Training.h - Running a train declaration -----------------*- C++ -*-===//
//
// Draws batches, calls the compiled step, keeps what each step recorded. On all the data at once,
// many steps are one call of compiled code.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TRAINING_H
#define NNC_DRIVER_TRAINING_H

#include "nnc/Driver/DataLoading.h"
#include "nnc/Driver/Executable.h"
#include "nnc/Transforms/RepeatStep.h"

#include <functional>

namespace nnc {

/// What one name was at each step, flattened: `width` numbers a step.
struct Series {
  std::string name;
  std::string role; ///< "loss" or "record"
  TensorShape shape;
  std::vector<double> values;

  int64_t width() const { return std::max<int64_t>(numElements(shape).value_or(1), 1); }
  int64_t steps() const { return int64_t(values.size()) / width(); }
};

using History = std::vector<Series>;

struct TrainingOptions {
  /// Instead of what the file says.
  std::optional<int64_t> epochs, steps;
  int64_t seed = 0;
  /// Called after every `reportEvery` steps, and at the end, with the number of steps done. It may
  /// read the history; returning false stops the training.
  std::function<bool(int64_t step, const History &history)> report;
  std::optional<int64_t> reportEvery;
};

/// The parameters and states of a model by name, in the order of its init function.
using State = std::vector<NamedTensor>;

class Training {
public:
  /// `executable` holds the plan's init and steps functions, `data` its fields.
  Training(const TrainPlan &plan, const std::string &init, Executable &executable, LoadedData data)
      : plan(plan), init(init), executable(executable), data(std::move(data)) {}

  /// Fills the state from the seed.
  bool initialize(int64_t seed, std::string &error);
  bool run(const TrainingOptions &options, std::string &error);

  State &state() { return modelState; }
  const History &history() const { return recorded; }
  /// Steps in an epoch.
  int64_t stepsPerEpoch() const;

  int64_t totalSteps(const TrainingOptions &options) const;

private:
  bool runOnAllData(const TrainingOptions &options, int64_t total, std::string &error);
  bool runOnBatches(const TrainingOptions &options, int64_t total, std::string &error);
  void record(const NamedTensor &result, int64_t steps);
  std::map<std::string, Tensor *> arguments(std::vector<Tensor> &fields, Tensor &key);

  const TrainPlan &plan;
  std::string init;
  Executable &executable;
  LoadedData data;
  State modelState;
  History recorded;
};

} // namespace nnc

#endif // NNC_DRIVER_TRAINING_H
