//===- EquivalenceTest.cpp - Transformed programs compute the same --------===//
//
// Random programs, interpreted before and after the passes from nn to nn, canonicalization (every
// folder of the dialect) and common subexpression elimination. NNC_RANDOM_PROGRAMS says how many,
// NNC_RANDOM_SEED the first seed; a failure names its seed.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Dim.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir;
using namespace nnc;

static uint64_t fromEnvironment(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Applies the passes to a copy of the function and interprets it.
static llvm::Expected<SmallVector<HostTensor>> runTransformed(func::FuncOp function,
                                                              ArrayRef<HostTensor> arguments) {
  OwningOpRef<ModuleOp> module(ModuleOp::create(function.getLoc()));
  func::FuncOp copy = function.clone();
  module->push_back(copy);
  PassManager passes(function.getContext());
  passes.addPass(createCanonicalizerPass());
  passes.addNestedPass<func::FuncOp>(createSimplifyPass());
  passes.addNestedPass<func::FuncOp>(createDecomposePass());
  passes.addNestedPass<func::FuncOp>(createSimplifyPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(createRecomputePass(RecomputePassOptions{1e12, 0}));
  if (failed(passes.run(*module)))
    return llvm::createStringError("the passes failed");
  return interpret(copy, arguments);
}

TEST(Equivalence, randomPrograms) {
  uint64_t count = fromEnvironment("NNC_RANDOM_PROGRAMS", 100);
  uint64_t first = fromEnvironment("NNC_RANDOM_SEED", 0);
  MLIRContext context;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    RandomProgramOptions options;
    options.numOps = 2 + seed % 24;
    RandomProgram program = buildRandomProgram(context, seed, options);
    for (Type type : {Type(Float64Type::get(&context)), Type(Float32Type::get(&context))}) {
      auto differs = [&](RandomProgram &candidate) {
        return !compareInPrecision(candidate, type, runTransformed).empty();
      };
      if (!differs(program))
        continue;
      RandomProgram small = reduceProgram(program, differs);
      ADD_FAILURE() << "seed " << seed << ", " << elementTypeToString(type) << ": "
                    << compareInPrecision(small, type, runTransformed);
      small.module->dump();
      break;
    }
  }
}
