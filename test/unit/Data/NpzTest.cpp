//===- NpzTest.cpp - Several arrays in a zip file -------------------------===//
//
// Round trips, selection by name, archives that lie, and damaged files.
//
//===----------------------------------------------------------------------===//
#include "Damage.h"
#include "nnc/Data/Dataset.h"
#include "nnc/Data/Npy.h"

#include "gtest/gtest.h"

#include <zlib.h>

using namespace nnc;

static std::vector<NamedTensor> twoArrays() {
  return {{"x", Tensor::of<float>({2, 2}, {1, 2, 3, 4})},
          {"label", Tensor::of<int64_t>({2}, {7, 8})}};
}

static std::string good() { return *formatNpz(twoArrays()); }

static std::string errorOf(const std::string &bytes, const std::vector<std::string> &names = {}) {
  Result<std::vector<NamedTensor>> arrays = parseNpz(bytes, "a.npz", names);
  return arrays ? "no error" : arrays.error().str();
}

/// A zip file of one member, whose fields can be wrong.
static std::string zipOf(const std::string &name, const std::string &content, uint16_t method = 0,
                         uint16_t flags = 0, int64_t claimedSize = -1) {
  auto number = [](uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i)
      text += char(i < 8 ? value >> 8 * i : 0);
    return text;
  };
  uint64_t sum = crc32(0, reinterpret_cast<const Bytef *>(content.data()), uInt(content.size()));
  uint64_t size = claimedSize < 0 ? content.size() : uint64_t(claimedSize);
  std::string fields = number(20, 2) + number(flags, 2) + number(method, 2) + number(0, 2) +
                       number(33, 2) + number(sum, 4) + number(content.size(), 4) +
                       number(size, 4) + number(name.size(), 2) + number(0, 2);
  std::string local = "PK\x03\x04" + fields + name + content;
  std::string central = "PK\x01\x02" + number(20, 2) + fields + number(0, 14) + name;
  return local + central + "PK\x05\x06" + number(0, 4) + number(1, 2) + number(1, 2) +
         number(central.size(), 4) + number(local.size(), 4) + number(0, 2);
}

TEST(Npz, RoundTrips) {
  Result<std::vector<NamedTensor>> arrays = parseNpz(good(), "a.npz");
  ASSERT_TRUE(arrays) << arrays.error().str();
  ASSERT_EQ(arrays->size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*arrays)[i].name, twoArrays()[i].name);
    EXPECT_EQ((*arrays)[i].value, twoArrays()[i].value);
  }
  EXPECT_EQ(parseNpz(*formatNpz({}), "a.npz")->size(), 0u);
}

TEST(Npz, WritesTheSameBytesAgain) { EXPECT_EQ(good(), good()); }

TEST(Npz, ChoosesArrays) {
  Result<std::vector<NamedTensor>> arrays = parseNpz(good(), "a.npz", {"label"});
  ASSERT_TRUE(arrays);
  ASSERT_EQ(arrays->size(), 1u);
  EXPECT_EQ((*arrays)[0].name, "label");
}

TEST(Npz, MakesADataset) {
  Result<Dataset> dataset = makeDataset(twoArrays(), "a.npz");
  ASSERT_TRUE(dataset);
  EXPECT_EQ(dataset->numRows(), 2);
  EXPECT_EQ(*dataset->find("label"), twoArrays()[1].value);
  EXPECT_EQ(dataset->find("other"), nullptr);
  EXPECT_EQ(
      makeDataset({{"x", Tensor(ElementType::F32, {2})}, {"y", Tensor(ElementType::F32, {3})}},
                  "a.npz")
          .error()
          .str(),
      "a.npz: error: in array 'y': expected 2 rows, as in array 'x', found 3");
  EXPECT_EQ(makeDataset({{"x", Tensor()}}, "a.npz").error().str(),
            "a.npz: error: in array 'x': expected rows of examples, found a scalar");
}

TEST(NpzError, NoArchive) {
  EXPECT_EQ(errorOf(""), "a.npz: error: expected an npz file, found an empty file");
  EXPECT_EQ(errorOf("\x93NUMPY"),
            "a.npz: error: expected an npz file, found something else than a zip file");
  EXPECT_EQ(errorOf(good().substr(0, 200)),
            "a.npz: error: expected an npz file, found a damaged zip file (not a zip archive)\n"
            "help: the file may be cut short");
  EXPECT_EQ(readNpz("/nonexistent.npz").error().str(),
            "/nonexistent.npz: error: cannot read: no such file or directory");
}

TEST(NpzError, ArraysAreNotThere) {
  EXPECT_EQ(errorOf(good(), {"lable"}),
            "a.npz: error: expected an array named 'lable', found 'x', 'label'\n"
            "help: did you mean 'label'?");
  EXPECT_EQ(errorOf(*formatNpz({}), {"x"}),
            "a.npz: error: expected an array named 'x', found no arrays");
}

TEST(NpzError, MembersAreNoArrays) {
  EXPECT_EQ(errorOf(zipOf("x.txt", "text")),
            "a.npz: error: expected members whose names end in .npy, found 'x.txt'");
  EXPECT_EQ(errorOf(zipOf("x.npy", "text")),
            "a.npz: error: in member 'x.npy': expected an npy file, found something else");
  std::string array = formatNpy(Tensor());
  array[10] = '[';
  EXPECT_EQ(errorOf(zipOf("x.npy", array)),
            "a.npz: error: in member 'x.npy', the header, at character 0: expected a dictionary, "
            "found '['descr': '<f4', 'fo…'");
}

TEST(NpzError, MembersLie) {
  std::string array = formatNpy(Tensor());
  EXPECT_EQ(errorOf(zipOf("x.npy", array)), "no error");
  EXPECT_EQ(errorOf(zipOf("x.npy", array, 12)),
            "a.npz: error: in member 'x.npy': expected a stored or deflated member, found "
            "compression method 12");
  EXPECT_EQ(errorOf(zipOf("x.npy", array, 0, 1)),
            "a.npz: error: in member 'x.npy': expected a plain member, found an encrypted one");
  EXPECT_EQ(errorOf(zipOf("x.npy", array, 8, 0, 4000000000)),
            "a.npz: error: in member 'x.npy': expected at most 136288 bytes, found 4000000000");
  std::string bad = zipOf("x.npy", array);
  bad[30 + 5 + 131] ^= 1;
  EXPECT_EQ(errorOf(bad),
            "a.npz: error: in member 'x.npy': expected an intact member, found damage (CRC error)");
  bad = zipOf("x.npy", array);
  bad[bad.size() - 22 - 5 - 46 + 23] = 1; // 16 MiB more, by the central directory
  EXPECT_EQ(errorOf(bad), "a.npz: error: expected members within the " +
                              std::to_string(bad.size()) +
                              " bytes of the file, found more data, or overlaps");
  EXPECT_EQ(formatNpz({{"x", Tensor()}, {"x", Tensor()}}).error().str(),
            "error: cannot add an array named 'x': file already exists");
}

TEST(Npz, SurvivesDamage) {
  auto tryToRead = [](const std::string &bytes) { (void)bool(parseNpz(bytes, "a.npz")); };
  truncateEverywhere(good(), tryToRead);
  mutate(good(), 10000, tryToRead);
  mutate(zipOf("x.npy", formatNpy(Tensor())), 10000, tryToRead);
}
