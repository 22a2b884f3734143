//===- DataLoading.h - From a data declaration to arrays --------*- C++ -*-===//
//
// Runs a pipeline of the language, source | stage | stage, with the readers of lib/Data. What is
// left for training is the size of a batch and whether the order is shuffled.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_DATALOADING_H
#define NNC_DRIVER_DATALOADING_H

#include "nnc/Data/Dataset.h"
#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/Program.h"

#include "llvm/ADT/ArrayRef.h"

#include <functional>
#include <map>

namespace nnc {

struct LoadedData {
  Dataset dataset;
  /// Rows in a batch; absent: all rows at once.
  std::optional<int64_t> batchSize;
  bool isShuffled = false;

  /// The order of the rows in an epoch.
  std::vector<int64_t> rowOrder(int64_t seed, int64_t epoch) const;
  /// Memory for `count` rows of every field.
  std::vector<Tensor> makeBatch(int64_t count) const;
  void fillBatch(std::vector<Tensor> &batch, llvm::ArrayRef<int64_t> rows) const;
};

class DataLoader {
public:
  /// Computes the fields of a `data NAME { … }`; null with diagnostics on failure.
  using Compute = std::function<std::optional<Dataset>(const DataPlan &plan)>;

  DataLoader(const std::vector<DataPlan> &plans, DiagnosticEngine &diagnostics, Compute compute)
      : plans(plans), diagnostics(diagnostics), compute(std::move(compute)) {}

  /// Loads the data of that name, once. Null with diagnostics on failure.
  const LoadedData *load(const std::string &name);

private:
  std::optional<LoadedData> loadPlan(const DataPlan &plan);
  bool applySource(const PipelineStage &stage, const DataPlan &plan, LoadedData &data);
  bool applyStage(const PipelineStage &stage, LoadedData &data);

  const std::vector<DataPlan> &plans;
  DiagnosticEngine &diagnostics;
  Compute compute;
  std::map<std::string, LoadedData> loaded;
  std::vector<std::string> loading;
};

} // namespace nnc

#endif // NNC_DRIVER_DATALOADING_H
