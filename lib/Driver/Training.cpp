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

/// How many steps one call of compiled code runs at most.
constexpr int64_t maxStepsPerCall = 65536;

static Tensor makeKey(int64_t seed, int64_t step) { return Tensor::of<int64_t>({2}, {seed, step}); }

static bool isRecorded(StringRef role) { return role == "loss" || role == "record"; }

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

/// One series for each loss and record of `entry`, whose first dimension is the steps.
static History emptyHistory(const Entry &entry, ArrayRef<int64_t> symbols) {
  History history;
  for (const Buffer &buffer : entry.signature().buffers)
    if (buffer.isResult && isRecorded(buffer.role)) {
      TensorShape shape = entry.shapeOf(buffer, symbols);
      shape.erase(shape.begin());
      history.push_back({buffer.name, shape, {}});
    }
  return history;
}

/// Appends what `steps` steps recorded: `result` has a leading dimension of that size.
static void appendTo(History &history, const NamedTensor &result, int64_t steps) {
  auto found = find_if(history, [&](const Series &series) { return series.name == result.name; });
  assert(found != history.end() && "a result that is recorded");
  found->append(result.value, steps);
}

//===----------------------------------------------------------------------===//
// Batches
//===----------------------------------------------------------------------===//

namespace {
/// One step on batches of one size, everything resolved once.
class BatchCall {
public:
  /// `onDevice` tells where an argument is if not where the tensor is.
  BatchCall(Entry &entry, std::map<std::string, Tensor *> arguments,
            function_ref<void *(const std::string &name)> onDevice, std::string &error)
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
        void *place = onDevice(buffer.name);
        buffers.push_back(place ? place : arguments.at(buffer.name)->data());
        continue;
      }
      results.push_back(
          {buffer.name, Tensor(hostType(buffer.elementType), entry.shapeOf(buffer, symbols))});
      roles.push_back(buffer.role);
      places.push_back(buffers.size());
      buffers.push_back(results.back().value.data());
    }
    isValid = true;
  }

  void run() { entry.call(buffers, symbols); }
  /// The same, the results kept in `records`.
  void run(DeviceRecords &records) {
    for (auto [index, place] : enumerate(places))
      buffers[place] = records.placeOf(index);
    run();
    records.keep();
  }

  bool isValid = false;
  std::vector<int64_t> symbols;
  std::vector<NamedTensor> results;
  std::vector<std::string> roles;

private:
  Entry &entry;
  SmallVector<void *> buffers;
  /// Those of the results.
  SmallVector<size_t> places;
};
} // namespace

/// More threads than these would wait for the step.
constexpr unsigned maxBatchThreads = 8;

/// Steps on batches, which are made ahead where that takes long, or on a GPU on all the data, which is there then. A
/// call is prepared for each piece of memory that batches come in.
class Training::Batches {
public:
  explicit Batches(Training &training)
      : training(training), source(training.data.trainingRows(), optionsOf(training)) {
    if (training.data.isInBatches())
      stream.emplace(source, source.cursorAt(training.done),
                     source.isCostly() ? std::min(training.threads, maxBatchThreads) : 0);
    else
      putDataOnDevice();
  }

  bool run(std::string &error) {
    BatchCall *call = callFor(stream ? stream->next() : training.data.dataset.columns, error);
    if (!call)
      return false;
    key.as<int64_t>()[1] = training.done;
    if (!training.deviceState) {
      call->run();
      append(call->results);
      return true;
    }
    if (!records || !records->holds(call->results)) {
      fetchRecords();
      records.emplace(call->results);
    }
    call->run(*records);
    if (records->isFull())
      fetchRecords();
    return true;
  }

  /// Waits for what steps on a device have recorded.
  void fetchRecords() {
    if (records)
      records->show([&](const std::vector<NamedTensor> &results) { append(results); });
  }

private:
  static BatchOptions optionsOf(const Training &training) {
    BatchOptions options = training.data.batchOptions(training.seed);
    options.memory = training.deviceState ? &deviceHostMemory : nullptr;
    return options;
  }

  void putDataOnDevice() {
    std::vector<NamedTensor> fields;
    for (auto [name, column] : zip(training.plan.fields, training.data.dataset.columns))
      fields.push_back({name, column});
    allData.emplace(fields);
    allData->push(fields);
  }

  /// Where the argument of that name is on the device; null if it is not there.
  void *findOnDevice(const std::string &name) const {
    void *state = training.deviceState ? training.deviceState->find(name) : nullptr;
    return state || !allData ? state : allData->find(name);
  }

  void append(const std::vector<NamedTensor> &results) {
    for (auto [result, role] : zip(results, roles))
      if (isRecorded(role))
        appendTo(training.recorded.steps, result, 1);
  }

  BatchCall *callFor(std::vector<Tensor> &batch, std::string &error) {
    auto call = calls.find(&batch);
    if (call == calls.end()) {
      call = calls
                 .emplace(&batch,
                          BatchCall(
                              training.steps(), training.arguments(batch, key),
                              [&](const std::string &name) { return findOnDevice(name); }, error))
                 .first;
      roles = call->second.roles;
      if (training.recorded.steps.empty() && call->second.isValid)
        training.recorded.steps = emptyHistory(training.steps(), call->second.symbols);
    }
    return call->second.isValid ? &call->second : nullptr;
  }

  Training &training;
  Tensor key = makeKey(training.seed, 0);
  BatchSource source;
  std::optional<BatchStream> stream;
  std::optional<DeviceArrays> allData;
  std::map<const std::vector<Tensor> *, BatchCall> calls;
  /// Of the results of a step.
  std::vector<std::string> roles;
  std::optional<DeviceRecords> records;
};

//===----------------------------------------------------------------------===//
// The training
//===----------------------------------------------------------------------===//

Training::Training(const TrainPlan &plan, std::string init, Executable &executable, LoadedData data,
                   int64_t seed, unsigned threads)
    : plan(plan), init(std::move(init)), executable(executable), data(std::move(data)), seed(seed),
      threads(threads) {}

Training::~Training() = default;

bool Training::initialize(std::string &error) {
  Tensor key = makeKey(seed, 0);
  std::map<std::string, Tensor *> arguments;
  for (const Buffer &buffer : executable.entry(init).signature().buffers)
    if (buffer.role == "key")
      arguments[buffer.name] = &key;
  std::optional<std::vector<NamedTensor>> results = executable.entry(init).run(arguments, error);
  if (!results)
    return false;
  restore(0, std::move(*results), {});
  return true;
}

void Training::restore(int64_t step, State state, RunRecord record) {
  done = step;
  modelState = std::move(state);
  recorded = std::move(record);
  batches.reset(); // Its calls point into the state that was.
  deviceState.reset();
  newest = Newest::Host;
}

const State &Training::state() const {
  if (newest == Newest::Device) {
    deviceState->pull(modelState);
    newest = Newest::Both;
  }
  return modelState;
}

State &Training::state() {
  std::as_const(*this).state();
  newest = Newest::Host;
  return modelState;
}

std::map<std::string, Tensor *> Training::stateArguments() {
  std::map<std::string, Tensor *> result;
  for (NamedTensor &entry : modelState)
    result[entry.name] = &entry.value;
  return result;
}

void *Training::findOnDevice(const std::string &name) const {
  return deviceState && newest != Newest::Host ? deviceState->find(name) : nullptr;
}

int64_t Training::stepsPerEpoch() const {
  return BatchSource(data.trainingRows(), data.batchOptions(seed)).batchesPerEpoch();
}

std::map<std::string, Tensor *> Training::arguments(std::vector<Tensor> &fields, Tensor &key) {
  std::map<std::string, Tensor *> result = stateArguments();
  for (auto [name, tensor] : zip(plan.fields, fields))
    result[name] = &tensor;
  for (const Buffer &buffer : steps().signature().buffers)
    if (buffer.role == "key")
      result[buffer.name] = &key;
  return result;
}

bool Training::advance(int64_t until, std::string &error) {
  if (!data.isInBatches() && !executable.isForGpu())
    return advanceOnAllData(until, error);
  if (executable.isForGpu() && !deviceState)
    deviceState = std::make_unique<DeviceArrays>(modelState);
  if (deviceState && newest == Newest::Host)
    deviceState->push(modelState);
  if (!batches)
    batches = std::make_unique<Batches>(*this);
  for (; done < until; ++done) {
    if (!batches->run(error))
      return false;
    newest = deviceState ? Newest::Device : Newest::Host;
  }
  batches->fetchRecords();
  return true;
}

bool Training::advanceOnAllData(int64_t until, std::string &error) {
  while (done < until) {
    int64_t count = std::min(maxStepsPerCall, until - done);
    Tensor key = makeKey(seed, done);
    std::map<std::string, Tensor *> values = arguments(data.dataset.columns, key);
    std::map<std::string, int64_t> symbols = {{nn::stepsSymbol.str(), count}};
    if (recorded.steps.empty()) {
      std::map<std::string, const Tensor *> readable(values.begin(), values.end());
      std::optional<std::vector<int64_t>> solved = steps().solveSymbols(readable, symbols, error);
      if (!solved)
        return false;
      recorded.steps = emptyHistory(steps(), *solved);
    }
    std::optional<std::vector<NamedTensor>> results = steps().run(values, error, symbols);
    if (!results)
      return false;
    for (const NamedTensor &result : *results)
      appendTo(recorded.steps, result, count);
    done += count;
  }
  return true;
}

} // namespace nnc
