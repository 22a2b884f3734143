//===- Png.cpp - Pictures as PNG, and as text -----------------------------===//
//
// Eight bits a channel, rows compressed in one block: https://www.w3.org/TR/png/. Pictures that are
// enlarged have many rows that repeat.
//
//===----------------------------------------------------------------------===//
#include "Markup.h"

#include <algorithm>
#include <cmath>
#include <zlib.h>

namespace nnc {

static std::string bigEndian(uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

static std::string chunk(const std::string &type, const std::string &content) {
  std::string body = type + content;
  uLong crc = crc32(0, reinterpret_cast<const Bytef *>(body.data()), uInt(body.size()));
  return bigEndian(uint32_t(content.size())) + body + bigEndian(uint32_t(crc));
}

static uint8_t toByte(const Tensor &pixels, int64_t index) {
  double value = pixels.at(index);
  if (pixels.type() == ElementType::U8)
    return uint8_t(value);
  return value == value ? uint8_t(std::lround(std::clamp(value, 0.0, 1.0) * 255)) : 0;
}

std::string encodePng(const Tensor &pixels) {
  int64_t height = pixels.dim(0), width = pixels.dim(1), channels = pixels.rank() == 3 ? 3 : 1;
  std::string rows, row(size_t(width * channels), '\0'), above;
  for (int64_t first = 0; first < pixels.size(); first += width * channels, above = row) {
    for (int64_t index = 0; index < width * channels; ++index)
      row[size_t(index)] = char(toByte(pixels, first + index));
    // A row like the one above is its difference from it, zeros, which take next to no place.
    constexpr char noFilter = 0, up = 2;
    rows += row == above ? up : noFilter;
    rows += row == above ? std::string(row.size(), '\0') : row;
  }
  uLongf size = compressBound(uLong(rows.size()));
  std::string compressed(size, '\0');
  compress2(reinterpret_cast<Bytef *>(compressed.data()), &size,
            reinterpret_cast<const Bytef *>(rows.data()), uLong(rows.size()), Z_BEST_COMPRESSION);
  compressed.resize(size);
  std::string header = bigEndian(uint32_t(width)) + bigEndian(uint32_t(height));
  header += {8, char(channels == 3 ? 2 : 0), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", compressed) +
         chunk("IEND", "");
}

std::string encodeBase64(std::string_view bytes) {
  constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t index = 0; index < bytes.size(); index += 3) {
    uint32_t word = 0;
    for (size_t part = 0; part < 3; ++part)
      word = word << 8 | (index + part < bytes.size() ? uint8_t(bytes[index + part]) : 0);
    for (size_t part = 0; part < 4; ++part)
      text += index + part > bytes.size() ? '=' : letters[word >> (18 - 6 * part) & 63];
  }
  return text;
}

Tensor toPixels(const Tensor &values) {
  std::vector<double> numbers = values.toDoubles();
  auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  double base = numbers.empty() ? 0 : *low, range = numbers.empty() ? 0 : *high - base;
  for (double &number : numbers)
    number = range > 0 ? (number - base) / range : 0.5;
  return Tensor::of<double>(values.shape(), numbers);
}

} // namespace nnc
