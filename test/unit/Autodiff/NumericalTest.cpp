//===- NumericalTest.cpp - Gradients against finite differences -----------===//
//
// Whole programs: the gradient function of each, interpreted in f64, is compared with differences
// of the program; then the gradient function is itself the program, for the second derivative.
//
//===----------------------------------------------------------------------===//
#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Driver/CheckGradients.h"
#include "nnc/IR/OpTable.h"
#include "nnc/Reference/DrawInputs.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nnc;

namespace {
class Numerical : public testing::Test {
protected:
  Numerical() : context(makeRegistry()) { context.loadAllAvailableDialects(); }

  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registry.insert<nn::NNDialect, func::FuncDialect>();
    registerGradientModels(registry);
    return registry;
  }

  static void check(func::FuncOp function, ArrayRef<HostTensor> inputs) {
    GradientCheckOptions options;
    options.tolerance = 1e-8;
    llvm::Expected<GradientReport> report = checkGradients(function, inputs, /*order=*/2, options);
    ASSERT_TRUE(bool(report)) << llvm::toString(report.takeError());
    EXPECT_TRUE(report->passed() && report->numUnclear == 0) << report->str();
  }

  static SmallVector<HostTensor> run(func::FuncOp function, ArrayRef<ExampleInput> inputs) {
    llvm::Expected<SmallVector<HostTensor>> results = interpret(function, drawInputs(inputs, 7));
    if (results)
      return *results;
    ADD_FAILURE() << llvm::toString(results.takeError());
    return {};
  }

  /// The gradient of the gradient is the same when canonicalized.
  void checkCanonicalization(ModuleOp module, func::FuncOp function) {
    FailureOr<func::FuncOp> first = buildGradientFunction(function);
    ASSERT_TRUE(succeeded(first));
    FailureOr<func::FuncOp> second = buildGradientFunction(*first);
    ASSERT_TRUE(succeeded(second));
    SmallVector<ExampleInput> inputs;
    for (Type type : second->getArgumentTypes())
      inputs.push_back({"", cast<RankedTensorType>(type), 0.2, 1.2});
    SmallVector<HostTensor> before = run(*second, inputs);
    PassManager passes(&context);
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    passes.addPass(createCanonicalizerPass());
    ASSERT_TRUE(succeeded(passes.run(module)));
    for (auto [expected, found] : llvm::zip_equal(before, run(*second, inputs)))
      EXPECT_TRUE(expected == found) << expected.str() << " became " << found.str();
  }

  /// The first and the second derivative of the only function in `text`.
  void checkProgram(StringRef text) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, ParserConfig(&context));
    ASSERT_TRUE(module);
    auto function = *module->getOps<func::FuncOp>().begin();
    SmallVector<ExampleInput> inputs;
    for (Type type : function.getArgumentTypes())
      inputs.push_back({"", cast<RankedTensorType>(type), 0.2, 1.2});
    check(function, drawInputs(inputs, /*seed=*/7));
    checkCanonicalization(*module, function);
  }

  MLIRContext context;
};
} // namespace

TEST_F(Numerical, ExamplesOfOps) {
  std::set<std::string> unchecked;
  for (const OpInfo &op : getOpTable()) {
    if (!op.isDifferentiable)
      continue;
    unchecked.insert(op.name);
    for (const std::string &text : op.examples) {
      SCOPED_TRACE(text);
      llvm::Expected<Example> example = buildExample(context, text);
      ASSERT_TRUE(bool(example)) << llvm::toString(example.takeError());
      // With this seed no two elements are so close that a difference steps over a kink.
      SmallVector<HostTensor> inputs = drawInputs(example->inputs, /*seed=*/2);
      if (llvm::none_of(inputs, [](const HostTensor &input) { return input.isFloat(); }))
        continue;
      check(example->function, inputs);
      unchecked.erase(op.name);
    }
  }
  // The programs below have loops.
  EXPECT_EQ(unchecked, std::set<std::string>{"scan"});
}

TEST_F(Numerical, Scan) {
  checkProgram(R"(
func.func @recurrent(%w: tensor<3x3xf64> {nn.name = "w"}, %h0: tensor<3xf64> {nn.name = "h0"},
                     %xs: tensor<4x3xf64> {nn.name = "xs"}) -> (tensor<3xf64>, tensor<4x3xf64>) {
  %r:2 = nn.scan attributes {count = 4 : i64} init(%h0 : tensor<3xf64>) over(%xs : tensor<4x3xf64>)
      -> tensor<3xf64>, tensor<4x3xf64> {
  ^bb0(%i: tensor<i64>, %h: tensor<3xf64>, %x: tensor<3xf64>):
    %p = nn.matmul %h, %w : (tensor<3xf64>, tensor<3x3xf64>) -> tensor<3xf64>
    %q = nn.add %p, %x : (tensor<3xf64>, tensor<3xf64>) -> tensor<3xf64>
    %t = nn.tanh %q : (tensor<3xf64>) -> tensor<3xf64>
    nn.yield %t, %q : tensor<3xf64>, tensor<3xf64>
  }
  return %r#0, %r#1 : tensor<3xf64>, tensor<4x3xf64>
})");
}

TEST_F(Numerical, ReverseScanOfCapturedValues) {
  // %a is computed outside of %w, both are used inside; an integer is carried too.
  checkProgram(R"(
func.func @f(%w: tensor<f64> {nn.name = "w"}, %xs: tensor<?xf64, ["N"]> {nn.name = "xs"}) -> tensor<f64> {
  %a = nn.exp %w : (tensor<f64>) -> tensor<f64>
  %zero = nn.constant dense<0> : tensor<i64>
  %one = nn.constant dense<1> : tensor<i64>
  %r:2 = nn.scan attributes {count = "N", reverse = true} init(%w, %zero : tensor<f64>, tensor<i64>)
      over(%xs : tensor<?xf64, ["N"]>) -> tensor<f64>, tensor<i64> {
  ^bb0(%i: tensor<i64>, %s: tensor<f64>, %k: tensor<i64>, %x: tensor<f64>):
    %n = nn.add %k, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %f = nn.cast %n {dtype = f64} : (tensor<i64>) -> tensor<f64>
    %p = nn.mul %x, %a : (tensor<f64>, tensor<f64>) -> tensor<f64>
    %q = nn.mul %s, %w : (tensor<f64>, tensor<f64>) -> tensor<f64>
    %u = nn.mul %p, %f : (tensor<f64>, tensor<f64>) -> tensor<f64>
    %t = nn.add %u, %q : (tensor<f64>, tensor<f64>) -> tensor<f64>
    nn.yield %t, %n : tensor<f64>, tensor<i64>
  }
  return %r#0 : tensor<f64>
})");
}

TEST_F(Numerical, ScanInScan) {
  checkProgram(R"(
func.func @f(%x: tensor<2xf64> {nn.name = "x"}, %w: tensor<2xf64> {nn.name = "w"}) -> tensor<2xf64> {
  %r = nn.scan attributes {count = 2 : i64} init(%x : tensor<2xf64>) over() -> tensor<2xf64> {
  ^bb0(%i: tensor<i64>, %a: tensor<2xf64>):
    %s = nn.scan attributes {count = 3 : i64} init(%a : tensor<2xf64>) over() -> tensor<2xf64> {
    ^bb0(%j: tensor<i64>, %b: tensor<2xf64>):
      %p = nn.mul %b, %w : (tensor<2xf64>, tensor<2xf64>) -> tensor<2xf64>
      %q = nn.sin %p : (tensor<2xf64>) -> tensor<2xf64>
      nn.yield %q : tensor<2xf64>
    }
    %t = nn.mul %s, %a : (tensor<2xf64>, tensor<2xf64>) -> tensor<2xf64>
    nn.yield %t : tensor<2xf64>
  }
  return %r : tensor<2xf64>
})");
}

TEST_F(Numerical, SoftmaxCrossEntropyOfALayer) {
  checkProgram(R"(
func.func @f(%x: tensor<?x3xf64, ["N", 3]> {nn.name = "x"}, %w: tensor<3x2xf64> {nn.name = "w"},
             %b: tensor<2xf64> {nn.name = "b"}) -> tensor<f64> {
  %z = nn.matmul %x, %w : (tensor<?x3xf64, ["N", 3]>, tensor<3x2xf64>) -> tensor<?x2xf64, ["N", 2]>
  %a = nn.add %z, %b : (tensor<?x2xf64, ["N", 2]>, tensor<2xf64>) -> tensor<?x2xf64, ["N", 2]>
  %l = nn.log_softmax %a : (tensor<?x2xf64, ["N", 2]>) -> tensor<?x2xf64, ["N", 2]>
  %p = nn.slice %l {starts = [0, 1], stops = ["N", 2], steps = array<i64: 1, 1>}
      : (tensor<?x2xf64, ["N", 2]>) -> tensor<?x1xf64, ["N", 1]>
  %m = nn.mean %p : (tensor<?x1xf64, ["N", 1]>) -> tensor<f64>
  return %m : tensor<f64>
})");
}
