//===- ExplainRun.cpp - Time each kernel of a function --------------------===//
//
// The times of a kernel over many calls: the best of them, since what else the machine does makes it
// slower, never faster. A whole call is the sum: on a busy machine none has every kernel at its best.
//
//===----------------------------------------------------------------------===//
#include "ExplainRun.h"

#include "nnc/Support/Random.h"

using namespace mlir;

namespace nnc {
namespace {

constexpr double kBudget = 0.4; ///< seconds of calls, after one to warm up
constexpr int64_t kLeastCalls = 3, kMostCalls = 1000;

/// Parameters are small and of both signs, as at the start of a training: numbers of other sizes become infinities or
/// denormals in deep nets, with which some instructions take a hundred times as long.
void drawValues(Tensor &tensor, bool isParam, uint64_t seed) {
  dispatch(tensor.type(), [&](auto zero) {
    using T = decltype(zero);
    auto *data = reinterpret_cast<T *>(tensor.data());
    uint64_t state = 0x9E3779B97F4A7C15ull * (seed + 1);
    for (int64_t i = 0; i < tensor.size(); ++i) {
      if constexpr (std::is_integral_v<T>) {
        data[i] = T();
      } else {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        double number = double(state >> 11) * 0x1p-53;
        data[i] = T(isParam ? 0.1 * (number - 0.5) : number);
      }
    }
  });
}

} // namespace

CallArguments::CallArguments(const Entry &entry, ArrayRef<int64_t> symbols) {
  const std::vector<Buffer> &buffers = entry.signature().buffers;
  std::map<std::string, void *> places;
  tensors.reserve(buffers.size());
  for (const Buffer &buffer : buffers) {
    if (buffer.isUpdate) {
      addresses.push_back(places.at(buffer.name));
      continue;
    }
    tensors.emplace_back(hostType(buffer.elementType), entry.shapeOf(buffer, symbols));
    drawValues(tensors.back(), buffer.role == "param", tensors.size());
    addresses.push_back(tensors.back().data());
    if (!buffer.isResult)
      places[buffer.name] = addresses.back();
  }
  initial = tensors;
}

void CallArguments::restore() {
  for (auto [tensor, values] : llvm::zip(tensors, initial))
    std::memcpy(tensor.data(), values.data(), values.sizeInBytes());
}

SmallVector<int64_t> symbolsOf(const Entry &entry, const SizeValues &sizes) {
  SmallVector<int64_t> values;
  for (const std::string &symbol : entry.signature().symbols)
    values.push_back(sizes.at(symbol));
  return values;
}

bool measureEntry(Session &session, const CompileOptions &options, ExplainedEntry &entry) {
  std::unique_ptr<Executable> executable =
      Executable::compile(session.module(), {entry.name}, options, session.diagnostics);
  if (!executable)
    return false;
  int64_t phasesEnd = entry.passes.empty() ? 0 : entry.passes.back().end;
  entry.passes.push_back({"machine code", "", "", phasesEnd, KernelClock::now()});
  Entry &code = executable->entry(entry.name);
  SmallVector<int64_t> symbols = symbolsOf(code, entry.sizes);
  CallArguments arguments(code, symbols);
  KernelClock clock(entry.kernels.size());
  double spent = 0, between = INFINITY;
  code.call(arguments.pointers(), symbols);
  while (entry.measuredRuns < kLeastCalls || (spent < kBudget && entry.measuredRuns < kMostCalls)) {
    arguments.restore();
    clock.reset();
    int64_t begin = KernelClock::now();
    code.call(arguments.pointers(), symbols);
    int64_t end = KernelClock::now();
    double seconds = double(end - begin) * 1e-9;
    double rest = seconds;
    for (auto [kernel, time] : llvm::zip(entry.kernels, clock.nanoseconds())) {
      kernel.measured = std::min(kernel.measured.value_or(INFINITY), time * 1e-9);
      rest -= time * 1e-9;
    }
    rest = std::max(0.0, rest - clock.overheadNanoseconds() * 1e-9);
    between = std::min(between, rest);
    spent += seconds;
    ++entry.measuredRuns;
  }
  entry.measured = entry.betweenKernels = between;
  for (const ExplainedKernel &kernel : entry.kernels)
    *entry.measured += *kernel.measured;
  arguments.restore();
  clock.reset(/*keepsEvents=*/true);
  int64_t begin = KernelClock::now();
  code.call(arguments.pointers(), symbols);
  entry.trace.push_back({-1, begin, KernelClock::now()});
  for (const KernelClock::Event &event : clock.events())
    entry.trace.push_back({event.kernel, event.begin, event.end});
  return true;
}

} // namespace nnc
