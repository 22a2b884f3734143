//===- HostTensorTest.cpp - Rounding, wrapping and bytes of elements ------===//
#include "nnc/Reference/HostTensor.h"

#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace nnc;

namespace {
struct HostTensorTest : testing::Test {
  MLIRContext context;
  Builder builder{&context};
  Type u8 = builder.getIntegerType(8, /*isSigned=*/false);
  double converted(Type type, double value) { return HostTensor::scalar(type, value).getNumber(0); }
};
} // namespace

TEST_F(HostTensorTest, roundsFloatsToTheirType) {
  EXPECT_EQ(converted(builder.getF64Type(), 0.1), 0.1);
  EXPECT_EQ(converted(builder.getF32Type(), 0.1), double(0.1f));
  EXPECT_EQ(converted(builder.getF16Type(), 2049), 2048);
  EXPECT_EQ(converted(builder.getF16Type(), 65520), INFINITY);
  EXPECT_EQ(converted(builder.getBF16Type(), 257), 256);
  EXPECT_EQ(converted(builder.getBF16Type(), 259), 260);
}

TEST_F(HostTensorTest, convertsFloatsToIntegersTowardsZeroAndSaturates) {
  EXPECT_EQ(converted(builder.getI32Type(), -2.9), -2);
  EXPECT_EQ(converted(builder.getI8Type(), 300), 127);
  EXPECT_EQ(converted(builder.getI8Type(), -300), -128);
  EXPECT_EQ(converted(u8, 300), 255);
  EXPECT_EQ(converted(u8, -1), 0);
  EXPECT_EQ(converted(builder.getI32Type(), NAN), 0);
  EXPECT_EQ(HostTensor::scalar(builder.getI64Type(), 1e300).getInteger(0), INT64_MAX);
  EXPECT_EQ(HostTensor::scalar(builder.getI64Type(), -1e300).getInteger(0), INT64_MIN);
  EXPECT_EQ(converted(builder.getI1Type(), 0.25), 1);
  EXPECT_EQ(converted(builder.getI1Type(), NAN), 1);
}

TEST_F(HostTensorTest, wrapsIntegers) {
  HostTensor bytes(builder.getI8Type(), {1}), unsignedBytes(u8, {1});
  bytes.setInteger(0, 200);
  unsignedBytes.setInteger(0, -1);
  EXPECT_EQ(bytes.getInteger(0), -56);
  EXPECT_EQ(unsignedBytes.getInteger(0), 255);
}

TEST_F(HostTensorTest, roundsIntegersOnce) {
  // Through double this would round down twice: 2^60 + 2^36 + 1 is above the middle of two floats.
  HostTensor tensor(builder.getF32Type(), {1});
  tensor.setConverted(0, (int64_t(1) << 60) + (int64_t(1) << 36) + 1);
  EXPECT_EQ(tensor.getFloat(0), 0x1p60 + 0x1p37);
}

TEST_F(HostTensorTest, bytesAreThoseOfTheType) {
  HostTensor tensor(builder.getF32Type(), {2});
  tensor.setFloat(0, 1.5);
  tensor.setFloat(1, -0.0);
  std::vector<char> bytes = tensor.toBytes();
  ASSERT_EQ(bytes.size(), 8u);
  const float expected[] = {1.5f, -0.0f};
  EXPECT_EQ(std::memcmp(bytes.data(), expected, 8), 0);
}

TEST_F(HostTensorTest, bytesComeBack) {
  for (Type type :
       {Type(builder.getF64Type()), Type(builder.getF32Type()), Type(builder.getF16Type()),
        Type(builder.getBF16Type()), Type(builder.getI64Type()), Type(builder.getI8Type()), u8,
        Type(builder.getI1Type())}) {
    HostTensor tensor(type, {3});
    for (int64_t index = 0; index < 3; ++index)
      tensor.setConverted(index, 0.75 * (index - 1));
    HostTensor copy = HostTensor::fromBytes(type, {3}, tensor.toBytes().data());
    EXPECT_TRUE(copy == tensor) << copy.str() << " of " << tensor.str();
  }
}
