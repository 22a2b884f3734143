//===- TemporaryFileTest.cpp - Files that go when their scope ends --------===//
#include "nnc/Support/TemporaryFile.h"

#include "nnc/Support/File.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

namespace nnc {
namespace {

TEST(TemporaryFile, HoldsTheBytesAndGoes) {
  std::string path;
  {
    Result<TemporaryFile> file = TemporaryFile::make(".ptx", std::string("a\0b", 3));
    ASSERT_TRUE(file);
    path = file->path();
    EXPECT_EQ(path.substr(path.size() - 4), ".ptx");
    EXPECT_EQ(*readFile(path), std::string("a\0b", 3));
    TemporaryFile moved = std::move(*file);
    EXPECT_EQ(moved.path(), path);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TemporaryFile, SaysWhyThereIsNone) {
  const char *folder = std::getenv("TMPDIR");
  std::string before = folder ? folder : "/tmp";
  setenv("TMPDIR", "/nowhere", 1);
  Result<TemporaryFile> file = TemporaryFile::make("");
  setenv("TMPDIR", before.c_str(), 1);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().what(), "cannot write a temporary file: no such file or directory");
}

} // namespace
} // namespace nnc
