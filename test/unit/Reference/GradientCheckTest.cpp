//===- GradientCheckTest.cpp - Right and wrong gradients ------------------===//
//
// Gradients written by hand: the check accepts the right ones and finds the wrong ones. What
// Autodiff makes is checked in test/unit/Driver.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/GradientCheck.h"
#include "nnc/IR/NN.h"
#include "nnc/Reference/DrawInputs.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nnc;

namespace {
struct GradientCheckTest : testing::Test {
  GradientCheckTest() { context.loadDialect<nn::NNDialect, func::FuncDialect>(); }

  func::FuncOp parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    return *module->getOps<func::FuncOp>().begin();
  }

  /// The report on @g as gradient of @f, both of one f64[size] argument.
  GradientReport check(StringRef body, StringRef gradientBody, int64_t size, double low,
                       double high) {
    std::string type = "tensor<" + std::to_string(size) + "xf64>";
    std::string text = "func.func @f(%x: " + type + " {nn.name = \"x\"}) -> tensor<f64> {\n" +
                       body.str() + "}\nfunc.func @g(%x: " + type + ") -> " + type + " {\n" +
                       gradientBody.str() + "}\n";
    for (size_t at; (at = text.find("TYPE")) != std::string::npos;)
      text.replace(at, 4, type);
    func::FuncOp function = parse(text);
    auto gradient = cast<func::FuncOp>(function->getNextNode());
    HostTensor x = drawTensor(Float64Type::get(&context), {size}, low, high, /*seed=*/7);
    return llvm::cantFail(checkGradient(function, gradient, {0u}, {x}));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

static const char *const sumOfSquares = R"(
  %y = nn.square %x : (TYPE) -> TYPE
  %z = nn.sum %y : (TYPE) -> tensor<f64>
  return %z : tensor<f64>
)";
static const char *const twice = R"(
  %y = nn.add %x, %x : (TYPE, TYPE) -> TYPE
  return %y : TYPE
)";
static const char *const once = "  return %x : TYPE\n";

TEST_F(GradientCheckTest, acceptsTheRightGradient) {
  GradientReport report = check(sumOfSquares, twice, 5, -1, 1);
  EXPECT_TRUE(report.passed()) << report.str();
  EXPECT_EQ(report.numChecked, 5);
}

TEST_F(GradientCheckTest, checksLargeArgumentsInRandomDirections) {
  GradientReport report = check(sumOfSquares, twice, 200, -1, 1);
  EXPECT_TRUE(report.passed()) << report.str();
  EXPECT_EQ(report.numChecked, 64);
  EXPECT_EQ(check(sumOfSquares, once, 200, -1, 1).mismatches.size(), 64u);
}

TEST_F(GradientCheckTest, findsAWrongGradient) {
  GradientReport report = check(sumOfSquares, once, 1, 0.5, 0.5);
  EXPECT_EQ(report.str(), "1 derivatives, largest relative error 0.5, 1 wrong\n"
                          "  derivative with respect to x, element 0: expected 1 by finite "
                          "differences, found 0.5");
}

TEST_F(GradientCheckTest, stepsBesideKinksAndTheEndOfTheDomain) {
  // sum(log(x)) at 0.00015: the first step leaves the domain.
  GradientReport report = check(R"(
  %y = nn.log %x : (TYPE) -> TYPE
  %z = nn.sum %y : (TYPE) -> tensor<f64>
  return %z : tensor<f64>
)",
                                R"(
  %y = nn.reciprocal %x : (TYPE) -> TYPE
  return %y : TYPE
)",
                                1, 0.003, 0.003);
  EXPECT_TRUE(report.passed()) << report.str();
}

TEST_F(GradientCheckTest, holdsWhatStopGradientPasses) {
  GradientReport report = check(R"(
  %s = nn.stop_gradient %x : (TYPE) -> TYPE
  %y = nn.mul %x, %s : (TYPE, TYPE) -> TYPE
  %z = nn.sum %y : (TYPE) -> tensor<f64>
  return %z : tensor<f64>
)",
                                once, 5, -1, 1);
  EXPECT_TRUE(report.passed()) << report.str();
}

TEST_F(GradientCheckTest, aNaNIsWrong) {
  EXPECT_FALSE(check(sumOfSquares, R"(
  %y = nn.log %x : (TYPE) -> TYPE
  return %y : TYPE
)",
                     1, -0.5, -0.5)
                   .passed());
}

TEST_F(GradientCheckTest, doesNotJudgeBesideAKink) {
  const char *body = R"(
  %y = nn.relu %x : (TYPE) -> TYPE
  %z = nn.sum %y : (TYPE) -> tensor<f64>
  return %z : tensor<f64>
)";
  GradientReport report = check(body, once, 1, 1e-7, 1e-7);
  EXPECT_EQ(report.numUnclear, 1) << report.str();
  EXPECT_FALSE(report.passed());
  // Further away it does.
  EXPECT_EQ(check(body, once, 1, 5e-4, 5e-4).mismatches.size(), 1u);
}

TEST_F(GradientCheckTest, buildsInAnotherPrecision) {
  func::FuncOp function = parse(R"(
func.func @f(%x: tensor<?xf32, ["N"]>) -> tensor<?xf32, ["N"]> {
  %c = nn.constant dense<0.5> : tensor<f32>
  %h = nn.cast %x {dtype = f16} : (tensor<?xf32, ["N"]>) -> tensor<?xf16, ["N"]>
  %w = nn.cast %h {dtype = f32} : (tensor<?xf16, ["N"]>) -> tensor<?xf32, ["N"]>
  %y = nn.add %w, %c : (tensor<?xf32, ["N"]>, tensor<f32>) -> tensor<?xf32, ["N"]>
  return %y : tensor<?xf32, ["N"]>
})");
  func::FuncOp wide = buildInPrecision(function, Float64Type::get(&context));
  EXPECT_TRUE(succeeded(verify(*module)));
  EXPECT_EQ(wide.getName(), "f.f64");
  HostTensor x = drawTensor(Float64Type::get(&context), {3}, 0, 1, /*seed=*/1);
  HostTensor y = llvm::cantFail(interpret(wide, {x}))[0];
  EXPECT_EQ(y.getFloat(2), x.getFloat(2) + 0.5);
}

TEST_F(GradientCheckTest, buildsTheWeightedSum) {
  func::FuncOp function = parse(R"(
func.func @f(%x: tensor<2xf64>, %weight0: tensor<f64> {nn.name = "weight0"})
    -> (tensor<2xf64>, tensor<i64>, tensor<f64>) {
  %c = nn.constant dense<1> : tensor<i64>
  return %x, %c, %weight0 : tensor<2xf64>, tensor<i64>, tensor<f64>
})");
  func::FuncOp sum = buildWeightedSum(function);
  EXPECT_TRUE(succeeded(verify(*module)));
  std::vector<std::string> names;
  for (unsigned number = 0; number < sum.getNumArguments(); ++number)
    names.push_back(sum.getArgAttrOfType<StringAttr>(number, nn::nameAttr).str());
  EXPECT_EQ(names, (std::vector<std::string>{"argument0", "weight0", "weight0_", "weight2"}));
  Type f64 = Float64Type::get(&context);
  HostTensor x = drawTensor(f64, {2}, 3, 3, 1), y = HostTensor::scalar(f64, 5);
  HostTensor w = drawTensor(f64, {2}, 10, 10, 1), v = HostTensor::scalar(f64, 100);
  EXPECT_EQ(llvm::cantFail(interpret(sum, {x, y, w, v}))[0].getFloat(0), 560);
}
