//===- Gzip.cpp - Files that may be compressed ----------------------------===//
//
// A loop around zlib's inflate, one member after the other.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Gzip.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

namespace nnc {

bool isGzip(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

namespace {
/// zlib's state for reading gzip members, released at the end of its scope.
struct Inflater {
  z_stream stream{};
  bool isReady;
  Inflater() : isReady(inflateInit2(&stream, 15 + 16) == Z_OK) {}
  ~Inflater() {
    if (isReady)
      inflateEnd(&stream);
  }
};
} // namespace

/// The size of the content by the last bytes of a file: right, if it has one member of less than 4
/// GiB. Nothing is believed that deflate cannot reach.
static size_t guessSize(std::string_view bytes) {
  size_t size = 0;
  for (size_t i = 0; i < 4 && bytes.size() >= 18; ++i)
    size |= size_t(uint8_t(bytes[bytes.size() - 4 + i])) << 8 * i;
  return std::min(size, 1032 * bytes.size());
}

/// Appends what `bytes` hold to `content`, up to the place where something is wrong.
static Status inflateInto(std::string &content, std::string_view bytes, size_t maxSize) {
  Inflater inflater;
  if (!inflater.isReady)
    return Error::plain("cannot decompress: out of memory");
  z_stream &stream = inflater.stream;
  content.reserve(std::min(guessSize(bytes), maxSize));
  std::string chunk(std::min<size_t>(size_t(1) << 18, 4 * bytes.size() + 1024), '\0');
  while (true) {
    // zlib counts in 32 bits.
    if (stream.avail_in == 0) {
      size_t step = std::min<size_t>(bytes.size(), size_t(1) << 30);
      stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
      stream.avail_in = uInt(step);
      bytes.remove_prefix(step);
    }
    stream.next_out = reinterpret_cast<Bytef *>(chunk.data());
    stream.avail_out = uInt(chunk.size());
    int code = inflate(&stream, Z_NO_FLUSH);
    content.append(chunk.data(), chunk.size() - stream.avail_out);
    if (content.size() > maxSize)
      return Error::expectedFound(fmt::format("at most {} bytes of decompressed data", maxSize),
                                  "more");
    bool isAtEnd = stream.avail_in == 0 && bytes.empty();
    if (code == Z_STREAM_END && isAtEnd)
      return {};
    if (code == Z_STREAM_END)
      code = inflateReset(&stream);
    else if (isAtEnd && stream.avail_out > 0 && (code == Z_OK || code == Z_BUF_ERROR))
      return Error::expectedFound("the end of the gzip data", "the end of the file")
          .help("the file may be cut short");
    if (code != Z_OK && code != Z_BUF_ERROR)
      return Error::expectedFound(
          "gzip data", fmt::format("a damaged file ({})", stream.msg ? stream.msg : zError(code)));
  }
}

Result<std::string> gunzip(std::string_view bytes, const std::string &file, size_t maxSize) {
  std::string content;
  if (Status status = inflateInto(content, bytes, maxSize); !status)
    return status.takeError().in(file);
  return content;
}

FileContent decompress(std::string bytes) {
  FileContent content;
  if (!isGzip(bytes)) {
    content.bytes = std::move(bytes);
    return content;
  }
  if (Status status = inflateInto(content.bytes, bytes, maxDecompressedSize); !status)
    content.damage = status.takeError();
  return content;
}

Result<std::string> readMaybeGzipped(const std::string &path) {
  Result<std::string> bytes = readFile(path);
  if (!bytes || !isGzip(*bytes))
    return bytes;
  return gunzip(*bytes, path);
}

} // namespace nnc
