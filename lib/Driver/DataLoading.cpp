//===- DataLoading.cpp - From a data declaration to arrays ----------------===//
//
// The first stage is a source, each further one changes what the one before it gave.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/DataLoading.h"

#include "DataStages.h"

#include "llvm/ADT/STLExtras.h"

#include <fmt/format.h>

namespace nnc {

std::vector<std::string> DataLoader::names() const {
  std::vector<std::string> result;
  for (const DataPlan &plan : plans)
    result.push_back(plan.name);
  return result;
}

const LoadedData *DataLoader::loadNamed(const std::string &name, SourceRange range) {
  if (llvm::is_contained(names(), name))
    return load(name);
  diagnostics.error(range, fmt::format("unknown data '{}'", name))
      .didYouMean(closestMatch(name, names()));
  return nullptr;
}

bool DataLoader::applySource(const PipelineStage &stage, LoadedData &data) {
  // A name alone is that of other data, also where a source has it.
  std::vector<std::string> known = names();
  bool isData = stage.arguments.empty() && llvm::is_contained(known, stage.name);
  auto source = dataSources().find(stage.name);
  if (!isData && source != dataSources().end()) {
    StageArguments arguments(stage, diagnostics);
    const StageArgument *help = arguments.take("help", /*byName=*/true);
    const auto *text = help ? std::get_if<std::string>(&help->value) : nullptr;
    if (help && !text)
      arguments.mismatch(*help, "a text for those who lack the files");
    Result<Dataset> dataset = source->second(arguments);
    if (dataset) {
      data.dataset = std::move(*dataset);
      return true;
    }
    if (!dataset.error().what().empty()) {
      Diagnostic &diagnostic = diagnostics.error(stage.range, dataset.error());
      if (text)
        diagnostic.help(*text);
    }
    return false;
  }
  if (!llvm::is_contained(known, stage.name)) {
    for (const auto &entry : dataSources())
      known.push_back(entry.first);
    diagnostics.error(stage.range, fmt::format("unknown source '{}'", stage.name))
        .didYouMean(closestMatch(stage.name, known));
    return false;
  }
  const LoadedData *other = load(stage.name);
  if (other)
    data = *other;
  return other;
}

bool DataLoader::applyStage(const PipelineStage &stage, LoadedData &data) {
  auto found = dataStages().find(stage.name);
  bool isAugmentation = augmentationStages().count(stage.name);
  if (isAugmentation)
    found = augmentationStages().find(stage.name);
  else if (found == dataStages().end()) {
    std::vector<std::string> names;
    for (const auto *table : {&dataStages(), &augmentationStages()})
      for (const auto &[name, apply] : *table)
        names.push_back(name);
    diagnostics.error(stage.range, fmt::format("unknown stage '{}'", stage.name))
        .didYouMean(closestMatch(stage.name, names));
    return false;
  }
  if (!isAugmentation && !data.augmentations.empty() && !belongsToBatches(stage.name)) {
    diagnostics.error(stage.range, fmt::format("'{}': expected before the augmentations, found "
                                               "after '{}'",
                                               stage.name, data.augmentationTexts.back()));
    return false;
  }
  StageArguments arguments(stage, diagnostics);
  Status status = found->second(arguments, data, *this);
  if (!status && !status.error().what().empty()) {
    Diagnostic &diagnostic =
        diagnostics.error(stage.range, fmt::format("'{}': {}", stage.name, status.error().what()));
    if (!status.error().hint.empty())
      diagnostic.help(status.error().hint);
  }
  if (status && isAugmentation)
    data.augmentationTexts.emplace_back(stage.range.text());
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
  if (!applySource(plan.stages.front(), data))
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
