//===- FoldScalesTest.cpp - Scales in parameters compute the same ---------===//
//
// Products with what follows them, interpreted before and after the pass, which has to take all scales.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/NN.h"
#include "nnc/Reference/DrawInputs.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nnc;

namespace {

class FoldScales : public testing::Test {
protected:
  FoldScales() { context.loadDialect<nn::NNDialect, func::FuncDialect>(); }

  /// Interprets a function whose arguments are parameters but for the first one.
  void check(StringRef body) {
    SCOPED_TRACE(body.str());
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(body, &context);
    ASSERT_TRUE(module);
    func::FuncOp function = *module->getOps<func::FuncOp>().begin();
    function->setAttr(nn::entryAttr, StringAttr::get(&context, "forward"));
    for (unsigned index = 1; index < function.getNumArguments(); ++index)
      function.setArgAttr(index, nn::roleAttr, StringAttr::get(&context, "param"));
    SmallVector<HostTensor> inputs;
    for (Type type : function.getArgumentTypes()) {
      auto tensor = cast<RankedTensorType>(type);
      inputs.push_back(drawTensor(tensor.getElementType(), tensor.getShape(), 0.5, 2, /*seed=*/1,
                                  inputs.size()));
    }
    llvm::Expected<SmallVector<HostTensor>> before = interpret(function, inputs);
    ASSERT_TRUE(bool(before)) << llvm::toString(before.takeError());
    PassManager passes(&context);
    passes.addNestedPass<func::FuncOp>(createFoldScalesPass(FoldScalesPassOptions{true}));
    ASSERT_TRUE(succeeded(passes.run(*module)));
    auto isLate = [&](Value value) { return value.getType() == function.getResultTypes().front(); };
    function.walk([&](nn::MulOp op) { EXPECT_FALSE(isLate(op)); });
    function.walk([&](nn::DivOp op) { EXPECT_FALSE(isLate(op)); });
    llvm::Expected<SmallVector<HostTensor>> after = interpret(function, inputs);
    ASSERT_TRUE(bool(after)) << llvm::toString(after.takeError());
    for (int64_t index = 0; index < before->front().getNumElements(); ++index) {
      double expected = before->front().getNumber(index);
      EXPECT_NEAR(after->front().getNumber(index), expected, 1e-13 * (1 + std::abs(expected)));
    }
  }

  MLIRContext context;
};

TEST_F(FoldScales, Convolutions) {
  for (int groups : {1, 2, 4}) {
    std::string filters = "tensor<4x" + std::to_string(4 / groups) + "x3x3xf64>";
    check("func.func @f(%x: tensor<2x4x5x6xf64>, %w: " + filters + R"(, %b: tensor<4x1x1xf64>,
        %m: tensor<4x1xf64>, %s: tensor<4x1xf64>, %t: tensor<4x1xf64>) -> tensor<2x4x20xf64> {
      %0 = nn.convolution %x, %w {groups = )" +
          std::to_string(groups) + R"( : i64, low = array<i64: 1>} : (tensor<2x4x5x6xf64>, )" +
          filters + R"() -> tensor<2x4x4x5xf64>
      %1 = nn.add %b, %0 : (tensor<4x1x1xf64>, tensor<2x4x4x5xf64>) -> tensor<2x4x4x5xf64>
      %2 = nn.reshape %1 {shape = [2, 4, -1]} : (tensor<2x4x4x5xf64>) -> tensor<2x4x20xf64>
      %3 = nn.sub %2, %m : (tensor<2x4x20xf64>, tensor<4x1xf64>) -> tensor<2x4x20xf64>
      %4 = nn.mul %3, %s : (tensor<2x4x20xf64>, tensor<4x1xf64>) -> tensor<2x4x20xf64>
      %5 = nn.add %4, %t : (tensor<2x4x20xf64>, tensor<4x1xf64>) -> tensor<2x4x20xf64>
      return %5 : tensor<2x4x20xf64>
    })");
  }
}

TEST_F(FoldScales, Matmuls) {
  check(
      R"(func.func @f(%x: tensor<5x2x4xf64>, %w: tensor<4x3xf64>, %s: tensor<3xf64>, %n: tensor<1xf64>)
      -> tensor<3x5x2xf64> {
    %0 = nn.matmul %x, %w : (tensor<5x2x4xf64>, tensor<4x3xf64>) -> tensor<5x2x3xf64>
    %1 = nn.div %0, %s : (tensor<5x2x3xf64>, tensor<3xf64>) -> tensor<5x2x3xf64>
    %2 = nn.transpose %1 {permutation = array<i64: 2, 0, 1>} : (tensor<5x2x3xf64>) -> tensor<3x5x2xf64>
    %3 = nn.mul %n, %2 : (tensor<1xf64>, tensor<3x5x2xf64>) -> tensor<3x5x2xf64>
    return %3 : tensor<3x5x2xf64>
  })");
  check(
      R"(func.func @f(%x: tensor<5x4xf64>, %w: tensor<6x5xf64>, %s: tensor<6x1xf64>) -> tensor<6x4xf64> {
    %0 = nn.matmul %w, %x : (tensor<6x5xf64>, tensor<5x4xf64>) -> tensor<6x4xf64>
    %1 = nn.mul %0, %s : (tensor<6x4xf64>, tensor<6x1xf64>) -> tensor<6x4xf64>
    return %1 : tensor<6x4xf64>
  })");
  check(
      R"(func.func @f(%x: tensor<5xf64>, %w: tensor<6x5xf64>, %s: tensor<6xf64>) -> tensor<6xf64> {
    %0 = nn.matmul %w, %x : (tensor<6x5xf64>, tensor<5xf64>) -> tensor<6xf64>
    %1 = nn.mul %0, %s : (tensor<6xf64>, tensor<6xf64>) -> tensor<6xf64>
    return %1 : tensor<6xf64>
  })");
}

TEST_F(FoldScales, Einsums) {
  check(
      R"(func.func @f(%x: tensor<5x4xf64>, %w: tensor<4x2x3xf64>, %s: tensor<2x1x1xf64>) -> tensor<2x5x3xf64> {
    %0 = nn.einsum %x, %w {equation = "ab,bcd->cad"} : (tensor<5x4xf64>, tensor<4x2x3xf64>) -> tensor<2x5x3xf64>
    %1 = nn.mul %0, %s : (tensor<2x5x3xf64>, tensor<2x1x1xf64>) -> tensor<2x5x3xf64>
    return %1 : tensor<2x5x3xf64>
  })");
}

} // namespace
