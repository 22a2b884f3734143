//===- TemporaryFile.h - A file for another program --------------*- C++ -*-===//
#ifndef NNC_SUPPORT_TEMPORARYFILE_H
#define NNC_SUPPORT_TEMPORARYFILE_H

#include "nnc/Support/Result.h"

namespace nnc {

/// A file in the system's folder for such files, which is removed at the end of its scope.
class TemporaryFile {
public:
  /// One that holds `bytes` and whose name ends in `suffix`.
  static Result<TemporaryFile> make(const std::string &suffix, std::string_view bytes = "");

  TemporaryFile(TemporaryFile &&other) noexcept : name(std::exchange(other.name, "")) {}
  TemporaryFile &operator=(TemporaryFile &&) = delete;
  ~TemporaryFile();

  const std::string &path() const { return name; }

private:
  explicit TemporaryFile(std::string path) : name(std::move(path)) {}

  /// Empty once it was moved from.
  std::string name;
};

} // namespace nnc

#endif // NNC_SUPPORT_TEMPORARYFILE_H
