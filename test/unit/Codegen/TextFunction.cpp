// From text to a function of nn ops, and on to kernels.
#include "TextFunction.h"

#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Autodiff/Passes.h"
#include "nnc/Syntax/Parser.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {

TextFunction::TextFunction(const char *text) {
  DialectRegistry registry;
  registerGradientModels(registry);
  context.appendDialectRegistry(registry);
  loadDialects(context);
  SourceFile file("case.nn", text);
  DiagnosticEngine diagnostics;
  std::unique_ptr<ast::File> tree = parse(file, diagnostics);
  program = elaborate(*tree, context, diagnostics);
  EXPECT_TRUE(program) << diagnostics.render();
  PassManager passes(&context);
  passes.addNestedPass<func::FuncOp>(createStabilizePass());
  passes.addNestedPass<func::FuncOp>(createExpandGradPass());
  passes.addNestedPass<func::FuncOp>(createSimplifyPass());
  EXPECT_TRUE(succeeded(passes.run(*program->module)));
}

SmallVector<HostTensor> TextFunction::drawArguments(const SymbolValues &symbols) {
  SmallVector<ExampleInput> inputs;
  for (Type type : function().getArgumentTypes())
    inputs.push_back({"", cast<RankedTensorType>(type), -1, 1});
  return drawInputs(inputs, /*seed=*/5, symbols);
}

OwningOpRef<ModuleOp> TextFunction::prepareKernels(const CodegenOptions &options) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(function().getLoc());
  module->push_back(function().clone());
  PassManager toLinalg(&context), toKernels(&context);
  toLinalg.addNestedPass<func::FuncOp>(createDecomposePass());
  buildLinalgStage(toLinalg, options);
  buildFusionStage(toKernels, options);
  buildBufferizeStage(toKernels, options);
  buildPrepareStage(toKernels, options);
  EXPECT_TRUE(succeeded(toLinalg.run(*module)) && succeeded(toKernels.run(*module)));
  return module;
}

} // namespace nnc::test
