//===- JsonLines.cpp - Logs of one JSON object a line ---------------------===//
//
// Formatting of values, and the file that lines are appended to.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/JsonLines.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace nnc {

static std::string jsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The shortest digits that give the same number back.
template <typename T> static std::string jsonNumber(T value) {
  if (std::isnan(value))
    return "\"NaN\"";
  if (std::isinf(value))
    return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  return fmt::format("{}", value);
}

JsonRecord &JsonRecord::addText(std::string_view name, const std::string &json) {
  members += fmt::format("{}{}:{}", members.empty() ? "" : ",", jsonString(name), json);
  return *this;
}

JsonRecord &JsonRecord::add(std::string_view name, double value) {
  return addText(name, jsonNumber(value));
}
JsonRecord &JsonRecord::add(std::string_view name, float value) {
  return addText(name, jsonNumber(value));
}
JsonRecord &JsonRecord::add(std::string_view name, int64_t value) {
  return addText(name, std::to_string(value));
}
JsonRecord &JsonRecord::add(std::string_view name, bool value) {
  return addText(name, value ? "true" : "false");
}
JsonRecord &JsonRecord::add(std::string_view name, std::string_view value) {
  return addText(name, jsonString(value));
}
JsonRecord &JsonRecord::add(std::string_view name, const std::vector<double> &values) {
  std::string list;
  for (double value : values)
    list += (list.empty() ? "" : ",") + jsonNumber(value);
  return addText(name, "[" + list + "]");
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

static Error cannotWrite(const std::string &path) {
  return Error::plain(fmt::format("cannot write: {}", systemReason(errno))).in(path);
}

Result<JsonLinesFile> JsonLinesFile::open(const std::string &path, int flags) {
  int fd = ::open(path.c_str(), flags | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0)
    return cannotWrite(path);
  return JsonLinesFile(path, fd);
}

Result<JsonLinesFile> JsonLinesFile::create(const std::string &path) {
  return open(path, O_WRONLY | O_TRUNC);
}

/// The size of the file at `fd` up to its last line end; -1 on an error.
static off_t sizeOfWholeLines(int fd) {
  off_t size = ::lseek(fd, 0, SEEK_END);
  char buffer[4096];
  while (size > 0) {
    off_t start = size > off_t(sizeof buffer) ? size - off_t(sizeof buffer) : 0;
    ssize_t count = ::pread(fd, buffer, size_t(size - start), start);
    if (count != size - start)
      return -1;
    for (ssize_t i = count; i > 0; --i)
      if (buffer[i - 1] == '\n')
        return start + i;
    size = start;
  }
  return size;
}

Result<JsonLinesFile> JsonLinesFile::append(const std::string &path) {
  Result<JsonLinesFile> file = open(path, O_RDWR);
  struct stat info;
  if (!file || ::fstat(file->fd, &info) != 0 || !S_ISREG(info.st_mode))
    return file;
  off_t size = sizeOfWholeLines(file->fd);
  if (size < 0 || (size < info.st_size && ::ftruncate(file->fd, size) != 0))
    return cannotWrite(path);
  return file;
}

Status JsonLinesFile::write(const std::vector<JsonRecord> &records) {
  std::string lines;
  for (const JsonRecord &record : records)
    lines += record.str() + "\n";
  std::string_view rest = lines;
  while (!rest.empty()) {
    ssize_t count = ::write(fd, rest.data(), rest.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return cannotWrite(path);
    rest.remove_prefix(size_t(count));
  }
  return Status();
}

JsonLinesFile::JsonLinesFile(JsonLinesFile &&other) noexcept
    : path(std::move(other.path)), fd(std::exchange(other.fd, -1)) {}

JsonLinesFile &JsonLinesFile::operator=(JsonLinesFile &&other) noexcept {
  std::swap(path, other.path);
  std::swap(fd, other.fd);
  return *this;
}

JsonLinesFile::~JsonLinesFile() {
  if (fd >= 0)
    ::close(fd);
}

} // namespace nnc
