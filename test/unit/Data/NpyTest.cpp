//===- NpyTest.cpp - NumPy's array files ----------------------------------===//
//
// Round trips, every error of the header and the data, and damaged files. That NumPy agrees is
// NumpyTest's.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Npy.h"
#include "Damage.h"

#include "gtest/gtest.h"

using namespace nnc;

/// An npy file of version 1 with this header and data.
static std::string npy(const std::string &header, const std::string &data = "") {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 0xff);
  bytes += char(header.size() >> 8);
  return bytes + header + data;
}

static std::string errorOf(const std::string &bytes) {
  Result<Tensor> tensor = parseNpy(bytes, "x.npy");
  return tensor ? "no error" : tensor.error().str();
}

/// The error for a header.
static std::string headerError(const std::string &header) { return errorOf(npy(header)); }

TEST(Npy, RoundTripsEveryType) {
  for (ElementType type : allElementTypes)
    for (const TensorShape &shape :
         {TensorShape{}, TensorShape{0}, TensorShape{3}, TensorShape{2, 3, 4}}) {
      Tensor tensor(type, shape);
      for (int64_t i = 0; i < tensor.size(); ++i)
        tensor.set(i, double(i % 7));
      Result<Tensor> read = parseNpy(formatNpy(tensor), "x.npy");
      ASSERT_TRUE(read) << read.error().str();
      EXPECT_EQ(*read, type == ElementType::BF16 ? tensor.to(ElementType::F32) : tensor);
    }
}

TEST(Npy, WritesTheHeaderAsNumpyDoes) {
  std::string bytes = formatNpy(Tensor::of<double>({2, 1}, {1, 2}));
  EXPECT_EQ(bytes.size(), 128u + 16);
  EXPECT_EQ(bytes.substr(10, 61), "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }  ");
  EXPECT_EQ(bytes[127], '\n');
}

TEST(Npy, ReadsHeadersInAnyForm) {
  std::string data(24, '\0');
  for (const char *header :
       {"{'descr':'<f8','fortran_order':False,'shape':(3L,)}",
        "{\"shape\": ( 3 , ) , \"fortran_order\" : True, \"descr\": \"=f8\" , } \n",
        "{'fortran_order': False, 'shape': (1, 3), 'descr': '>f8'}"})
    EXPECT_EQ(errorOf(npy(header, data)), "no error") << header;
}

TEST(NpyError, NoNpyFile) {
  EXPECT_EQ(errorOf(""), "x.npy: error: expected an npy file, found an empty file");
  EXPECT_EQ(errorOf("1,2,3\n"), "x.npy: error: expected an npy file, found something else");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x04\x00\x01\x00", 10)),
            "x.npy: error: expected an npy file of version 1, 2 or 3, found version 4");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x01\x00\x40\x00{", 11)),
            "x.npy: error: expected a header of 74 bytes, found a file of 11\n"
            "help: the file may be cut short");
  EXPECT_EQ(readNpy("/nonexistent.npy").error().str(),
            "/nonexistent.npy: error: cannot read: no such file or directory");
}

TEST(NpyError, HeaderIsNoDictionary) {
  EXPECT_EQ(headerError(""), "x.npy: error: in the header, at character 0: expected a dictionary, "
                             "found the end of the header");
  EXPECT_EQ(headerError("{descr}"),
            "x.npy: error: in the header, at character 1: expected a string "
            "in quotes, found 'descr}'");
  EXPECT_EQ(headerError("{'descr' '<f8'"), "x.npy: error: in the header, at character 9: expected "
                                           "':' after a key, found ''<f8''");
  EXPECT_EQ(
      headerError("{'descr': '<f8' 'shape'"),
      "x.npy: error: in the header, at character 16: expected ',' or '}' after a value, found "
      "''shape''");
  EXPECT_EQ(headerError("{'size': 3}"),
            "x.npy: error: in the header, at character 1: expected 'descr', 'fortran_order' or "
            "'shape', found ''size': 3}'");
  EXPECT_EQ(headerError("{'descr': '<f8', 'descr': '<f8'}"),
            "x.npy: error: in the header, at character 17: expected each key once, found ''descr': "
            "'<f8'}'");
  EXPECT_EQ(headerError("{'descr': '<f8', 'shape': ()}"),
            "x.npy: error: in the header, at character 29: expected a key 'fortran_order', found "
            "the end of the header");
  EXPECT_EQ(headerError("{}x"), "x.npy: error: in the header, at character 2: expected the end of "
                                "the header, found 'x'");
  EXPECT_EQ(headerError("{'fortran_order': 1}"), "x.npy: error: in the header, at character 18: "
                                                 "expected True or False, found '1}'");
}

TEST(NpyError, ShapeIsNone) {
  auto shapeError = [](const std::string &shape) {
    return headerError("{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + "}");
  };
  EXPECT_EQ(shapeError("3"), "x.npy: error: in the header, at character 50: expected a shape in "
                             "parentheses, found '3}'");
  EXPECT_EQ(shapeError("(3"), "x.npy: error: in the header, at character 52: expected ',' or ')' "
                              "after a dimension, found '}'");
  EXPECT_EQ(shapeError("(-1,)"),
            "x.npy: error: in the header, at character 51: expected a dimension, found '-1,)}'");
  EXPECT_EQ(
      shapeError("(99999999999999999999,)"),
      "x.npy: error: in the header, at character 51: expected a dimension of at most 64 bits, "
      "found '99999999999999999999…'");
  EXPECT_EQ(shapeError("(4294967296, 4294967296)"),
            "x.npy: error: expected a shape that fits the memory, found [4294967296, 4294967296]");
  std::string many = "(";
  for (int i = 0; i < 65; ++i)
    many += "1,";
  EXPECT_EQ(shapeError(many + ")"), "x.npy: error: in the header, at character 179: expected at "
                                    "most 64 dimensions, found '1,)}'");
}

TEST(NpyError, TypeIsNotRead) {
  auto typeError = [](const std::string &type) {
    return headerError("{'descr': " + type + ", 'fortran_order': False, 'shape': ()}");
  };
  EXPECT_EQ(typeError("'<c16'"),
            "x.npy: error: expected an array of f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 or b1, "
            "found '<c16'");
  EXPECT_EQ(typeError("'|O'"),
            "x.npy: error: expected an array of numbers, found an array of Python objects\n"
            "help: convert it before saving: numpy.save(file, array.astype(float))");
  EXPECT_EQ(typeError("[('a', '<f8')]"),
            "x.npy: error: expected an array of numbers, found an array of records");
}

TEST(NpyError, DataDoNotFit) {
  std::string header = "{'descr': '<u8', 'fortran_order': False, 'shape': (2,)}";
  EXPECT_EQ(errorOf(npy(header, std::string(15, '\0'))),
            "x.npy: error: expected 16 bytes of data for [2] of 8 bytes, found 15\n"
            "help: the file may be cut short");
  EXPECT_EQ(errorOf(npy(header, std::string(17, '\0'))),
            "x.npy: error: expected 16 bytes of data for [2] of 8 bytes, found 17");
  EXPECT_EQ(errorOf(npy(header, std::string(16, '\xff'))),
            "x.npy: error: expected numbers that i64 can hold, found 18446744073709551615");
}

TEST(Npy, SurvivesDamage) {
  std::string good = formatNpy(Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  truncateEverywhere(good,
                     [](const std::string &bytes) { EXPECT_FALSE(parseNpy(bytes, "x.npy")); });
  mutate(good, 20000, [](const std::string &bytes) { (void)bool(parseNpy(bytes, "x.npy")); });
  // With a shorter header more of the changes hit it.
  std::string small = npy("{'descr':'>i2','fortran_order':True,'shape':(2,3)}", "abcdefghijkl");
  mutate(small, 20000, [](const std::string &bytes) { (void)bool(parseNpy(bytes, "x.npy")); });
}
