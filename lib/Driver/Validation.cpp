//===- Validation.cpp - Evaluating a model on other data ------------------===//
//
// Outputs of the model, a batch after the other, are put together; then the metrics are one call.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Validation.h"

#include "nnc/Data/Batches.h"

using namespace llvm;

namespace nnc {

/// Calls a function with the state of `training`, the key, and what else it takes.
std::optional<std::vector<NamedTensor>> Validation::call(const std::string &function,
                                                         Training &training,
                                                         std::map<std::string, Tensor *> arguments,
                                                         Tensor &key, std::string &error) {
  Entry &entry = executable.entry(function);
  arguments.merge(training.stateArguments());
  for (const Buffer &buffer : entry.signature().buffers)
    if (buffer.role == "key")
      arguments[buffer.name] = &key;
  return entry.run(arguments, error, /*symbols=*/{},
                   [&](const std::string &name) { return training.findOnDevice(name); });
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

bool Validation::predict(Training &training, Tensor &key, std::string &error) {
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
    std::map<std::string, Tensor *> arguments;
    for (auto [name, field] : zip(plan.validationFields, batch))
      arguments[name] = &field;
    std::optional<std::vector<NamedTensor>> results =
        call(plan.predict, training, arguments, key, error);
    if (!results)
      return false;
    keepOutputs(*results, first, count);
  }
  return true;
}

std::optional<std::vector<NamedTensor>> Validation::run(Training &training, std::string &error) {
  Tensor key = Tensor::of<int64_t>({2}, {seed, training.step()});
  if (!plan.predict.empty() && !predict(training, key, error))
    return std::nullopt;
  std::map<std::string, Tensor *> arguments;
  for (auto [name, field] : zip(plan.validationFields, data.dataset.columns))
    arguments[name] = &field;
  for (NamedTensor &output : predictions)
    arguments[output.name] = &output.value;
  return call(plan.evaluate, training, arguments, key, error);
}

} // namespace nnc
