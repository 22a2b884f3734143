//===- Training.cpp - Running a train declaration -------------------------===//
//
// The key of step k is (seed, k), and the order of the rows in epoch e depends on the seed and e
// alone, so a run is a function of its file, data and seed.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Training.h"

#include "nnc/IR/NN.h"

#include <fmt/format.h>

using namespace llvm;

namespace nnc {

/// How many steps one call of compiled code runs at most when nobody asks for reports.
constexpr int64_t maxStepsPerCall = 65536;

static Tensor makeKey(int64_t seed, int64_t step) { return Tensor::of<int64_t>({2}, {seed, step}); }

bool Training::initialize(int64_t seed, std::string &error) {
  Tensor key = makeKey(seed, 0);
  std::map<std::string, Tensor *> arguments;
  for (const Buffer &buffer : executable.entry(init).signature().buffers)
    if (buffer.role == "key")
      arguments[buffer.name] = &key;
  std::optional<std::vector<NamedTensor>> results = executable.entry(init).run(arguments, error);
  if (!results)
    return false;
  modelState = std::move(*results);
  return true;
}

int64_t Training::stepsPerEpoch() const {
  int64_t rows = data.dataset.numRows();
  return data.batchSize ? std::max<int64_t>((rows + *data.batchSize - 1) / *data.batchSize, 1) : 1;
}

int64_t Training::totalSteps(const TrainingOptions &options) const {
  if (options.steps)
    return *options.steps;
  if (options.epochs)
    return *options.epochs * stepsPerEpoch();
  if (plan.steps)
    return *plan.steps;
  return plan.epochs.value_or(1) * stepsPerEpoch();
}

bool Training::run(const TrainingOptions &options, std::string &error) {
  recorded.clear();
  int64_t total = totalSteps(options);
  return data.batchSize ? runOnBatches(options, total, error) : runOnAllData(options, total, error);
}

/// Appends what `steps` steps recorded: `result` has a leading dimension of that size.
void Training::record(const NamedTensor &result, int64_t steps) {
  auto found = find_if(recorded, [&](const Series &series) { return series.name == result.name; });
  assert(found != recorded.end() && "a result that is recorded");
  for (int64_t index = 0; index < steps * found->width(); ++index)
    found->values.push_back(result.value.at(index));
}

/// One series for each loss and record of `entry`, whose first dimension is the steps.
static History emptyHistory(const Entry &entry, ArrayRef<int64_t> symbols) {
  History history;
  for (const Buffer &buffer : entry.signature().buffers)
    if (buffer.isResult && (buffer.role == "loss" || buffer.role == "record")) {
      TensorShape shape = entry.shapeOf(buffer, symbols);
      shape.erase(shape.begin());
      history.push_back({buffer.name, buffer.role, shape, {}});
    }
  return history;
}

std::map<std::string, Tensor *> Training::arguments(std::vector<Tensor> &fields, Tensor &key) {
  std::map<std::string, Tensor *> result;
  for (NamedTensor &entry : modelState)
    result[entry.name] = &entry.value;
  for (auto [name, tensor] : zip(plan.fields, fields))
    result[name] = &tensor;
  for (const Buffer &buffer : executable.entry(plan.step + "s").signature().buffers)
    if (buffer.role == "key")
      result[buffer.name] = &key;
  return result;
}

bool Training::runOnAllData(const TrainingOptions &options, int64_t total, std::string &error) {
  Entry &steps = executable.entry(plan.step + "s");
  int64_t every =
      std::clamp<int64_t>(options.reportEvery.value_or(maxStepsPerCall), 1, maxStepsPerCall);
  for (int64_t done = 0; done < total;) {
    int64_t count = std::min(every - done % every, total - done);
    Tensor key = makeKey(options.seed, done);
    std::map<std::string, Tensor *> values = arguments(data.dataset.columns, key);
    std::map<std::string, int64_t> symbols = {{nn::stepsSymbol.str(), count}};
    if (recorded.empty()) {
      std::map<std::string, const Tensor *> readable(values.begin(), values.end());
      std::optional<std::vector<int64_t>> solved = steps.solveSymbols(readable, symbols, error);
      if (!solved)
        return false;
      recorded = emptyHistory(steps, *solved);
    }
    std::optional<std::vector<NamedTensor>> results = steps.run(values, error, symbols);
    if (!results)
      return false;
    for (const NamedTensor &result : *results)
      record(result, count);
    done += count;
    if (options.report && !options.report(done, recorded))
      return true;
  }
  return true;
}

namespace {
/// One step on batches of one size, everything resolved once.
class BatchCall {
public:
  BatchCall(Entry &entry, std::map<std::string, Tensor *> arguments, std::string &error)
      : entry(entry) {
    std::map<std::string, const Tensor *> readable(arguments.begin(), arguments.end());
    std::optional<std::vector<int64_t>> solved =
        entry.solveSymbols(readable, {{nn::stepsSymbol.str(), 1}}, error);
    if (!solved)
      return;
    symbols = std::move(*solved);
    results.reserve(entry.signature().buffers.size());
    for (const Buffer &buffer : entry.signature().buffers) {
      if (!buffer.isResult || buffer.isUpdate) {
        buffers.push_back(arguments.at(buffer.name)->data());
        continue;
      }
      results.push_back(
          {buffer.name, Tensor(hostType(buffer.elementType), entry.shapeOf(buffer, symbols))});
      roles.push_back(buffer.role);
      buffers.push_back(results.back().value.data());
    }
    isValid = true;
  }

  void run() { entry.call(buffers, symbols); }

  bool isValid = false;
  std::vector<int64_t> symbols;
  std::vector<NamedTensor> results;
  std::vector<std::string> roles;

private:
  Entry &entry;
  SmallVector<void *> buffers;
};
} // namespace

bool Training::runOnBatches(const TrainingOptions &options, int64_t total, std::string &error) {
  Entry &step = executable.entry(plan.step + "s");
  int64_t rows = data.dataset.numRows(), batchSize = *data.batchSize, perEpoch = stepsPerEpoch();
  int64_t every = options.reportEvery.value_or(perEpoch);
  Tensor key = makeKey(options.seed, 0);
  // Staging memory and a prepared call for whole batches, and for the shorter one at the end.
  std::map<int64_t, std::vector<Tensor>> staging;
  std::map<int64_t, BatchCall> calls;
  std::vector<int64_t> order;
  for (int64_t done = 0; done < total; ++done) {
    int64_t inEpoch = done % perEpoch;
    if (inEpoch == 0)
      order = data.rowOrder(options.seed, done / perEpoch);
    int64_t first = inEpoch * batchSize, count = std::min(batchSize, rows - first);
    std::vector<Tensor> &fields = staging[count];
    if (fields.empty())
      fields = data.makeBatch(count);
    data.fillBatch(fields, ArrayRef(order).slice(first, count));
    auto call = calls.find(count);
    if (call == calls.end()) {
      call = calls.emplace(count, BatchCall(step, arguments(fields, key), error)).first;
      if (!call->second.isValid)
        return false;
    }
    if (recorded.empty())
      recorded = emptyHistory(step, call->second.symbols);
    key.as<int64_t>()[1] = done;
    call->second.run();
    for (auto [result, role] : zip(call->second.results, call->second.roles))
      if (role == "loss" || role == "record")
        record(result, 1);
    bool reportNow = (done + 1) % every == 0 || done + 1 == total;
    if (reportNow && options.report && !options.report(done + 1, recorded))
      return true;
  }
  return true;
}

} // namespace nnc
