//===- TensorTest.cpp - A host array of numbers ---------------------------===//
//
// Storage, alignment, and conversions at the edges of each type. The 16-bit floats are compared
// with the compiler's own for every bit pattern.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Tensor.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace nnc;

TEST(Tensor, IsAlignedAndZero) {
  for (ElementType type : allElementTypes) {
    Tensor tensor(type, {3, 5});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
    EXPECT_EQ(tensor.sizeInBytes(), 15 * sizeInBytes(type));
    for (int64_t i = 0; i < tensor.size(); ++i)
      EXPECT_EQ(tensor.at(i), 0);
  }
  EXPECT_EQ(Tensor().size(), 1);
  EXPECT_EQ(Tensor(ElementType::I8, {4, 0, 2}).size(), 0);
  EXPECT_NE(Tensor(ElementType::I8, {0}).data(), nullptr);
}

TEST(Tensor, IsAValue) {
  Tensor a = Tensor::of<int32_t>({2, 2}, {1, 2, 3, 4});
  Tensor b = a;
  b.set(3, 9);
  EXPECT_EQ(a.at(3), 4);
  EXPECT_EQ(b.toDoubles(), (std::vector<double>{1, 2, 3, 9}));
  EXPECT_NE(a, b);
  a = b;
  EXPECT_EQ(a, b);
  EXPECT_NE(a.reshaped({4}), a);
  EXPECT_EQ(a.reshaped({4}).at(3), 9);
}

TEST(Tensor, NamesItsTypes) {
  for (ElementType type : allElementTypes)
    EXPECT_EQ(elementTypeNamed(nameOf(type)), type);
  EXPECT_EQ(elementTypeNamed("f8"), std::nullopt);
  EXPECT_EQ(toString(TensorShape{3, 4}), "[3, 4]");
  EXPECT_EQ(toString(TensorShape{}), "[]");
}

TEST(Tensor, CountsElementsWithoutOverflow) {
  EXPECT_EQ(numElements({}), 1);
  EXPECT_EQ(numElements({3, 4}), 12);
  EXPECT_EQ(numElements({-1}), std::nullopt);
  EXPECT_EQ(numElements({int64_t(1) << 32, int64_t(1) << 32}), std::nullopt);
  EXPECT_EQ(numElements({int64_t(1) << 62}), std::nullopt);
  EXPECT_EQ(numElements({int64_t(1) << 40, 0, -1}), std::nullopt);
  EXPECT_EQ(numElements({int64_t(1) << 40, 0}), 0);
}

TEST(Tensor, ConvertsFloatsToIntegers) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  Tensor x = Tensor::of<double>({7}, {-1e300, -1.9, nan, 1.9, 127.5, 255.9, 1e300});
  EXPECT_EQ(x.to(ElementType::I8).toDoubles(),
            (std::vector<double>{-128, -1, 0, 1, 127, 127, 127}));
  EXPECT_EQ(x.to(ElementType::U8).toDoubles(), (std::vector<double>{0, 0, 0, 1, 127, 255, 255}));
  EXPECT_EQ(x.to(ElementType::I64).as<int64_t>()[6], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(x.to(ElementType::I64).as<int64_t>()[0], std::numeric_limits<int64_t>::min());
  EXPECT_EQ(x.to(ElementType::Bool).toDoubles(), (std::vector<double>{1, 1, 1, 1, 1, 1, 1}));
}

TEST(Tensor, ConvertsBetweenIntegers) {
  Tensor x = Tensor::of<int64_t>({3}, {-1, 300, int64_t(1) << 40});
  EXPECT_EQ(x.to(ElementType::U8).toDoubles(), (std::vector<double>{255, 44, 0}));
  EXPECT_EQ(x.to(ElementType::F32).to(ElementType::I64), x);
}

TEST(Tensor, RoundsLargeIntegersOnce) {
  // Just above the middle of two bf16 numbers, by less than a double can tell.
  int64_t middle = (int64_t(1) << 62) + (int64_t(1) << 54);
  Tensor x = Tensor::of<int64_t>({3}, {middle, middle + 1, -middle - 1});
  double step = std::ldexp(1, 55), base = std::ldexp(1, 62);
  EXPECT_EQ(x.to(ElementType::BF16).toDoubles(),
            (std::vector<double>{base, base + step, -base - step}));
}

TEST(Float16, DecodesEveryPattern) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    Float16 half;
    half.bits = uint16_t(bits);
    _Float16 expected;
    std::memcpy(&expected, &half, 2);
    BFloat16 brain;
    brain.bits = uint16_t(bits);
    uint32_t wideBits = bits << 16;
    float expectedBrain;
    std::memcpy(&expectedBrain, &wideBits, 4);
    if (expected == expected)
      ASSERT_EQ(double(half), double(expected)) << bits;
    else
      ASSERT_TRUE(std::isnan(double(half))) << bits;
    if (expectedBrain == expectedBrain)
      ASSERT_EQ(double(brain), double(expectedBrain)) << bits;
    else
      ASSERT_TRUE(std::isnan(double(brain))) << bits;
    if (expected == expected)
      ASSERT_EQ(Float16(double(half)).bits, bits);
    if (expectedBrain == expectedBrain)
      ASSERT_EQ(BFloat16(double(brain)).bits, bits);
  }
}

TEST(Float16, RoundsToNearestEven) {
  // Every number between two neighbours: below, at and above the middle.
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {
    Float16 low, high;
    low.bits = uint16_t(bits);
    high.bits = uint16_t(bits + 1);
    double top = bits == 0x7bff ? 65536 : double(high);
    double middle = (double(low) + top) / 2;
    ASSERT_EQ(Float16(std::nextafter(middle, 0)).bits, bits);
    ASSERT_EQ(Float16(middle).bits, bits % 2 ? bits + 1 : bits);
    ASSERT_EQ(Float16(std::nextafter(middle, 1e9)).bits, bits + 1);
  }
  EXPECT_EQ(Float16(1e300).bits, 0x7c00);
  EXPECT_EQ(Float16(-1e-300).bits, 0x8000);
  EXPECT_EQ(BFloat16(3.4e38).bits, 0x7f80);
  EXPECT_EQ(BFloat16(1.00390625).bits, 0x3f80);
  EXPECT_EQ(BFloat16(std::nextafter(1.00390625, 2)).bits, 0x3f81);
  EXPECT_TRUE(std::isnan(double(BFloat16(std::nan("")))));
}
