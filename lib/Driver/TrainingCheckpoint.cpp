//===- TrainingCheckpoint.cpp - A training as a file ----------------------===//
//
// Random numbers are functions of seed and step, and so is the order of the rows: there is no
// generator whose state could be forgotten.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TrainingCheckpoint.h"

#include "nnc/Driver/TensorText.h"

#include "llvm/Support/xxhash.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {

static constexpr const char *format = "nnc checkpoint 1";
static constexpr llvm::StringRef stepsPrefix = "history/", evaluationsPrefix = "validation/",
                                 bestPrefix = "best/";
/// The steps of the evaluations; no metric's name has a dot.
static constexpr const char *evaluatedAt = "validation.step";

std::string fingerprintOf(ModuleOp module, ArrayRef<std::string> functions) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (const std::string &function : functions)
    module.lookupSymbol(function)->print(stream);
  return fmt::format("{:016x}", llvm::xxh3_64bits(text));
}

std::string fingerprintOf(const Dataset &rows) {
  std::string parts;
  for (const Tensor &column : rows.columns)
    parts += fmt::format(
        "{} {:016x} ", typeText(column),
        llvm::xxh3_64bits(llvm::StringRef(column.bytes().data(), column.sizeInBytes())));
  return fmt::format("{:016x}", llvm::xxh3_64bits(parts));
}

static std::string describeData(const Training &training) {
  const LoadedData &data = training.trainingData();
  std::string text =
      fmt::format("{} rows of {}{}{}", data.dataset.numRows(), training.trainPlan().data,
                  data.isShuffled ? ", shuffled" : "",
                  data.batchSize ? fmt::format(", in batches of {}", *data.batchSize) : "");
  if (data.dropsLast)
    text += ", no smaller ones";
  for (const std::string &augmentation : data.augmentationTexts)
    text += ", " + augmentation;
  return text;
}

static void addHistory(Safetensors &content, llvm::StringRef prefix, const History &history) {
  for (const Series &series : history) {
    TensorShape shape = series.shape;
    shape.insert(shape.begin(), series.length());
    content.tensors.push_back(
        {prefix.str() + series.name, Tensor::of<double>(shape, series.values)});
  }
}

Safetensors toCheckpoint(const Training &training, const State &best,
                         const Fingerprints &fingerprints) {
  int64_t perEpoch = training.stepsPerEpoch(), step = training.step();
  Safetensors content;
  content.metadata = {
      {"format", format},
      {"model", training.trainPlan().model},
      {"data", describeData(training)},
      {"rows", fingerprints.rows},
      {"program", fingerprints.program},
      {"seed", std::to_string(training.seedOfRun())},
      {"step", std::to_string(step)},
      {"epoch", std::to_string(step / perEpoch)},
      {"row", std::to_string(step % perEpoch * training.trainingData().batchSize.value_or(0))}};
  content.tensors = training.state();
  for (const NamedTensor &tensor : best)
    content.tensors.push_back({bestPrefix.str() + tensor.name, tensor.value});
  const RunRecord &record = training.record();
  addHistory(content, stepsPrefix, record.steps);
  addHistory(content, evaluationsPrefix, record.evaluations);
  if (!record.evaluatedAt.empty())
    content.tensors.push_back(
        {evaluatedAt,
         Tensor::of<int64_t>({int64_t(record.evaluatedAt.size())}, record.evaluatedAt)});
  return content;
}

//===----------------------------------------------------------------------===//
// Going on
//===----------------------------------------------------------------------===//

static std::string metadataOf(const Safetensors &content, llvm::StringRef key) {
  for (const auto &[name, value] : content.metadata)
    if (name == key)
      return value;
  return "";
}

/// Whether the checkpoint is one of this training, by what its metadata says.
static Status checkMetadata(const Training &training, const Safetensors &content,
                            const Fingerprints &fingerprints) {
  auto expect = [&](const char *key, const std::string &expected,
                    const std::string &what) -> Status {
    std::string found = metadataOf(content, key);
    if (found == expected)
      return {};
    return Error::expectedFound(what + expected, found.empty() ? "none" : found);
  };
  if (Status status = expect("format", format, "the format "); !status)
    return status;
  if (Status status =
          expect("model", training.trainPlan().model, "a checkpoint of a training of model ");
      !status)
    return status;
  if (Status status = expect("data", describeData(training), "a checkpoint of a training on ");
      !status)
    return status;
  if (Status status =
          expect("seed", std::to_string(training.seedOfRun()), "a checkpoint of a run with seed ");
      !status)
    return status.takeError().help(
        fmt::format("'--seed {}' goes on with it", metadataOf(content, "seed")));
  if (metadataOf(content, "rows") != fingerprints.rows)
    return Error::expectedFound("a checkpoint of a training on these rows of " +
                                    training.trainPlan().data,
                                "one on as many others")
        .help("the values of the data have changed: without '--resume', '--params' starts from its "
              "parameters");
  if (metadataOf(content, "program") != fingerprints.program)
    return Error::expectedFound("a checkpoint of this training", "one whose step was another")
        .help("the model, the loss or the optimizer has changed: without '--resume', '--params' "
              "starts from its parameters");
  return {};
}

static Result<State> stateIn(const Training &training, const Safetensors &content,
                             const std::string &prefix) {
  State state;
  for (const NamedTensor &expected : training.state()) {
    const Tensor *found = content.find(prefix + expected.name);
    if (!found || typeText(*found) != typeText(expected.value))
      return Error::expectedFound(typeText(expected.value), found ? typeText(*found) : "none")
          .of(fmt::format("tensor '{}{}'", prefix, expected.name));
    state.push_back({expected.name, *found});
  }
  return state;
}

static Result<History> historyIn(const Safetensors &content, llvm::StringRef prefix,
                                 int64_t length) {
  History history;
  for (const NamedTensor &tensor : content.tensors) {
    llvm::StringRef name = tensor.name;
    if (!name.consume_front(prefix))
      continue;
    const Tensor &value = tensor.value;
    if (value.type() != ElementType::F64 || value.rank() == 0 || value.dim(0) != length)
      return Error::expectedFound(fmt::format("{} values", length), typeText(value))
          .of(fmt::format("tensor '{}'", tensor.name));
    TensorShape shape(value.shape().begin() + 1, value.shape().end());
    history.push_back({name.str(), shape, value.toDoubles()});
  }
  return history;
}

static Result<RunRecord> recordIn(const Safetensors &content, int64_t step) {
  RunRecord record;
  if (const Tensor *steps = content.find(evaluatedAt)) {
    if (steps->type() != ElementType::I64 || steps->rank() != 1)
      return Error::expectedFound("steps", typeText(*steps))
          .of(fmt::format("tensor '{}'", evaluatedAt));
    const int64_t *values = steps->as<int64_t>();
    record.evaluatedAt.assign(values, values + steps->size());
  }
  Result<History> steps = historyIn(content, stepsPrefix, step);
  if (!steps)
    return steps.takeError();
  record.steps = std::move(*steps);
  Result<History> evaluations =
      historyIn(content, evaluationsPrefix, int64_t(record.evaluatedAt.size()));
  if (!evaluations)
    return evaluations.takeError();
  record.evaluations = std::move(*evaluations);
  return record;
}

static bool hasBest(const Safetensors &content) {
  return llvm::any_of(content.tensors, [](const NamedTensor &tensor) {
    return llvm::StringRef(tensor.name).starts_with(bestPrefix);
  });
}

Status restoreCheckpoint(Training &training, State &best, const Checkpoint &checkpoint,
                         const Fingerprints &fingerprints) {
  const Safetensors &content = checkpoint.content;
  if (Status status = checkMetadata(training, content, fingerprints); !status)
    return status.takeError().in(checkpoint.path);
  Result<State> state = stateIn(training, content, "");
  if (!state)
    return state.takeError().in(checkpoint.path);
  Result<State> kept =
      hasBest(content) ? stateIn(training, content, bestPrefix.str()) : Result<State>(State());
  if (!kept)
    return kept.takeError().in(checkpoint.path);
  Result<RunRecord> record = recordIn(content, checkpoint.step);
  if (!record)
    return record.takeError().in(checkpoint.path);
  training.restore(checkpoint.step, std::move(*state), std::move(*record));
  best = std::move(*kept);
  return {};
}

} // namespace nnc
