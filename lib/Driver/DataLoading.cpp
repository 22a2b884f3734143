//===- DataLoading.cpp - From a data declaration to arrays ----------------===//
//
// The first stage is a source, each further one changes what the one before it gave.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/DataLoading.h"

#include "StageArguments.h"

#include "nnc/Data/Csv.h"
#include "nnc/Data/Npy.h"
#include "nnc/Data/Pipeline.h"

#include <filesystem>
#include <fmt/format.h>

namespace nnc {

//===----------------------------------------------------------------------===//
// Batches
//===----------------------------------------------------------------------===//

std::vector<int64_t> LoadedData::rowOrder(int64_t seed, int64_t epoch) const {
  if (isShuffled)
    return permutation(dataset.numRows(), seed, epoch);
  std::vector<int64_t> order(dataset.numRows());
  for (size_t row = 0; row < order.size(); ++row)
    order[row] = int64_t(row);
  return order;
}

std::vector<Tensor> LoadedData::makeBatch(int64_t count) const {
  std::vector<Tensor> batch;
  for (const Tensor &column : dataset.columns) {
    TensorShape shape = column.shape();
    shape.front() = count;
    batch.emplace_back(column.type(), shape);
  }
  return batch;
}

void LoadedData::fillBatch(std::vector<Tensor> &batch, llvm::ArrayRef<int64_t> rows) const {
  for (size_t field = 0; field < batch.size(); ++field) {
    const Tensor &column = dataset.columns[field];
    size_t bytes = column.dim(0) == 0 ? 0 : column.sizeInBytes() / size_t(column.dim(0));
    char *target = static_cast<char *>(batch[field].data());
    const char *source = static_cast<const char *>(column.data());
    for (int64_t row : rows) {
      std::memcpy(target, source + size_t(row) * bytes, bytes);
      target += bytes;
    }
  }
}

//===----------------------------------------------------------------------===//
// Sources
//===----------------------------------------------------------------------===//

/// A path in a .nn file is relative to that file.
static std::string resolvePath(const std::string &path, const PipelineStage &stage) {
  if (!stage.range.file || std::filesystem::path(path).is_absolute())
    return path;
  return (std::filesystem::path(stage.range.file->path()).parent_path() / path).string();
}

/// What a field reads, as csv's columns: `x = 0:4`, `label = i64(4)`, `y = "width"`.
static std::optional<CsvField> toCsvField(const StageArgument &argument) {
  CsvField field;
  field.name = argument.name;
  if (!argument.dtype.empty())
    field.type = *elementTypeNamed(argument.dtype);
  if (const auto *range = std::get_if<StageArgument::Range>(&argument.value)) {
    field.columns.push_back(CsvColumns::range(range->start, range->stop));
  } else if (const auto *index = std::get_if<int64_t>(&argument.value)) {
    field.columns.push_back(CsvColumns::single(*index));
    field.isVector = true;
  } else if (const auto *name = std::get_if<std::string>(&argument.value)) {
    field.columns.push_back(CsvColumns::named(*name));
    field.isVector = true;
  } else {
    return std::nullopt;
  }
  return field;
}

/// The result where diagnostics hold the reason.
static Result<Dataset> failed() { return Error::plain(""); }

static Result<Dataset> readCsvSource(const PipelineStage &stage, DiagnosticEngine &diagnostics) {
  StageArguments arguments(stage, diagnostics);
  std::optional<std::string> path = arguments.takeString("file");
  CsvOptions options;
  if (const StageArgument *skip = arguments.take("skip", /*byName=*/true)) {
    const int64_t *count = std::get_if<int64_t>(&skip->value);
    if (count && *count >= 0)
      options.skip = *count;
    else
      arguments.mismatch(*skip, "a number of lines, zero or more,");
  }
  if (const StageArgument *delimiter = arguments.take("delimiter", /*byName=*/true)) {
    const auto *text = std::get_if<std::string>(&delimiter->value);
    if (text && text->size() == 1)
      options.delimiter = text->front();
    else
      arguments.mismatch(*delimiter, "one character");
  }
  if (const StageArgument *header = arguments.take("header", /*byName=*/true)) {
    if (const bool *value = std::get_if<bool>(&header->value))
      options.hasHeader = *value;
    else
      arguments.mismatch(*header, "true or false");
  }
  for (const StageArgument *argument : arguments.takeNamed()) {
    std::optional<CsvField> field = toCsvField(*argument);
    if (field)
      options.fields.push_back(std::move(*field));
    else
      arguments.mismatch(*argument, "a column, a range of columns or the name of one");
  }
  if (!arguments.finish() || !path)
    return failed();
  return readCsv(resolvePath(*path, stage), options);
}

/// npy("images.npy", label = "labels.npy"): a file for each field.
static Result<Dataset> readNpySource(const PipelineStage &stage, DiagnosticEngine &diagnostics) {
  StageArguments arguments(stage, diagnostics);
  std::vector<NamedTensor> arrays;
  auto read = [&](const std::string &field, const std::string &path) -> std::optional<Error> {
    Result<Tensor> tensor = readNpy(resolvePath(path, stage));
    if (!tensor)
      return tensor.takeError();
    arrays.push_back({field, std::move(*tensor)});
    return std::nullopt;
  };
  for (const StageArgument &argument : stage.arguments) {
    std::string field =
        argument.name.empty() ? fmt::format("field{}", arrays.size()) : argument.name;
    const auto *path = std::get_if<std::string>(&argument.value);
    if (!path) {
      arguments.mismatch(argument, "the name of a file");
      return failed();
    }
    if (std::optional<Error> error = read(field, *path))
      return std::move(*error);
  }
  return makeDataset(std::move(arrays), "npy");
}

/// npz("data.npz", x = "images", y = "labels"): an array for each field; all without names.
static Result<Dataset> readNpzSource(const PipelineStage &stage, DiagnosticEngine &diagnostics) {
  StageArguments arguments(stage, diagnostics);
  std::optional<std::string> path = arguments.takeString("file");
  std::vector<std::string> names, fields;
  for (const StageArgument *argument : arguments.takeNamed()) {
    if (const auto *name = std::get_if<std::string>(&argument->value)) {
      names.push_back(*name);
      fields.push_back(argument->name);
    } else {
      arguments.mismatch(*argument, "the name of an array");
    }
  }
  if (!arguments.finish() || !path)
    return failed();
  std::string file = resolvePath(*path, stage);
  Result<std::vector<NamedTensor>> arrays = readNpz(file, names);
  if (!arrays)
    return arrays.takeError();
  for (size_t index = 0; index < fields.size(); ++index)
    (*arrays)[index].name = fields[index];
  return makeDataset(std::move(*arrays), file);
}

using Source = Result<Dataset> (*)(const PipelineStage &, DiagnosticEngine &);
static const std::map<std::string, Source> sources = {
    {"csv", readCsvSource}, {"npy", readNpySource}, {"npz", readNpzSource}};

bool DataLoader::applySource(const PipelineStage &stage, const DataPlan &plan, LoadedData &data) {
  if (auto source = sources.find(stage.name); source != sources.end()) {
    Result<Dataset> dataset = source->second(stage, diagnostics);
    if (!dataset) {
      if (!dataset.error().what().empty())
        diagnostics.error(stage.range, dataset.error());
      return false;
    }
    data.dataset = std::move(*dataset);
    return true;
  }
  std::vector<std::string> names;
  for (const auto &[name, source] : sources)
    names.push_back(name);
  for (const DataPlan &other : plans)
    names.push_back(other.name);
  bool isOther =
      llvm::any_of(plans, [&](const DataPlan &other) { return other.name == stage.name; });
  if (!isOther) {
    diagnostics.error(stage.range, fmt::format("unknown source '{}'", stage.name))
        .didYouMean(closestMatch(stage.name, names));
    return false;
  }
  const LoadedData *other = load(stage.name);
  if (other)
    data = *other;
  return other;
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

namespace {
/// A stage changes `data`; an error without text means that it has been reported.
using Stage = Status (*)(StageArguments &arguments, LoadedData &data);

Status reported() { return Error::plain(""); }

/// Calls `change` on the field that the argument `field` names, or on all floating-point fields.
template <typename Change>
Status onFields(StageArguments &arguments, LoadedData &data, Change change) {
  std::string field = arguments.takeString("field", "").value_or("");
  if (!arguments.finish())
    return reported();
  if (!field.empty() && !data.dataset.find(field))
    return Error::expectedFound("one of the fields " +
                                    fmt::format("{}", fmt::join(data.dataset.fields, ", ")),
                                "'" + field + "'");
  for (size_t index = 0; index < data.dataset.columns.size(); ++index) {
    Tensor &column = data.dataset.columns[index];
    if (field.empty() ? isFloat(column.type()) : data.dataset.fields[index] == field)
      column = change(column);
  }
  return {};
}

Status applyScale(StageArguments &arguments, LoadedData &data) {
  std::optional<double> factor = arguments.takeNumber("factor");
  return factor ? onFields(arguments, data,
                           [&](const Tensor &column) { return scaleValues(column, *factor); })
                : reported();
}

Status applyStandardize(StageArguments &arguments, LoadedData &data) {
  std::optional<double> mean = arguments.takeNumber("mean", std::nan("")),
                        std = arguments.takeNumber("std", std::nan(""));
  if (!mean || !std)
    return reported();
  return onFields(arguments, data, [&](const Tensor &column) {
    bool isGiven = *mean == *mean && *std == *std;
    return standardizeValues(column, isGiven ? Moments{{*mean}, {*std}}
                                             : momentsOf(column, /*perFeature=*/true));
  });
}

Status applyTake(StageArguments &arguments, LoadedData &data) {
  std::optional<int64_t> count = arguments.takeInteger("count");
  if (!arguments.finish() || !count)
    return reported();
  Result<Dataset> taken = takeRows(data.dataset, *count);
  if (!taken)
    return taken.takeError();
  data.dataset = std::move(*taken);
  return {};
}

Status applySplit(StageArguments &arguments, LoadedData &data) {
  std::optional<std::string> part = arguments.takeString("part");
  std::optional<double> fraction = arguments.takeNumber("fraction", 0.8);
  std::optional<int64_t> seed = arguments.takeInteger("seed", 0);
  if (!arguments.finish() || !part)
    return reported();
  if (*part != "train" && *part != "test")
    return Error::expectedFound("part \"train\" or \"test\"", "\"" + *part + "\"");
  Result<Dataset> split = splitRows(data.dataset, *fraction, *part == "train" ? 0 : 1, *seed);
  if (!split)
    return split.takeError();
  data.dataset = std::move(*split);
  return {};
}

Status applyShuffle(StageArguments &arguments, LoadedData &data) {
  data.isShuffled = true;
  return arguments.finish() ? Status() : reported();
}

Status applyBatch(StageArguments &arguments, LoadedData &data) {
  std::optional<int64_t> size = arguments.takeInteger("size");
  if (!arguments.finish() || !size)
    return reported();
  if (*size < 1)
    return Error::expectedFound("a batch of one row or more", fmt::format("{}", *size));
  data.batchSize = *size;
  return {};
}

/// cast(label = i64): the element type of a field.
Status applyCast(StageArguments &arguments, LoadedData &data) {
  for (const StageArgument *argument : arguments.takeNamed()) {
    const auto *name = std::get_if<std::string>(&argument->value);
    std::optional<ElementType> type = name ? elementTypeNamed(*name) : std::nullopt;
    Tensor *column = data.dataset.find(argument->name);
    if (!type) {
      arguments.mismatch(*argument, "a dtype");
      return reported();
    }
    if (!column)
      return Error::expectedFound("one of the fields " +
                                      fmt::format("{}", fmt::join(data.dataset.fields, ", ")),
                                  "'" + argument->name + "'");
    *column = column->to(*type);
  }
  return arguments.finish() ? Status() : reported();
}

const std::map<std::string, Stage> stages = {
    {"scale", applyScale}, {"standardize", applyStandardize}, {"take", applyTake},
    {"split", applySplit}, {"shuffle", applyShuffle},         {"batch", applyBatch},
    {"cast", applyCast}};
} // namespace

bool DataLoader::applyStage(const PipelineStage &stage, LoadedData &data) {
  auto found = stages.find(stage.name);
  if (found == stages.end()) {
    std::vector<std::string> names;
    for (const auto &[name, apply] : stages)
      names.push_back(name);
    diagnostics.error(stage.range, fmt::format("unknown stage '{}'", stage.name))
        .didYouMean(closestMatch(stage.name, names));
    return false;
  }
  StageArguments arguments(stage, diagnostics);
  Status status = found->second(arguments, data);
  if (!status && !status.error().what().empty())
    diagnostics.error(stage.range, fmt::format("'{}': {}", stage.name, status.error().what()));
  return bool(status);
}

std::optional<LoadedData> DataLoader::loadPlan(const DataPlan &plan) {
  LoadedData data;
  if (!plan.function.empty()) {
    std::optional<Dataset> dataset = compute(plan);
    if (!dataset)
      return std::nullopt;
    data.dataset = std::move(*dataset);
    return data;
  }
  if (!applySource(plan.stages.front(), plan, data))
    return std::nullopt;
  for (const PipelineStage &stage : llvm::ArrayRef(plan.stages).drop_front())
    if (!applyStage(stage, data))
      return std::nullopt;
  return data;
}

const LoadedData *DataLoader::load(const std::string &name) {
  if (auto known = loaded.find(name); known != loaded.end())
    return &known->second;
  auto plan =
      llvm::find_if(plans, [&](const DataPlan &candidate) { return candidate.name == name; });
  assert(plan != plans.end() && "elaboration resolves the names of data");
  if (llvm::is_contained(loading, name)) {
    diagnostics.error(plan->range, fmt::format("data '{}' is made from itself", name));
    return nullptr;
  }
  loading.push_back(name);
  std::optional<LoadedData> data = loadPlan(*plan);
  loading.pop_back();
  return data ? &loaded.emplace(name, std::move(*data)).first->second : nullptr;
}

} // namespace nnc
