//===- ExamplesTest.cpp - The shipped programs compile to what they say ----===//
//
// Every function of every program in examples/, differentiated, simplified and compiled, beside
// the reference interpreter on random arguments: as code of this processor, and as kernels of a GPU, emulated.
//
//===----------------------------------------------------------------------===//
#include "CompiledFunction.h"

#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Autodiff/Passes.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/Codegen/Target.h"
#include "nnc/Emulation/Emulation.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Reference/DrawInputs.h"
#include "nnc/Syntax/Elaborate.h"
#include "nnc/Syntax/Imports.h"
#include "nnc/Syntax/Parser.h"
#include "nnc/Transforms/Passes.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace mlir;

namespace nnc::test {
namespace {

std::vector<std::string> examples() {
  std::vector<std::string> paths;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator file(NNC_SOURCE_DIR "/examples", error), end;
       !error && file != end; file.increment(error))
    if (llvm::sys::path::extension(file->path()) == ".nn")
      paths.push_back(llvm::sys::path::stem(file->path()).str());
  llvm::sort(paths);
  return paths;
}

class ExamplePrograms : public testing::TestWithParam<std::string> {
protected:
  ExamplePrograms() {
    DialectRegistry registry;
    registerGradientModels(registry);
    context.appendDialectRegistry(registry);
    loadDialects(context);
  }

  /// What the arguments are: floats up to `limit`, symbolic dimensions of `size`.
  struct Arguments {
    double limit = 1;
    int64_t size = 11; // Some programs look at the first ten rows.
  };

  void compare(func::FuncOp function, const Arguments &drawn) {
    SmallVector<ExampleInput> inputs;
    SymbolValues symbols;
    for (Type type : function.getArgumentTypes()) {
      auto tensor = cast<RankedTensorType>(type);
      bool isInteger = !isa<FloatType>(tensor.getElementType());
      inputs.push_back({"", tensor, isInteger ? 0.0 : -drawn.limit, isInteger ? 1.0 : drawn.limit});
    }
    for (Type type :
         llvm::concat<const Type>(function.getArgumentTypes(), function.getResultTypes()))
      for (const Dim &dim : getShape(type)) {
        std::set<std::string> names;
        dim.collectSymbols(names);
        for (const std::string &name : names)
          symbols[name] = drawn.size;
      }
    SmallVector<HostTensor> arguments = drawInputs(inputs, /*seed=*/3, symbols);
    InterpretOptions options;
    options.symbols = symbols;
    auto expected = interpret(function, arguments, options);
    ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
    CompiledFunction compiled(function);
    ASSERT_TRUE(compiled.isLoaded());
    expectClose(compiled.run(arguments, *expected, symbols), *expected);

    // These take long, and have nothing that EmulationTest.cpp has not in small.
    if (llvm::is_contained({"char-lstm", "resnet20", "vit-tiny"}, GetParam()))
      return;
    SCOPED_TRACE("on an emulated GPU");
    CompiledFunction emulated(function, {}, emulationSymbols(), buildEmulationPipeline);
    ASSERT_TRUE(emulated.isLoaded());
    startEmulation(/*seed=*/3);
    expectClose(emulated.run(arguments, *expected, symbols), *expected);
    EXPECT_EQ(emulationReport(), "");
  }

  void expectClose(ArrayRef<HostTensor> found, ArrayRef<HostTensor> expected) {
    for (auto [index, result] : llvm::enumerate(expected)) {
      // Of the largest value: what cancels in a sum has the error of its terms.
      double tolerance = result.getElementType().isF64() ? 1e-9 : 1e-3, largest = 1;
      for (int64_t number = 0; number < result.getNumElements(); ++number)
        largest = std::max(largest, std::abs(result.getNumber(number)));
      if (std::isfinite(largest))
        tolerance *= largest;
      EXPECT_EQ(describeDifference(found[index], result, tolerance), "") << "result " << index;
    }
  }

  MLIRContext context;
};

INSTANTIATE_TEST_SUITE_P(Files, ExamplePrograms, testing::ValuesIn(examples()),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(ExamplePrograms, ComputeWhatTheReferenceDoes) {
  // test/Differential/texts.test compares it with PyTorch, step by step.
  if (GetParam() == "gpt")
    GTEST_SKIP() << "the interpreter takes minutes";
  // A memory of 128 numbers with weights as large as one doubles every difference at each of 64 places.
  Arguments drawn;
  if (GetParam() == "char-lstm")
    drawn = {0.1, 2};
  std::string error;
  auto file = SourceFile::open(NNC_SOURCE_DIR "/examples/" + GetParam() + ".nn", error);
  ASSERT_TRUE(file) << error;
  DiagnosticEngine diagnostics;
  std::unique_ptr<ast::File> tree = parse(*file, diagnostics);
  resolveImports(*tree, diagnostics);
  std::optional<Program> program = elaborate(*tree, context, diagnostics);
  if (diagnostics.render().find("cannot know the types of the fields") != std::string::npos)
    GTEST_SKIP() << "only the files of its data tell their types";
  ASSERT_TRUE(program) << diagnostics.render();

  PassManager passes(&context);
  passes.addNestedPass<func::FuncOp>(createExpandGradPass());
  passes.addNestedPass<func::FuncOp>(createSimplifyPass());
  ASSERT_TRUE(succeeded(passes.run(*program->module)));
  for (auto function : program->module->getOps<func::FuncOp>()) {
    SCOPED_TRACE(function.getName().str());
    // What is written depends on the last bit: each byte is the largest of noisy numbers.
    if (GetParam() != "char-lstm" || function.getName() != "test.writes")
      compare(function, drawn);
  }
}

} // namespace
} // namespace nnc::test
