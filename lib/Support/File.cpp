//===- File.cpp - Whole files, read and written at once -------------------===//
//
// POSIX calls throughout: fsync of the file before the rename, and of the directory after it, is
// what makes a checkpoint survive a power failure.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/File.h"

#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nnc {

std::string systemReason(int code) {
  std::string reason = std::strerror(code);
  if (reason.size() > 1 && reason[0] >= 'A' && reason[0] <= 'Z' && reason[1] >= 'a')
    reason[0] = char(reason[0] - 'A' + 'a');
  return reason;
}

namespace {
/// An open file descriptor, closed at the end of its scope.
class Descriptor {
public:
  explicit Descriptor(int number) : fd(number) {}
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd; }
  bool isOpen() const { return fd >= 0; }
  int close() {
    int result = fd >= 0 ? ::close(fd) : 0;
    fd = -1;
    return result;
  }

private:
  int fd;
};
} // namespace

static Error cannot(const char *verb, const std::string &path, int code) {
  return Error::plain(fmt::format("cannot {}: {}", verb, systemReason(code))).in(path);
}

Result<std::string> readFile(const std::string &path) {
  constexpr size_t maxStreamSize = size_t(1) << 30;
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (!file.isOpen() || ::fstat(file.get(), &info) != 0)
    return cannot("read", path, errno);
  if (S_ISDIR(info.st_mode))
    return Error::expectedFound("a file", "a directory").in(path);

  // A file may grow or shrink while it is read; its size is only a first guess.
  bool isRegular = S_ISREG(info.st_mode);
  std::string bytes(isRegular ? size_t(info.st_size) + 1 : 65536, '\0');
  size_t size = 0;
  while (true) {
    if (size == bytes.size())
      bytes.resize(2 * size);
    ssize_t count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return cannot("read", path, errno);
    if (count == 0)
      break;
    size += size_t(count);
    if (!isRegular && size > maxStreamSize)
      return Error::expectedFound("at most 1 GiB from a pipe or device", "more").in(path);
  }
  bytes.resize(size);
  return bytes;
}

/// Writes all of `bytes`; returns 0 or the error number.
static int writeAll(int fd, std::string_view bytes, FileCalls &calls) {
  while (!bytes.empty()) {
    ssize_t count = calls.write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return errno;
    bytes.remove_prefix(size_t(count));
  }
  return 0;
}

/// Writes `bytes` to the new file at `fd`, makes them durable and closes it; returns 0 or the error
/// number.
static int fill(int fd, std::string_view bytes, mode_t mode, FileCalls &calls) {
  int code = writeAll(fd, bytes, calls);
  if (code == 0 && (calls.setMode(fd, mode) != 0 || calls.sync(fd) != 0))
    code = errno;
  if (calls.close(fd) != 0 && code == 0)
    code = errno;
  return code;
}

/// Makes the names in a folder durable; returns 0 or the error number.
static int syncFolder(const std::string &folder, FileCalls &calls) {
  int fd = calls.openFolder(folder.c_str());
  if (fd < 0)
    return errno == EACCES ? 0 : errno; // A folder that may be written but not read.
  int code = calls.sync(fd) == 0 || errno == EINVAL ? 0 : errno; // EINVAL: it has no such notion.
  calls.close(fd);
  return code;
}

/// The permissions that a new file gets here.
static mode_t defaultMode() {
  mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

/// What `path` finally names, through symbolic links; `path` itself if nothing is there yet.
static std::string followLinks(const std::string &path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) ? resolved : path;
}

Status writeFileAtomically(const std::string &path, std::string_view bytes, FileCalls &calls) {
  std::string target = followLinks(path);
  struct stat info;
  bool exists = ::stat(target.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode))
    return Error::expectedFound("a file to write", "a directory").in(path);
  if (exists && !S_ISREG(info.st_mode)) {
    Descriptor device(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
    int code = device.isOpen() ? writeAll(device.get(), bytes, calls) : errno;
    return code ? Status(cannot("write", path, code)) : Status();
  }

  std::string temporary = target + ".XXXXXX";
  int fd = calls.createTemporary(temporary.data());
  if (fd < 0)
    return cannot("write", path, errno);
  int code = fill(fd, bytes, exists ? info.st_mode & 07777 : defaultMode(), calls);
  if (code == 0 && calls.rename(temporary.c_str(), target.c_str()) != 0)
    code = errno;
  if (code != 0) {
    calls.remove(temporary.c_str());
    return cannot("write", path, code);
  }
  size_t slash = target.rfind('/');
  code = syncFolder(slash == std::string::npos ? "." : target.substr(0, slash + 1), calls);
  return code ? Status(cannot("write", path, code)) : Status();
}

} // namespace nnc
