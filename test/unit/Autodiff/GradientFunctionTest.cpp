//===- GradientFunctionTest.cpp - The signature of a gradient -------------===//
//
// Which arguments and results NAME.grad has, and what is said of a name that is not there.
//
//===----------------------------------------------------------------------===//
#include "nnc/Autodiff/Autodiff.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nnc;
using testing::ElementsAre;

namespace {
class GradientFunction : public testing::Test {
protected:
  GradientFunction() {
    DialectRegistry registry;
    registry.insert<nn::NNDialect, func::FuncDialect>();
    registerGradientModels(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  func::FuncOp parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, ParserConfig(&context));
    return module ? *module->getOps<func::FuncOp>().begin() : func::FuncOp();
  }

  static std::vector<std::string> argumentNames(func::FuncOp function) {
    std::vector<std::string> names;
    for (unsigned index = 0; index < function.getNumArguments(); ++index)
      names.push_back(function.getArgAttrOfType<StringAttr>(index, nn::nameAttr).str());
    return names;
  }

  static std::vector<std::string> resultNames(func::FuncOp function) {
    std::vector<std::string> names;
    for (unsigned index = 0; index < function.getNumResults(); ++index)
      names.push_back(function.getResultAttrOfType<StringAttr>(index, nn::nameAttr).str());
    return names;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

constexpr StringLiteral logic = R"(
func.func @logic(%x: tensor<3x2xf32> {nn.name = "x", nn.role = "input"},
                 %w: tensor<2x1xf32> {nn.name = "w", nn.role = "param"})
    -> (tensor<3x1xf32> {nn.name = "y", nn.role = "output"}, tensor<3x1xf32> {nn.name = "z", nn.role = "tap"}) {
  %z = nn.matmul %x, %w : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
  %y = nn.sigmoid %z : (tensor<3x1xf32>) -> tensor<3x1xf32>
  return %y, %z : tensor<3x1xf32>, tensor<3x1xf32>
})";
} // namespace

TEST_F(GradientFunction, TakesACotangentForEachOutputAndGivesParameters) {
  FailureOr<func::FuncOp> gradient = buildGradientFunction(parse(logic));
  ASSERT_TRUE(succeeded(gradient) && succeeded(verify(*module)));
  EXPECT_EQ(gradient->getName(), "logic.grad");
  EXPECT_THAT(argumentNames(*gradient), ElementsAre("x", "w", "d_y"));
  EXPECT_THAT(resultNames(*gradient), ElementsAre("d_w"));
}

TEST_F(GradientFunction, OfAGradientFunctionIsTheSecondDerivative) {
  FailureOr<func::FuncOp> gradient = buildGradientFunction(parse(logic), {"x", "w"});
  ASSERT_TRUE(succeeded(gradient));
  EXPECT_THAT(resultNames(*gradient), ElementsAre("d_x", "d_w"));
  FailureOr<func::FuncOp> second = buildGradientFunction(*gradient);
  ASSERT_TRUE(succeeded(second) && succeeded(verify(*module)));
  EXPECT_EQ(second->getName(), "logic.grad.grad");
  EXPECT_THAT(argumentNames(*second), ElementsAre("x", "w", "d_y", "d_d_x", "d_d_w"));
  EXPECT_THAT(resultNames(*second), ElementsAre("d_w"));
}

TEST_F(GradientFunction, OfALossNeedsNoCotangent) {
  FailureOr<func::FuncOp> gradient = buildGradientFunction(parse(R"(
func.func @f(%x: tensor<3xf32> {nn.name = "x"}, %n: tensor<i64> {nn.name = "n"})
    -> (tensor<3xf32> {nn.name = "y"}, tensor<f32> {nn.name = "loss", nn.role = "loss"}) {
  %y = nn.square %x : (tensor<3xf32>) -> tensor<3xf32>
  %loss = nn.sum %y : (tensor<3xf32>) -> tensor<f32>
  return %y, %loss : tensor<3xf32>, tensor<f32>
})"));
  ASSERT_TRUE(succeeded(gradient) && succeeded(verify(*module)));
  EXPECT_THAT(argumentNames(*gradient), ElementsAre("x", "n"));
  EXPECT_THAT(resultNames(*gradient), ElementsAre("d_x"));
}

TEST_F(GradientFunction, SaysWhichNamesThereAre) {
  func::FuncOp function = parse(logic);
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(buildGradientFunction(function, {"v"})));
  EXPECT_EQ(message, "expected a floating-point argument to differentiate (x, w), found 'v'");
}
