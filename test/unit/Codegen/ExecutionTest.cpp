//===- ExecutionTest.cpp - Generated code computes what linalg says -------===//
//
// Compiles linalg modules through the whole back half, runs them in this process, and compares
// with loops written down naively here: ragged, empty and single-element shapes, static and
// dynamic, for each target that this processor can run. For one of them loops are cut into as many
// parts as there can be; three threads compute the same bits as one.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/ObjectEmission.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/Driver/Jit.h"
#include "nnc/Runtime/nnc_rt.h"

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
  std::vector<float> copy() const { return {values.get(), values.get() + size}; }
  void assign(const std::vector<float> &from) { std::copy(from.begin(), from.end(), values.get()); }
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

/// What a test compiles for: a processor, and how small parts may be (0: all is one part).
struct Target {
  std::string cpu;
  int64_t grain;
};

class Program {
public:
  Program(const std::string &text, const Target &target) : jit(compile(text, target)) {}

  void run(std::vector<Buffer *> arguments, std::vector<int64_t> symbols = {}) {
    ASSERT_TRUE(jit);
    std::vector<std::vector<float>> before, after;
    for (Buffer *argument : arguments)
      before.push_back(argument->copy());
    nnc_set_num_threads(3);
    runOnce(arguments, symbols);
    for (Buffer *argument : arguments)
      after.push_back(argument->copy());
    for (auto [argument, values] : llvm::zip(arguments, before))
      argument->assign(values);
    nnc_set_num_threads(1);
    runOnce(arguments, symbols);
    for (auto [argument, values] : llvm::zip(arguments, after))
      EXPECT_EQ(std::memcmp(argument->data(), values.data(), argument->size * sizeof(float)), 0)
          << "three threads compute something else";
  }

private:
  static std::unique_ptr<Jit> compile(const std::string &text, const Target &target) {
    DialectRegistry registry;
    registerAllDialects(registry);
    registerAllExtensions(registry);
    MLIRContext context(registry);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return nullptr;
    PassManager passes(&context);
    CodegenOptions options;
    options.cpu = target.cpu;
    options.grain = target.grain;
    buildCpuPipeline(passes, options);
    if (failed(passes.run(*module)))
      return nullptr;
    auto object = emitOutput(*module, *TargetDescription::forCpu(target.cpu), OutputKind::Object);
    if (!object) {
      ADD_FAILURE() << llvm::toString(object.takeError());
      return nullptr;
    }
    std::string error;
    std::unique_ptr<Jit> jit = Jit::load(*object, error);
    EXPECT_TRUE(jit) << error;
    return jit;
  }

  void runOnce(const std::vector<Buffer *> &arguments, const std::vector<int64_t> &symbols) {
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

  std::unique_ptr<Jit> jit;
};

std::vector<Target> targets() {
  TargetDescription host = TargetDescription::host();
  std::vector<Target> targets = {{"x86-64-v2", 0}};
  if (host.vectorBytes >= 32 && host.hasFma)
    targets.push_back({"x86-64-v3", 0});
  if (host.vectorBytes >= 64)
    targets.push_back({"x86-64-v4", 0});
  targets.push_back({targets.back().cpu, 1});
  return targets;
}

class Execution : public testing::TestWithParam<Target> {};

INSTANTIATE_TEST_SUITE_P(Targets, Execution, testing::ValuesIn(targets()), [](const auto &info) {
  std::string name = info.param.cpu;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + (info.param.grain == 0 ? "" : "_in_parts");
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

/// So large a right factor that it is packed a few panels at a time, in a loop that threads share.
TEST_P(Execution, ContractionsInGroups) {
  Program plain(contraction("tensor<44x320xf32>", "m, k", "tensor<320x1024xf32>", "k, n",
                            "tensor<44x1024xf32>", false),
                GetParam());
  checkContraction(plain, false, false, 44, 1024, 320);
  Program turned(contraction("tensor<320x47xf32>", "k, m", "tensor<1071x320xf32>", "n, k",
                             "tensor<47x1071xf32>", false),
                 GetParam());
  checkContraction(turned, true, true, 47, 1071, 320);
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

/// A module whose function maps the matrix x[M, N], and what `body` says of it, to out.
std::string onMatrix(const std::string &outType, const std::string &outShape,
                     const std::string &body) {
  return fmt::format(R"(
    #matrix = affine_map<(i, j) -> (i, j)>
    #turned = affine_map<(i, j) -> (j, i)>
    #rows = affine_map<(i, j) -> (i)>
    #columns = affine_map<(i, j) -> (j)>
    #none = affine_map<(i, j) -> ()>
    func.func @f(%x: tensor<?x?xf32> {{nn.shape = ["M", "N"]}}, %b: tensor<?xf32> {{nn.shape = ["N"]}})
        -> ({0} {{nn.shape = [{1}]}}) attributes {{nn.symbols = ["M", "N"]}} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %m = tensor.dim %x, %c0 : tensor<?x?xf32>
      %n = tensor.dim %x, %c1 : tensor<?x?xf32>
      %zero = arith.constant 0.0 : f32
      %lowest = arith.constant 0xFF800000 : f32
      {2}
      return %r : {0}
    }})",
                     outType, outShape, body);
}

/// Runs `program` on matrices of many shapes; `expected(x, b, m, n)` gives all of out.
void checkOnMatrices(
    Program &program,
    function_ref<std::vector<double>(Buffer &, Buffer &, int64_t, int64_t)> expected) {
  const int64_t shapes[][2] = {{1, 1},  {500, 4}, {4, 500}, {3, 7}, {17, 33},
                               {1, 70}, {70, 1},  {0, 5},   {5, 0}, {64, 64}};
  for (auto [m, n] : shapes) {
    SCOPED_TRACE(fmt::format("m {} n {}", m, n));
    Buffer x(m * n, 1), b(n, 2);
    std::vector<double> want = expected(x, b, m, n);
    Buffer out(want.size(), 3);
    program.run({&x, &b, &out}, {m, n});
    for (size_t i = 0; i < want.size(); ++i)
      if (out[i] != want[i])
        ASSERT_NEAR(out[i], want[i], 1e-5 * (1 + std::abs(want[i]))) << "at " << i;
  }
}

TEST_P(Execution, ElementwiseChainWithBroadcast) {
  Program program(onMatrix("tensor<?x?xf32>", R"("M", "N")", R"(
    %e = tensor.empty(%m, %n) : tensor<?x?xf32>
    %s = linalg.generic {indexing_maps = [#matrix, #columns, #matrix],
                         iterator_types = ["parallel", "parallel"]}
        ins(%x, %b : tensor<?x?xf32>, tensor<?xf32>) outs(%e : tensor<?x?xf32>) {
      ^bb0(%p: f32, %q: f32, %o: f32):
        %v = arith.addf %p, %q : f32
        linalg.yield %v : f32
    } -> tensor<?x?xf32>
    %r = linalg.generic {indexing_maps = [#matrix, #matrix],
                         iterator_types = ["parallel", "parallel"]}
        ins(%s : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
      ^bb0(%p: f32, %o: f32):
        %v = math.exp %p : f32
        %i = linalg.index 1 : index
        %c = arith.index_cast %i : index to i32
        %g = arith.sitofp %c : i32 to f32
        %w = arith.addf %v, %g : f32
        linalg.yield %w : f32
    } -> tensor<?x?xf32>)"),
                  GetParam());
  checkOnMatrices(program, [](Buffer &x, Buffer &b, int64_t m, int64_t n) {
    std::vector<double> out;
    for (int64_t i = 0; i < m * n; ++i)
      out.push_back(std::exp(double(x[i]) + b[i % n]) + i % n);
    return out;
  });
}

TEST_P(Execution, Transpose) {
  Program program(onMatrix("tensor<?x?xf32>", R"("N", "M")", R"(
    %e = tensor.empty(%n, %m) : tensor<?x?xf32>
    %r = linalg.transpose ins(%x : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) permutation = [1, 0])"),
                  GetParam());
  checkOnMatrices(program, [](Buffer &x, Buffer &, int64_t m, int64_t n) {
    std::vector<double> out;
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < m; ++i)
        out.push_back(x[i * n + j]);
    return out;
  });
}

std::string reduction(const std::string &map, const std::string &sizes, const std::string &type,
                      const std::string &iterators, const std::string &init,
                      const std::string &combine) {
  return fmt::format(R"(
    %e = tensor.empty({1}) : {2}
    %z = linalg.fill ins({4} : f32) outs(%e : {2}) -> {2}
    %r = linalg.generic {{indexing_maps = [#matrix, {0}], iterator_types = [{3}]}}
        ins(%x : tensor<?x?xf32>) outs(%z : {2}) {{
      ^bb0(%p: f32, %o: f32):
        %v = {5} %o, %p : f32
        linalg.yield %v : f32
    }} -> {2})",
                     map, sizes, type, iterators, init, combine);
}

TEST_P(Execution, SumsOfRows) {
  Program program(onMatrix("tensor<?xf32>", "\"M\"",
                           reduction("#rows", "%m", "tensor<?xf32>", R"("parallel", "reduction")",
                                     "%zero", "arith.addf")),
                  GetParam());
  checkOnMatrices(program, [](Buffer &x, Buffer &, int64_t m, int64_t n) {
    std::vector<double> out(m);
    for (int64_t i = 0; i < m * n; ++i)
      out[i / n] += x[i];
    return out;
  });
}

TEST_P(Execution, MaximaOfColumns) {
  Program program(onMatrix("tensor<?xf32>", "\"N\"",
                           reduction("#columns", "%n", "tensor<?xf32>",
                                     R"("reduction", "parallel")", "%lowest", "arith.maximumf")),
                  GetParam());
  checkOnMatrices(program, [](Buffer &x, Buffer &, int64_t m, int64_t n) {
    std::vector<double> out(n, -HUGE_VAL);
    for (int64_t i = 0; i < m * n; ++i)
      out[i % n] = std::max<double>(out[i % n], x[i]);
    return out;
  });
}

TEST_P(Execution, SumOfAll) {
  Program program(onMatrix("tensor<f32>", "",
                           reduction("#none", "", "tensor<f32>", R"("reduction", "reduction")",
                                     "%zero", "arith.addf")),
                  GetParam());
  checkOnMatrices(program, [](Buffer &x, Buffer &, int64_t m, int64_t n) {
    std::vector<double> out(1);
    for (int64_t i = 0; i < m * n; ++i)
      out[0] += x[i];
    return out;
  });
}

/// Two outputs of one loop, an index in the body, no single combiner.
TEST_P(Execution, PositionOfLargestInRow) {
  Program program(onMatrix("tensor<?xf32>", "\"M\"", R"(
    %e = tensor.empty(%m) : tensor<?xf32>
    %ei = tensor.empty(%m) : tensor<?xi64>
    %none = arith.constant 0 : i64
    %z = linalg.fill ins(%lowest : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %zi = linalg.fill ins(%none : i64) outs(%ei : tensor<?xi64>) -> tensor<?xi64>
    %best:2 = linalg.generic {indexing_maps = [#matrix, #rows, #rows],
                              iterator_types = ["parallel", "reduction"]}
        ins(%x : tensor<?x?xf32>) outs(%z, %zi : tensor<?xf32>, tensor<?xi64>) {
      ^bb0(%p: f32, %o: f32, %oi: i64):
        %i = linalg.index 1 : index
        %at = arith.index_cast %i : index to i64
        %more = arith.cmpf ogt, %p, %o : f32
        %v = arith.select %more, %p, %o : f32
        %vi = arith.select %more, %at, %oi : i64
        linalg.yield %v, %vi : f32, i64
    } -> (tensor<?xf32>, tensor<?xi64>)
    %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                         iterator_types = ["parallel"]}
        ins(%best#1 : tensor<?xi64>) outs(%e : tensor<?xf32>) {
      ^bb0(%p: i64, %o: f32):
        %v = arith.sitofp %p : i64 to f32
        linalg.yield %v : f32
    } -> tensor<?xf32>)"),
                  GetParam());
  checkOnMatrices(program, [](Buffer &x, Buffer &, int64_t m, int64_t n) {
    std::vector<double> out(m);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 1; j < n; ++j)
        if (x[i * n + j] > x[i * n + int64_t(out[i])])
          out[i] = j;
    return out;
  });
}

/// Booleans are bytes, whole vectors of them too.
TEST_P(Execution, Booleans) {
  Program program(onMatrix("tensor<?x?xf32>", R"("M", "N")", R"(
    %eb = tensor.empty(%m, %n) : tensor<?x?xi1>
    %e = tensor.empty(%m, %n) : tensor<?x?xf32>
    %flags = linalg.generic {indexing_maps = [#matrix, #matrix],
                             iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<?x?xf32>) outs(%eb : tensor<?x?xi1>) {
      ^bb0(%p: f32, %o: i1):
        %v = arith.cmpf ogt, %p, %zero : f32
        linalg.yield %v : i1
    } -> tensor<?x?xi1>
    %kept = bufferization.alloc_tensor() copy(%flags) : tensor<?x?xi1>
    %r = linalg.generic {indexing_maps = [#matrix, #matrix, #matrix],
                         iterator_types = ["parallel", "parallel"]}
        ins(%kept, %x : tensor<?x?xi1>, tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
      ^bb0(%c: i1, %p: f32, %o: f32):
        %v = arith.select %c, %p, %zero : f32
        linalg.yield %v : f32
    } -> tensor<?x?xf32>)"),
                  GetParam());
  checkOnMatrices(program, [](Buffer &x, Buffer &, int64_t m, int64_t n) {
    std::vector<double> out;
    for (int64_t i = 0; i < m * n; ++i)
      out.push_back(std::max(0.0, double(x[i])));
    return out;
  });
}

/// A loop that carries tensors, exchanges them, and writes a row of the result at each trip.
TEST_P(Execution, LoopThatExchangesTensors) {
  Program program(onMatrix("tensor<?x?xf32>", R"("M", "N")", R"(
    %e = tensor.empty(%m, %n) : tensor<?x?xf32>
    %first = tensor.empty(%n) : tensor<?xf32>
    %ones = arith.constant 1.0 : f32
    %a0 = linalg.fill ins(%ones : f32) outs(%first : tensor<?xf32>) -> tensor<?xf32>
    %all:3 = scf.for %i = %c0 to %m step %c1
        iter_args(%a = %a0, %c = %b, %rows = %e) -> (tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32>) {
      %free = tensor.empty(%n) : tensor<?xf32>
      %sum = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>,
                                              affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
          ins(%a, %c : tensor<?xf32>, tensor<?xf32>) outs(%free : tensor<?xf32>) {
        ^bb0(%p: f32, %q: f32, %o: f32):
          %half = arith.constant 0.5 : f32
          %s = arith.addf %p, %q : f32
          %v = arith.mulf %s, %half : f32
          linalg.yield %v : f32
      } -> tensor<?xf32>
      %next = tensor.insert_slice %sum into %rows[%i, 0] [1, %n] [1, 1] : tensor<?xf32> into tensor<?x?xf32>
      scf.yield %c, %sum, %next : tensor<?xf32>, tensor<?xf32>, tensor<?x?xf32>
    }
    %r = tensor.cast %all#2 : tensor<?x?xf32> to tensor<?x?xf32>)"),
                  GetParam());
  checkOnMatrices(program, [](Buffer &, Buffer &b, int64_t m, int64_t n) {
    std::vector<double> out(m * n);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < m; ++i) {
        double last = i < 1 ? b[j] : out[(i - 1) * n + j];
        double before = i < 1 ? 1.0 : i < 2 ? b[j] : out[(i - 2) * n + j];
        out[i * n + j] = (last + before) / 2;
      }
    return out;
  });
}

/// With the default grain, loops that last some milliseconds are shared.
TEST(Threads, RunLargeLoops) {
  Program program(contraction("tensor<256x512xf32>", "m, k", "tensor<512x256xf32>", "k, n",
                              "tensor<256x256xf32>", false),
                  {"native", kDefaultGrain});
  int64_t before = nnc_num_worker_runs();
  // A worker may be late on a busy machine, not each time.
  for (int round = 0; round < 100 && nnc_num_worker_runs() == before; ++round)
    checkContraction(program, false, false, 256, 256, 512);
  EXPECT_GT(nnc_num_worker_runs(), before);
}

/// Parameters are updated where they are, and may change places.
TEST_P(Execution, UpdatesInPlace) {
  Program program(R"(
    func.func @f(%a: tensor<5xf32> {nn.name = "a"}, %b: tensor<5xf32> {nn.name = "b"})
        -> (tensor<5xf32> {nn.name = "b"}, tensor<f32>, tensor<5xf32> {nn.name = "a"}) {
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<5xf32>
      %es = tensor.empty() : tensor<f32>
      %sum = linalg.add ins(%a, %b : tensor<5xf32>, tensor<5xf32>) outs(%e : tensor<5xf32>) -> tensor<5xf32>
      %z = linalg.fill ins(%zero : f32) outs(%es : tensor<f32>) -> tensor<f32>
      %total = linalg.dot ins(%a, %a : tensor<5xf32>, tensor<5xf32>) outs(%z : tensor<f32>) -> tensor<f32>
      return %a, %total, %sum : tensor<5xf32>, tensor<f32>, tensor<5xf32>
    })",
                  GetParam());
  Buffer a(5, 1), b(5, 2), oldA(5, 1), oldB(5, 2), total(1, 3);
  program.run({&a, &b, &b, &total, &a});
  double want = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FLOAT_EQ(b[i], oldA[i]);
    EXPECT_FLOAT_EQ(a[i], oldA[i] + oldB[i]);
    want += double(oldA[i]) * oldA[i];
  }
  EXPECT_NEAR(total[0], want, 1e-5);
}

} // namespace
} // namespace nnc
