//===- Validation.cpp - Evaluating a model on other data ------------------===//
//
// Outputs of the model, a batch after the other, are put together; then the metrics are one call.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Validation.h"

#include "nnc/Data/Batches.h"

using namespace llvm;

namespace nnc {

static void addArguments(std::map<std::string, Tensor *> &arguments,
                         std::vector<NamedTensor> &values) {
  for (NamedTensor &value : values)
    arguments[value.name] = &value.value;
}

/// Parameters, states and the key, under the names that `entry` knows them by.
static std::map<std::string, Tensor *> argumentsOf(const Entry &entry, State &state, Tensor &key) {
  std::map<std::string, Tensor *> arguments;
  addArguments(arguments, state);
  for (const Buffer &buffer : entry.signature().buffers)
    if (buffer.role == "key")
      arguments[buffer.name] = &key;
  return arguments;
}

/// Copies rows [first, first + count) of each output to their place among all rows.
void Validation::keepOutputs(std::vector<NamedTensor> &results, int64_t first, int64_t count) {
  for (auto [index, result] : enumerate(results)) {
    if (index == predictions.size()) {
      TensorShape shape = result.value.shape();
      shape.front() = data.dataset.numRows();
      predictions.push_back({result.name, Tensor(result.value.type(), shape)});
    }
    size_t bytes = result.value.sizeInBytes(), row = count ? bytes / size_t(count) : 0;
    std::memcpy(static_cast<char *>(predictions[index].value.data()) + size_t(first) * row,
                result.value.data(), bytes);
  }
}

bool Validation::predict(State &state, Tensor &key, std::string &error) {
  Entry &entry = executable.entry(plan.predict);
  BatchSource source(data.dataset,
                     {data.batchSize, /*isShuffled=*/false, {}, seed, /*dropLast=*/false});
  RowIndices order = source.orderOf(0);
  std::vector<Tensor> batch;
  for (int64_t index = 0; index < source.batchesPerEpoch(); ++index) {
    DataCursor cursor = source.cursorAt(index);
    int64_t first = cursor.position, count = source.rowsAt(cursor);
    if (batch.empty() || batch.front().dim(0) != count)
      batch = source.allocate(count);
    source.fill(cursor, order, batch);
    std::map<std::string, Tensor *> arguments = argumentsOf(entry, state, key);
    for (auto [name, field] : zip(plan.validationFields, batch))
      arguments[name] = &field;
    std::optional<std::vector<NamedTensor>> results = entry.run(arguments, error);
    if (!results)
      return false;
    keepOutputs(*results, first, count);
  }
  return true;
}

std::optional<std::vector<NamedTensor>> Validation::run(State &state, int64_t step,
                                                        std::string &error) {
  Tensor key = Tensor::of<int64_t>({2}, {seed, step});
  if (!plan.predict.empty() && !predict(state, key, error))
    return std::nullopt;
  Entry &entry = executable.entry(plan.evaluate);
  std::map<std::string, Tensor *> arguments = argumentsOf(entry, state, key);
  for (auto [name, field] : zip(plan.validationFields, data.dataset.columns))
    arguments[name] = &field;
  addArguments(arguments, predictions);
  return entry.run(arguments, error);
}

} // namespace nnc
