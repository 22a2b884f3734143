//===- Scratch.h - A folder for one test -------------------------*- C++ -*-===//
//
// Made when the test starts and removed with all that is in it when the test ends.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_TEST_UNIT_DATA_SCRATCH_H
#define NNC_TEST_UNIT_DATA_SCRATCH_H

#include "gtest/gtest.h"

#include <filesystem>
#include <string>
#include <unistd.h>

class Scratch {
public:
  Scratch() {
    const testing::TestInfo *test = testing::UnitTest::GetInstance()->current_test_info();
    folder = std::filesystem::path(testing::TempDir()) /
             (std::string("nnc-") + test->test_suite_name() + "-" + test->name() + "-" +
              std::to_string(getpid()));
    std::filesystem::create_directories(folder);
  }
  ~Scratch() { std::filesystem::remove_all(folder); }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  std::string path(const std::string &name = "") const { return (folder / name).string(); }

private:
  std::filesystem::path folder;
};

#endif // NNC_TEST_UNIT_DATA_SCRATCH_H
