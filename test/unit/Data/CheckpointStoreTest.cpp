//===- CheckpointStoreTest.cpp - Checkpoints in a folder ------------------===//
//
// Whatever call fails or is the last one, a whole checkpoint is there afterwards; whatever byte is
// damaged, it is noticed.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/CheckpointStore.h"
#include "FaultyCalls.h"
#include "nnc/Support/File.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <unistd.h>

using namespace nnc;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {
class Checkpoints : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "nnc-checkpoints-" + std::to_string(getpid());
    fs::remove_all(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  /// A checkpoint that tells its step.
  static Safetensors content(int64_t step) {
    return {{{"w", Tensor::of<double>({3}, {double(step), 1, 2})}}, {{"model", "m"}}};
  }
  CheckpointStore open(FileCalls &calls = FileCalls::system()) {
    return std::move(*CheckpointStore::open(folder, calls));
  }
  void writeAll(std::initializer_list<int64_t> steps) {
    CheckpointStore store = open();
    for (int64_t step : steps)
      ASSERT_TRUE(store.write(step, content(step)));
  }
  /// The step that the newest whole checkpoint holds, -1 if there is none.
  int64_t newest(size_t *numDamaged = nullptr) {
    std::vector<Error> damaged;
    Result<std::optional<Checkpoint>> found = open().readNewest(damaged);
    if (numDamaged)
      *numDamaged = damaged.size();
    if (!found || !*found)
      return -1;
    EXPECT_EQ((*found)->content.find("w")->at(0), double((*found)->step));
    return (*found)->step;
  }

  std::string folder;
};
} // namespace

TEST_F(Checkpoints, KeepsTheLastTwo) {
  EXPECT_EQ(newest(), -1);
  writeAll({100, 200, 300});
  EXPECT_THAT(open().steps(), ElementsAre(200, 300));
  EXPECT_EQ(newest(), 300);
}

TEST_F(Checkpoints, NoticesEveryDamagedByte) {
  std::string bytes = *formatChecked(content(7));
  ASSERT_TRUE(parseChecked(bytes, "f"));
  for (size_t place = 0; place < bytes.size(); ++place)
    for (int bit : {0, 3, 7}) {
      std::string damaged = bytes;
      damaged[place] = char(damaged[place] ^ 1 << bit);
      EXPECT_FALSE(parseChecked(damaged, "f")) << "byte " << place;
    }
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parseChecked(bytes.substr(0, size), "f")) << "the first " << size << " bytes";
  EXPECT_FALSE(parseChecked(bytes + '\0', "f"));
}

TEST_F(Checkpoints, GoesBackToTheOneBefore) {
  writeAll({100, 200});
  std::string path = open().pathOf(200);
  fs::resize_file(path, fs::file_size(path) - 1);
  std::vector<Error> damaged;
  CheckpointStore store = open();
  Result<std::optional<Checkpoint>> found = store.readNewest(damaged);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->step, 100);
  ASSERT_EQ(damaged.size(), 1u);
  EXPECT_THAT(damaged[0].str(),
              HasSubstr("step-000000200.safetensors: error: expected the checksum"));
  EXPECT_THAT(damaged[0].str(), HasSubstr("help: the file is damaged, or cut short"));
  // A damaged file is not one of the last two.
  ASSERT_TRUE(store.write(150, content(150)));
  EXPECT_THAT(store.steps(), ElementsAre(100, 150));
}

TEST_F(Checkpoints, SaysThatNoneIsWhole) {
  writeAll({100, 200});
  for (int64_t step : {100, 200})
    fs::resize_file(open().pathOf(step), 0);
  std::vector<Error> damaged;
  Result<std::optional<Checkpoint>> found = open().readNewest(damaged);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().str(), folder + ": error: expected a checkpoint that is whole, found 2 "
                                          "that are damaged");
  EXPECT_EQ(damaged.size(), 2u);
}

TEST_F(Checkpoints, IsForOneProcess) {
  CheckpointStore first = open();
  Result<CheckpointStore> second = CheckpointStore::open(folder);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().str(), folder + ": error: expected a folder for this training alone, "
                                           "found one that another is using");
}

TEST_F(Checkpoints, RemovesWhatAKilledProcessLeft) {
  writeAll({100});
  ASSERT_TRUE(writeFileAtomically(folder + "/step-000000200.safetensors.a1B2c3", "half"));
  ASSERT_TRUE(writeFileAtomically(folder + "/notes.a1B2c3", "mine"));
  EXPECT_EQ(newest(), 100);
  EXPECT_FALSE(fs::exists(folder + "/step-000000200.safetensors.a1B2c3"));
  EXPECT_TRUE(fs::exists(folder + "/notes.a1B2c3"));
}

/// Writes step 300 over the checkpoints of 100 and 200, with a fault at every call in turn.
TEST_F(Checkpoints, SurvivesEveryFailedCall) {
  using Fault = FaultyCalls::Fault;
  int faults = 0;
  for (Fault fault : {Fault::Fails, Fault::WritesShort, Fault::Ends})
    for (int code : {ENOSPC, EIO, EDQUOT})
      for (int place = 0;; ++place) {
        fs::remove_all(folder);
        writeAll({100, 200});
        FaultyCalls calls(fault, place, code);
        Status written;
        {
          CheckpointStore store = open(calls);
          written = store.write(300, content(300));
        }
        if (!calls.hasFailed()) {
          EXPECT_TRUE(written);
          break;
        }
        ++faults;
        if (fault == Fault::Ends)
          calls.loseUnsynced();
        size_t numDamaged = 0;
        int64_t step = newest(&numDamaged);
        EXPECT_EQ(numDamaged, 0u) << "call " << place;
        EXPECT_TRUE(step == 300 || (step == 200 && !written)) << "call " << place << ": " << step;
        if (fault == Fault::WritesShort)
          EXPECT_TRUE(written) << "call " << place;
        if (!written) {
          EXPECT_THAT(written.error().str(), HasSubstr("cannot write: " + systemReason(code)));
          EXPECT_THAT(written.error().str(),
                      HasSubstr("the checkpoint of step 200 is still there"));
        }
        // The training goes on, and its next checkpoint is written.
        ASSERT_TRUE(open().write(400, content(400)));
        EXPECT_EQ(newest(), 400);
        EXPECT_EQ(open().steps().size(), 2u);
      }
  EXPECT_GE(faults, 60);
  RecordProperty("faults", faults);
}
