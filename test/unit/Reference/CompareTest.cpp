//===- CompareTest.cpp - What rounding may change -------------------------===//
#include "nnc/Reference/Compare.h"
#include "nnc/IR/NN.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace nnc;

namespace {
struct CompareTest : testing::Test {
  CompareTest() { context.loadDialect<nn::NNDialect, func::FuncDialect>(); }

  /// How far %z, which `ops` compute of the vectors x and y, may be off, in roundings of 1.
  double bound(StringRef ops, ArrayRef<double> x, ArrayRef<double> y = {}) {
    std::string text = "!x = tensor<?xf64, [\"N\"]>\n!y = tensor<?xf64, [\"M\"]>\n"
                       "func.func @f(%x: !x, %y: !y) -> tensor<f64> {\n" +
                       ops.str() + "\n  return %z : tensor<f64>\n}";
    module = parseSourceString<ModuleOp>(text, &context);
    auto function = *module->getOps<func::FuncOp>().begin();
    SmallVector<HostTensor> arguments = {vector(x), vector(y)};
    auto results = interpret(function, arguments);
    auto bounds = roundingBounds(function, arguments, *results);
    return bounds->front() / getEpsilon(Float64Type::get(&context));
  }

  HostTensor vector(ArrayRef<double> elements) {
    HostTensor tensor(Float64Type::get(&context), {int64_t(elements.size())});
    for (auto [number, element] : llvm::enumerate(elements))
      tensor.setFloat(number, element);
    return tensor;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

TEST_F(CompareTest, judgesSumsByTheirTerms) {
  const char *sum = "%z = nn.sum %x : (!x) -> tensor<f64>";
  // The result is 1e-9; in another order of its terms it is off by the rounding of 2.
  EXPECT_GT(bound(sum, {1, 1e-9, -1}), 2);
  EXPECT_LT(bound(sum, {1, 1e-9, -1}), 100);
  EXPECT_LT(bound(sum, {1e-9, 1e-9}), 1e-6);
  const char *product = "%z = nn.einsum %x, %y {equation = \"a,b->\"} : (!x, !y) -> tensor<f64>";
  // The sum over each axis cancels.
  EXPECT_GT(bound(product, {1, 1e-5, -1}, {3, 1e-5, -3}), 12);
  EXPECT_LT(bound(product, {1, 1e-5, -1}, {3, 1e-5, -3}), 600);
}

TEST_F(CompareTest, followsErrorsThroughTheProgram) {
  const char *difference = R"(
  %s = nn.sum %x : (!x) -> tensor<f64>
  %t = nn.tanh %s : (tensor<f64>) -> tensor<f64>
  %z = nn.sub %s, %t : (tensor<f64>, tensor<f64>) -> tensor<f64>)";
  // x - tanh(x) is 3e-13, computed from numbers of 1e-4.
  EXPECT_GT(bound(difference, {1e-4}), 1e-4);
  EXPECT_LT(bound(difference, {1e-4}), 1e-2);
}

TEST_F(CompareTest, expectsTheSameOfWhatDoesNotRound) {
  const char *equal = R"(
  %m = nn.max %x : (!x) -> tensor<f64>
  %same = nn.equal %x, %m : (!x, tensor<f64>) -> tensor<?xi1, ["N"]>
  %ones = nn.cast %same {dtype = f64} : (tensor<?xi1, ["N"]>) -> !x
  %z = nn.max %ones : (!x) -> tensor<f64>)";
  // Whether the maximum is an element does not depend on rounding.
  EXPECT_LT(bound(equal, {0.1, 0.2, 0.3}), 100);
}

TEST_F(CompareTest, expectsNothingWhereRoundingDecides) {
  const char *decision = R"(
  %s = nn.sum %x : (!x) -> tensor<f64>
  %sign = nn.sign %s : (tensor<f64>) -> tensor<f64>
  %z = nn.sum %sign : (tensor<f64>) -> tensor<f64>)";
  EXPECT_GT(bound(decision, {0.1, 0.2, -0.3}), 1e15);
}

TEST_F(CompareTest, keepsToFiniteNumbersBesideInfinities) {
  const char *largest = "%z = nn.max %y : (!y) -> tensor<f64>";
  // What cancels out of numbers like the argument 1.
  EXPECT_LE(bound(largest, {1}, {INFINITY}), 4);
}
