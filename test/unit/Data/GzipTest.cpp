//===- GzipTest.cpp - Files that may be compressed ------------------------===//
//
// Members one after another, and every way in which compressed data can be wrong.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Gzip.h"
#include "Compress.h"
#include "Damage.h"

using namespace nnc;

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

TEST(Gzip, KeepsWhatComesBeforeDamage) {
  std::string large;
  for (int i = 0; i < 100000; ++i)
    large += std::to_string(i);
  std::string bytes = gzip(large);
  EXPECT_EQ(decompress(bytes).bytes, large);
  EXPECT_FALSE(decompress(bytes).damage);
  EXPECT_EQ(decompress("plain").bytes, "plain");
  FileContent cut = decompress(bytes.substr(0, bytes.size() / 2));
  ASSERT_TRUE(cut.damage);
  EXPECT_EQ(cut.damage->str(),
            "error: expected the end of the gzip data, found the end of the file\n"
            "help: the file may be cut short");
  EXPECT_GT(cut.bytes.size(), large.size() / 3);
  EXPECT_EQ(cut.bytes, large.substr(0, cut.bytes.size()));
}
