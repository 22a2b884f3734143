//===- CheckPassesTest.cpp - A wrong pass is named ------------------------===//
//
// Passes that break one op, put between the compiler's own.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/CheckPasses.h"
#include "nnc/IR/NN.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nnc;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

/// Hands every function to `change`.
class TestPass : public PassWrapper<TestPass, OperationPass<func::FuncOp>> {
public:
  explicit TestPass(void (*change)(func::FuncOp)) : change(change) {}
  StringRef getArgument() const override { return "test-break"; }
  void runOnOperation() override { change(getOperation()); }

private:
  void (*change)(func::FuncOp);
};

struct CheckPassesTest : testing::Test {
  CheckPassesTest() : context(makeContext()) {
    options.passesChecked = [this](const CheckedEntry &entry) {
      checked += entry.name + ": " + std::to_string(entry.numUnclear) + " of " +
                 std::to_string(entry.numResults) + " unclear";
      EXPECT_GT(entry.numPasses, 4u);
    };
  }

  /// Runs `change` at the end of the phase of that name.
  void breakAfter(StringRef phase, void (*change)(func::FuncOp)) {
    options.beforePhase = [=](StringRef name, PassManager &passes) {
      if (name == phase)
        passes.addNestedPass<func::FuncOp>(std::make_unique<TestPass>(change));
    };
  }

  /// What the check says of a function @f with this body and result.
  std::string check(StringRef body) {
    std::string text = R"(
!t = tensor<?x4xf32, ["N", 4]>
func.func @f(%x: !t {nn.name = "x"}, %w: tensor<4xf32> {nn.name = "w", nn.role = "param"})
    -> (!t {nn.name = "y"}, !t {nn.name = "z"}) attributes {nn.entry = "forward"} {)" +
                       body.str() + "\n  return %y, %z : !t, !t\n}";
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
    nnc::DiagnosticEngine diagnostics;
    bool isRight = checkPassesIfWanted(*module, {"f"}, options, diagnostics);
    EXPECT_EQ(isRight, !diagnostics.hasErrors());
    EXPECT_FALSE(diagnostics.hasDefects());
    return diagnostics.render();
  }

  std::unique_ptr<MLIRContext> context;
  CompileOptions options;
  std::string checked;
};

const char *const program = R"(
  %y = nn.add %x, %w : (!t, tensor<4xf32>) -> !t
  %s = nn.mul %x, %w : (!t, tensor<4xf32>) -> !t
  %z = nn.tanh %s : (!t) -> !t)";

} // namespace

TEST_F(CheckPassesTest, agrees) {
  EXPECT_EQ(check(program), "");
  EXPECT_EQ(checked, "f: 0 of 2 unclear");
}

TEST_F(CheckPassesTest, saysWhichResultsTellNothing) {
  EXPECT_EQ(check(R"(
  %y = nn.add %x, %w : (!t, tensor<4xf32>) -> !t
  %sum = nn.sub %y, %x : (!t, !t) -> !t
  %rest = nn.sub %sum, %w : (!t, tensor<4xf32>) -> !t
  %z = nn.sign %rest : (!t) -> !t)"),
            "");
  EXPECT_EQ(checked, "f: 1 of 2 unclear");
}

TEST_F(CheckPassesTest, namesAPassFromNNToNN) {
  breakAfter("simplify", [](func::FuncOp function) {
    function.walk([](nn::TanhOp op) {
      OpBuilder builder(op);
      op.replaceAllUsesWith(nnc::create<nn::SinOp>(builder, op.getLoc(), op.getX()));
      op.erase();
    });
  });
  std::string message = check(program);
  EXPECT_THAT(message, StartsWith("error: test-break changes output 'z' of entry 'f': expected "));
  EXPECT_THAT(message, HasSubstr(" at [0, 0]\nhelp: rounding may change it by "));
  EXPECT_EQ(checked, "");
}

/// Turns sums into differences in loops that compute two results, which fusion makes.
static void breakSiblings(func::FuncOp function) {
  function.walk([](linalg::GenericOp generic) {
    if (generic.getNumResults() < 2)
      return;
    generic.walk([](arith::AddFOp op) {
      OpBuilder builder(op);
      op.replaceAllUsesWith(
          arith::SubFOp::create(builder, op.getLoc(), op.getLhs(), op.getRhs()).getResult());
    });
  });
}

TEST_F(CheckPassesTest, namesAnOptionalPassOfTheBackHalf) {
  breakAfter("fusion", breakSiblings);
  std::string message = check(program);
  EXPECT_THAT(
      message,
      StartsWith("error: codegen-fuse-siblings changes output 'y' of entry 'f': expected "));
}

TEST_F(CheckPassesTest, saysWhenCodeIsWrongWithoutThem) {
  breakAfter("fusion", [](func::FuncOp function) {
    function.walk([](arith::MulFOp op) { op->setOperand(0, op.getRhs()); });
  });
  EXPECT_THAT(check(program), StartsWith("error: code generation without optional passes changes "
                                         "output 'z' of entry 'f': expected "));
}

TEST_F(CheckPassesTest, checksWhatIsPreparedOnce) {
  const char *const withEarlyWork = R"(
  %e = nn.exp %w : (tensor<4xf32>) -> tensor<4xf32>
  %y = nn.add %x, %e : (!t, tensor<4xf32>) -> !t
  %z = nn.mul %x, %e : (!t, tensor<4xf32>) -> !t)";
  options.prepareParameters = true;
  EXPECT_EQ(check(withEarlyWork), "");
  breakAfter("prepare", [](func::FuncOp function) {
    if (function.getName().ends_with("_prepare"))
      function.walk([](math::ExpOp op) { op.replaceAllUsesWith(op.getOperand()); });
  });
  EXPECT_THAT(check(withEarlyWork),
              StartsWith("error: codegen-split-preparation changes output 'y' of entry 'f': "));
  options.prepareParameters = false;
  EXPECT_EQ(check(withEarlyWork), "");
}

TEST_F(CheckPassesTest, checksNothingUnlessAsked) {
  options.passesChecked = nullptr;
  breakAfter("fusion", breakSiblings);
  EXPECT_EQ(check(program), "");
}
