//===- NumpyTest.cpp - NumPy reads what we write, and we what it does -----===//
//
// numpy_files.py is the other side and says what the arrays hold.
//
//===----------------------------------------------------------------------===//
#include "Scratch.h"
#include "nnc/Data/Npy.h"
#include "nnc/Data/Safetensors.h"

#include <cstdlib>

using namespace nnc;

static void runNumpy(const std::string &what, const Scratch &scratch) {
  std::string command =
      std::string("'" NNC_PYTHON "' '" NNC_SOURCE_DIR "/test/unit/Data/numpy_files.py' ") + what +
      " '" + scratch.path() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

static TensorShape shapeOf(const std::string &name) {
  std::string text = name.substr(3, name.find('_', 3) - 3);
  TensorShape shape;
  if (text == "scalar")
    return shape;
  size_t start = 0;
  while (start <= text.size()) {
    size_t end = std::min(text.find('x', start), text.size());
    shape.push_back(std::stoll(text.substr(start, end - start)));
    start = end + 1;
  }
  return shape;
}

static ElementType typeOf(const std::string &name) {
  std::string code = name.substr(0, 2);
  if (code == "b1")
    return ElementType::Bool;
  if (code == "u2" || code == "i2" || code == "i4")
    return ElementType::I32;
  if (code == "u4" || code == "u8" || code == "i8")
    return ElementType::I64;
  return *elementTypeNamed(code == "u1"   ? "u8"
                           : code == "i1" ? "i8"
                           : code == "f8" ? "f64"
                           : code == "f4" ? "f32"
                                          : "f16");
}

/// What numpy_files.py puts into an array of this name.
static Tensor expected(const std::string &name) {
  Tensor tensor(typeOf(name), shapeOf(name));
  for (int64_t i = 0; i < tensor.size(); ++i) {
    double value = double(i * 7 % 11);
    if (name[0] == 'b')
      value = value < 4;
    else if (name[0] != 'u')
      value -= 5;
    tensor.set(i, name[0] == 'f' ? value + 0.25 : value);
  }
  return tensor;
}

static const char *const types[] = {"f8", "f4", "f2", "i8", "i4", "i1", "u1", "b1"};
static const char *const shapes[] = {"scalar", "0", "5", "1x7", "3x4", "2x3x4", "3x0x2"};

static std::vector<NamedTensor> everything() {
  std::vector<NamedTensor> arrays;
  for (const char *type : types)
    for (const char *shape : shapes) {
      std::string name = std::string(type) + "_" + shape;
      arrays.push_back({name, expected(name)});
    }
  return arrays;
}

TEST(Numpy, WritesWhatWeRead) {
  Scratch scratch;
  runNumpy("write", scratch);
  int numFiles = 0, numArrays = 0;
  for (const auto &entry : std::filesystem::directory_iterator(scratch.path())) {
    std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".npy") {
      Result<Tensor> tensor = readNpy(entry.path().string());
      ASSERT_TRUE(tensor) << tensor.error().str();
      EXPECT_EQ(*tensor, expected(name)) << entry.path();
      ++numFiles;
    } else if (entry.path().extension() == ".npz") {
      Result<std::vector<NamedTensor>> arrays = readNpz(entry.path().string());
      ASSERT_TRUE(arrays) << arrays.error().str();
      for (const NamedTensor &array : *arrays)
        EXPECT_EQ(array.value, expected(array.name)) << entry.path() << array.name;
      numArrays += int(arrays->size());
    }
  }
  EXPECT_EQ(numFiles, 12 * 7 * 4 + 3);
  EXPECT_EQ(numArrays, 12 * 7 * 2);

  Result<Safetensors> content = readSafetensors(scratch.path("all.safetensors"));
  ASSERT_TRUE(content) << content.error().str();
  EXPECT_EQ(content->tensors.size(), 8u * 7);
  for (const NamedTensor &tensor : content->tensors)
    EXPECT_EQ(tensor.value, expected(tensor.name)) << tensor.name;
  EXPECT_EQ(content->metadata[0].second, "NumPy ü");
}

TEST(Numpy, ReadsWhatWeWrite) {
  Scratch scratch;
  std::vector<NamedTensor> arrays = everything();
  for (const NamedTensor &array : arrays)
    ASSERT_TRUE(writeNpy(scratch.path(array.name + ".npy"), array.value));
  ASSERT_TRUE(writeNpz(scratch.path("all.npz"), arrays));
  ASSERT_TRUE(writeSafetensors(scratch.path("all.safetensors"), {arrays, {{"made by", "nnc ü"}}}));
  runNumpy("check", scratch);
}
