//===- Dataset.h - Named columns with one row an example ---------*- C++ -*-===//
//
// What a `data` declaration stands for: fields that share their first dimension, the examples. The
// stages of an input pipeline (Pipeline.h) take a Dataset and give a Dataset.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_DATASET_H
#define NNC_DATA_DATASET_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

struct Dataset {
  std::vector<std::string> fields;
  std::vector<Tensor> columns;

  /// The number of examples: the first dimension of every column.
  int64_t numRows() const { return columns.empty() ? 0 : columns[0].dim(0); }
  void add(std::string field, Tensor column);
  Tensor *find(std::string_view field);
  const Tensor *find(std::string_view field) const;
};

/// A dataset of these arrays, if every one has rows, and all have the same number; `file` is for
/// messages.
Result<Dataset> makeDataset(std::vector<NamedTensor> arrays, const std::string &file);

} // namespace nnc

#endif // NNC_DATA_DATASET_H
