//===- Tune.cpp - Measure which tiles are fastest -------------------------===//
//
// Variant number i of a function has tile number i of each of its kernels, so that there are as many variants as
// one kernel has tiles. A few of them run by turns with the code as it is, which is the measure: what else the
// machine does meanwhile is the same for all. The best time of each kernel counts. The winners then run against
// the code as it is once more, together.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Tune.h"

#include "ExplainRun.h"

using namespace mlir;

namespace nnc {
namespace {

constexpr double kBudget = 0.3; ///< seconds of calls for each code of a round
constexpr int64_t kLeastCalls = 5, kMostCalls = 2000;
constexpr unsigned kSideBySide = 3;             ///< variants that run by turns
constexpr double kLeastShare = 0.01;            ///< of a call, for a kernel to be worth it
constexpr double kFaster = 0.96, kStays = 0.98; ///< of the time before, at first and once more

/// A function in several variants, its kernels by their keys.
class Tuner {
public:
  Tuner(Session &openSession, const ExplainedEntry &explained)
      : session(openSession), entry(explained) {}

  std::optional<TuneResult> run(const std::function<void(unsigned, unsigned)> &progress);

private:
  using Seconds = std::map<std::string, double>;

  std::unique_ptr<Executable> compile(TunedTiles tiles);
  std::vector<Seconds> measure(ArrayRef<Executable *> codes);
  bool confirm(Executable &asIs, const TunedTiles &winners);

  Session &session;
  const ExplainedEntry &entry;
  std::unique_ptr<KernelClock> clock;
  std::unique_ptr<CallArguments> arguments;
  std::vector<TunableKernel> kernels;
  /// The first kernel of each key that has other tiles.
  std::map<std::string, const TunableKernel *> byKey;
  std::map<std::string, TunedKernel> best;
};

std::unique_ptr<Executable> Tuner::compile(TunedTiles tiles) {
  CompileOptions options = session.options;
  options.traceKernels = true;
  options.hostSymbols = KernelClock::hostSymbols();
  options.tiles = std::make_shared<TunedTiles>(std::move(tiles));
  if (kernels.empty())
    options.afterPhase = [&](StringRef phase, ModuleOp module) {
      auto signature = getSignature(session.module().lookupSymbol<func::FuncOp>(entry.name));
      if (phase == "prepare")
        kernels =
            listTunableKernels(module.lookupSymbol<func::FuncOp>(signature.rawName()), options.cpu);
    };
  return Executable::compile(session.module(), {entry.name}, options, session.diagnostics);
}

/// The best time of each key in each of the codes.
std::vector<Tuner::Seconds> Tuner::measure(ArrayRef<Executable *> codes) {
  std::vector<Seconds> seconds(codes.size());
  double spent = 0;
  auto symbols = symbolsOf(codes.front()->entry(entry.name), entry.sizes);
  auto call = [&](Executable *code) {
    arguments->restore();
    clock->reset();
    int64_t begin = KernelClock::now();
    code->entry(entry.name).call(arguments->pointers(), symbols);
    return double(KernelClock::now() - begin) * 1e-9;
  };
  for (Executable *code : codes)
    call(code);
  for (int64_t calls = 0; calls < kLeastCalls || (spent < kBudget && calls < kMostCalls); ++calls) {
    double round = 0;
    for (auto [number, code] : llvm::enumerate(codes)) {
      round += call(code) / double(codes.size());
      Seconds now;
      for (auto [kernel, time] : llvm::zip_equal(kernels, clock->nanoseconds()))
        now[kernel.key] += time * 1e-9;
      for (auto &[key, time] : now) {
        auto [known, isNew] = seconds[number].try_emplace(key, time);
        known->second = std::min(known->second, time);
      }
    }
    spent += round;
  }
  return seconds;
}

std::optional<TuneResult> Tuner::run(const std::function<void(unsigned, unsigned)> &progress) {
  std::unique_ptr<Executable> asIs = compile({});
  if (!asIs)
    return std::nullopt;
  clock = std::make_unique<KernelClock>(kernels.size());
  Entry &code = asIs->entry(entry.name);
  arguments = std::make_unique<CallArguments>(code, symbolsOf(code, entry.sizes));
  Seconds first = measure({asIs.get()}).front();
  double all = 0;
  for (auto &[key, time] : first)
    all += time;
  TuneResult result{entry.name, entry.sizes, unsigned(kernels.size()), {}};
  size_t numVariants = 0;
  for (auto [number, kernel] : llvm::enumerate(kernels)) {
    if (kernel.others.empty() || first.at(kernel.key) < kLeastShare * all)
      continue;
    if (byKey.try_emplace(kernel.key, &kernel).second)
      best[kernel.key] = {kernel.key,
                          kernel.description,
                          entry.kernels[number].place.str(),
                          kernel.tile,
                          kernel.tile,
                          1,
                          1};
    numVariants = std::max(numVariants, kernel.others.size());
  }
  auto variant = [&](size_t number) {
    TunedTiles tiles;
    for (auto &[key, kernel] : byKey)
      if (number < kernel->others.size())
        tiles[key] = kernel->others[number];
    return tiles;
  };
  for (size_t begin = 0; begin < numVariants; begin += kSideBySide) {
    progress(begin, numVariants);
    std::vector<std::unique_ptr<Executable>> made;
    SmallVector<Executable *> codes = {asIs.get()};
    for (size_t number = begin; number < std::min(begin + kSideBySide, numVariants); ++number) {
      made.push_back(compile(variant(number)));
      if (!made.back())
        return std::nullopt;
      codes.push_back(made.back().get());
    }
    std::vector<Seconds> seconds = measure(codes);
    for (size_t number = 1; number < codes.size(); ++number)
      for (auto &[key, tile] : variant(begin + number - 1)) {
        double ratio = seconds[number].at(key) / seconds[0].at(key);
        TunedKernel &kernel = best.at(key);
        // Times of different rounds do not compare, ratios do.
        if (ratio < kFaster && ratio < kernel.secondsAfter) {
          kernel.after = tile;
          kernel.secondsAfter = ratio;
        }
      }
  }
  progress(numVariants, numVariants);
  TunedTiles winners;
  for (auto &[key, kernel] : best) {
    kernel.secondsBefore = kernel.secondsAfter = first.at(key);
    if (!(kernel.after == kernel.before))
      winners[key] = kernel.after;
  }
  if (!winners.empty() && !confirm(*asIs, winners))
    return std::nullopt;
  for (auto &[key, kernel] : best)
    result.tried.push_back(kernel);
  return result;
}

/// Measures all winners together once more, and takes back those that do not stay.
bool Tuner::confirm(Executable &asIs, const TunedTiles &winners) {
  std::unique_ptr<Executable> together = compile(winners);
  if (!together)
    return false;
  std::vector<Seconds> seconds = measure({&asIs, together.get()});
  for (auto &[key, tile] : winners) {
    TunedKernel &kernel = best.at(key);
    kernel.secondsBefore = kernel.secondsAfter = seconds[0].at(key);
    if (seconds[1].at(key) < kStays * kernel.secondsBefore)
      kernel.secondsAfter = seconds[1].at(key);
    else
      kernel.after = kernel.before;
  }
  return true;
}

} // namespace

std::optional<std::vector<TuneResult>> tune(Session &session, const TuneOptions &options) {
  ExplainOptions explaining;
  explaining.entry = options.entry;
  explaining.sizes = options.sizes;
  explaining.measures = false;
  std::optional<Explanation> explanation = explain(session, explaining);
  if (!explanation)
    return std::nullopt;
  std::vector<TuneResult> results;
  for (const ExplainedEntry &entry : explanation->entries) {
    std::optional<TuneResult> result = Tuner(session, entry).run(options.progress);
    if (!result)
      return std::nullopt;
    results.push_back(std::move(*result));
  }
  return results;
}

} // namespace nnc
