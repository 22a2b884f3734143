//===- SafetensorsTest.cpp - Parameter files ------------------------------===//
//
// Round trips, every claim that a header can get wrong, and damaged files.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Safetensors.h"
#include "Damage.h"
#include "Scratch.h"
#include "nnc/Support/File.h"

using namespace nnc;

static std::string file(const std::string &header, size_t dataSize = 0) {
  uint64_t length = header.size();
  return std::string(reinterpret_cast<const char *>(&length), 8) + header +
         std::string(dataSize, '\x01');
}

static std::string errorOf(const std::string &bytes) {
  Result<Safetensors> content = parseSafetensors(bytes, "w.safetensors");
  if (content)
    return "no error";
  std::string text = content.error().str(), prefix = "w.safetensors: error: ";
  EXPECT_EQ(text.substr(0, prefix.size()), prefix);
  return text.substr(prefix.size());
}

static std::string headerError(const std::string &header, size_t dataSize = 0) {
  return errorOf(file(header, dataSize));
}

/// The error for one tensor with these members, in a file with 8 bytes of data.
static std::string tensorError(const std::string &members) {
  return headerError("{\"w\":{" + members + "}}", 8);
}

static Safetensors example() {
  Safetensors content;
  content.tensors = {{"b", Tensor::of<bool>({3}, {true, false, true})},
                     {"layer.w", Tensor::of<float>({2, 2}, {1, 2, 3, 4})},
                     {"ü \"n\"", Tensor::of<double>({}, {0.5})},
                     {"nothing", Tensor(ElementType::BF16, {0, 3})}};
  content.metadata = {{"format", "nnc"}, {"note", "a\nb"}};
  return content;
}

TEST(Safetensors, RoundTrips) {
  Scratch scratch;
  ASSERT_TRUE(writeSafetensors(scratch.path("w.safetensors"), example()));
  Result<Safetensors> read = readSafetensors(scratch.path("w.safetensors"));
  ASSERT_TRUE(read) << read.error().str();
  EXPECT_EQ(read->metadata, example().metadata);
  ASSERT_EQ(read->tensors.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(read->tensors[i].name, example().tensors[i].name);
    EXPECT_EQ(read->tensors[i].value, example().tensors[i].value);
  }
  EXPECT_EQ(*read->find("layer.w"), example().tensors[1].value);
  EXPECT_EQ(read->find("none"), nullptr);
}

TEST(Safetensors, RoundTripsEveryType) {
  for (ElementType type : allElementTypes) {
    Tensor tensor(type, {5});
    tensor.set(3, 1);
    Result<std::string> bytes = formatSafetensors({{{"w", tensor}}, {}});
    ASSERT_TRUE(bytes);
    EXPECT_EQ(parseSafetensors(*bytes, "f")->tensors[0].value, tensor);
  }
}

TEST(Safetensors, WritesKnownBytes) {
  Safetensors content{{{"w", Tensor::of<uint8_t>({2}, {1, 2})}}, {{"k", "v"}}};
  std::string header = "{\"__metadata__\":{\"k\":\"v\"},\"w\":{\"dtype\":\"U8\",\"shape\":[2],"
                       "\"data_offsets\":[0,2]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  EXPECT_EQ(*formatSafetensors(content), file(header) + "\x01\x02");
  EXPECT_EQ(*formatSafetensors({}), file("{}      "));
}

TEST(Safetensors, ReadsUnalignedTensors) {
  Result<Safetensors> content =
      parseSafetensors(file("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                            "\"w\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[1,5]}}",
                            5),
                       "f");
  ASSERT_TRUE(content) << content.error().str();
  EXPECT_EQ(content->tensors[1].value, Tensor::of<int32_t>({1}, {0x01010101}));
}

TEST(SafetensorsError, NoHeader) {
  EXPECT_EQ(errorOf("short"), "expected a safetensors file, found 5 bytes");
  EXPECT_EQ(errorOf("more than enough"), "expected a safetensors file, found something else");
  EXPECT_EQ(errorOf(file("{}").substr(0, 9)),
            "expected a header of 2 bytes, found 1\nhelp: the file may be cut short");
  EXPECT_EQ(headerError(""), "in the header, at character 1: expected JSON, found its end");
  EXPECT_EQ(headerError("[]"), "in the header: expected a JSON object, found a list");
  EXPECT_EQ(headerError("3"), "in the header: expected a JSON object, found 3");
  EXPECT_EQ(headerError("{\"a\" 3}"), "in the header, at character 6: expected JSON, found '3'");
  EXPECT_EQ(headerError("{} x"), "in the header, at character 4: expected JSON, found '{} x'");
  EXPECT_EQ(headerError(std::string(100000, '[')),
            "in the header: expected a JSON object, found a list");
  EXPECT_EQ(readSafetensors("/nonexistent").error().str(),
            "/nonexistent: error: cannot read: no such file or directory");
}

TEST(SafetensorsError, HeaderHasAnotherForm) {
  std::string w = "\"w\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}";
  EXPECT_EQ(headerError("{" + w + "}", 8), "no error");
  EXPECT_EQ(headerError("{" + w + "," + w + "}", 8),
            "in tensor 'w': expected each key once, found 'w' twice");
  EXPECT_EQ(headerError("{\"w\":3}"), "in tensor 'w': expected a JSON object, found 3");
  EXPECT_EQ(headerError("{\"__metadata__\":{\"a\":{}}}"),
            "in the header's metadata: expected text, found an object");
  EXPECT_EQ(headerError("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"),
            "in the header's metadata: expected each key once, found 'a' twice");
  EXPECT_EQ(tensorError("\"dtype\":\"U8\",\"dtype\":\"U8\""),
            "in tensor 'w', 'dtype': expected each key once, found 'dtype' twice");
  EXPECT_EQ(tensorError("\"size\":3"),
            "in tensor 'w': expected 'dtype', 'shape' or 'data_offsets', found 'size'");
  EXPECT_EQ(tensorError("\"dtype\":\"U8\",\"shape\":[8]"),
            "in tensor 'w': expected a key 'data_offsets', found none");
  EXPECT_EQ(tensorError("\"dtype\":8"), "in tensor 'w', 'dtype': expected a string, found 8");
  EXPECT_EQ(tensorError("\"dtype\":[]"), "in tensor 'w', 'dtype': expected a string, found a list");
  EXPECT_EQ(tensorError("\"shape\":\"8\""), "in tensor 'w', 'shape': expected a list, found '8'");
  EXPECT_EQ(tensorError("\"shape\":null"), "in tensor 'w', 'shape': expected a list, found null");
  EXPECT_EQ(tensorError("\"shape\":[true]"),
            "in tensor 'w', 'shape': expected a dimension, found true");
  EXPECT_EQ(tensorError("\"shape\":[[1]]"),
            "in tensor 'w', 'shape': expected a dimension, found a list");
  EXPECT_EQ(tensorError("\"shape\":[-1]"),
            "in tensor 'w', 'shape': expected a dimension, found -1");
  EXPECT_EQ(tensorError("\"shape\":[1.5]"),
            "in tensor 'w', 'shape': expected a dimension, found 1.5");
  EXPECT_EQ(tensorError("\"shape\":[9223372036854775808]"),
            "in tensor 'w', 'shape': expected a dimension, found 9223372036854775808");
  EXPECT_EQ(tensorError("\"data_offsets\":[0]"),
            "in tensor 'w', 'data_offsets': expected two offsets, found 1");
  EXPECT_EQ(tensorError("\"data_offsets\":[0,4,8]"),
            "in tensor 'w', 'data_offsets': expected two offsets, found more");
  EXPECT_EQ(tensorError("\"data_offsets\":[0.5,1]"),
            "in tensor 'w', 'data_offsets': expected an offset, found 0.5");
}

TEST(SafetensorsError, ClaimsDoNotHold) {
  auto claim = [](const std::string &type, const std::string &shape, const std::string &offsets) {
    return tensorError("\"dtype\":\"" + type + "\",\"shape\":" + shape +
                       ",\"data_offsets\":" + offsets);
  };
  EXPECT_EQ(claim("I16", "[4]", "[0,8]"),
            "in tensor 'w': expected a type F64, F32, F16, BF16, I64, "
            "I32, I8, U8 or BOOL, found 'I16'");
  EXPECT_EQ(claim("F32", "[4294967296,4294967296]", "[0,8]"),
            "in tensor 'w': expected a shape that fits the memory, found [4294967296, 4294967296]");
  EXPECT_EQ(claim("F32", "[2]", "[8,0]"),
            "in tensor 'w': expected offsets within the 8 bytes of data, found [8, 0]");
  EXPECT_EQ(claim("F32", "[2]", "[4,12]"),
            "in tensor 'w': expected offsets within the 8 bytes of data, found [4, 12]");
  EXPECT_EQ(claim("F32", "[3]", "[0,8]"), "in tensor 'w': expected 12 bytes for f32[3], found 8");
  EXPECT_EQ(claim("F32", "[1]", "[4,8]"),
            "in tensor 'w': expected its data to start at 0, found 4, a gap");
  EXPECT_EQ(claim("F32", "[1]", "[0,4]"), "expected 4 bytes of data, found 8");
  EXPECT_EQ(headerError("{\"v\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[0,6]},"
                        "\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
                        8),
            "in tensor 'w': expected its data to start at 6, found 4, an overlap");
}

TEST(SafetensorsError, CannotBeWritten) {
  EXPECT_EQ(formatSafetensors({{{"a", Tensor()}, {"a", Tensor()}}, {}}).error().str(),
            "error: cannot write two tensors or metadata named 'a'");
  EXPECT_EQ(formatSafetensors({{}, {{"a", ""}, {"a", ""}}}).error().str(),
            "error: cannot write two metadata values named 'a'");
  EXPECT_EQ(formatSafetensors({{{"\xff", Tensor()}}, {}}).error().str(),
            "error: cannot write names or metadata that are not UTF-8");
}

TEST(Safetensors, SurvivesDamage) {
  std::string good = *formatSafetensors(example());
  truncateEverywhere(good,
                     [](const std::string &bytes) { EXPECT_FALSE(parseSafetensors(bytes, "f")); });
  mutate(good, 20000, [](const std::string &bytes) { (void)bool(parseSafetensors(bytes, "f")); });
}
