//===- PreserveTest.cpp - Passes keep the meaning of programs -------------===//
//
// The examples of all ops, interpreted before and after each pass, on ordinary and on infinite
// values.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/OpTable.h"
#include "nnc/Reference/DrawInputs.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace nnc;

namespace {
using MakePass = std::unique_ptr<Pass> (*)();

class Preserve : public testing::TestWithParam<MakePass> {
protected:
  Preserve() { context.loadDialect<nn::NNDialect, func::FuncDialect>(); }

  static void expectSame(const HostTensor &before, const HostTensor &after) {
    ASSERT_EQ(before.getElementType(), after.getElementType());
    ASSERT_EQ(before.getShape(), after.getShape());
    for (int64_t index = 0; index < before.getNumElements(); ++index) {
      double expected = before.getNumber(index), found = after.getNumber(index);
      if (std::isfinite(expected))
        EXPECT_NEAR(found, expected, 1e-13 * (1 + std::abs(expected))) << "element " << index;
      else
        EXPECT_TRUE(found == expected || (std::isnan(found) && std::isnan(expected)))
            << "element " << index << ": expected " << expected << ", found " << found;
    }
  }

  /// Interprets the example on `inputs` before and after the pass.
  void check(StringRef text, function_ref<void(SmallVector<HostTensor> &)> change) {
    SCOPED_TRACE(text.str());
    llvm::Expected<Example> example = buildExample(context, text);
    ASSERT_TRUE(bool(example)) << llvm::toString(example.takeError());
    SmallVector<HostTensor> inputs = drawInputs(example->inputs, /*seed=*/1);
    change(inputs);
    llvm::Expected<SmallVector<HostTensor>> before = interpret(example->function, inputs);
    ASSERT_TRUE(bool(before)) << llvm::toString(before.takeError());
    PassManager passes(&context);
    passes.addNestedPass<func::FuncOp>(GetParam()());
    ASSERT_TRUE(succeeded(passes.run(*example->module)));
    llvm::Expected<SmallVector<HostTensor>> after = interpret(example->function, inputs);
    ASSERT_TRUE(bool(after)) << llvm::toString(after.takeError());
    for (auto [expected, found] : llvm::zip_equal(*before, *after))
      expectSame(expected, found);
  }

  MLIRContext context;
};
} // namespace

TEST_P(Preserve, ExamplesOfOps) {
  for (const OpInfo &op : getOpTable())
    for (const std::string &text : op.examples)
      check(text, [](SmallVector<HostTensor> &) {});
}

TEST_P(Preserve, ReductionsOfInfiniteValues) {
  for (StringRef name : {"logsumexp", "mean", "max", "softmax", "log_softmax"})
    for (double value : {double(INFINITY), -double(INFINITY), double(NAN), 1e300, -1e300})
      for (int64_t count : {1, 4})
        check(("(x: f64[3, 4]) -> " + name + "(x, axis = 1)").str(),
              [&](SmallVector<HostTensor> &inputs) {
                for (int64_t index = 0; index < count; ++index)
                  inputs[0].setFloat(index, value);
              });
}

INSTANTIATE_TEST_SUITE_P(Passes, Preserve,
                         testing::Values([] { return createDecomposePass(); },
                                         [] { return createSimplifyPass(); }));
