//===- FuseLoopsTest.cpp - Operations that take turns at blocks -----------===//
//
// What codegen-fuse-loops makes one loop of, for a cache so small that it pays on small tensors, beside the
// interpreter: blocks of one and of several iterations, a smaller last one, sizes that only the run tells, and
// threads.
//
//===----------------------------------------------------------------------===//
#include "TextFunction.h"

#include "nnc/Codegen/Target.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Runtime/nnc_rt.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {
namespace {

struct Case {
  const char *name, *text;
  /// How many operations there are in a loop, at least.
  unsigned members;
  int64_t nearBytes = 4096;
  /// Whether there are several such loops, each for some of the rows and what a mask lets them see.
  bool hasBands = false;
};

const Case cases[] = {
    {"attention",
     R"(func f(q: f32[N, 3, 24, 16], k: f32[N, 3, 24, 16], v: f32[N, 3, 24, 16]) -> (y: f32[N, 3, 24, 16]) {
       y = scaled_dot_product_attention(q, k, v, causal = true)
     })",
     6},
    {"attentionInRaggedBlocks",
     R"(func f(q: f32[2, 83, 16], k: f32[2, 83, 16], v: f32[2, 83, 16]) -> (y: f32[2, 83, 16]) {
       y = softmax(q @ transpose(k, [0, 2, 1]), axis = -1) @ v
     })",
     5, 12000},
    {"attentionOfUnknownLength",
     R"(func f(q: f32[8, L, 16], k: f32[8, L, 16], v: f32[8, L, 16]) -> (y: f32[8, L, 16]) {
       y = softmax(q @ transpose(k, [0, 2, 1]), axis = -1) @ v
     })",
     5, 60000},
    {"gradientOfAttention",
     R"(func f(q: f32[N, 3, 24, 16], k: f32[N, 3, 24, 16], v: f32[N, 3, 24, 16], d: f32[N, 3, 24, 16]) -> (g: f32[N, 3, 24, 16]) {
       g = grad(sum(d * scaled_dot_product_attention(q, k, v)), wrt = k)
     })",
     6, 8192},
    {"allGradientsOfCausalAttention",
     R"(func f(q: f32[N, 3, 96, 16], k: f32[N, 3, 96, 16], v: f32[N, 3, 96, 16], d: f32[N, 3, 96, 16])
         -> (dq: f32[N, 3, 96, 16], dk: f32[N, 3, 96, 16], dv: f32[N, 3, 96, 16]) {
       dq, dk, dv = grad(sum(d * scaled_dot_product_attention(q, k, v, causal = true)), wrt = [q, k, v])
     })",
     6, 40000, true},
    {"neighboursOnly",
     R"(func f(q: f32[N, 3, 83, 16], k: f32[N, 3, 83, 16], v: f32[N, 3, 83, 16]) -> (y: f32[N, 3, 83, 16], w: f32[N, 3, 83, 83]) {
       near = (iota([83, 83], axis = 0) >= iota([83, 83], axis = 1) - 2) and (iota([83, 83], axis = 0) < iota([83, 83], axis = 1) + 20)
       w = softmax(where(near, q @ transpose(k, [0, 1, 3, 2]), -inf), axis = -1)
       y = w @ v
     })",
     5, 24000, true},
    {"weightsAgain",
     R"(func f(q: f32[N, 3, 96, 16], k: f32[N, 3, 96, 16], v: f32[N, 3, 96, 16], d: f32[N, 3, 96, 16], m: f32[N, 3, 96, 1])
         -> (y: f32[N, 3, 96, 16], dv: f32[N, 3, 96, 16]) {
       past = iota([96, 96], axis = 0) >= iota([96, 96], axis = 1)
       w = exp(where(past, q @ transpose(k, [0, 1, 3, 2]), -inf) - 9) / (exp(m) + 1)
       y = w @ v
       dv = transpose(w, [0, 1, 3, 2]) @ d
     })",
     3, 24000, true},
    {"hiddenNumbersCount",
     R"(func f(q: f32[N, 3, 96, 16], k: f32[N, 3, 96, 16], v: f32[N, 3, 96, 16]) -> (y: f32[N, 3, 96, 16]) {
       past = iota([96, 96], axis = 0) >= iota([96, 96], axis = 1)
       y = softmax(where(past, q @ transpose(k, [0, 1, 3, 2]), 1), axis = -1) @ v
     })",
     5, 24000},
    {"sumsInBlocks",
     R"(func f(x: f32[6, 120, 24], y: f32[6, 120, 40]) -> (s: f32[6, 24, 40], t: f32[6, 24]) {
       e = exp(x) / sum(exp(x), axis = -1, keepdims = true)
       s = transpose(e, [0, 2, 1]) @ y
       t = sum(e, axis = 1)
     })",
     4, 12000},
    {"normalizationOfRows", R"(func f(x: f32[N, 7, 40]) -> (y: f32[N, 7, 40]) {
       c = x - mean(x, axis = -1, keepdims = true)
       y = c / sqrt(mean(square(c), axis = -1, keepdims = true) + 1e-5)
     })",
     4},
    {"rowsOfUnknownNumber", R"(func f(x: f32[N, 100]) -> (y: f32[N, 100]) {
       y = log_softmax(x, axis = -1)
     })",
     3, 20000},
    {"headsSideBySide", R"(func f(x: f32[N, 20, 48], w: f32[48, 48]) -> (y: f32[N, 20, 48]) {
       h = transpose(reshape(x @ w, [N, 20, 3, 16]), [0, 2, 1, 3])
       p = softmax(h @ transpose(h, [0, 1, 3, 2]), axis = -1)
       y = reshape(transpose(p @ h, [0, 2, 1, 3]), [N, 20, 48])
     })",
     5},
    {"laterReaders", R"(func f(x: f32[N, 6, 50], w: f32[50]) -> (y: f32[N, 6, 50], s: f32[50]) {
       p = softmax(x * w, axis = -1)
       s = sum(p, axis = [0, 1])
       y = softmax(p * s + x, axis = -1)
     })",
     3, 6000},
};

/// How many loops there are with so many operations.
unsigned countLoops(TextFunction &text, const CodegenOptions &options, unsigned members) {
  OwningOpRef<ModuleOp> module = text.prepareKernels(options);
  unsigned count = 0;
  module->walk([&](scf::ForOp loop) {
    auto ops = loop.getOps<linalg::GenericOp>();
    count += unsigned(std::distance(ops.begin(), ops.end())) >= members;
  });
  return count;
}

class FuseLoops : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Cases, FuseLoops, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.name); });

TEST_P(FuseLoops, agreesWithTheInterpreterOnAnyNumberOfThreads) {
  TextFunction text(GetParam().text);
  func::FuncOp function = text.function();
  SymbolValues symbols;
  symbols["N"] = 5;
  symbols["L"] = 37;
  SmallVector<HostTensor> arguments = text.drawArguments(symbols);
  auto expected = interpret(function, arguments);
  ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
  for (int64_t grain : {int64_t(1), kDefaultGrain}) {
    CodegenOptions options;
    options.cpu = TargetDescription::host().cpu;
    options.grain = grain;
    options.nearBytes = GetParam().nearBytes;
    unsigned numLoops = countLoops(text, options, GetParam().members);
    EXPECT_GE(numLoops, 1u);
    EXPECT_EQ(numLoops > 2, GetParam().hasBands);
    CompiledFunction compiled(function, options);
    ASSERT_TRUE(compiled.isLoaded());
    nnc_set_num_threads(1);
    std::vector<HostTensor> found = compiled.run(arguments, *expected, symbols);
    for (auto [result, like] : llvm::zip_equal(found, *expected))
      EXPECT_EQ(describeDifference(result, like, 2e-5), "");
    nnc_set_num_threads(3);
    EXPECT_TRUE(compiled.run(arguments, *expected, symbols) == found) << "three threads differ";
  }
}

} // namespace
} // namespace nnc::test
