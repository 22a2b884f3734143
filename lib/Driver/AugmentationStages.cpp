//===- AugmentationStages.cpp - What training does to each row ------------===//
//
// The arguments of each augmentation, checked. Nothing happens to the rows here, but that the images
// of other uses than training are cut to the size that a crop gives.
//
//===----------------------------------------------------------------------===//
#include "DataStages.h"

#include <cmath>
#include <fmt/format.h>

namespace nnc {

namespace {
using Kind = Augmentation::Kind;

bool isFloatArray(const Tensor &column) {
  return column.type() == ElementType::F32 || column.type() == ElementType::F64;
}
bool isImages(const Tensor &column) { return isFloatArray(column) && column.rank() >= 3; }

/// Adds an augmentation of images, with what all of them have: the fields and the fill value.
Status addToImages(StageArguments &arguments, LoadedData &data, Augmentation augmentation) {
  constexpr const char *expected = "a field of images, f32[N, …, height, width]";
  std::optional<double> fill = arguments.takeNumber("fill", 0);
  Result<std::vector<size_t>> fields = chooseFields(arguments, data.dataset, isImages, expected);
  if (!fill || !fields)
    return fill ? fields.takeError() : reported();
  for (size_t field : *fields)
    if (!isImages(data.dataset.columns[field]))
      return Error::expectedFound(expected, describeField(data.dataset, field));
  augmentation.fill = *fill;
  augmentation.fields = std::move(*fields);
  data.augmentations.push_back(std::move(augmentation));
  return {};
}

Error notProbability(double found) {
  return Error::expectedFound("a probability from 0 to 1 for 'p'", fmt::format("{}", found));
}

Status applyFlip(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<std::string> direction = arguments.takeString("direction", "horizontal");
  std::optional<double> probability = arguments.takeNumber("p", 0.5);
  if (!direction || !probability)
    return reported();
  if (*direction != "horizontal" && *direction != "vertical")
    return Error::expectedFound("\"horizontal\" or \"vertical\"", "\"" + *direction + "\"");
  if (!(*probability >= 0 && *probability <= 1))
    return notProbability(*probability);
  Augmentation flip;
  flip.kind = Kind::Flip;
  flip.isVertical = *direction == "vertical";
  flip.probability = *probability;
  return addToImages(arguments, data, flip);
}

Status applyShift(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<int64_t> pixels = arguments.takeInteger("pixels");
  if (!pixels)
    return reported();
  if (*pixels < 0 || *pixels > 65536)
    return Error::expectedFound("0 or more pixels", fmt::format("{}", *pixels));
  Augmentation shift;
  shift.kind = Kind::Shift;
  shift.amount = double(*pixels);
  return addToImages(arguments, data, shift);
}

Status applyRotate(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<double> degrees = arguments.takeNumber("degrees");
  if (!degrees)
    return reported();
  if (!(*degrees >= 0 && *degrees <= 360))
    return Error::expectedFound("degrees from 0 to 360", fmt::format("{}", *degrees));
  Augmentation turn;
  turn.kind = Kind::Rotate;
  turn.amount = *degrees;
  return addToImages(arguments, data, turn);
}

Status applyScaling(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<double> low = arguments.takeNumber("low"), high = arguments.takeNumber("high");
  if (!low || !high)
    return reported();
  if (!(*low > 0 && *low <= *high && std::isfinite(*high)))
    return Error::expectedFound("0 < low <= high", fmt::format("{} and {}", *low, *high));
  Augmentation scale;
  scale.kind = Kind::Scale;
  scale.low = *low;
  scale.high = *high;
  return addToImages(arguments, data, scale);
}

/// The argument `size`: a number, or a height and a width; nothing where there is none.
Result<std::vector<int64_t>> takeSize(StageArguments &arguments) {
  std::vector<int64_t> size;
  const StageArgument *argument = arguments.take("size");
  if (!argument)
    return size;
  if (const auto *number = std::get_if<int64_t>(&argument->value))
    size = {*number, *number};
  else if (const auto *numbers = std::get_if<std::vector<double>>(&argument->value))
    size.assign(numbers->begin(), numbers->end());
  if (size.size() == 2 && size[0] > 0 && size[1] > 0)
    return size;
  arguments.mismatch(*argument, "a size, or a height and a width,");
  return reported();
}

/// Cuts the images that evaluation sees to the size of the crop.
Status cropRows(LoadedData &data, const Augmentation &crop) {
  for (size_t field : crop.fields) {
    const TensorShape &shape = data.dataset.columns[field].shape();
    int64_t height = shape[shape.size() - 2] + 2 * crop.padding,
            width = shape[shape.size() - 1] + 2 * crop.padding;
    if (crop.height > height || crop.width > width)
      return Error::expectedFound(fmt::format("a crop of at most {} x {} pixels", height, width),
                                  fmt::format("{} x {}", crop.height, crop.width));
  }
  if (!data.uncropped)
    data.uncropped = std::make_shared<Dataset>(data.dataset);
  for (size_t field : crop.fields)
    data.dataset.columns[field] = cropCentre(data.dataset.columns[field], crop);
  return {};
}

Status applyCrop(StageArguments &arguments, LoadedData &data, DataLoader &) {
  Result<std::vector<int64_t>> size = takeSize(arguments);
  std::optional<int64_t> padding = arguments.takeInteger("padding", 0);
  if (!size || !padding)
    return reported();
  if (*padding < 0 || *padding > 65536)
    return Error::expectedFound("a padding of zero or more pixels", fmt::format("{}", *padding));
  if (size->empty() && *padding == 0)
    return Error::expectedFound("a size or a padding", "neither");
  Augmentation crop;
  crop.kind = Kind::Crop;
  crop.padding = *padding;
  if (Status status = addToImages(arguments, data, crop); !status)
    return status;
  Augmentation &added = data.augmentations.back();
  const TensorShape &shape = data.dataset.columns[added.fields.front()].shape();
  added.height = size->empty() ? shape[shape.size() - 2] : (*size)[0];
  added.width = size->empty() ? shape[shape.size() - 1] : (*size)[1];
  return size->empty() ? Status() : cropRows(data, added);
}

Status applyErase(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<double> probability = arguments.takeNumber("p", 0.5),
                        low = arguments.takeNumber("low", 0.02),
                        high = arguments.takeNumber("high", 0.33);
  if (!probability || !low || !high)
    return reported();
  if (!(*probability >= 0 && *probability <= 1))
    return notProbability(*probability);
  if (!(*low >= 0 && *low <= *high && *high <= 1))
    return Error::expectedFound("parts of the area with 0 <= low <= high <= 1",
                                fmt::format("{} and {}", *low, *high));
  Augmentation erase;
  erase.kind = Kind::Erase;
  erase.probability = *probability;
  erase.low = *low;
  erase.high = *high;
  return addToImages(arguments, data, erase);
}

Status applyMixup(StageArguments &arguments, LoadedData &data, DataLoader &) {
  std::optional<double> alpha = arguments.takeNumber("alpha", 0.2);
  if (!arguments.finish() || !alpha)
    return reported();
  if (!(*alpha > 0 && std::isfinite(*alpha)))
    return Error::expectedFound("an alpha greater than 0", fmt::format("{}", *alpha));
  Augmentation mixup;
  mixup.kind = Kind::Mixup;
  mixup.alpha = *alpha;
  for (size_t field = 0; field < data.dataset.columns.size(); ++field) {
    if (!isFloatArray(data.dataset.columns[field]))
      return Error::expectedFound("fields that can be mixed, f32 or f64",
                                  describeField(data.dataset, field))
          .help(fmt::format("make classes weights: one_hot({} = 10)", data.dataset.fields[field]));
    mixup.fields.push_back(field);
  }
  data.augmentations.push_back(std::move(mixup));
  return {};
}
} // namespace

const std::map<std::string, DataStage> &augmentationStages() {
  static const std::map<std::string, DataStage> stages = {
      {"random_flip", applyFlip},     {"random_shift", applyShift}, {"random_rotate", applyRotate},
      {"random_scale", applyScaling}, {"random_crop", applyCrop},   {"random_erase", applyErase},
      {"mixup", applyMixup}};
  return stages;
}

} // namespace nnc
