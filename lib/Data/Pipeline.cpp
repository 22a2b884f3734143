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
static constexpr int64_t shuffleStream = -1, splitStream = -2, foldStream = -3;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Tensor gatherRows(const Tensor &tensor, const RowIndices &rows) {
  assert(tensor.rank() > 0);
  TensorShape shape = tensor.shape();
  size_t rowSize = tensor.dim(0) == 0 ? 0 : tensor.sizeInBytes() / size_t(tensor.dim(0));
  shape[0] = int64_t(rows.size());
  Tensor result = Tensor::unfilled(tensor.type(), std::move(shape));
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

Result<Dataset> splitRows(const Dataset &dataset, double fraction, int64_t part,
                          std::optional<int64_t> seed) {
  if (!(fraction > 0 && fraction < 1))
    return Error::expectedFound("a fraction between 0 and 1", fmt::format("{}", fraction));
  if (part != 0 && part != 1)
    return Error::expectedFound("part 0 or 1", fmt::format("{}", part));
  RowIndices order(static_cast<size_t>(dataset.numRows()));
  std::iota(order.begin(), order.end(), 0);
  if (seed)
    order = permute(dataset.numRows(), *seed, 0, splitStream);
  auto border = order.begin() + std::llround(fraction * double(order.size()));
  RowIndices rows(part == 0 ? order.begin() : border, part == 0 ? border : order.end());
  std::sort(rows.begin(), rows.end());
  return gatherRows(dataset, rows);
}

Result<Dataset> foldRows(const Dataset &dataset, int64_t fold, int64_t folds, int64_t part,
                         int64_t seed) {
  int64_t count = dataset.numRows();
  if (folds < 2 || folds > count)
    return Error::expectedFound(fmt::format("2 to {} folds, as there are rows", count),
                                fmt::format("{}", folds));
  if (fold < 0 || fold >= folds)
    return Error::expectedFound(fmt::format("a fold from 0 to {}", folds - 1),
                                fmt::format("{}", fold));
  RowIndices order = permute(count, seed, 0, foldStream), rows;
  for (int64_t place = 0; place < count; ++place)
    if ((place % folds == fold) == (part == 1))
      rows.push_back(order[size_t(place)]);
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

/// The tensor as one of floats, without loss where that is possible: f32 holds small integers.
static Tensor toFloats(Tensor tensor) {
  if (isFloat(tensor.type()))
    return tensor;
  return tensor.to(sizeInBytes(tensor.type()) == 1 ? ElementType::F32 : ElementType::F64);
}

/// Calls `function(values, count)` with the elements as float or double, computed in place.
template <typename Function> static Tensor mapFloats(Tensor tensor, Function function) {
  ElementType type = isFloat(tensor.type()) ? tensor.type() : ElementType::F32;
  tensor = toFloats(std::move(tensor));
  if (sizeInBytes(tensor.type()) == 2)
    tensor = tensor.to(ElementType::F64);
  if (tensor.type() == ElementType::F32)
    function(tensor.as<float>(), tensor.size());
  else
    function(tensor.as<double>(), tensor.size());
  return tensor.type() == type ? std::move(tensor) : tensor.to(type);
}

Tensor scaleValues(Tensor tensor, double factor) {
  return mapFloats(std::move(tensor), [&](auto *values, int64_t count) {
    using T = std::remove_reference_t<decltype(*values)>;
    for (int64_t i = 0; i < count; ++i)
      values[i] = T(double(values[i]) * factor);
  });
}

namespace {
/// How the elements of a tensor are divided into groups.
struct Groups {
  size_t count = 1;
  int64_t size = 1;

  Groups(const Tensor &tensor, Sharing sharing) {
    int64_t rows = tensor.rank() == 0 ? 1 : tensor.dim(0);
    if (sharing == Sharing::All || tensor.size() == 0) {
      size = std::max<int64_t>(tensor.size(), 1);
    } else if (sharing == Sharing::Feature) {
      count = size_t(tensor.size() / rows);
    } else {
      count = tensor.rank() < 2 ? 1 : size_t(tensor.dim(1));
      size = tensor.size() / rows / int64_t(count);
    }
  }
};
} // namespace

/// Calls `function(group, value)` for each element.
template <typename Function>
static void forEachValue(const Tensor &tensor, const Groups &groups, Function function) {
  dispatch(tensor.type(), [&](auto type) {
    const auto *value = tensor.as<decltype(type)>();
    const auto *end = value + tensor.size();
    while (value != end)
      for (size_t group = 0; group < groups.count; ++group)
        for (int64_t i = 0; i < groups.size; ++i)
          function(group, double(*value++));
  });
}

Moments momentsOf(const Tensor &tensor, Sharing sharing) {
  Groups groups(tensor, sharing);
  std::vector<double> zeros(groups.count, 0);
  Moments moments{zeros, zeros, groups.size};
  if (tensor.size() == 0)
    return moments;
  double count = double(tensor.size()) / double(groups.count);
  forEachValue(tensor, groups, [&](size_t group, double value) { moments.mean[group] += value; });
  for (double &mean : moments.mean)
    mean /= count;
  // A second pass over the differences loses no digits to a large mean.
  forEachValue(tensor, groups, [&](size_t group, double value) {
    double difference = value - moments.mean[group];
    moments.deviation[group] += difference * difference;
  });
  for (double &deviation : moments.deviation)
    deviation = std::sqrt(deviation / count);
  return moments;
}

Moments rangesOf(const Tensor &tensor, Sharing sharing, double low, double high) {
  Groups groups(tensor, sharing);
  std::vector<double> least(groups.count, INFINITY), greatest(groups.count, -INFINITY);
  forEachValue(tensor, groups, [&](size_t group, double value) {
    least[group] = std::min(least[group], value);
    greatest[group] = std::max(greatest[group], value);
  });
  Moments moments{std::vector<double>(groups.count), std::vector<double>(groups.count),
                  groups.size};
  for (size_t group = 0; group < groups.count; ++group) {
    double unit =
        greatest[group] > least[group] ? (greatest[group] - least[group]) / (high - low) : 0;
    // (x - (least - low unit)) / unit = (x - least) / unit + low
    moments.mean[group] = least[group] - low * (unit == 0 ? 1 : unit);
    moments.deviation[group] = unit;
  }
  return moments;
}

Tensor standardizeValues(Tensor tensor, const Moments &moments) {
  assert(!moments.mean.empty() && moments.mean.size() == moments.deviation.size());
  return mapFloats(std::move(tensor), [&](auto *values, int64_t count) {
    using T = std::remove_reference_t<decltype(*values)>;
    T *value = values, *end = values + count;
    while (value != end)
      for (size_t group = 0; group < moments.mean.size() && value != end; ++group) {
        double mean = moments.mean[group], deviation = moments.deviation[group];
        deviation = deviation == 0 ? 1 : deviation;
        T *groupEnd = value + std::min<int64_t>(moments.groupSize, end - value);
        for (; value != groupEnd; ++value)
          *value = T((double(*value) - mean) / deviation);
      }
  });
}

Result<Tensor> oneHot(const Tensor &indices, int64_t depth) {
  TensorShape shape = indices.shape();
  shape.push_back(depth);
  if (depth < 1 || !numElements(shape))
    return Error::expectedFound("one class or more", fmt::format("{}", depth));
  Tensor result(ElementType::F32, shape);
  for (int64_t i = 0; i < indices.size(); ++i) {
    double index = indices.at(i);
    if (!(index >= 0 && index < double(depth)) || index != std::floor(index))
      return Error::expectedFound(fmt::format("classes from 0 to {}", depth - 1),
                                  fmt::format("{}", index));
    result.as<float>()[i * depth + int64_t(index)] = 1;
  }
  return result;
}

} // namespace nnc
