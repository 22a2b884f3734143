//===- Pipeline.cpp - The stages of an input pipeline ---------------------===//
//
// Row stages move bytes, value stages compute in double and round once.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Pipeline.h"
#include "nnc/Support/Random.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace nnc {

// Random streams of their own, apart from those of a program's random ops, which count from 0.
static constexpr int64_t shuffleStream = -1, splitStream = -2;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Tensor gatherRows(const Tensor &tensor, const RowIndices &rows) {
  assert(tensor.rank() > 0);
  TensorShape shape = tensor.shape();
  size_t rowSize = tensor.dim(0) == 0 ? 0 : tensor.sizeInBytes() / size_t(tensor.dim(0));
  shape[0] = int64_t(rows.size());
  Tensor result(tensor.type(), std::move(shape));
  const char *from = static_cast<const char *>(tensor.data());
  char *to = static_cast<char *>(result.data());
  for (int64_t row : rows) {
    assert(row >= 0 && row < tensor.dim(0));
    std::memcpy(to, from + size_t(row) * rowSize, rowSize);
    to += rowSize;
  }
  return result;
}

Dataset gatherRows(const Dataset &dataset, const RowIndices &rows) {
  Dataset result;
  for (size_t i = 0; i < dataset.fields.size(); ++i)
    result.add(dataset.fields[i], gatherRows(dataset.columns[i], rows));
  return result;
}

static RowIndices firstIndices(int64_t count) {
  RowIndices indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Result<Dataset> takeRows(const Dataset &dataset, int64_t count) {
  if (count < 0 || count > dataset.numRows())
    return Error::expectedFound(fmt::format("a count from 0 to the {} rows", dataset.numRows()),
                                fmt::format("{}", count));
  return gatherRows(dataset, firstIndices(count));
}

/// A random number from 0 to bound - 1. Of 2^64 numbers at most `bound` come up once too often.
static int64_t randomBelow(int64_t bound, int64_t seed, int64_t epoch, int64_t stream,
                           int64_t index) {
  PhiloxWords words = randomWords(seed, epoch, stream, index);
  uint64_t bits = uint64_t(words[0]) << 32 | words[1];
  return int64_t(static_cast<unsigned __int128>(bits) * uint64_t(bound) >> 64);
}

static RowIndices permute(int64_t count, int64_t seed, int64_t epoch, int64_t stream) {
  RowIndices order = firstIndices(count);
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[size_t(i)], order[size_t(randomBelow(i + 1, seed, epoch, stream, i))]);
  return order;
}

RowIndices permutation(int64_t count, int64_t seed, int64_t epoch) {
  return permute(count, seed, epoch, shuffleStream);
}

Dataset shuffleRows(const Dataset &dataset, int64_t seed, int64_t epoch) {
  return gatherRows(dataset, permutation(dataset.numRows(), seed, epoch));
}

Result<Dataset> splitRows(const Dataset &dataset, double fraction, int64_t part, int64_t seed) {
  if (!(fraction > 0 && fraction < 1))
    return Error::expectedFound("a fraction between 0 and 1", fmt::format("{}", fraction));
  if (part != 0 && part != 1)
    return Error::expectedFound("part 0 or 1", fmt::format("{}", part));
  RowIndices order = permute(dataset.numRows(), seed, 0, splitStream);
  auto border = order.begin() + std::llround(fraction * double(order.size()));
  RowIndices rows(part == 0 ? order.begin() : border, part == 0 ? border : order.end());
  std::sort(rows.begin(), rows.end());
  return gatherRows(dataset, rows);
}

std::vector<RowIndices> batchRows(const RowIndices &order, int64_t size, bool dropLast) {
  assert(size > 0);
  std::vector<RowIndices> batches;
  for (size_t begin = 0; begin < order.size(); begin += size_t(size)) {
    size_t end = std::min(order.size(), begin + size_t(size));
    if (dropLast && end - begin < size_t(size))
      break;
    batches.emplace_back(order.begin() + ptrdiff_t(begin), order.begin() + ptrdiff_t(end));
  }
  return batches;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// A float tensor of the same shape, element i being function(i, x[i]).
template <typename Function> static Tensor mapValues(const Tensor &tensor, Function function) {
  ElementType type = isFloat(tensor.type()) ? tensor.type() : ElementType::F32;
  Tensor result = tensor.to(ElementType::F64);
  double *values = result.as<double>();
  for (int64_t i = 0; i < result.size(); ++i)
    values[i] = function(i, values[i]);
  return result.to(type);
}

Tensor scaleValues(const Tensor &tensor, double factor) {
  return mapValues(tensor, [&](int64_t, double value) { return value * factor; });
}

Moments momentsOf(const Tensor &tensor, bool perFeature) {
  int64_t rows = tensor.rank() == 0 ? 1 : tensor.dim(0);
  int64_t features = perFeature && rows > 0 ? tensor.size() / rows : 1;
  size_t number = size_t(features);
  double count = double(std::max<int64_t>(1, tensor.size() / std::max<int64_t>(1, features)));
  std::vector<double> values = tensor.toDoubles();
  Moments moments{std::vector<double>(number, 0), std::vector<double>(number, 0)};
  for (size_t i = 0; i < values.size(); ++i)
    moments.mean[i % number] += values[i];
  for (double &mean : moments.mean)
    mean /= count;
  // A second pass over the differences loses no digits to a large mean.
  for (size_t i = 0; i < values.size(); ++i) {
    double difference = values[i] - moments.mean[i % number];
    moments.deviation[i % number] += difference * difference;
  }
  for (double &deviation : moments.deviation)
    deviation = std::sqrt(deviation / count);
  return moments;
}

Tensor standardizeValues(const Tensor &tensor, const Moments &moments) {
  size_t numMeans = moments.mean.size(), numDeviations = moments.deviation.size();
  assert(numMeans > 0 && numDeviations > 0);
  return mapValues(tensor, [&](int64_t i, double value) {
    double deviation = moments.deviation[size_t(i) % numDeviations];
    return (value - moments.mean[size_t(i) % numMeans]) / (deviation == 0 ? 1 : deviation);
  });
}

} // namespace nnc
