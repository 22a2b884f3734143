//===- TestRun.h - Running the tests of a file ------------------*- C++ -*-===//
#ifndef NNC_TOOLS_NNC_TESTRUN_H
#define NNC_TOOLS_NNC_TESTRUN_H

#include "nnc/Driver/Testing.h"

#include <map>

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

/// The parameters of models, by name.
using States = std::map<std::string, State *>;

/// Runs tests, prints their outcome, and returns the exit status. A test of a model that has no
/// parameters in `states` is skipped.
int runTests(Session &session, const TestRunOptions &options, const States &states);

} // namespace nnc

#endif // NNC_TOOLS_NNC_TESTRUN_H
