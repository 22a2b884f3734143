//===- Testing.h - Running a test declaration -------------------*- C++ -*-===//
#ifndef NNC_DRIVER_TESTING_H
#define NNC_DRIVER_TESTING_H

#include "nnc/Driver/Session.h"
#include "nnc/Driver/Training.h"

namespace nnc {

struct TestOutcome {
  /// Values recorded by name.
  std::vector<NamedTensor> values;
  /// What each plot needs: "plot.NAME.ARGUMENT".
  std::vector<NamedTensor> plotValues;
  unsigned passed = 0, failed = 0;
};

/// Runs `plan` on all of its data at once, with the model's parameters in `state` where it has a
/// model. Each expectation that fails is a diagnostic at its place, with both sides' values. None
/// if the test could not be run.
std::optional<TestOutcome> runTest(Session &session, const TestPlan &plan, State *state,
                                   int64_t seed);

/// Fills `state` for `model` from its init function.
std::optional<State> initialState(Session &session, const ModelPlan &model, int64_t seed);

/// The model's parameters from a .safetensors file; names, types and shapes must agree. None, with
/// a diagnostic, otherwise.
std::optional<State> readState(Session &session, const ModelPlan &model, const std::string &path);

} // namespace nnc

#endif // NNC_DRIVER_TESTING_H
