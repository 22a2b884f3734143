//===- IdxTest.cpp - Arrays as MNIST has them -----------------------------===//
//
// Every element type, plain and gzipped, and what is said of files that are wrong.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Idx.h"
#include "Compress.h"
#include "Damage.h"
#include "Scratch.h"
#include "nnc/Support/File.h"

using namespace nnc;

/// The header: two zeros, type, rank, sizes.
static std::string header(int type, const std::vector<uint32_t> &shape) {
  std::string bytes = {0, 0, char(type), char(shape.size())};
  for (uint32_t size : shape)
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes += char(size >> shift);
  return bytes;
}

/// Three images of 2 x 2.
static std::string good() {
  return header(8, {3, 2, 2}) + std::string("\0\1\2\3\4\5\6\7\x8\x9\xa\xff", 12);
}

static std::string errorOf(const std::string &bytes) {
  Result<Tensor> tensor = parseIdx(bytes, "f.idx");
  return tensor ? "no error" : tensor.error().str();
}

TEST(Idx, ReadsEveryType) {
  EXPECT_EQ(*parseIdx(good(), "f"),
            Tensor::of<uint8_t>({3, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}));
  EXPECT_EQ(*parseIdx(header(9, {2}) + "\x7f\xff", "f"), Tensor::of<int8_t>({2}, {127, -1}));
  EXPECT_EQ(*parseIdx(header(0xb, {2}) + std::string("\1\2\xff\xfe", 4), "f"),
            Tensor::of<int32_t>({2}, {258, -2}));
  EXPECT_EQ(*parseIdx(header(0xc, {1, 1}) + std::string("\xff\xff\xff\xfd", 4), "f"),
            Tensor::of<int32_t>({1, 1}, {-3}));
  EXPECT_EQ(*parseIdx(header(0xd, {1}) + std::string("\x3f\xc0\0\0", 4), "f"),
            Tensor::of<float>({1}, {1.5}));
  EXPECT_EQ(*parseIdx(header(0xe, {1}) + std::string("\xc0\x04\0\0\0\0\0\0", 8), "f"),
            Tensor::of<double>({1}, {-2.5}));
  EXPECT_EQ(*parseIdx(header(8, {}) + "\5", "f"), Tensor::scalar<uint8_t>(5));
  EXPECT_EQ(*parseIdx(header(8, {0, 7}), "f"), Tensor(ElementType::U8, {0, 7}));
}

TEST(Idx, ReadsCompressedFiles) {
  Scratch scratch;
  ASSERT_TRUE(writeFileAtomically(scratch.path("a.gz"), gzip(good())));
  EXPECT_EQ(*readIdx(scratch.path("a.gz")), *parseIdx(good(), "f"));
  EXPECT_EQ(readIdx(scratch.path("b")).error().str(),
            scratch.path("b") + ": error: cannot read: no such file or directory");
}

TEST(Idx, SaysWhatIsWrong) {
  EXPECT_EQ(errorOf(""), "f.idx: error: expected an IDX file, which begins with two zero bytes, "
                         "found 0 bytes");
  EXPECT_EQ(errorOf("1,2,3"), "f.idx: error: expected an IDX file, which begins with two zero "
                              "bytes, found bytes 49 and 44");
  EXPECT_EQ(
      errorOf(header(7, {1}) + "x"),
      "f.idx: error: in the header: expected an element type 8, 9, 11, 12, 13 or 14, found 7");
  EXPECT_EQ(errorOf(header(8, {1, 2, 3}).substr(0, 10)),
            "f.idx: error: in the header: expected 16 bytes for 3 dimensions, found 10\n"
            "help: the file may be cut short");
  EXPECT_EQ(errorOf(header(8, {0xffffffff, 0xffffffff, 0xffffffff})),
            "f.idx: error: in the header: expected a size that memory can hold, found [4294967295, "
            "4294967295, 4294967295]");
  EXPECT_EQ(errorOf(good() + "x"),
            "f.idx: error: expected 12 bytes of data for [3, 2, 2], found 13");
}

TEST(Idx, NamesTheRecordThatIsCut) {
  EXPECT_EQ(errorOf(good().substr(0, 16 + 6)),
            "f.idx: error: in record 2 of 3: expected 12 bytes of data for [3, 2, 2], found 6\n"
            "help: the file may be cut short");
  EXPECT_EQ(errorOf(good().substr(0, 16)),
            "f.idx: error: in record 1 of 3: expected 12 bytes of data for [3, 2, 2], found 0\n"
            "help: the file may be cut short");
  // In compressed data too.
  std::string noise;
  for (uint32_t i = 0, state = 1; i < 100 * 784; ++i)
    noise += char((state = state * 1664525 + 1013904223) >> 24);
  std::string large = gzip(header(8, {100, 28, 28}) + noise);
  EXPECT_EQ(
      errorOf(large.substr(0, large.size() / 2)),
      "f.idx: error: in record 50 of 100: expected the end of the gzip data, found the end of "
      "the file\nhelp: the file may be cut short");
  std::string bad = gzip(good());
  bad[bad.size() - 8] ^= 1;
  EXPECT_EQ(errorOf(bad), "f.idx: error: in the data: expected gzip data, found a damaged file "
                          "(incorrect data check)");
}

TEST(Idx, SurvivesDamage) {
  for (const std::string &bytes : {good(), gzip(good())}) {
    truncateEverywhere(bytes, [](const std::string &cut) { EXPECT_NE(errorOf(cut), "no error"); });
    mutate(bytes, 2000, [](const std::string &changed) { errorOf(changed); });
  }
}
