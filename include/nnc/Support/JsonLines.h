//===- JsonLines.h - Logs of one JSON object a line --------------*- C++ -*-===//
//
// What a training run records as it goes. Each line is written whole and at once, so that another
// program can follow the file and a run that is killed leaves no half line. Numbers are written
// with as many digits as give the same number back; what JSON has no number for is written as
// "NaN", "Infinity" or "-Infinity".
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SUPPORT_JSONLINES_H
#define NNC_SUPPORT_JSONLINES_H

#include "nnc/Support/Result.h"

#include <string>
#include <string_view>
#include <vector>

namespace nnc {

/// One object, its members in the order in which they are added.
class JsonRecord {
public:
  JsonRecord &add(std::string_view name, double value);
  /// With the digits that an f32 needs.
  JsonRecord &add(std::string_view name, float value);
  JsonRecord &add(std::string_view name, int64_t value);
  JsonRecord &add(std::string_view name, int value) { return add(name, int64_t(value)); }
  JsonRecord &add(std::string_view name, bool value);
  /// Bytes that are not UTF-8 are replaced by U+FFFD.
  JsonRecord &add(std::string_view name, std::string_view value);
  JsonRecord &add(std::string_view name, const char *value) {
    return add(name, std::string_view(value));
  }
  JsonRecord &add(std::string_view name, const std::vector<double> &values);

  std::string str() const { return "{" + members + "}"; }

private:
  JsonRecord &addText(std::string_view name, const std::string &json);

  std::string members;
};

class JsonLinesFile {
public:
  /// Starts a new file, in place of an old one.
  static Result<JsonLinesFile> create(const std::string &path);
  /// Goes on with a file, if there is one. A last line without its end, as a power failure leaves
  /// it, is removed.
  static Result<JsonLinesFile> append(const std::string &path);

  Status write(const JsonRecord &record) { return write(std::vector<JsonRecord>{record}); }
  /// Several lines at once.
  Status write(const std::vector<JsonRecord> &records);

  JsonLinesFile(JsonLinesFile &&other) noexcept;
  JsonLinesFile &operator=(JsonLinesFile &&other) noexcept;
  ~JsonLinesFile();

private:
  JsonLinesFile(std::string path, int fd) : path(std::move(path)), fd(fd) {}
  static Result<JsonLinesFile> open(const std::string &path, int flags);

  std::string path;
  int fd;
};

} // namespace nnc

#endif // NNC_SUPPORT_JSONLINES_H
