//===- Gzip.h - Files that may be compressed ---------------------*- C++ -*-===//
//
// gzip data is told by its first bytes, not by the file's name.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_GZIP_H
#define NNC_DATA_GZIP_H

#include "nnc/Support/Result.h"

namespace nnc {

/// Whether `bytes` begin as gzip data does.
bool isGzip(std::string_view bytes);

/// No file is taken to hold more than this.
constexpr size_t maxDecompressedSize = size_t(8) << 30;

/// The content of gzip data with any number of members; `file` is for messages. Content beyond
/// `maxSize` bytes is an error, so that a small file cannot fill the memory.
Result<std::string> gunzip(std::string_view bytes, const std::string &file,
                           size_t maxSize = maxDecompressedSize);

/// The content of the file at `path`, decompressed if it is gzip data.
Result<std::string> readMaybeGzipped(const std::string &path);

/// What a file holds up to the place where its compressed data are damaged, if they are: a reader of
/// records says which one that is in. The error does not name the file.
struct FileContent {
  std::string bytes;
  std::optional<Error> damage;
};
FileContent decompress(std::string bytes);

} // namespace nnc

#endif // NNC_DATA_GZIP_H
