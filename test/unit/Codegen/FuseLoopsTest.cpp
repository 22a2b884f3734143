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
  /// The operations in the largest loop, at least.
  unsigned members;
  int64_t nearBytes = 4096;
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

/// The operations in the loop that has most.
unsigned countMembers(TextFunction &text, const CodegenOptions &options) {
  OwningOpRef<ModuleOp> module = text.prepareKernels(options);
  unsigned most = 0;
  module->walk([&](scf::ForOp loop) {
    auto members = loop.getOps<linalg::GenericOp>();
    most = std::max(most, unsigned(std::distance(members.begin(), members.end())));
  });
  return most;
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
    EXPECT_GE(countMembers(text, options), GetParam().members);
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
