// Random numbers in machine code against nnc/Support/Random.h: words and uniform numbers to the bit,
// normal numbers within a bound of the exact quantile.
#include "Kernel.h"
#include "Ulp.h"

#include "nnc/Codegen/MathExpansions.h"
#include "nnc/Support/Random.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace nnc;
using namespace nnc::test;

namespace {

/// Arguments whose bits are random words, and at the front those of the edges.
template <typename T> std::vector<T> randomArguments(size_t size) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  Bits half = Bits(1) << (sizeof(T) * 8 - 1);
  std::vector<Bits> bits = {0, Bits(~Bits(0)), half, half - 1, 1 << 11, Bits(0) - (1 << 12)};
  std::mt19937_64 random(1);
  while (bits.size() < size)
    bits.push_back(random() >> (bits.size() % 4 == 0 ? bits.size() % 61 : 0));
  std::vector<T> values(size);
  std::memcpy(values.data(), bits.data(), size * sizeof(T));
  return values;
}

template <typename T> uint64_t bitsOf(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

/// The first two words of a draw: an f64's bits, or an f32's and nothing.
template <typename T> PhiloxWords wordsOf(T value) {
  if constexpr (sizeof(T) == 4)
    return {uint32_t(bitsOf(value)), 0, 0, 0};
  return {uint32_t(bitsOf(value) >> 32), uint32_t(bitsOf(value)), 0, 0};
}

const char *wordsOfFloat = R"(
  %0 = arith.bitcast %a : $ to #
  %1 = arith.constant dense<0> : #
)";
const char *wordsOfDouble = R"(
  %bits = arith.bitcast %a : $ to vector<8xi64>
  %shift = arith.constant dense<32> : vector<8xi64>
  %high = arith.shrui %bits, %shift : vector<8xi64>
  %0 = arith.trunci %high : vector<8xi64> to #
  %1 = arith.trunci %bits : vector<8xi64> to #
)";

/// A kernel that draws a number from each argument's bits.
template <typename T>
Kernel<T> drawing(mlir::Value (*build)(mlir::OpBuilder &, mlir::Location, mlir::FloatType,
                                       mlir::Value, mlir::Value)) {
  std::string words = sizeof(T) == 4 ? wordsOfFloat : wordsOfDouble;
  return Kernel<T>(words + "%r = \"test.draw\"(%0, %1) : (#, #) -> $",
                   [=](mlir::OpBuilder &builder, mlir::Operation *op) -> std::vector<mlir::Value> {
                     mlir::FloatType type = builder.getF32Type();
                     if (sizeof(T) == 8)
                       type = builder.getF64Type();
                     return {
                         build(builder, op->getLoc(), type, op->getOperand(0), op->getOperand(1))};
                   });
}

/// The quantile at the middle of the step of `number` among 2^53, to the digits of a long double.
long double exactNormal53(const PhiloxWords &words) {
  uint64_t number = randomBits53(words), half = uint64_t(1) << 52;
  bool isLow = number < half;
  long double p = ((isLow ? number : 2 * half - 1 - number) + 0.5L) * 0x1p-53L;
  long double x = normal53(words);
  x = isLow ? x : -x;
  // One step of Newton's method.
  long double density = std::exp(-x * x / 2) / std::sqrt(2 * M_PIl);
  x -= (std::erfc(-x / std::sqrt(2.0L)) / 2 - p) / density;
  return isLow ? x : -x;
}

TEST(VectorRandom, philoxIsThatOfTheLibrary) {
  std::vector<float> a = randomArguments<float>(1 << 10), b(a.size(), 0);
  for (int word = 0; word < 4; ++word) {
    auto expand = [=](mlir::OpBuilder &builder, mlir::Operation *op) -> std::vector<mlir::Value> {
      mlir::ValueRange in = op->getOperands();
      return {
          buildPhilox(builder, op->getLoc(), {in[0], in[1], in[2], in[3]}, {in[4], in[5]})[word]};
    };
    Kernel<float> kernel(R"(
      %w = arith.bitcast %a : $ to #
      %c = arith.constant dense<0x85a308d3> : #
      %d = arith.constant dense<7> : #
      %k = arith.constant dense<0x299f31d0> : #
      %x = "test.philox"(%w, %c, %d, %w, %w, %k) : (#, #, #, #, #, #) -> #
      %r = arith.bitcast %x : # to $)",
                         expand);
    std::vector<float> result = kernel(a, b);
    for (size_t i = 0; i < a.size(); ++i) {
      auto bits = uint32_t(bitsOf(a[i]));
      PhiloxWords expected = philox({bits, 0x85a308d3, 7, bits}, {bits, 0x299f31d0});
      ASSERT_EQ(uint32_t(bitsOf(result[i])), expected[word]) << "word " << word << " of " << bits;
    }
  }
}

TEST(VectorRandom, uniformNumbersAreThoseOfTheLibrary) {
  std::vector<float> a = randomArguments<float>(1 << 10), b(a.size(), 0);
  std::vector<double> aWide = randomArguments<double>(1 << 10), bWide(a.size(), 0);
  std::vector<float> result = drawing<float>(buildUniform)(a, b);
  std::vector<double> resultWide = drawing<double>(buildUniform)(aWide, bWide);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(result[i], unitInterval24(wordsOf(a[i])));
    ASSERT_EQ(resultWide[i], unitInterval53(wordsOf(aWide[i])));
  }
}

TEST(VectorRandom, normalNumbersAreNearTheQuantile) {
  std::vector<float> a = randomArguments<float>(1 << 22), b(a.size(), 0);
  std::vector<float> result = drawing<float>(buildNormal)(a, b);
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, ulpError(result[i], normal24(wordsOf(a[i]))));
  printf("normal f32 %.2f ulp\n", worst);
  EXPECT_LE(worst, 6);

  std::vector<double> aWide = randomArguments<double>(1 << 18), bWide(a.size(), 0);
  std::vector<double> resultWide = drawing<double>(buildNormal)(aWide, bWide);
  double worstWide = 0;
  for (size_t i = 0; i < aWide.size(); ++i)
    worstWide = std::max(worstWide, ulpError(resultWide[i], exactNormal53(wordsOf(aWide[i]))));
  printf("normal f64 %.2f ulp\n", worstWide);
  EXPECT_LE(worstWide, 6);
}

} // namespace
