//===- Text.cpp - Windows of a text ---------------------------------------===//
//
// The bytes are checked once, then copied window by window.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Text.h"
#include "nnc/Data/Gzip.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

namespace nnc {

/// No more than this in all windows: overlapping ones must not fill the memory.
constexpr int64_t maxElements = int64_t(1) << 30;

/// Whether every byte is below `count`; else an error with its line and column.
static Status checkBytes(std::string_view text, int64_t count) {
  int64_t line = 1;
  size_t lineStart = 0;
  for (size_t place = 0; place < text.size(); ++place) {
    if (uint8_t(text[place]) >= count)
      return Error::expectedFound(fmt::format("bytes below {}", count),
                                  fmt::format("{}", uint8_t(text[place])))
          .at(line, int64_t(place - lineStart) + 1);
    if (text[place] == '\n') {
      ++line;
      lineStart = place + 1;
    }
  }
  return {};
}

static Status checkOptions(const TextOptions &options) {
  if (options.window < 1)
    return Error::expectedFound("a window of one byte or more", fmt::format("{}", options.window));
  if (options.stride < 1)
    return Error::expectedFound("a stride of one byte or more", fmt::format("{}", options.stride));
  if (options.count < 1 || options.count > 256)
    return Error::expectedFound("a count of bytes from 1 to 256", fmt::format("{}", options.count));
  return {};
}

/// The windows that begin at `offset` and every `stride` bytes after that.
static Tensor cutWindows(std::string_view text, TensorShape shape, size_t offset, size_t stride) {
  Tensor windows(ElementType::I64, std::move(shape));
  int64_t *to = windows.as<int64_t>();
  for (int64_t row = 0; row < windows.dim(0); ++row)
    for (char byte : text.substr(offset + size_t(row) * stride, size_t(windows.dim(1))))
      *to++ = uint8_t(byte);
  return windows;
}

static Result<Dataset> parse(const FileContent &content, const TextOptions &options) {
  std::string_view text = content.bytes;
  if (content.damage)
    return Error(*content.damage).of(fmt::format("byte {} of the text", text.size() + 1));
  if (text.empty())
    return Error::expectedFound("a text", "an empty file");
  // As a difference, because `window` may be any number.
  int64_t room = int64_t(text.size()) - 1 - options.window;
  if (room < 0)
    return Error::expectedFound(
        fmt::format("a window of {} bytes and the one after it", options.window),
        fmt::format("a text of {} bytes", text.size()));
  if (Status status = checkBytes(text, options.count); !status)
    return status.takeError();
  TensorShape shape{room / options.stride + 1, options.window};
  std::optional<int64_t> size = numElements(shape);
  if (!size || *size > maxElements)
    return Error::expectedFound(
        fmt::format("at most {} bytes in all windows together", maxElements),
        fmt::format("{} windows of {}", shape[0], shape[1]));
  Dataset dataset;
  dataset.add("text", cutWindows(text, shape, 0, size_t(options.stride)));
  dataset.add("next", cutWindows(text, shape, 1, size_t(options.stride)));
  return dataset;
}

Result<Dataset> parseText(std::string bytes, const std::string &file, const TextOptions &options) {
  if (Status status = checkOptions(options); !status)
    return status.takeError();
  Result<Dataset> dataset = parse(decompress(std::move(bytes)), options);
  if (!dataset)
    return dataset.takeError().in(file);
  return dataset;
}

Result<Dataset> readText(const std::string &path, const TextOptions &options) {
  Result<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.takeError();
  return parseText(std::move(*bytes), path, options);
}

} // namespace nnc
