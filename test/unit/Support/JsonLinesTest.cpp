//===- JsonLinesTest.cpp - Logs of one JSON object a line -----------------===//
//
// What values look like, that numbers come back as they were, and files that are gone on with.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/JsonLines.h"
#include "nnc/Support/File.h"

#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <unistd.h>

using namespace nnc;

namespace {
class JsonLines : public testing::Test {
protected:
  void TearDown() override { std::filesystem::remove(path); }
  std::string content() const { return *readFile(path); }

  std::string path = testing::TempDir() + "nnc-log-" + std::to_string(getpid()) + ".jsonl";
};
} // namespace

TEST(JsonRecord, WritesEachKindOfValue) {
  JsonRecord record;
  record.add("step", 3).add("loss", 0.1).add("rate", 0.1f).add("done", false).add("name", "a\"\n");
  record.add("path", std::vector<double>{1, 2.5}).add("none", std::vector<double>());
  EXPECT_EQ(record.str(), "{\"step\":3,\"loss\":0.1,\"rate\":0.1,\"done\":false,\"name\":"
                          "\"a\\\"\\n\",\"path\":[1,2.5],\"none\":[]}");
  EXPECT_EQ(JsonRecord().str(), "{}");
}

TEST(JsonRecord, WritesWhatJsonHasNoNumberFor) {
  JsonRecord record;
  record.add("a", std::nan("")).add("b", HUGE_VAL).add("c", -HUGE_VALF).add("\xff", "\xff");
  EXPECT_EQ(record.str(), "{\"a\":\"NaN\",\"b\":\"Infinity\",\"c\":\"-Infinity\",\"\uFFFD\":"
                          "\"\uFFFD\"}");
}

TEST(JsonRecord, GivesNumbersBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value))
      continue;
    nlohmann::json object = nlohmann::json::parse(JsonRecord().add("x", value).str());
    EXPECT_EQ(object["x"].get<double>(), value);
    float narrow = float(value);
    if (std::isfinite(narrow)) {
      object = nlohmann::json::parse(JsonRecord().add("x", narrow).str());
      EXPECT_EQ(float(object["x"].get<double>()), narrow);
    }
  }
}

TEST_F(JsonLines, WritesLines) {
  Result<JsonLinesFile> file = JsonLinesFile::create(path);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write(JsonRecord().add("step", 1)));
  EXPECT_EQ(content(), "{\"step\":1}\n");
  ASSERT_TRUE(file->write(JsonRecord().add("step", 2)));
  EXPECT_EQ(content(), "{\"step\":1}\n{\"step\":2}\n");
  ASSERT_TRUE(JsonLinesFile::create(path));
  EXPECT_EQ(content(), "");
}

TEST_F(JsonLines, GoesOn) {
  for (const std::string &start : {std::string(), std::string("{}\n"), std::string("{}\n{\"st"),
                                   "{}\n" + std::string(10000, 'x'), std::string("{\"step\"")}) {
    ASSERT_TRUE(writeFileAtomically(path, start));
    Result<JsonLinesFile> file = JsonLinesFile::append(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(JsonRecord().add("step", 2)));
    EXPECT_EQ(content(),
              std::string(start[0] == '{' && start[1] == '}' ? "{}\n" : "") + "{\"step\":2}\n");
  }
}

TEST_F(JsonLines, SaysWhyItFails) {
  EXPECT_EQ(JsonLinesFile::create("/nonexistent/log").error().str(),
            "/nonexistent/log: error: cannot write: no such file or directory");
  Result<JsonLinesFile> full = JsonLinesFile::append("/dev/full");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->write(JsonRecord()).error().str(),
            "/dev/full: error: cannot write: no space left on device");
}
