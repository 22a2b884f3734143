//===- FileTest.cpp - Whole files, read and written at once ---------------===//
//
// A write is all or nothing, leaves no temporary behind, and says why it failed.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/File.h"

#include "gtest/gtest.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace nnc;
namespace fs = std::filesystem;

namespace {
class File : public testing::Test {
protected:
  void SetUp() override {
    directory = fs::path(testing::TempDir()) /
                ("nnc-file-" + std::to_string(getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(directory);
  }
  void TearDown() override { fs::remove_all(directory); }
  std::string path(const std::string &name) const { return (directory / name).string(); }
  long numFiles() const {
    return std::distance(fs::directory_iterator(directory), fs::directory_iterator());
  }

  fs::path directory;
};
} // namespace

TEST_F(File, RoundTrips) {
  for (const std::string &bytes :
       {std::string(), std::string("a\0b", 3), std::string(1 << 20, 'x')}) {
    ASSERT_TRUE(writeFileAtomically(path("f"), bytes));
    Result<std::string> read = readFile(path("f"));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, bytes);
  }
  EXPECT_EQ(numFiles(), 1);
}

TEST_F(File, KeepsPermissionsAndFollowsLinks) {
  ASSERT_TRUE(writeFileAtomically(path("f"), "old"));
  ASSERT_EQ(::chmod(path("f").c_str(), 0640), 0);
  fs::create_symlink("f", directory / "link");
  ASSERT_TRUE(writeFileAtomically(path("link"), "new"));
  EXPECT_TRUE(fs::is_symlink(directory / "link"));
  EXPECT_EQ(*readFile(path("f")), "new");
  struct stat info;
  ASSERT_EQ(::stat(path("f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(File, GivesNewFilesTheUsualPermissions) {
  mode_t mask = ::umask(022);
  ASSERT_TRUE(writeFileAtomically(path("f"), ""));
  ::umask(mask);
  struct stat info;
  ASSERT_EQ(::stat(path("f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
}

TEST_F(File, WritesToADevice) { EXPECT_TRUE(writeFileAtomically("/dev/null", "abc")); }

TEST_F(File, SaysWhyItFails) {
  EXPECT_EQ(readFile(path("none")).error().str(),
            path("none") + ": error: cannot read: no such file or directory");
  EXPECT_EQ(readFile(directory.string()).error().str(),
            directory.string() + ": error: expected a file, found a directory");
  EXPECT_EQ(writeFileAtomically(path("none/f"), "").error().str(),
            path("none/f") + ": error: cannot write: no such file or directory");
  EXPECT_EQ(writeFileAtomically(directory.string(), "").error().str(),
            directory.string() + ": error: expected a file to write, found a directory");
  EXPECT_EQ(writeFileAtomically("/dev/full", "abc").error().str(),
            "/dev/full: error: cannot write: no space left on device");
}

TEST_F(File, LeavesTheOldFileWhenTheDiskIsFull) {
  ASSERT_TRUE(writeFileAtomically(path("f"), "old"));
  auto writeWithoutSpace = [&] {
    // A limit on the size of files stands in for a full disk.
    struct rlimit limit = {4096, 4096};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Status status = writeFileAtomically(path("f"), std::string(1 << 20, 'x'));
    std::exit(!status && *readFile(path("f")) == "old" && numFiles() == 1 ? 0 : 1);
  };
  EXPECT_EXIT(writeWithoutSpace(), testing::ExitedWithCode(0), "");
}
