//===- Pipeline.h - The stages of an input pipeline --------------*- C++ -*-===//
//
// What follows a source in a `data` declaration: rows are chosen, shuffled and batched, values
// scaled and standardized. Each stage is a function of its input and, where it is random, of the
// seed: the same seed gives the same rows on every machine and with any number of threads.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_PIPELINE_H
#define NNC_DATA_PIPELINE_H

#include "nnc/Data/Dataset.h"

namespace nnc {

using RowIndices = std::vector<int64_t>;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// The rows of a tensor (or of all fields) with these indices, in their order.
Tensor gatherRows(const Tensor &tensor, const RowIndices &rows);
Dataset gatherRows(const Dataset &dataset, const RowIndices &rows);

/// The first `count` rows. Fails if there are fewer.
Result<Dataset> takeRows(const Dataset &dataset, int64_t count);

/// The numbers 0 to count - 1 in random order: Fisher and Yates's shuffle with random numbers that
/// depend on seed and epoch.
RowIndices permutation(int64_t count, int64_t seed, int64_t epoch = 0);

/// All rows in the order of `permutation`.
Dataset shuffleRows(const Dataset &dataset, int64_t seed, int64_t epoch = 0);

/// One of two parts of the rows: part 0 has `fraction` of them, part 1 the others. Rows are drawn at
/// random or, without a seed, part 0 has the first. Both keep the order that the rows had.
Result<Dataset> splitRows(const Dataset &dataset, double fraction, int64_t part,
                          std::optional<int64_t> seed);

/// Whether a row is in fold `fold` of `folds` parts of nearly the same size, drawn at random: part 1
/// is the fold, part 0 all other rows. Both keep the order that the rows had.
Result<Dataset> foldRows(const Dataset &dataset, int64_t fold, int64_t folds, int64_t part,
                         int64_t seed);

/// The order in pieces of `size`; a smaller last piece is there unless `dropLast`.
std::vector<RowIndices> batchRows(const RowIndices &order, int64_t size, bool dropLast = false);

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Each element times the factor, as a float: an integer tensor becomes f32.
Tensor scaleValues(Tensor tensor, double factor);

/// Which elements share a mean: those of one place in a row, of one channel (the second axis), or
/// all.
enum class Sharing { Feature, Channel, All };

/// What is taken off and what is divided by, for each group of elements: the groups take turns, each
/// with `groupSize` elements in a row.
struct Moments {
  std::vector<double> mean, deviation;
  int64_t groupSize = 1;
};
/// The mean and the standard deviation of the population.
Moments momentsOf(const Tensor &tensor, Sharing sharing);
/// What brings the least value to `low` and the greatest to `high`.
Moments rangesOf(const Tensor &tensor, Sharing sharing, double low, double high);

/// (x - mean) / deviation, as a float. Where the deviation is 0 only the mean is taken off.
Tensor standardizeValues(Tensor tensor, const Moments &moments);

/// f32[…, depth]: 1 at the index, 0 elsewhere. Fails if an index is not from 0 to depth - 1.
Result<Tensor> oneHot(const Tensor &indices, int64_t depth);

} // namespace nnc

#endif // NNC_DATA_PIPELINE_H
