//===- CheckGradientsTest.cpp - Gradients of random programs --------------===//
//
// Ops one by one are in test/unit/Autodiff; here they meet each other. NNC_RANDOM_PROGRAMS says how
// many programs, NNC_RANDOM_SEED the first seed; a failure names its seed.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/CheckGradients.h"
#include "nnc/Autodiff/Autodiff.h"
#include "nnc/IR/NN.h"
#include "nnc/Reference/DrawInputs.h"
#include "nnc/Reference/RandomProgram.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir;
using namespace nnc;

namespace {
struct CheckGradientsTest : testing::Test {
  CheckGradientsTest() : context(makeRegistry()) { context.loadAllAvailableDialects(); }

  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registry.insert<nn::NNDialect, func::FuncDialect>();
    registerGradientModels(registry);
    return registry;
  }

  /// The report on the function in `text`, or the error.
  std::string check(StringRef text, ArrayRef<double> arguments, unsigned order) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    auto function = *module->getOps<func::FuncOp>().begin();
    SmallVector<HostTensor> tensors;
    for (auto [type, value] : llvm::zip_equal(function.getArgumentTypes(), arguments))
      tensors.push_back(HostTensor::scalar(cast<RankedTensorType>(type).getElementType(), value));
    auto report = checkGradients(function, tensors, order);
    return report ? report->str() : llvm::toString(report.takeError());
  }

  MLIRContext context;
};

uint64_t fromEnvironment(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}
} // namespace

TEST_F(CheckGradientsTest, checksInDoubleToTheSecondOrder) {
  // Three derivatives: of x^2 for x, then of 2 x w for x and for w.
  std::string report = check(R"(
func.func @f(%x: tensor<f32>) -> tensor<f32> {
  %y = nn.square %x : (tensor<f32>) -> tensor<f32>
  return %y : tensor<f32>
})",
                             {1.5}, 2);
  EXPECT_TRUE(StringRef(report).starts_with("3 derivatives")) << report;
  EXPECT_TRUE(StringRef(report).ends_with(" 0 wrong")) << report;
}

TEST_F(CheckGradientsTest, expandsGradFirst) {
  std::string report = check(R"(
func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %y = nn.exp %x : (tensor<f64>) -> tensor<f64>
  %d = "nn.grad"(%y, %x) : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %d : tensor<f64>
})",
                             {0.5}, 1);
  EXPECT_TRUE(StringRef(report).ends_with(" 0 wrong")) << report;
}

TEST_F(CheckGradientsTest, saysWhatCannotBeDifferentiated) {
  EXPECT_EQ(check(R"(
func.func @f(%x: tensor<i64>) -> tensor<i64> {
  return %x : tensor<i64>
})",
                  {1}, 1),
            "expected floating-point results to differentiate");
}

TEST_F(CheckGradientsTest, randomPrograms) {
  uint64_t count = fromEnvironment("NNC_RANDOM_PROGRAMS", 40);
  uint64_t first = fromEnvironment("NNC_RANDOM_SEED", 0);
  int64_t numChecked = 0, numUnclear = 0;
  GradientCheckOptions options;
  options.tolerance = 1e-6;
  options.maxElements = 6;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    RandomProgramOptions programOptions;
    programOptions.numOps = 2 + seed % 12;
    RandomProgram program = buildRandomProgram(context, seed, programOptions);
    auto report = checkGradients(program.function, program.arguments, 1 + seed % 2, options);
    ASSERT_TRUE(bool(report)) << "seed " << seed << ": " << llvm::toString(report.takeError());
    numChecked += report->numChecked;
    numUnclear += report->numUnclear;
    if (report->mismatches.empty())
      continue;
    RandomProgram small = reduceProgram(program, [&](RandomProgram &candidate) {
      auto again = checkGradients(candidate.function, candidate.arguments, 1 + seed % 2, options);
      if (again)
        return !again->mismatches.empty();
      llvm::consumeError(again.takeError());
      return false;
    });
    ADD_FAILURE() << "seed " << seed << ": " << report->str();
    small.module->dump();
  }
  EXPECT_LT(numUnclear, numChecked / 20);
}
