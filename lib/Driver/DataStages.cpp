//===- DataStages.cpp - What changes rows and values ----------------------===//
//
// The arguments of each stage, checked, and the function of Data/Pipeline.h that does the work.
//
//===----------------------------------------------------------------------===//
#include "DataStages.h"

#include "nnc/Data/Pipeline.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nnc {

std::string describeField(const Dataset &dataset, size_t field) {
  const Tensor &column = dataset.columns[field];
  std::string dims = "N";
  for (int64_t size : llvm::drop_begin(column.shape()))
    dims += fmt::format(", {}", size);
  return fmt::format("{}: {}[{}]", dataset.fields[field], nameOf(column.type()), dims);
}

static std::string describeFields(const Dataset &dataset) {
  std::vector<std::string> texts;
  for (size_t field = 0; field < dataset.columns.size(); ++field)
    texts.push_back(describeField(dataset, field));
  return fmt::format("{}", fmt::join(texts, ", "));
}

static Error noField(const Dataset &dataset, const std::string &name) {
  return Error::expectedFound(fmt::format("one of the fields {}", fmt::join(dataset.fields, ", ")),
                              "'" + name + "'");
}

Result<std::vector<size_t>> chooseFields(StageArguments &arguments, const Dataset &dataset,
                                         bool (*isMeant)(const Tensor &), const char *expected) {
  std::optional<std::string> name = arguments.takeString("field", "");
  if (!arguments.finish() || !name)
    return reported();
  if (!name->empty() && !dataset.find(*name))
    return noField(dataset, *name);
  std::vector<size_t> chosen;
  for (size_t field = 0; field < dataset.columns.size(); ++field)
    if (name->empty() ? isMeant(dataset.columns[field]) : dataset.fields[field] == *name)
      chosen.push_back(field);
  if (chosen.empty() && expected)
    return Error::expectedFound(expected, describeFields(dataset));
  return chosen;
}

namespace {
//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

bool isFloatField(const Tensor &column) { return isFloat(column.type()); }

/// Calls `change` on the field that the argument `field` names, or on all floating-point fields.
template <typename Change>
Status onFields(StageArguments &arguments, LoadedData &data, Change change) {
  Result<std::vector<size_t>> fields = chooseFields(arguments, data.dataset, isFloatField, nullptr);
  if (!fields)
    return fields.takeError();
  for (size_t field : *fields)
    if (Status status = change(field, data.dataset.columns[field]); !status)
      return status;
  return {};
}

Status applyScale(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<double> factor = arguments.takeNumber("factor");
  if (!factor)
    return reported();
  return onFields(arguments, data, [&](size_t, Tensor &column) -> Status {
    column = scaleValues(std::move(column), *factor);
    return {};
  });
}

/// Where a stage takes its statistics from: the data that `of` names, or the data themselves.
struct Statistics {
  const Dataset *dataset = nullptr;
  std::string name;
  Sharing sharing = Sharing::Feature;

  /// The field of that name, with rows like those of `column`.
  Result<const Tensor *> find(const std::string &field, const Tensor &column) const {
    if (!dataset)
      return &column;
    const Tensor *other = dataset->find(field);
    if (other && TensorShape(other->shape().begin() + 1, other->shape().end()) ==
                     TensorShape(column.shape().begin() + 1, column.shape().end()))
      return other;
    Dataset self;
    self.add(field, column);
    return Error::expectedFound(
        fmt::format("a field in data '{}' like {}", name, describeField(self, 0)),
        other ? describeField(*dataset, size_t(other - dataset->columns.data())) : "none");
  }
};

/// The arguments `of` and `per`; nothing after an error.
std::optional<Statistics> takeStatistics(StageArguments &arguments, DataLoader &loader) {
  Statistics statistics;
  std::optional<std::string> per = arguments.takeString("per", "feature");
  if (const StageArgument *of = arguments.take("of", /*byName=*/true)) {
    const auto *name = std::get_if<std::string>(&of->value);
    if (!name) {
      arguments.mismatch(*of, "the name of data");
      return std::nullopt;
    }
    const LoadedData *other = loader.loadNamed(*name, of->range);
    if (!other)
      return std::nullopt;
    statistics.dataset = &other->dataset;
    statistics.name = *name;
  }
  if (!per)
    return std::nullopt;
  static const std::map<std::string, Sharing> words = {
      {"feature", Sharing::Feature}, {"channel", Sharing::Channel}, {"all", Sharing::All}};
  auto word = words.find(*per);
  if (word == words.end()) {
    for (const StageArgument &argument : arguments.stageOf().arguments)
      if (argument.name == "per")
        arguments.mismatch(argument, "\"feature\", \"channel\" or \"all\"");
    return std::nullopt;
  }
  statistics.sharing = word->second;
  return statistics;
}

/// The mean and the deviation that are given, one number or one for each channel of `column`.
Result<Moments> givenMoments(std::vector<double> mean, std::vector<double> deviation,
                             const Tensor &column) {
  size_t count = std::max(mean.size(), deviation.size());
  mean.resize(mean.size() == 1 ? count : mean.size(), mean.front());
  deviation.resize(deviation.size() == 1 ? count : deviation.size(), deviation.front());
  size_t channels = column.rank() < 2 ? 1 : size_t(column.dim(1));
  if (mean.size() != deviation.size() || (count != 1 && count != channels))
    return Error::expectedFound(
        fmt::format("a mean and a deviation, or {} of each, one for each channel", channels),
        fmt::format("{} and {}", mean.size(), deviation.size()));
  for (double value : deviation)
    if (!(value > 0))
      return Error::expectedFound("a deviation greater than 0", fmt::format("{}", value));
  int64_t rows = std::max<int64_t>(column.dim(0), 1);
  int64_t groupSize = std::max<int64_t>(column.size() / rows / int64_t(channels), 1);
  return Moments{std::move(mean), std::move(deviation), groupSize};
}

Status applyStandardize(StageArguments &arguments, LoadedData &data, DataLoader &loader) {
  std::optional<std::vector<double>> mean = arguments.takeNumbers("mean"),
                                     deviation = arguments.takeNumbers("std");
  std::optional<Statistics> statistics = takeStatistics(arguments, loader);
  if (!mean || !deviation || !statistics)
    return reported();
  if (mean->empty() != deviation->empty())
    return Error::expectedFound("'mean' and 'std', or neither",
                                mean->empty() ? "'std' alone" : "'mean' alone");
  return onFields(arguments, data, [&](size_t field, Tensor &column) -> Status {
    if (!mean->empty()) {
      Result<Moments> moments = givenMoments(*mean, *deviation, column);
      if (!moments)
        return moments.takeError();
      column = standardizeValues(std::move(column), *moments);
      return {};
    }
    Result<const Tensor *> source = statistics->find(data.dataset.fields[field], column);
    if (!source)
      return source.takeError();
    Moments moments = momentsOf(**source, statistics->sharing);
    column = standardizeValues(std::move(column), moments);
    return {};
  });
}

Status applyNormalize(StageArguments &arguments, LoadedData &data, DataLoader &loader) {
  std::optional<double> low = arguments.takeNumber("low", 0),
                        high = arguments.takeNumber("high", 1);
  std::optional<Statistics> statistics = takeStatistics(arguments, loader);
  if (!low || !high || !statistics)
    return reported();
  if (!(*low < *high))
    return Error::expectedFound("low < high", fmt::format("{} and {}", *low, *high));
  return onFields(arguments, data, [&](size_t field, Tensor &column) -> Status {
    Result<const Tensor *> source = statistics->find(data.dataset.fields[field], column);
    if (!source)
      return source.takeError();
    Moments moments = rangesOf(**source, statistics->sharing, *low, *high);
    column = standardizeValues(std::move(column), moments);
    return {};
  });
}

/// cast(label = i64): the element type of a field.
Status applyCast(StageArguments &arguments, LoadedData &data, DataLoader &) {
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
  return arguments.finish() ? Status() : Status(reported());
}

/// The named arguments, each with the field of its name.
Result<std::vector<std::pair<const StageArgument *, Tensor *>>>
takeFields(StageArguments &arguments, LoadedData &data) {
  std::vector<std::pair<const StageArgument *, Tensor *>> fields;
  for (const StageArgument *argument : arguments.takeNamed()) {
    Tensor *column = data.dataset.find(argument->name);
    if (!column)
      return noField(data.dataset, argument->name);
    fields.emplace_back(argument, column);
  }
  if (!arguments.finish())
    return reported();
  return fields;
}

/// one_hot(label = 10): classes as rows of zeros with a one.
Status applyOneHot(StageArguments &arguments, LoadedData &data, DataLoader &) {
  auto fields = takeFields(arguments, data);
  if (!fields)
    return fields.takeError();
  for (auto [argument, column] : *fields) {
    const auto *depth = std::get_if<int64_t>(&argument->value);
    if (!depth) {
      arguments.mismatch(*argument, "the number of classes");
      return reported();
    }
    Result<Tensor> marked = oneHot(*column, *depth);
    if (!marked)
      return marked.takeError().of(fmt::format("field '{}'", argument->name));
    *column = std::move(*marked);
  }
  return {};
}

/// reshape(image = [1, 28, 28]): the shape of a row.
Status applyReshape(StageArguments &arguments, LoadedData &data, DataLoader &) {
  auto fields = takeFields(arguments, data);
  if (!fields)
    return fields.takeError();
  for (auto [argument, column] : *fields) {
    TensorShape shape{column->dim(0)};
    if (const auto *sizes = std::get_if<std::vector<double>>(&argument->value))
      shape.insert(shape.end(), sizes->begin(), sizes->end());
    else if (const auto *size = std::get_if<int64_t>(&argument->value))
      shape.push_back(*size);
    else {
      arguments.mismatch(*argument, "the shape of a row such as [1, 28, 28]");
      return reported();
    }
    if (numElements(shape) != column->size())
      return Error::expectedFound(
                 fmt::format("a shape for {} numbers",
                             column->size() / std::max<int64_t>(column->dim(0), 1)),
                 toString(TensorShape(shape.begin() + 1, shape.end())))
          .of(fmt::format("field '{}'", argument->name));
    *column = column->reshaped(shape);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// 0 for "train", 1 for "test".
Result<int64_t> partNamed(const std::string &name) {
  if (name != "train" && name != "test")
    return Error::expectedFound("part \"train\" or \"test\"", "\"" + name + "\"");
  return int64_t(name == "test");
}

Status applyTake(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<int64_t> count = arguments.takeInteger("count");
  if (!arguments.finish() || !count)
    return reported();
  Result<Dataset> taken = takeRows(data.dataset, *count);
  if (!taken)
    return taken.takeError();
  data.dataset = std::move(*taken);
  return {};
}

Status applySplit(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<std::string> part = arguments.takeString("part");
  std::optional<double> fraction = arguments.takeNumber("fraction", 0.8);
  std::optional<int64_t> seed = arguments.takeInteger("seed", 0);
  std::optional<bool> shuffle = arguments.takeBool("shuffle", true);
  if (!arguments.finish() || !part)
    return reported();
  Result<int64_t> number = partNamed(*part);
  if (!number)
    return number.takeError();
  Result<Dataset> split =
      splitRows(data.dataset, *fraction, *number, *shuffle ? seed : std::nullopt);
  if (!split)
    return split.takeError();
  data.dataset = std::move(*split);
  return {};
}

/// k_fold("train", fold = 0, folds = 5): all rows but those of a fold; "test": the fold.
Status applyKFold(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<std::string> part = arguments.takeString("part");
  std::optional<int64_t> fold = arguments.takeInteger("fold"),
                         folds = arguments.takeInteger("folds", 5),
                         seed = arguments.takeInteger("seed", 0);
  if (!arguments.finish() || !part || !fold || !folds || !seed)
    return reported();
  Result<int64_t> number = partNamed(*part);
  if (!number)
    return number.takeError();
  Result<Dataset> rows = foldRows(data.dataset, *fold, *folds, *number, *seed);
  if (!rows)
    return rows.takeError();
  data.dataset = std::move(*rows);
  return {};
}

Status applyShuffle(StageArguments &arguments, LoadedData &data, DataLoader &) {
  data.isShuffled = true;
  return arguments.finish() ? Status() : Status(reported());
}

Status applyBatch(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<int64_t> size = arguments.takeInteger("size");
  std::optional<bool> dropLast = arguments.takeBool("drop_last", false);
  if (!arguments.finish() || !size)
    return reported();
  if (*size < 1)
    return Error::expectedFound("a batch of one row or more", fmt::format("{}", *size));
  if (*dropLast && *size > data.dataset.numRows())
    return Error::expectedFound(
        fmt::format("at least {} rows, for a batch that is not dropped", *size),
        fmt::format("{}", data.dataset.numRows()));
  data.batchSize = size;
  data.dropsLast = *dropLast;
  return {};
}

} // namespace

const std::map<std::string, DataStage> &dataStages() {
  static const std::map<std::string, DataStage> stages = {
      {"scale", applyScale},         {"standardize", applyStandardize},
      {"normalize", applyNormalize}, {"cast", applyCast},
      {"one_hot", applyOneHot},      {"reshape", applyReshape},
      {"take", applyTake},           {"split", applySplit},
      {"k_fold", applyKFold},        {"shuffle", applyShuffle},
      {"batch", applyBatch}};
  return stages;
}

bool belongsToBatches(const std::string &stage) { return stage == "shuffle" || stage == "batch"; }

} // namespace nnc
