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

/// One of two parts of the rows: part 0 has `fraction` of them, drawn at random, part 1 the others.
/// Both keep the order that the rows had.
Result<Dataset> splitRows(const Dataset &dataset, double fraction, int64_t part, int64_t seed);

/// The order in pieces of `size`; a smaller last piece is there unless `dropLast`.
std::vector<RowIndices> batchRows(const RowIndices &order, int64_t size, bool dropLast = false);

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Each element times the factor, as a float: an integer tensor becomes f32.
Tensor scaleValues(const Tensor &tensor, double factor);

/// Mean and standard deviation (of the population), of all elements or for each element of a row.
struct Moments {
  std::vector<double> mean, deviation;
};
Moments momentsOf(const Tensor &tensor, bool perFeature);

/// (x - mean) / deviation, as a float. The moments are single numbers or one for each element of a
/// row; where the deviation is 0 only the mean is taken off.
Tensor standardizeValues(const Tensor &tensor, const Moments &moments);

} // namespace nnc

#endif // NNC_DATA_PIPELINE_H
