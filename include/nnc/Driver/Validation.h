//===- Validation.h - Evaluating a model on other data ----------*- C++ -*-===//
//
// The loss and the metrics of a training on its validation data, with `training` false. The model
// sees a batch at a time, the metrics see all rows.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_VALIDATION_H
#define NNC_DRIVER_VALIDATION_H

#include "nnc/Driver/Training.h"

namespace nnc {

class Validation {
public:
  /// `executable` holds the plan's functions `evaluate` and, if there is one, `predict`.
  Validation(const TrainPlan &plan, Executable &executable, LoadedData data, int64_t seed)
      : plan(plan), executable(executable), data(std::move(data)), seed(seed) {}

  /// The loss and the metrics with the parameters and states that `training` has now, which stay as they are.
  std::optional<std::vector<NamedTensor>> run(Training &training, std::string &error);

  const LoadedData &validationData() const { return data; }
  /// What the model gave for each row in the last run; empty if the evaluation is not split.
  const std::vector<NamedTensor> &outputs() const { return predictions; }

private:
  bool predict(Training &training, Tensor &key, std::string &error);
  std::optional<std::vector<NamedTensor>> call(const std::string &function, Training &training,
                                               std::map<std::string, Tensor *> arguments,
                                               Tensor &key, std::string &error);
  void keepOutputs(std::vector<NamedTensor> &results, int64_t first, int64_t count);

  const TrainPlan &plan;
  Executable &executable;
  LoadedData data;
  int64_t seed;
  std::vector<NamedTensor> predictions;
};

} // namespace nnc

#endif // NNC_DRIVER_VALIDATION_H
