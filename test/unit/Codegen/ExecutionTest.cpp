//===- ExecutionTest.cpp - Generated code computes what linalg says -------===//
//
// Compiles linalg modules through the whole back half, runs them in this process, and compares
// with loops written down naively here: ragged, empty and single-element shapes, static and
// dynamic, for each target that this processor can run.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/ObjectEmission.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/Driver/Jit.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mlir;

namespace nnc {
namespace {

constexpr float kGuard = 12345.0f;

/// A buffer as the interface wants it: 64-byte aligned, with a guard behind it.
class Buffer {
public:
  explicit Buffer(size_t count, unsigned seed = 1) : size(count), values(allocate(count + 64)) {
    uint32_t state = seed * 2654435761u + 12345u;
    for (size_t i = 0; i < count + 64; ++i) {
      state = state * 1664525u + 1013904223u;
      values[i] = i < count ? float(state >> 8) / float(1 << 23) - 1.0f : kGuard;
    }
  }
  float &operator[](size_t i) { return values[i]; }
  void *data() { return values.get(); }
  bool guardHolds() const {
    for (size_t i = size; i < size + 64; ++i)
      if (values[i] != kGuard)
        return false;
    return true;
  }
  size_t size;

private:
  struct Free {
    void operator()(float *memory) const { std::free(memory); }
  };
  static std::unique_ptr<float[], Free> allocate(size_t count) {
    size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    return std::unique_ptr<float[], Free>(static_cast<float *>(std::aligned_alloc(64, bytes)));
  }
  std::unique_ptr<float[], Free> values;
};

class Program {
public:
  Program(const std::string &text, const std::string &cpu) {
    DialectRegistry registry;
    registerAllDialects(registry);
    registerAllExtensions(registry);
    MLIRContext context(registry);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return;
    PassManager passes(&context);
    buildCpuPipeline(passes, CodegenOptions{cpu});
    if (failed(passes.run(*module)))
      return;
    auto object = emitOutput(*module, *TargetDescription::forCpu(cpu), OutputKind::Object);
    if (!object) {
      ADD_FAILURE() << llvm::toString(object.takeError());
      return;
    }
    std::string error;
    jit = Jit::load(*object, error);
    EXPECT_TRUE(jit) << error;
  }

  void run(std::vector<Buffer *> arguments, std::vector<int64_t> symbols = {}) {
    ASSERT_TRUE(jit);
    EntryFunction entry = jit->entry("f");
    WorkspaceFunction workspace = jit->workspace("f");
    ASSERT_TRUE(entry && workspace);
    Buffer memory(workspace(symbols.data()) / sizeof(float));
    std::vector<void *> pointers;
    for (Buffer *argument : arguments)
      pointers.push_back(argument->data());
    entry(pointers.data(), symbols.data(), memory.data());
    EXPECT_TRUE(memory.guardHolds()) << "wrote beyond the workspace";
    for (Buffer *argument : arguments)
      EXPECT_TRUE(argument->guardHolds()) << "wrote beyond a buffer";
  }

private:
  std::unique_ptr<Jit> jit;
};

std::vector<std::string> targets() {
  TargetDescription host = TargetDescription::host();
  std::vector<std::string> names = {"x86-64"};
  if (host.vectorBytes >= 32 && host.hasFma)
    names.push_back("x86-64-v3");
  if (host.vectorBytes >= 64)
    names.push_back("x86-64-v4");
  return names;
}

class Execution : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Targets, Execution, testing::ValuesIn(targets()), [](const auto &info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

/// out[M, N] = a[M, K] b[K, N], with the maps of a and b as given.
std::string contraction(const std::string &aType, const std::string &aMap, const std::string &bType,
                        const std::string &bMap, const std::string &outType, bool dynamic) {
  std::string attributes = dynamic ? R"(attributes {nn.symbols = ["M", "N", "K"]})" : "";
  auto shape = [&](const std::string &map) {
    std::string text;
    for (char c : map)
      text += c == 'm' ? "\"M\"" : c == 'n' ? "\"N\"" : c == 'k' ? "\"K\"" : std::string(1, c);
    return dynamic ? "{nn.shape = [" + text + "]}" : "";
  };
  std::string sizes = dynamic ? "%m, %n" : "";
  std::string dims = dynamic ? R"(
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %m = tensor.dim %a, %)" + std::string(aMap[0] == 'm' ? "c0" : "c1") +
                                   " : " + aType + R"(
      %n = tensor.dim %b, %)" + std::string(bMap[0] == 'n' ? "c0" : "c1") +
                                   " : " + bType
                             : "";
  return fmt::format(R"(
    func.func @f(%a: {0} {1}, %b: {2} {3}) -> ({4} {5}) {6} {{
      {7}
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty({8}) : {4}
      %z = linalg.fill ins(%zero : f32) outs(%e : {4}) -> {4}
      %r = linalg.generic {{
          indexing_maps = [affine_map<(m, n, k) -> ({9})>, affine_map<(m, n, k) -> ({10})>,
                           affine_map<(m, n, k) -> (m, n)>],
          iterator_types = ["parallel", "parallel", "reduction"]}}
          ins(%a, %b : {0}, {2}) outs(%z : {4}) {{
        ^bb0(%x: f32, %y: f32, %o: f32):
          %p = arith.mulf %x, %y : f32
          %s = arith.addf %o, %p : f32
          linalg.yield %s : f32
      }} -> {4}
      return %r : {4}
    }})",
                     aType, shape(aMap), bType, shape(bMap), outType, shape("m, n"), attributes,
                     dims, sizes, aMap, bMap);
}

void checkContraction(Program &program, bool transposeA, bool transposeB, int64_t m, int64_t n,
                      int64_t k) {
  SCOPED_TRACE(fmt::format("m {} n {} k {} transposed {} {}", m, n, k, transposeA, transposeB));
  Buffer a(m * k, 1), b(k * n, 2), out(m * n, 3);
  program.run({&a, &b, &out}, {m, n, k});
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += double(transposeA ? a[l * m + i] : a[i * k + l]) *
               double(transposeB ? b[j * k + l] : b[l * n + j]);
      ASSERT_NEAR(out[i * n + j], sum, 1e-5 * (1 + k)) << "at " << i << ", " << j;
    }
}

const int64_t kShapes[][3] = {{500, 4, 3}, {3, 4, 500}, {500, 3, 4}, {1, 1, 1},    {7, 33, 5},
                              {13, 1, 70}, {1, 65, 9},  {65, 1, 1},  {64, 64, 64}, {25, 17, 130},
                              {0, 4, 3},   {4, 0, 3},   {4, 5, 0},   {96, 100, 37}};

TEST_P(Execution, ContractionsOfStaticShape) {
  for (auto [m, n, k] : kShapes)
    for (int transposes = 0; transposes < 4; ++transposes) {
      bool ta = transposes & 1, tb = transposes & 2;
      auto type = [](int64_t rows, int64_t columns) {
        return fmt::format("tensor<{}x{}xf32>", rows, columns);
      };
      Program program(contraction(ta ? type(k, m) : type(m, k), ta ? "k, m" : "m, k",
                                  tb ? type(n, k) : type(k, n), tb ? "n, k" : "k, n", type(m, n),
                                  false),
                      GetParam());
      checkContraction(program, ta, tb, m, n, k);
    }
}

TEST_P(Execution, ContractionsOfDynamicShape) {
  for (int transposes = 0; transposes < 4; ++transposes) {
    bool ta = transposes & 1, tb = transposes & 2;
    Program program(contraction("tensor<?x?xf32>", ta ? "k, m" : "m, k", "tensor<?x?xf32>",
                                tb ? "n, k" : "k, n", "tensor<?x?xf32>", true),
                    GetParam());
    for (auto [m, n, k] : kShapes)
      checkContraction(program, ta, tb, m, n, k);
  }
}

} // namespace
} // namespace nnc
