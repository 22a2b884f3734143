//===- WinogradTest.cpp - Convolutions with fewer products -----------------===//
//
// Convolutions and their derivatives that codegen-winograd takes, beside the interpreter: even and odd sizes,
// blocks of images, the last of them smaller, and of rows, epilogues, and threads.
//
//===----------------------------------------------------------------------===//
#include "TextFunction.h"

#include "nnc/Codegen/Target.h"
#include "nnc/Reference/Compare.h"
#include "nnc/Runtime/nnc_rt.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace nnc::test {
namespace {

struct Case {
  const char *name, *text;
  /// The terms of a sum, of which the error is a part.
  double terms;
  int64_t images;
};

const Case cases[] = {
    {"forward", R"(func f(x: f32[N, 64, 8, 8], w: f32[64, 64, 3, 3]) -> (y: f32[N, 64, 8, 8]) {
       y = conv2d(x, w, padding = 1)
     })",
     9 * 64, 2},
    {"withoutPadding",
     R"(func f(x: f32[8, 72, 10, 12], w: f32[80, 72, 3, 3]) -> (y: f32[8, 80, 8, 10]) {
       y = conv2d(x, w)
     })",
     9 * 72, 3},
    {"oddSizesAndEpilogue",
     R"(func f(x: f32[N, 64, 9, 7], w: f32[64, 64, 3, 3], b: f32[64, 1, 1]) -> (y: f32[N, 64, 9, 7]) {
       h = 0.05 * conv2d(x, w, padding = 1)
       y = conv2d(relu(0.05 * conv2d(h, w, padding = 1) + b) + h, w, padding = 1)
     })",
     9 * 64, 3},
    {"blocksOfImages",
     R"(func f(x: f32[N, 64, 6, 6], w: f32[64, 64, 3, 3]) -> (y: f32[N, 64, 6, 6]) {
       y = conv2d(x, w, padding = 1)
     })",
     9 * 64, 17},
    {"blocksOfRows",
     R"(func f(x: f32[N, 64, 41, 17], w: f32[32, 64, 3, 3]) -> (y: f32[N, 32, 41, 17]) {
       y = tanh(conv2d(x, w, padding = 1))
     })",
     9 * 64, 2},
    {"derivativeByTheInput",
     R"(func f(x: f32[N, 64, 8, 9], w: f32[64, 64, 3, 3], d: f32[N, 64, 8, 9]) -> (g: f32[N, 64, 8, 9]) {
       g = grad(sum(conv2d(x, w, padding = 1) * d), wrt = x)
     })",
     9 * 64, 4},
    {"derivativeByTheFilters",
     R"(func f(x: f32[N, 64, 8, 8], w: f32[64, 64, 3, 3], d: f32[N, 64, 8, 8]) -> (g: f32[64, 64, 3, 3]) {
       g = grad(sum(conv2d(x, w, padding = 1) * d), wrt = w)
     })",
     64 * 9, 9},
    {"derivativeByTheFiltersOfOddSizes",
     R"(func f(x: f32[N, 96, 9, 23], w: f32[64, 96, 3, 3], d: f32[N, 64, 9, 23]) -> (u: f32[64, 96, 3, 3]) {
       u = w - 0.5 * grad(sum(conv2d(x, w, padding = 1) * d), wrt = w)
     })",
     9 * 23 * 3, 3},
    {"derivativeByTheFiltersInRows",
     R"(func f(x: f32[2, 64, 41, 17], w: f32[64, 64, 3, 3], d: f32[2, 64, 41, 17]) -> (g: f32[64, 64, 3, 3]) {
       g = grad(sum(conv2d(x, w, padding = 1) * d), wrt = w)
     })",
     41 * 17 * 2, 2},
};

/// Whether it is computed in tiles, whose sixteen elements are read at once.
bool hasTiles(TextFunction &text) {
  OwningOpRef<ModuleOp> module = text.prepareKernels(CodegenOptions());
  bool found = false;
  module->walk([&](linalg::GenericOp op) { found |= op.getNumDpsInputs() >= 16; });
  return found;
}

class Winograd : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Cases, Winograd, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.name); });

TEST_P(Winograd, agreesWithTheInterpreterOnAnyNumberOfThreads) {
  TextFunction text(GetParam().text);
  func::FuncOp function = text.function();
  EXPECT_TRUE(hasTiles(text));
  SymbolValues symbols;
  symbols["N"] = GetParam().images;
  SmallVector<HostTensor> arguments = text.drawArguments(symbols);
  auto expected = interpret(function, arguments);
  ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
  // Terms of a ninth in the mean of their squares; the sums that a tile makes of them are longer.
  double tolerance = 4 * getEpsilon(Float32Type::get(function.getContext())) * GetParam().terms / 3;
  for (int64_t grain : {int64_t(1), kDefaultGrain}) {
    CodegenOptions options;
    options.grain = grain;
    CompiledFunction compiled(function, options);
    ASSERT_TRUE(compiled.isLoaded());
    nnc_set_num_threads(1);
    std::vector<HostTensor> found = compiled.run(arguments, *expected, symbols);
    EXPECT_EQ(describeDifference(found.front(), expected->front(), tolerance), "");
    nnc_set_num_threads(3);
    EXPECT_TRUE(compiled.run(arguments, *expected, symbols) == found) << "three threads differ";
  }
}

} // namespace
} // namespace nnc::test
