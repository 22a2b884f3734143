//===- TextTest.cpp - Windows of a text -----------------------------------===//
//
// Windows, what comes next, strides, and what is said of files that are wrong.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Text.h"
#include "Compress.h"
#include "Damage.h"
#include "Scratch.h"
#include "nnc/Support/File.h"

#include "gtest/gtest.h"

using namespace nnc;

static std::string errorOf(const std::string &bytes, TextOptions options) {
  Result<Dataset> dataset = parseText(bytes, "f.txt", options);
  return dataset ? "no error" : dataset.error().str();
}

TEST(Text, CutsWindows) {
  Result<Dataset> dataset = parseText("abcdefgh", "f.txt", {3, 3, 256});
  ASSERT_TRUE(dataset) << dataset.error().str();
  EXPECT_EQ(dataset->fields, (std::vector<std::string>{"text", "next"}));
  EXPECT_EQ(*dataset->find("text"), Tensor::of<int64_t>({2, 3}, {97, 98, 99, 100, 101, 102}));
  EXPECT_EQ(*dataset->find("next"), Tensor::of<int64_t>({2, 3}, {98, 99, 100, 101, 102, 103}));
}

TEST(Text, StridesOverlapOrLeaveGaps) {
  Result<Dataset> overlapping = parseText("abcde", "f.txt", {2, 1, 256});
  ASSERT_TRUE(overlapping);
  EXPECT_EQ(*overlapping->find("text"), Tensor::of<int64_t>({3, 2}, {97, 98, 98, 99, 99, 100}));
  Result<Dataset> apart = parseText("abcde", "f.txt", {1, 3, 256});
  ASSERT_TRUE(apart);
  EXPECT_EQ(*apart->find("next"), Tensor::of<int64_t>({2, 1}, {98, 101}));
}

TEST(Text, UsesATextThatJustFits) {
  Result<Dataset> dataset = parseText("abc", "f.txt", {2, 2, 256});
  ASSERT_TRUE(dataset);
  EXPECT_EQ(dataset->numRows(), 1);
  EXPECT_EQ(errorOf("ab", {2, 2, 256}),
            "f.txt: error: expected a window of 2 bytes and the one after it, found a text of 2 "
            "bytes");
}

TEST(Text, ReadsCompressedBytesOfAnyValue) {
  Scratch scratch;
  ASSERT_TRUE(writeFileAtomically(scratch.path("a.gz"), gzip(std::string("\0\xff\x80", 3))));
  Result<Dataset> dataset = readText(scratch.path("a.gz"), {2, 2, 256});
  ASSERT_TRUE(dataset) << dataset.error().str();
  EXPECT_EQ(*dataset->find("next"), Tensor::of<int64_t>({1, 2}, {255, 128}));
}

TEST(Text, SaysWhatIsWrong) {
  EXPECT_EQ(errorOf("", {2, 2, 256}), "f.txt: error: expected a text, found an empty file");
  EXPECT_EQ(errorOf("one\ntwo\xc3\xa9\n", {2, 2, 128}),
            "f.txt:2:4: error: expected bytes below 128, found 195");
  EXPECT_EQ(errorOf("abc", {0, 1, 256}), "error: expected a window of one byte or more, found 0");
  EXPECT_EQ(errorOf("abc", {1, 0, 256}), "error: expected a stride of one byte or more, found 0");
  EXPECT_EQ(errorOf("abc", {1, 1, 257}),
            "error: expected a count of bytes from 1 to 256, found 257");
  EXPECT_EQ(errorOf("abc", {INT64_MAX, 1, 256}),
            "f.txt: error: expected a window of 9223372036854775807 bytes and the one after it, "
            "found a text of 3 bytes");
  std::string bytes = gzip("To be, or not to be");
  EXPECT_EQ(errorOf(bytes.substr(0, bytes.size() - 4), {2, 2, 256}),
            "f.txt: error: in byte 20 of the text: expected the end of the gzip data, found the "
            "end of the file\nhelp: the file may be cut short");
}

TEST(Text, SurvivesDamage) {
  auto read = [](const std::string &bytes) {
    Result<Dataset> dataset = parseText(bytes, "f.txt", {2, 1, 128});
    EXPECT_TRUE(dataset || !dataset.error().what().empty());
  };
  truncateEverywhere(gzip("To be, or not to be"), read);
  mutate(gzip("To be, or not to be, that is the question"), 1000, read);
}
