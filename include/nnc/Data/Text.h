//===- Text.h - Windows of a text --------------------------------*- C++ -*-===//
//
// A text is its bytes, plain or gzipped. Windows of the same length are cut out of it, one `stride`
// after the other; each comes with the same window one byte further on: at each place a model sees
// what has been written so far, and learns what comes next.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_TEXT_H
#define NNC_DATA_TEXT_H

#include "nnc/Data/Dataset.h"

namespace nnc {

struct TextOptions {
  /// Bytes in a window.
  int64_t window = 64;
  /// From the start of a window to that of the next.
  int64_t stride = 64;
  /// Bytes are below this; another one is an error.
  int64_t count = 256;
};

/// The fields "text" and "next", both i64[N, window]. What is left at the end, shorter than a window
/// and the byte after it, is not used.
Result<Dataset> readText(const std::string &path, const TextOptions &options);
/// The same for bytes in memory, gzipped or not; `file` is for messages.
Result<Dataset> parseText(std::string bytes, const std::string &file, const TextOptions &options);

} // namespace nnc

#endif // NNC_DATA_TEXT_H
