//===- MachineModel.cpp - How fast this machine can be --------------------===//
//
// Two functions on buffers go through the back half of the compiler like any other program. Each is
// timed many times, and the best time counts: what else the machine does makes it slower, never faster.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/MachineModel.h"

#include "nnc/Codegen/ObjectEmission.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/Data/Tensor.h"
#include "nnc/Driver/Compiler.h"
#include "nnc/Driver/Jit.h"
#include "nnc/Runtime/nnc_rt.h"

#include "mlir/Parser/Parser.h"

#include <chrono>
#include <fmt/format.h>

using namespace mlir;

namespace nnc {
namespace {

/// Enough chains to hide the latency of an addition on any core.
constexpr unsigned kChains = 12;
constexpr int64_t kTrips = 20000;

/// z = 2 x + y, on arrays of N.
constexpr const char *kUpdate = R"(
func.func @update(%x: memref<?xf32> {{nn.buffer = 0 : i64, nn.shape = ["N"]}},
                  %y: memref<?xf32> {{nn.buffer = 1 : i64, nn.shape = ["N"]}},
                  %z: memref<?xf32> {{nn.buffer = 2 : i64, nn.shape = ["N"]}},
                  %N: index {{nn.symbol = "N"}}) attributes {{nn.symbols = ["N"]}} {{
  %two = arith.constant 2.0 : f32
  linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>,
                                   affine_map<(i) -> (i)>], iterator_types = ["parallel"]}}
    ins(%x, %y : memref<?xf32>, memref<?xf32>) outs(%z : memref<?xf32>) {{
  ^body(%a: f32, %b: f32, %old: f32):
    %0 = arith.mulf %a, %two : f32
    %1 = arith.addf %0, %b : f32
    linalg.yield %1 : f32
  }}
  return
}}
)";

/// N tasks, each of kTrips x kChains vector operations, that write their sums to where nothing is read.
std::string arithmeticText(const TargetDescription &target) {
  std::string vector = fmt::format("vector<{}xf32>", target.lanes(32));
  std::string types, arguments, steps, results, sums;
  for (unsigned chain = 0; chain < kChains; ++chain) {
    const char *comma = chain ? ", " : "";
    arguments += fmt::format("{}%a{} = %x", comma, chain);
    types += comma + vector;
    results += fmt::format("{}%n{}", comma, chain);
    steps += target.hasFma ? fmt::format("%n{0} = math.fma %a{0}, %x, %x : {1}\n", chain, vector)
                           : fmt::format("%m{0} = arith.mulf %a{0}, %x : {1}\n"
                                         "%n{0} = arith.addf %m{0}, %x : {1}\n",
                                         chain, vector);
    sums += fmt::format("%s{0} = arith.addf %{1}, %r#{0} : {2}\n", chain,
                        chain ? fmt::format("s{}", chain - 1) : "x", vector);
  }
  return fmt::format(
      R"(
func.func @arithmetic(%out: memref<?xf32> {{nn.buffer = 0 : i64, nn.shape = ["16*N"]}},
                      %N: index {{nn.symbol = "N"}}) attributes {{nn.symbols = ["N"]}} {{
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %width = arith.constant 16 : index
  %trips = arith.constant {trips} : index
  %x = arith.constant dense<0.5> : {vector}
  scf.parallel (%task) = (%zero) to (%N) step (%one) {{
    %r:{chains} = scf.for %i = %zero to %trips step %one iter_args({arguments}) -> ({types}) {{
      {steps} scf.yield {results} : {types}
    }}
    {sums} %place = arith.muli %task, %width : index
    vector.store %s{last}, %out[%place] : memref<?xf32>, {vector}
  }}
  return
}}
)",
      fmt::arg("trips", kTrips), fmt::arg("vector", vector), fmt::arg("chains", kChains),
      fmt::arg("arguments", arguments), fmt::arg("types", types), fmt::arg("steps", steps),
      fmt::arg("results", results), fmt::arg("sums", sums), fmt::arg("last", kChains - 1));
}

std::unique_ptr<Jit> compileProbes(const TargetDescription &target, std::string &error) {
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      fmt::format(fmt::runtime(kUpdate)) + arithmeticText(target), context.get());
  PassManager passes(context.get());
  CodegenOptions options;
  buildPrepareStage(passes, options);
  buildKernelStage(passes, options);
  buildLLVMStage(passes, options);
  if (!module || failed(passes.run(*module))) {
    error = "the probes do not compile";
    return nullptr;
  }
  llvm::Expected<std::string> object = emitOutput(*module, target, OutputKind::Object);
  if (!object) {
    error = llvm::toString(object.takeError());
    return nullptr;
  }
  return Jit::load(*object, error);
}

double secondsOf(const std::function<void()> &work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The best time of `work` within some milliseconds, three tries at least.
double bestTime(const std::function<void()> &work) {
  constexpr double kBudget = 0.03;
  double best = secondsOf(work), spent = best;
  for (int tries = 0; tries < 2 || spent < kBudget; ++tries) {
    double seconds = secondsOf(work);
    best = std::min(best, seconds);
    spent += seconds;
  }
  return best;
}

class Probe {
public:
  Probe(const Jit &jit, unsigned vectorLanes)
      : arithmetic(jit.entry("arithmetic")), update(jit.entry("update")), lanes(vectorLanes) {}

  Roofline measure(int threads) {
    nnc_set_num_threads(threads);
    Roofline roofline;
    int64_t tasks = threads * 4;
    Tensor sums(ElementType::F32, {tasks * 16});
    void *buffers[] = {sums.data()};
    double seconds = bestTime([&] { arithmetic(buffers, &tasks, nullptr); });
    roofline.flopsPerSecond = 2.0 * kChains * kTrips * lanes * double(tasks) / seconds;
    for (int64_t bytes : {int64_t(16) << 10, int64_t(256) << 10, int64_t(2) << 20,
                          int64_t(16) << 20, int64_t(128) << 20})
      roofline.levels.push_back({bytes, bandwidth(bytes)});
    return roofline;
  }

private:
  double bandwidth(int64_t bytes) {
    int64_t size = bytes / 12;
    Tensor x(ElementType::F32, {size}), y(ElementType::F32, {size}), z(ElementType::F32, {size});
    void *buffers[] = {x.data(), y.data(), z.data()};
    // Short work is repeated, so that reading the clock does not count.
    int64_t repeats = std::max<int64_t>(1, (int64_t(2) << 20) / bytes);
    double seconds = bestTime([&] {
      for (int64_t i = 0; i < repeats; ++i)
        update(buffers, &size, nullptr);
    });
    return double(size) * 12 * double(repeats) / seconds;
  }

  EntryFunction arithmetic, update;
  unsigned lanes;
};

} // namespace

double Roofline::bytesPerSecond(int64_t footprint) const {
  for (const Level &level : levels)
    if (footprint <= level.bytes)
      return level.bytesPerSecond;
  return memoryBytesPerSecond();
}

std::optional<MachineModel> measureMachine(DiagnosticEngine &diagnostics) {
  TargetDescription target = TargetDescription::host();
  std::string error;
  std::unique_ptr<Jit> jit = compileProbes(target, error);
  if (!jit) {
    diagnostics.defect({}, "cannot measure this machine: " + error);
    return std::nullopt;
  }
  MachineModel model;
  model.lanes = target.lanes(32);
  model.threads = nnc_num_threads();
  Probe probe(*jit, model.lanes);
  model.core = probe.measure(1);
  model.all = model.threads == 1 ? model.core : probe.measure(model.threads);
  nnc_set_num_threads(model.threads);
  return model;
}

} // namespace nnc
