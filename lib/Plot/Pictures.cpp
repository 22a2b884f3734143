//===- Pictures.cpp - Tensors as pictures ---------------------------------===//
//
// A colour map is a few colours at equal distances, and what lies between them.
//
//===----------------------------------------------------------------------===//
#include "nnc/Plot/Pictures.h"

#include <cmath>
#include <limits>

namespace nnc {

namespace {
struct Color {
  double red, green, blue;
};
using Colors = std::vector<Color>;

constexpr Color notANumber = {255, 0, 255};
} // namespace

/// Every tenth colour of matplotlib's maps, and ColorBrewer's RdBu from blue to red.
static const Colors &colorsOf(ColorMap map) {
  static const Colors gray = {{0, 0, 0}, {255, 255, 255}};
  static const Colors viridis = {{68, 1, 84},    {72, 36, 117},  {65, 68, 135},  {53, 95, 141},
                                 {42, 120, 142}, {33, 145, 140}, {34, 168, 132}, {68, 191, 112},
                                 {122, 209, 81}, {189, 223, 38}, {253, 231, 37}};
  static const Colors inferno = {{0, 0, 4},      {22, 11, 57},   {66, 10, 104},  {106, 23, 110},
                                 {147, 38, 103}, {188, 55, 84},  {221, 81, 58},  {243, 120, 25},
                                 {252, 165, 10}, {246, 215, 70}, {252, 255, 164}};
  static const Colors blueToRed = {{5, 48, 97},     {33, 102, 172},  {67, 147, 195},
                                   {146, 197, 222}, {209, 229, 240}, {247, 247, 247},
                                   {253, 219, 199}, {244, 165, 130}, {214, 96, 77},
                                   {178, 24, 43},   {103, 0, 31}};
  switch (map) {
  case ColorMap::Gray:
    return gray;
  case ColorMap::Viridis:
    return viridis;
  case ColorMap::Inferno:
    return inferno;
  case ColorMap::RdBu:
    break;
  }
  return blueToRed;
}

std::optional<ColorMap> colorMapNamed(std::string_view name) {
  if (name == "gray")
    return ColorMap::Gray;
  if (name == "viridis")
    return ColorMap::Viridis;
  if (name == "inferno")
    return ColorMap::Inferno;
  return name == "RdBu_r" ? std::optional(ColorMap::RdBu) : std::nullopt;
}

Tensor takePicture(const Tensor &tensor, const ImageLayout &layout, int64_t first, int64_t stride) {
  TensorShape shape = {layout.height, layout.width};
  if (layout.channels == 3)
    shape.push_back(3);
  Tensor picture(ElementType::F64, std::move(shape));
  double *value = picture.as<double>();
  for (int64_t pixel = 0; pixel < layout.height * layout.width; ++pixel)
    for (int64_t channel = 0; channel < layout.channels; ++channel) {
      int64_t place = layout.channelsLast ? pixel * layout.channels + channel
                                          : channel * layout.height * layout.width + pixel;
      *value++ = tensor.at(first + place * stride);
    }
  return picture;
}

double ColorRange::place(double value) const {
  if (!(high > low))
    return value > 0 ? 1 : 0; // All values are the same: dark unless there is something.
  // Halves: the distance of two doubles may be more than a double.
  return std::clamp((value / 2 - low / 2) / (high / 2 - low / 2), 0.0, 1.0);
}

ColorRange rangeOf(const Tensor &values, ColorMap map) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double value : values.toDoubles())
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (low > high)
    return {0, 1};
  if (map != ColorMap::RdBu)
    return {low, high};
  double most = std::max(std::abs(low), std::abs(high));
  return most > 0 ? ColorRange{-most, most} : ColorRange{-1, 1};
}

static Color colorAt(ColorMap map, double place) {
  const Colors &colors = colorsOf(map);
  double position = place * double(colors.size() - 1);
  size_t index = std::min(size_t(position), colors.size() - 2);
  double part = position - double(index);
  const Color &from = colors[index], &to = colors[index + 1];
  return {from.red + part * (to.red - from.red), from.green + part * (to.green - from.green),
          from.blue + part * (to.blue - from.blue)};
}

static void store(uint8_t *&pixel, const Color &color) {
  for (double part : {color.red, color.green, color.blue})
    *pixel++ = uint8_t(std::lround(part));
}

Tensor colorize(const Tensor &values, ColorMap map, ColorRange range) {
  Tensor pixels(ElementType::U8, {values.dim(0), values.dim(1), 3});
  uint8_t *pixel = pixels.as<uint8_t>();
  bool isColor = values.rank() == 3;
  for (int64_t index = 0; index < values.size(); index += isColor ? 3 : 1) {
    auto at = [&](int64_t channel) { return values.at(index + channel); };
    if (std::isnan(at(0)) || (isColor && (std::isnan(at(1)) || std::isnan(at(2)))))
      store(pixel, notANumber);
    else if (isColor)
      store(pixel, {255 * range.place(at(0)), 255 * range.place(at(1)), 255 * range.place(at(2))});
    else
      store(pixel, colorAt(map, range.place(at(0))));
  }
  return pixels;
}

Tensor colorizeOver(const Tensor &values, ColorMap map, ColorRange range, const Tensor &under) {
  // The picture below is dimmed, so that white lines do not outshine what lies over them.
  constexpr double brightness = 0.6, most = 0.9;
  Tensor pixels = colorize(values, map, range);
  uint8_t *pixel = pixels.as<uint8_t>();
  const uint8_t *below = under.as<uint8_t>();
  int64_t perValue = values.rank() == 3 ? 1 : 3;
  for (int64_t index = 0; index < pixels.size(); ++index) {
    double place = range.place(values.at(index / perValue));
    double amount = map == ColorMap::RdBu ? std::abs(2 * place - 1) : place;
    double part = std::isnan(amount) ? 1 : most * std::sqrt(amount);
    pixel[index] =
        uint8_t(std::lround(part * pixel[index] + (1 - part) * brightness * below[index]));
  }
  return pixels;
}

} // namespace nnc
