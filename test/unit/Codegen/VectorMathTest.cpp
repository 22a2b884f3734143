// Measures the vector maths against libm in a wider type, over the whole range of its arguments.
//
// Each function is compiled to machine code and applied to every part of the line of floats (f32:
// 2^22 of them, evenly over the bit patterns; f64: 2^17), to a dense
// range where the function is interesting, and to the special values. The error is in units of the
// last place of the exact result; where that is NaN, infinite or a zero the result must be the
// same. The bounds are those stated in docs/numerics.md.
#include "Kernel.h"
#include "Ulp.h"

#include "nnc/Codegen/Target.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using nnc::test::Kernel;
using nnc::test::lanes;
using nnc::test::ulpError;

namespace {

/// One function: how to write it, what it should be, where to look closely, and how far it may err.
struct Case {
  std::string name;
  std::string op; // of %a and perhaps %b, in MLIR, with $ for the type
  double (*single)(double, double);
  long double (*wide)(long double, long double);
  double low, high;                // the dense range
  double boundSingle, boundDouble; // ulp
  double secondLow = 0, secondHigh = 0;
};

void PrintTo(const Case &test, std::ostream *out) { *out << test.name; }

#define REFERENCE(EXPRESSION)                                                                      \
  [](double x, double y) -> double { return EXPRESSION; },                                         \
      [](long double x, long double y) -> long double { return EXPRESSION; }

/// A power by a constant, as a body has it.
std::string powOf(const std::string &exponent) {
  return "%y = arith.constant dense<" + exponent + "> : $\n%r = math.powf %a, %y : $";
}

/// What a sigmoid is written as. Where e^-x overflows it is 0.
const char *sigmoid = R"(
  %one = arith.constant dense<1.0> : $
  %minus = arith.negf %a : $
  %exp = math.exp %minus : $
  %sum = arith.addf %one, %exp : $
  %r = arith.divf %one, %sum : $)";
double sigmoidSingle(double x, double) { return x < -88.72283f ? 0 : 1 / (1 + std::exp(-x)); }
long double sigmoidWide(long double x, long double) {
  return x < -709.782712893384 ? 0 : 1 / (1 + std::exp(-x));
}

/// A power by an integer: that of %b, within ±100.
const char *powInteger = R"(
  %low = arith.constant dense<-100.0> : $
  %high = arith.constant dense<100.0> : $
  %c = arith.maxnumf %b, %low : $
  %d = arith.minnumf %c, %high : $
  %n = arith.fptosi %d : $ to #
  %r = math.fpowi %a, %n : $, #)";
template <typename T> T powTruncated(T x, T y) {
  return std::pow(x, std::trunc(std::fmin(std::fmax(y, T(-100)), T(100))));
}

std::vector<Case> cases() {
  return {
      {"exp", "math.exp %a : $", REFERENCE(std::exp(x)), -110, 90, 2, 2},
      {"exp2", "math.exp2 %a : $", REFERENCE(std::exp2(x)), -150, 130, 2, 2},
      {"expm1", "math.expm1 %a : $", REFERENCE(std::expm1(x)), -5, 5, 2, 2},
      {"sigmoid", sigmoid, sigmoidSingle, sigmoidWide, -20, 20, 2.5, 2.5},
      {"log", "math.log %a : $", REFERENCE(std::log(x)), 0.25, 4, 2, 2},
      {"log1p", "math.log1p %a : $", REFERENCE(std::log1p(x)), -1, 3, 2, 2},
      {"tanh", "math.tanh %a : $", REFERENCE(std::tanh(x)), -3, 3, 2, 2},
      {"erf", "math.erf %a : $", REFERENCE(std::erf(x)), -6, 6, 2, 2},
      {"sin", "math.sin %a : $", REFERENCE(std::sin(x)), -10, 10, 2, 2},
      {"cos", "math.cos %a : $", REFERENCE(std::cos(x)), -10, 10, 2, 2},
      {"rsqrt", "math.rsqrt %a : $", REFERENCE(1 / std::sqrt(x)), 0.5, 4, 2, 2},
      {"round", "math.round %a : $", REFERENCE(std::round(x)), -4, 4, 0, 0},
      {"pow", "math.powf %a, %b : $", REFERENCE(std::pow(x, y)), -10, 10, 2, 2, -40, 40},
      {"powInteger", powInteger, powTruncated, powTruncated, -10, 10, 2, 2, -40, 40},
      {"powZero", powOf("0.0"), REFERENCE(std::pow(x, 0)), -10, 10, 0, 0},
      {"powThree", powOf("3.0"), REFERENCE(std::pow(x, 3)), -10, 10, 2, 2},
      {"powFour", powOf("4.0"), REFERENCE(std::pow(x, 4)), -10, 10, 2, 2},
      {"powMinusTwo", powOf("-2.0"), REFERENCE(std::pow(x, -2)), -10, 10, 2, 2},
      {"powFive", powOf("5.0"), REFERENCE(std::pow(x, 5)), -10, 10, 2, 2},
      {"powHalf", powOf("0.5"), REFERENCE(std::pow(x, 0.5L)), 0, 10, 2, 2},
      {"powMinusHalf", powOf("-0.5"), REFERENCE(std::pow(x, -0.5L)), 0, 10, 2, 2},
  };
}

template <typename T> std::vector<T> specialValues() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values;
  for (T value : {T(0),
                  Limits::denorm_min(),
                  Limits::min() - Limits::denorm_min(),
                  Limits::min(),
                  Limits::epsilon(),
                  T(0.25),
                  T(0.5),
                  T(1) - Limits::epsilon() / 2,
                  T(1),
                  T(1) + Limits::epsilon(),
                  T(2),
                  T(3),
                  T(4),
                  T(5.5),
                  T(88.5),
                  T(104),
                  T(709.5),
                  T(746),
                  T(1e30),
                  Limits::max(),
                  Limits::infinity(),
                  Limits::quiet_NaN()}) {
    values.push_back(value);
    values.push_back(-value);
  }
  return values;
}

/// The arguments: all bit patterns at regular steps, a dense range, and every pair of special ones.
template <typename T> void fillArguments(const Case &test, std::vector<T> &a, std::vector<T> &b) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr int patterns = sizeof(T) == 4 ? 22 : 17, bits = sizeof(T) * 8;
  std::mt19937_64 random(1);
  std::uniform_real_distribution<T> second(test.secondLow, test.secondHigh);
  for (Bits i = 0; i < Bits(1) << patterns; ++i) {
    Bits pattern = i << (bits - patterns) | (random() & ((Bits(1) << (bits - patterns)) - 1));
    T value;
    std::memcpy(&value, &pattern, sizeof value);
    a.push_back(value);
    b.push_back(i % 2 ? second(random) : std::round(second(random)));
  }
  std::uniform_real_distribution<T> first(test.low, test.high);
  for (int i = 0; i < 1 << (patterns - 2); ++i) {
    a.push_back(first(random));
    b.push_back(second(random));
  }
  // The neighbours of the zeros of sin and cos; the last but one is the nearest of all to one.
  for (int i = 1; i < 1 << 16; ++i) {
    a.push_back(static_cast<T>(i * M_PI_2));
    b.push_back(1);
  }
  a.insert(a.end(), {T(6381956970095103 * 0x1p797L), T(16367173 * 0x1p72)});
  b.insert(b.end(), {1, 1});
  for (T x : specialValues<T>())
    for (T y : specialValues<T>()) {
      a.push_back(x);
      b.push_back(y);
    }
  while (a.size() % lanes) {
    a.push_back(1);
    b.push_back(1);
  }
}

template <typename T, typename Wide>
void measure(const Case &test, Wide (*reference)(Wide, Wide), double bound,
             const std::string &cpu = "x86-64-v3") {
  Kernel<T> kernel(test.op, {}, cpu);
  ASSERT_TRUE(kernel.function);
  std::vector<T> a, b;
  fillArguments(test, a, b);
  std::vector<T> result = kernel(a, b);
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    double error = ulpError(result[i], reference(a[i], b[i]));
    if (error > worst) {
      worst = error;
      where = i;
    }
  }
  printf("%-12s %s  %.2f ulp\n", test.name.c_str(), sizeof(T) == 4 ? "f32" : "f64", worst);
  EXPECT_LE(worst, bound) << test.name << "(" << a[where] << ", " << b[where]
                          << ") = " << result[where] << ", not " << reference(a[where], b[where]);
}

class VectorMath : public testing::TestWithParam<Case> {};

TEST_P(VectorMath, SinglePrecision) {
  measure<float, double>(GetParam(), GetParam().single, GetParam().boundSingle);
}

TEST_P(VectorMath, DoublePrecision) {
  measure<double, long double>(GetParam(), GetParam().wide, GetParam().boundDouble);
}

TEST_P(VectorMath, SinglePrecisionWithoutFma) {
  measure<float, double>(GetParam(), GetParam().single, GetParam().boundSingle, "x86-64-v2");
}

TEST_P(VectorMath, DoublePrecisionWithoutFma) {
  measure<double, long double>(GetParam(), GetParam().wide, GetParam().boundDouble, "x86-64-v2");
}

template <typename T> double nanosecondsPerElement(const Case &test) {
  Kernel<T> kernel(test.op);
  std::mt19937_64 random(1);
  std::uniform_real_distribution<T> first(test.low, test.high);
  std::uniform_real_distribution<T> second(test.secondLow, test.secondHigh);
  std::vector<T> a(2048), b(2048), result(2048);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = first(random);
    b[i] = second(random);
  }
  double best = 1e9;
  for (int i = 0; i < 2000; ++i) {
    auto start = std::chrono::steady_clock::now();
    kernel.run(a, b, result);
    std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count() / a.size());
  }
  return best;
}

// By hand: --gtest_also_run_disabled_tests --gtest_filter='*Speed*'
TEST_P(VectorMath, DISABLED_Speed) {
  printf("%-12s f32 %.3f ns  f64 %.3f ns\n", GetParam().name.c_str(),
         nanosecondsPerElement<float>(GetParam()), nanosecondsPerElement<double>(GetParam()));
}

/// The results of `other` are those of `op` to the bit.
void expectSame(const std::string &op, const std::string &other) {
  std::vector<float> a, b;
  for (int i = 0; i < 4096; ++i) {
    a.push_back(std::ldexp(i % 2 ? 1.37f : -1.37f, i / 16 - 128) + i);
    b.push_back(i % 7 - 3);
  }
  std::vector<float> expected = Kernel<float>(op)(a, b), found = Kernel<float>(other)(a, b);
  EXPECT_EQ(std::memcmp(expected.data(), found.data(), a.size() * sizeof(float)), 0) << other;
}

TEST(VectorMathShapes, matrixOfLanes) {
  for (std::string function : {"exp", "tanh", "erf", "cos", "log1p"})
    expectSame("math." + function + " %a : $",
               "%m = vector.shape_cast %a : $ to vector<2x8xf32>\n%f = math." + function +
                   " %m : vector<2x8xf32>\n%r = vector.shape_cast %f : vector<2x8xf32> to $");
}

TEST(VectorMathShapes, scalar) {
  for (std::string function : {"exp", "tanh", "erf", "cos", "log1p"})
    expectSame("%v = math." + function + " %a : $\n%s = vector.extract %v[3] : f32 from $\n" +
                   "%r = vector.broadcast %s : f32 to $",
               "%s = vector.extract %a[3] : f32 from $\n%f = math." + function +
                   " %s : f32\n%r = vector.broadcast %f : f32 to $");
}

TEST(VectorMathShapes, shortFloatsAreComputedInSingle) {
  expectSame(R"(
    %h = arith.truncf %a : $ to vector<16xbf16>
    %x = arith.extf %h : vector<16xbf16> to $
    %f = math.exp %x : $
    %s = arith.truncf %f : $ to vector<16xbf16>
    %r = arith.extf %s : vector<16xbf16> to $)",
             R"(
    %h = arith.truncf %a : $ to vector<16xbf16>
    %f = math.exp %h : vector<16xbf16>
    %r = arith.extf %f : vector<16xbf16> to $)");
}

template <typename T> void checkScaledExp(double low, double high) {
  std::vector<T> a = {NAN, INFINITY, -INFINITY, T(0), T(-0.0)}, b;
  for (int i = 0; a.size() < 100'003 * lanes; ++i)
    a.push_back(T(low + (high - low) * i / (100'000.0 * lanes)));
  b.resize(a.size());
  std::string op = "math.exp %a : $";
  std::vector<T> expected = Kernel<T>(op)(a, b), found = Kernel<T>(op, {}, "x86-64-v4")(a, b);
  EXPECT_EQ(std::memcmp(expected.data(), found.data(), a.size() * sizeof(T)), 0);
}

// AVX-512 scales by a power of two in one instruction, which rounds once, too, to denormals and to infinity.
TEST(VectorMathShapes, exponentialScaledByAnInstruction) {
  if (!nnc::TargetDescription::forCpu("x86-64-v4")->runsHere())
    GTEST_SKIP() << "no AVX-512 here";
  checkScaledExp<float>(-110, 95);
  checkScaledExp<double>(-760, 720);
}

/// Rounds to `type` and back, as processors without the conversions do, and compares with LLVM's arithmetic.
void checkRounding(const std::string &type, const llvm::fltSemantics &semantics) {
  Kernel<float> kernel(llvm::formatv(R"(
    %h = arith.truncf %a : $ to vector<16x{0}>
    %r = arith.extf %h : vector<16x{0}> to $)",
                                     type),
                       {}, "x86-64-v2");
  std::vector<float> a, b;
  for (uint64_t bits = 0; bits < uint64_t(1) << 32; bits += 997) // odd: all low bits, all exponents
    a.push_back(llvm::bit_cast<float>(uint32_t(bits)));
  for (float edge : {65504.0f, 65519.996f, 65520.0f, 0x1p-24f, 0x1p-25f, 0x1.8p-24f, 0x1.ffcp-15f,
                     0x1.ffep-15f, 0x1p-14f, INFINITY, 3.4e38f})
    a.insert(a.end(), {edge, -edge});
  a.resize((a.size() + lanes - 1) / lanes * lanes);
  b.resize(a.size());
  std::vector<float> result = kernel(a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    llvm::APFloat rounded(a[i]);
    bool losesInfo;
    rounded.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    rounded.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    float expected = rounded.convertToFloat();
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(result[i])) << a[i];
    else
      ASSERT_EQ(llvm::bit_cast<uint32_t>(expected), llvm::bit_cast<uint32_t>(result[i])) << a[i];
  }
}

TEST(VectorMathShortFloats, half) { checkRounding("f16", llvm::APFloat::IEEEhalf()); }
TEST(VectorMathShortFloats, brain) { checkRounding("bf16", llvm::APFloat::BFloat()); }

TEST(VectorMathIntegers, power) {
  Kernel<float> kernel(R"(
    %x = arith.bitcast %a : $ to #
    %n = arith.bitcast %b : $ to #
    %p = math.ipowi %x, %n : #
    %r = arith.bitcast %p : # to $)");
  std::vector<int32_t> x, n;
  for (int i = -8; i < 8; ++i)
    for (int k = -4; k < 12; ++k) {
      x.push_back(i);
      n.push_back(k);
    }
  std::vector<float> a(x.size()), b(x.size()), result(x.size());
  std::memcpy(a.data(), x.data(), x.size() * 4);
  std::memcpy(b.data(), n.data(), x.size() * 4);
  kernel.run(a, b, result);
  for (size_t i = 0; i < x.size(); ++i) {
    int32_t power;
    std::memcpy(&power, &result[i], 4);
    // 0 to a negative power is 0 here.
    double expected = x[i] == 0 && n[i] < 0 ? 0 : std::trunc(std::pow(x[i], n[i]));
    EXPECT_EQ(power, static_cast<int32_t>(static_cast<int64_t>(expected)))
        << x[i] << " to the power of " << n[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, VectorMath, testing::ValuesIn(cases()),
                         [](const auto &info) { return info.param.name; });

} // namespace
