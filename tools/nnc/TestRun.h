//===- TestRun.h - Running the tests of a file ------------------*- C++ -*-===//
#ifndef NNC_TOOLS_NNC_TESTRUN_H
#define NNC_TOOLS_NNC_TESTRUN_H

#include "nnc/Driver/Testing.h"

namespace nnc {

struct TestRunOptions {
  /// Only tests of this model, if not empty.
  std::string model;
  /// Leave out tests that need no model.
  bool onlyWithModel = false;
  /// Folder for plots; none if empty.
  std::string plots;
  int64_t seed = 0;
};

/// Runs tests, prints their outcome, and returns the exit status. `state` holds the parameters of
/// `options.model`, or is null.
int runTests(Session &session, const TestRunOptions &options, State *state);

} // namespace nnc

#endif // NNC_TOOLS_NNC_TESTRUN_H
