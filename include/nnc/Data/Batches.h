//===- Batches.h - The batches of a training ---------------------*- C++ -*-===//
//
// Batch k of epoch e is a function of the data, the seed and (e, k): the order of the rows and what
// augmentations draw come from counters, so the bits are the same with any number of threads, and
// from whichever place a run starts or resumes. A BatchStream makes batches ahead of their use, on
// threads of its own, and gives them in order.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_BATCHES_H
#define NNC_DATA_BATCHES_H

#include "nnc/Data/Augmentation.h"
#include "nnc/Data/Dataset.h"
#include "nnc/Data/Pipeline.h"

namespace nnc {

/// Where a training is in its data: so many epochs are over, and of the one that goes on so many
/// rows have been given. It is all that a checkpoint needs to keep.
struct DataCursor {
  int64_t epoch = 0, position = 0;
  bool operator==(const DataCursor &other) const {
    return epoch == other.epoch && position == other.position;
  }
};

struct BatchOptions {
  /// Rows of a batch; absent: all of them.
  std::optional<int64_t> size;
  bool isShuffled = false;
  std::vector<Augmentation> augmentations;
  int64_t seed = 0;
  /// Whether the rows at the end of an epoch that fill no batch are left out. Where no batch is
  /// full, they are one all the same.
  bool dropLast = false;
  /// Of the batches, if not ordinary memory.
  const TensorMemory *memory = nullptr;
};

/// Makes any batch from its cursor. The dataset must outlive it.
class BatchSource {
public:
  BatchSource(const Dataset &dataset, BatchOptions options);

  int64_t batchesPerEpoch() const;
  /// The batch that comes after so many steps.
  DataCursor cursorAt(int64_t step) const;
  /// Where the batch after the one at `cursor` begins.
  DataCursor after(DataCursor cursor) const;
  /// How many rows the batch at `cursor` has: fewer than `size` at the end of an epoch.
  int64_t rowsAt(DataCursor cursor) const;

  /// Memory for `count` rows of each field.
  std::vector<Tensor> allocate(int64_t count) const;
  /// The rows of an epoch in the order in which they are given.
  RowIndices orderOf(int64_t epoch) const;
  /// Writes the batch at `cursor` into memory for as many rows; `order` is that of its epoch.
  void fill(DataCursor cursor, const RowIndices &order, std::vector<Tensor> &batch) const;

  /// Whether a thread is worth its while: augmenting or copying takes longer than handing over.
  bool isCostly() const;

private:
  const Dataset &dataset;
  BatchOptions options;
  int64_t batchSize;
  /// How many rows an epoch gives.
  int64_t rowsPerEpoch;
  Augmenter augmenter;
};

/// The batches from `start` on, one after the other. With threads, at most threads + 2 of them are
/// made ahead. Without, each is made when it is asked for.
class BatchStream {
public:
  BatchStream(const BatchSource &source, DataCursor start, unsigned threads);
  ~BatchStream();
  BatchStream(const BatchStream &) = delete;

  /// The next batch; the memory is given back by the call after.
  std::vector<Tensor> &next();
  /// Where the batch that `next` gives next begins.
  DataCursor cursor() const;

private:
  struct Shared;
  std::unique_ptr<Shared> shared;
};

} // namespace nnc

#endif // NNC_DATA_BATCHES_H
