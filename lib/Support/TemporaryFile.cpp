//===- TemporaryFile.cpp - A file for another program ---------------------===//
#include "nnc/Support/TemporaryFile.h"

#include "nnc/Support/File.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace nnc {

Result<TemporaryFile> TemporaryFile::make(const std::string &suffix, std::string_view bytes) {
  auto fail = [] { return Error::plain("cannot write a temporary file: " + systemReason(errno)); };
  std::error_code error;
  std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  if (error) {
    errno = error.value();
    return fail();
  }
  std::string path = (folder / ("nnc-XXXXXX" + suffix)).string();
  int descriptor = mkstemps(path.data(), static_cast<int>(suffix.size()));
  if (descriptor < 0)
    return fail();
  TemporaryFile file(path);
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      Error failure = fail();
      ::close(descriptor);
      return failure;
    }
    bytes.remove_prefix(count < 0 ? 0 : static_cast<size_t>(count));
  }
  if (::close(descriptor) != 0)
    return fail();
  return file;
}

TemporaryFile::~TemporaryFile() {
  if (!name.empty())
    ::unlink(name.c_str());
}

} // namespace nnc
