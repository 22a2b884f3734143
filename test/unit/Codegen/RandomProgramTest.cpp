//===- RandomProgramTest.cpp - Compiled programs compute what they mean ---===//
//
// Random programs through the whole back half, in f32 and f64, beside the interpreter. Ops one by
// one are in DifferentialTest.cpp; here they are fused, share memory and meet in loops. Every other
// program is cut into the smallest parts; three threads compute the same bits as one.
// NNC_RANDOM_PROGRAMS says how many programs, NNC_RANDOM_SEED the first seed; a failure names its
// seed and prints a small program that
// fails as well.
//
//===----------------------------------------------------------------------===//
#include "CompiledFunction.h"

#include "nnc/Codegen/Target.h"
#include "nnc/IR/Dim.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Runtime/nnc_rt.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir;

namespace nnc::test {
namespace {

uint64_t fromEnvironment(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// A module with a copy of `function` alone, in the ops that code is generated for.
OwningOpRef<ModuleOp> makeModule(func::FuncOp function) {
  OwningOpRef<ModuleOp> module(ModuleOp::create(function.getLoc()));
  func::FuncOp copy = function.clone();
  copy.setName("program");
  module->push_back(copy);
  PassManager passes(function.getContext());
  passes.addNestedPass<func::FuncOp>(createDecomposePass());
  // With no bound on the work, so that ops of all kinds are computed again.
  passes.addNestedPass<func::FuncOp>(createRecomputePass(RecomputePassOptions{1e12, 0}));
  EXPECT_TRUE(succeeded(passes.run(*module)));
  return module;
}

llvm::Expected<SmallVector<HostTensor>>
runCompiled(func::FuncOp function, ArrayRef<HostTensor> arguments, const CodegenOptions &options) {
  llvm::Expected<SymbolValues> symbols = resolveSymbols(function, arguments);
  if (!symbols)
    return symbols.takeError();
  // For the shapes of the results.
  llvm::Expected<SmallVector<HostTensor>> like = interpret(function, arguments);
  if (!like)
    return like.takeError();
  OwningOpRef<ModuleOp> module = makeModule(function);
  CompiledFunction compiled(module->lookupSymbol<func::FuncOp>("program"), options);
  if (!compiled.isLoaded())
    return llvm::createStringError("it does not compile");
  nnc_set_num_threads(1);
  std::vector<HostTensor> results = compiled.run(arguments, *like, *symbols);
  nnc_set_num_threads(3);
  if (options.grain != 0 && compiled.run(arguments, *like, *symbols) != results)
    return llvm::createStringError("three threads compute something else");
  return SmallVector<HostTensor>(results.begin(), results.end());
}

/// How to compile the program of this seed: for this processor; one in four times a lesser one, without masks and multiply-adds.
/// Every other one is cut into parts, and two in five into blocks for a cache that holds next to nothing.
CodegenOptions chooseOptions(uint64_t seed) {
  constexpr const char *lesser = "x86-64-v2";
  CodegenOptions options;
  options.cpu = seed % 4 == 3 && TargetDescription::forCpu(lesser)->runsHere()
                    ? lesser
                    : TargetDescription::host().cpu;
  options.grain = seed % 2;
  if (seed % 5 < 2)
    options.nearBytes = 64;
  return options;
}

TEST(CompiledRandomPrograms, agreeWithTheInterpreter) {
  uint64_t count = fromEnvironment("NNC_RANDOM_PROGRAMS", 30);
  uint64_t first = fromEnvironment("NNC_RANDOM_SEED", 0);
  MLIRContext context;
  loadDialects(context);
  std::string diagnostics;
  context.getDiagEngine().registerHandler(
      [&](Diagnostic &diagnostic) { diagnostics += diagnostic.str() + "\n"; });
  for (uint64_t seed = first; seed < first + count; ++seed) {
    RandomProgramOptions options;
    options.numOps = 2 + seed % 24;
    options.withSymbols = seed % 3 != 0;
    RandomProgram program = buildRandomProgram(context, seed, options);
    auto run = [&](func::FuncOp function, ArrayRef<HostTensor> arguments) {
      return runCompiled(function, arguments, chooseOptions(seed));
    };
    for (Type type : {Type(Float64Type::get(&context)), Type(Float32Type::get(&context))}) {
      auto differs = [&](RandomProgram &candidate) {
        diagnostics.clear();
        return !compareInPrecision(candidate, type, run).empty();
      };
      if (!differs(program))
        continue;
      RandomProgram small = reduceProgram(program, differs);
      diagnostics.clear();
      std::string difference = compareInPrecision(small, type, run);
      ADD_FAILURE() << "seed " << seed << ", " << elementTypeToString(type) << ": " << difference
                    << "\n"
                    << diagnostics;
      small.module->dump();
      break;
    }
  }
}

} // namespace
} // namespace nnc::test
