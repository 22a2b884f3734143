//===- RandomProgramTest.cpp - Random programs are what they promise ------===//
#include "nnc/Reference/RandomProgram.h"
#include "nnc/IR/NN.h"
#include "nnc/Reference/Compare.h"

#include "mlir/IR/Verifier.h"
#include "gtest/gtest.h"

#include <map>

using namespace mlir;
using namespace nnc;

static std::string print(RandomProgram &program) {
  std::string text;
  llvm::raw_string_ostream(text) << *program.module;
  return text;
}

TEST(RandomProgram, isAFunctionOfTheSeed) {
  MLIRContext context;
  RandomProgram first = buildRandomProgram(context, 5), second = buildRandomProgram(context, 5);
  EXPECT_EQ(print(first), print(second));
  EXPECT_TRUE(first.arguments[0] == second.arguments[0]);
  RandomProgram third = buildRandomProgram(context, 6);
  EXPECT_NE(print(first), print(third));
}

TEST(RandomProgram, runsAndUsesAllOps) {
  MLIRContext context;
  std::map<std::string, unsigned> counts;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    RandomProgram program = buildRandomProgram(context, seed);
    ASSERT_TRUE(succeeded(verify(*program.module)));
    auto results = interpret(program.function, program.arguments);
    ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
    ASSERT_FALSE(results->empty());
    program.function.walk([&](Operation *op) { ++counts[op->getName().getStringRef().str()]; });
  }
  for (const char *name : {"nn.scan", "nn.matmul", "nn.where", "nn.gather", "nn.scatter_add",
                           "nn.slice_update", "nn.pad", "nn.softmax", "nn.one_hot", "nn.iota"})
    EXPECT_GT(counts[name], 5u) << name;
}

/// The interpreter in the wanted precision is such a runner; one that is wrong is found.
TEST(RandomProgram, comparesRunners) {
  MLIRContext context;
  Type f32 = Float32Type::get(&context), f64 = Float64Type::get(&context);
  Runner right = [](func::FuncOp function, ArrayRef<HostTensor> arguments) {
    return interpret(function, arguments);
  };
  Runner wrong = [&](func::FuncOp function, ArrayRef<HostTensor> arguments) {
    InterpretOptions options;
    options.afterOp = [](Operation *op, MutableArrayRef<HostTensor> results) {
      HostTensor &result = results.front();
      if (result.isFloat() && isa<func::ReturnOp>(op->getBlock()->getTerminator()))
        for (int64_t index = 0; index < result.getNumElements(); ++index)
          result.setFloat(index, result.getFloat(index) * 1.001 + 0.001);
      return llvm::Error::success();
    };
    return interpret(function, arguments, options);
  };
  unsigned numFound = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    RandomProgram program = buildRandomProgram(context, seed);
    EXPECT_EQ(compareInPrecision(program, f32, right), "") << print(program);
    EXPECT_EQ(compareInPrecision(program, f64, right), "") << print(program);
    numFound += !compareInPrecision(program, f32, wrong).empty();
  }
  EXPECT_GE(numFound, 19u);
}

TEST(RandomProgram, reduces) {
  MLIRContext context;
  auto hasLoop = [](RandomProgram &program) {
    return program.function.walk([](nn::ScanOp) { return WalkResult::interrupt(); })
        .wasInterrupted();
  };
  unsigned count = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    RandomProgram program = buildRandomProgram(context, seed);
    if (!hasLoop(program))
      continue;
    RandomProgram small = reduceProgram(program, hasLoop);
    ++count;
    ASSERT_TRUE(succeeded(verify(*small.module)));
    auto results = interpret(small.function, small.arguments);
    EXPECT_TRUE(bool(results)) << llvm::toString(results.takeError());
    // The loop and the return.
    EXPECT_EQ(small.function.front().getOperations().size(), 2u) << print(small);
  }
  EXPECT_GT(count, 5u);
}
