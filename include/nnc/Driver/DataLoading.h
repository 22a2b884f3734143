//===- DataLoading.h - From a data declaration to arrays --------*- C++ -*-===//
//
// Runs a pipeline of the language, source | stage | stage, with the readers of lib/Data. What is
// left for training is how batches are made: their size, a new order each epoch, augmentations.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_DATALOADING_H
#define NNC_DRIVER_DATALOADING_H

#include "nnc/Data/Batches.h"
#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/Program.h"

#include <functional>
#include <map>

namespace nnc {

struct LoadedData {
  /// The rows as everything but training sees them: not augmented.
  Dataset dataset;
  /// Rows in a batch; absent: all rows at once.
  std::optional<int64_t> batchSize;
  bool isShuffled = false;
  /// Whether training leaves out the rows at the end of an epoch that fill no batch.
  bool dropsLast = false;
  /// What training does to each row, and the stages that say so.
  std::vector<Augmentation> augmentations;
  std::vector<std::string> augmentationTexts;
  /// The rows before augmentation, where `dataset` has the middle of images that are cropped.
  std::shared_ptr<const Dataset> uncropped;

  bool isInBatches() const { return batchSize || !augmentations.empty(); }
  /// The rows that training draws from, and how.
  const Dataset &trainingRows() const { return uncropped ? *uncropped : dataset; }
  BatchOptions batchOptions(int64_t seed) const {
    return {batchSize, isShuffled, augmentations, seed, dropsLast, /*memory=*/nullptr};
  }
};

/// Data by name, loaded.
using LoadedDataMap = std::map<std::string, LoadedData>;

class DataLoader {
public:
  /// Computes the fields of a `data NAME { … }`; null with diagnostics on failure.
  using Compute = std::function<std::optional<Dataset>(const DataPlan &plan)>;

  /// What is loaded goes to `loaded`, which may hold some already.
  DataLoader(const std::vector<DataPlan> &plans, LoadedDataMap &loaded,
             DiagnosticEngine &diagnostics, Compute compute)
      : plans(plans), loaded(loaded), diagnostics(diagnostics), compute(std::move(compute)) {}

  /// Loads the data of that name, once. Null with diagnostics on failure.
  const LoadedData *load(const std::string &name);
  /// The same for a name that a stage gives at `range`.
  const LoadedData *loadNamed(const std::string &name, SourceRange range);

private:
  std::optional<LoadedData> loadPlan(const DataPlan &plan);
  bool applySource(const PipelineStage &stage, LoadedData &data);
  bool applyStage(const PipelineStage &stage, LoadedData &data);
  std::vector<std::string> names() const;

  const std::vector<DataPlan> &plans;
  LoadedDataMap &loaded;
  DiagnosticEngine &diagnostics;
  Compute compute;
  std::vector<std::string> loading;
};

} // namespace nnc

#endif // NNC_DRIVER_DATALOADING_H
