//===- ReportPictures.cpp - What can be shown as a picture ----------------===//
//
// Nothing in a program says that a field is an image or a class: shapes and types do. An image is
// [height, width], with 1 or 3 channels first or last, or a row of a square number of values; classes
// are integers beside an output with a column for each, or zeros and ones beside a probability.
//
//===----------------------------------------------------------------------===//
#include "ReportPictures.h"

#include "nnc/Plot/Pictures.h"

#include <cmath>
#include <fmt/format.h>

namespace nnc {

namespace {
constexpr size_t maxSamples = 24;
constexpr int64_t maxFilters = 64, maxClasses = 100, minSide = 3, maxSide = 512;

/// The truth and the prediction of each row, as classes.
struct Classes {
  int64_t count = 0;
  std::vector<int64_t> truth, predicted;
};
} // namespace

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

static bool isSide(int64_t size) { return size >= minSide && size <= maxSide; }
static bool isChannels(int64_t size) { return size == 1 || size == 3; }

/// What a tensor of this shape is as an image, if it is one.
static std::optional<ImageLayout> imageLayout(llvm::ArrayRef<int64_t> shape) {
  if (shape.size() == 3 && isChannels(shape[0]) && isSide(shape[1]) && isSide(shape[2]))
    return ImageLayout{shape[1], shape[2], shape[0], false};
  if (shape.size() == 3 && isChannels(shape[2]) && isSide(shape[0]) && isSide(shape[1]))
    return ImageLayout{shape[0], shape[1], shape[2], true};
  if (shape.size() == 2 && isSide(shape[0]) && isSide(shape[1]))
    return ImageLayout{shape[0], shape[1], 1, false};
  if (shape.size() != 1)
    return std::nullopt;
  int64_t side = std::llround(std::sqrt(double(shape[0])));
  if (side * side == shape[0] && side >= 5 && isSide(side))
    return ImageLayout{side, side, 1, false};
  return std::nullopt;
}

static Tensor toPicture(const Tensor &tensor, const ImageLayout &layout, int64_t first) {
  return toPixels(takePicture(tensor, layout, first));
}

/// Of signed weights: blue below zero, red above.
static Tensor toSignedPicture(const Tensor &tensor, const ImageLayout &layout, int64_t first,
                              int64_t stride = 1) {
  Tensor picture = takePicture(tensor, layout, first, stride);
  return colorize(picture, ColorMap::RdBu, rangeOf(picture, ColorMap::RdBu));
}

//===----------------------------------------------------------------------===//
// Predictions
//===----------------------------------------------------------------------===//

static std::vector<int64_t> toIntegers(const Tensor &tensor) {
  std::vector<int64_t> values;
  for (int64_t index = 0; index < tensor.size(); ++index)
    values.push_back(int64_t(tensor.at(index)));
  return values;
}

/// Integers beside an output with a column for each class.
static std::optional<Classes> classesByColumn(const Tensor &output, const Tensor &field) {
  if (output.rank() != 2 || output.dim(1) < 2 || output.dim(1) > maxClasses ||
      isFloat(field.type()) || field.size() != output.dim(0))
    return std::nullopt;
  Classes classes{output.dim(1), toIntegers(field), {}};
  for (int64_t row = 0; row < output.dim(0); ++row) {
    int64_t best = 0;
    for (int64_t column = 1; column < classes.count; ++column)
      if (output.at(row * classes.count + column) > output.at(row * classes.count + best))
        best = column;
    if (classes.truth[row] < 0 || classes.truth[row] >= classes.count)
      return std::nullopt;
    classes.predicted.push_back(best);
  }
  return classes;
}

/// Zeros and ones beside a probability.
static std::optional<Classes> classesByProbability(const Tensor &output, const Tensor &field) {
  if (!isFloat(output.type()) || output.size() != output.dim(0) || field.size() != output.size())
    return std::nullopt;
  Classes classes{2, {}, {}};
  for (int64_t row = 0; row < output.size(); ++row) {
    double truth = field.at(row), probability = output.at(row);
    if ((truth != 0 && truth != 1) || !(probability >= 0 && probability <= 1))
      return std::nullopt;
    classes.truth.push_back(int64_t(truth));
    classes.predicted.push_back(probability > 0.5);
  }
  return classes;
}

static std::optional<Classes> findClasses(const Validation &validation) {
  for (const NamedTensor &output : validation.outputs())
    for (const Tensor &field : validation.validationData().dataset.columns) {
      if (output.value.rank() == 0 || output.value.size() == 0)
        continue;
      if (std::optional<Classes> classes = classesByColumn(output.value, field))
        return classes;
      if (std::optional<Classes> classes = classesByProbability(output.value, field))
        return classes;
    }
  return std::nullopt;
}

/// Rows to show: the first that are wrong, half of all at most, then the first that are right.
static std::vector<int64_t> chooseRows(const Classes &classes) {
  std::vector<int64_t> wrong, right;
  for (size_t row = 0; row < classes.truth.size(); ++row) {
    bool isWrong = classes.truth[row] != classes.predicted[row];
    std::vector<int64_t> &rows = isWrong ? wrong : right;
    if (rows.size() < (isWrong ? maxSamples / 2 : maxSamples))
      rows.push_back(int64_t(row));
  }
  right.resize(std::min(right.size(), maxSamples - wrong.size()));
  wrong.insert(wrong.end(), right.begin(), right.end());
  return wrong;
}

static void addSamples(ReportPage &page, const Dataset &dataset, const Classes &classes) {
  for (const Tensor &field : dataset.columns) {
    std::optional<ImageLayout> layout = imageLayout(llvm::ArrayRef(field.shape()).drop_front());
    if (!layout)
      continue;
    ReportPictures group{"Predictions: what it is and, in red, what the model took it for", {}};
    for (int64_t row : chooseRows(classes)) {
      int64_t truth = classes.truth[row], predicted = classes.predicted[row];
      bool isWrong = truth != predicted;
      group.pictures.push_back(
          {toPicture(field, *layout, row * (field.size() / field.dim(0))),
           isWrong ? fmt::format("{}, not {}", truth, predicted) : fmt::format("{}", truth),
           isWrong});
    }
    page.groups.push_back(std::move(group));
    return;
  }
}

void addPredictions(ReportPage &page, const Validation &validation) {
  std::optional<Classes> classes = findClasses(validation);
  if (!classes)
    return;
  page.confusion.classes = classes->count;
  page.confusion.counts.assign(classes->count * classes->count, 0);
  for (size_t row = 0; row < classes->truth.size(); ++row)
    ++page.confusion.counts[classes->truth[row] * classes->count + classes->predicted[row]];
  addSamples(page, validation.validationData().dataset, *classes);
}

//===----------------------------------------------------------------------===//
// Filters
//===----------------------------------------------------------------------===//

/// Filters [out, in, height, width], each input of a filter a picture; three inputs are a colour.
static void addConvolution(ReportPictures &group, const Tensor &weights) {
  int64_t inputs = weights.dim(1);
  ImageLayout layout{weights.dim(2), weights.dim(3), inputs == 3 ? 3 : 1, false};
  int64_t size = layout.height * layout.width * layout.channels;
  int64_t perFilter = inputs / layout.channels;
  for (int64_t index = 0; index < std::min(weights.dim(0) * perFilter, maxFilters); ++index)
    group.pictures.push_back({layout.channels == 3 ? toPicture(weights, layout, index * size)
                                                   : toSignedPicture(weights, layout, index * size),
                              "", false});
}

/// The weights [inputs, units] of a dense layer: each unit's as the image that its inputs are.
static void addUnits(ReportPictures &group, const Tensor &weights, const ImageLayout &layout) {
  for (int64_t unit = 0; unit < std::min(weights.dim(1), maxFilters); ++unit)
    group.pictures.push_back({toSignedPicture(weights, layout, unit, weights.dim(1)), "", false});
}

void addFilters(ReportPage &page, const State &state) {
  for (const NamedTensor &parameter : state) {
    const Tensor &weights = parameter.value;
    ReportPictures group{"Filters: " + parameter.name, {}};
    std::optional<ImageLayout> layout;
    if (!isFloat(weights.type()) || weights.size() == 0 || weights.rank() < 2)
      continue;
    // Only the first weights look at the data; a later layer's happen to be a square number.
    if (weights.rank() == 4 && isSide(weights.dim(2)) && isSide(weights.dim(3)))
      addConvolution(group, weights);
    else if (weights.rank() == 2 && (layout = imageLayout({weights.dim(0)})))
      addUnits(group, weights, *layout);
    else
      return;
    page.groups.push_back(std::move(group));
    return;
  }
}

} // namespace nnc
