//===- GzipTest.cpp - Files that may be compressed ------------------------===//
//
// Members one after another, and every way in which compressed data can be wrong.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Gzip.h"
#include "Damage.h"

#include "gtest/gtest.h"

#include <zlib.h>

using namespace nnc;

static std::string gzip(const std::string &content) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(content.data()));
  stream.avail_in = uInt(content.size());
  stream.next_out = reinterpret_cast<Bytef *>(bytes.data());
  stream.avail_out = uInt(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

TEST(Gzip, Decompresses) {
  std::string large(3 << 20, 'x');
  EXPECT_EQ(*gunzip(gzip(""), "f.gz"), "");
  EXPECT_EQ(*gunzip(gzip("a,b\n"), "f.gz"), "a,b\n");
  EXPECT_EQ(*gunzip(gzip(large), "f.gz"), large);
  EXPECT_EQ(*gunzip(gzip("one") + gzip(" and two"), "f.gz"), "one and two");
}

TEST(Gzip, SaysWhatIsWrong) {
  std::string good = gzip("some text that is compressed");
  EXPECT_EQ(gunzip(good.substr(0, 20), "f.gz").error().str(),
            "f.gz: error: expected the end of the gzip data, found the end of the file\n"
            "help: the file may be cut short");
  std::string bad = good;
  bad[bad.size() - 8] ^= 1;
  EXPECT_EQ(gunzip(bad, "f.gz").error().str(),
            "f.gz: error: expected gzip data, found a damaged file (incorrect data check)");
  EXPECT_EQ(gunzip(good + "rest", "f.gz").error().str(),
            "f.gz: error: expected gzip data, found a damaged file (incorrect header check)");
  EXPECT_EQ(gunzip(gzip(std::string(5000, 'x')), "f.gz", 1000).error().str(),
            "f.gz: error: expected at most 1000 bytes of decompressed data, found more");
}

TEST(Gzip, SurvivesDamage) {
  std::string good = gzip("some text that is compressed");
  truncateEverywhere(good, [](const std::string &bytes) { EXPECT_FALSE(gunzip(bytes, "f.gz")); });
  mutate(good, 2000, [](const std::string &bytes) { (void)bool(gunzip(bytes, "f.gz", 1 << 20)); });
}
