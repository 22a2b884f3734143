//===- CifarTest.cpp - CIFAR's binary files -------------------------------===//
//
// Records made here, several files, and what is said of files that are wrong.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Cifar.h"
#include "Compress.h"
#include "Damage.h"
#include "Scratch.h"
#include "nnc/Support/File.h"

using namespace nnc;

/// A record whose pixels count up from its label.
static std::string record(const std::string &labels) {
  std::string bytes = labels;
  for (int i = 0; i < 3072; ++i)
    bytes += char(labels.back() + i);
  return bytes;
}

static std::string errorOf(const std::string &bytes, CifarKind kind = CifarKind::Cifar10) {
  Result<Dataset> dataset = parseCifar(bytes, "f.bin", kind);
  return dataset ? "no error" : dataset.error().str();
}

TEST(Cifar, ReadsRecords) {
  Scratch scratch;
  ASSERT_TRUE(writeFileAtomically(scratch.path("1.bin"), record("\3") + record("\7")));
  ASSERT_TRUE(writeFileAtomically(scratch.path("2.bin"), gzip(record("\1"))));
  Result<Dataset> dataset =
      readCifar({scratch.path("1.bin"), scratch.path("2.bin")}, CifarKind::Cifar10);
  ASSERT_TRUE(dataset) << dataset.error().str();
  EXPECT_EQ(dataset->fields, (std::vector<std::string>{"image", "label"}));
  EXPECT_EQ(*dataset->find("label"), Tensor::of<int64_t>({3}, {3, 7, 1}));
  const Tensor &image = *dataset->find("image");
  EXPECT_EQ(image.shape(), (TensorShape{3, 3, 32, 32}));
  EXPECT_EQ(image.type(), ElementType::F32);
  for (int64_t i : {0, 1, 255, 1024, 3071}) {
    EXPECT_EQ(image.at(i), (3 + i) % 256);
    EXPECT_EQ(image.at(2 * 3072 + i), (1 + i) % 256);
  }
}

TEST(Cifar, ReadsTwoLabels) {
  Result<Dataset> dataset =
      parseCifar(record("\x13\x63") + record(std::string("\0\5", 2)), "f", CifarKind::Cifar100);
  ASSERT_TRUE(dataset) << dataset.error().str();
  EXPECT_EQ(dataset->fields, (std::vector<std::string>{"image", "label", "coarse"}));
  EXPECT_EQ(*dataset->find("label"), Tensor::of<int64_t>({2}, {99, 5}));
  EXPECT_EQ(*dataset->find("coarse"), Tensor::of<int64_t>({2}, {19, 0}));
  EXPECT_EQ(dataset->find("image")->at(3072), 5);
}

TEST(Cifar, SaysWhatIsWrong) {
  EXPECT_EQ(errorOf(""), "f.bin: error: expected records of 3073 bytes, found an empty file");
  EXPECT_EQ(errorOf(record("\1") + record("\2").substr(0, 100)),
            "f.bin: error: in record 2: expected 3073 bytes, found 100\n"
            "help: the file may be cut short");
  EXPECT_EQ(errorOf(record("\1") + record("\x0c") + record("\2")),
            "f.bin: error: in record 2 of 3: expected a label from 0 to 9, found 12");
  EXPECT_EQ(errorOf(record("\x14\1"), CifarKind::Cifar100),
            "f.bin: error: in record 1 of 1: expected a coarse label from 0 to 19, found 20");
  std::string bytes = gzip(record("\1") + record("\2") + record("\3"));
  EXPECT_EQ(errorOf(bytes.substr(0, bytes.size() - 4)),
            "f.bin: error: in record 4: expected the end of the gzip data, found the end of the "
            "file\nhelp: the file may be cut short");
}

TEST(Cifar, SurvivesDamage) {
  std::string bytes = gzip(record("\1") + record("\2"));
  truncateEverywhere(bytes, [](const std::string &cut) { EXPECT_NE(errorOf(cut), "no error"); });
  mutate(bytes, 1000, [](const std::string &changed) { errorOf(changed); });
}
