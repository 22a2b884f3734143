//===- FileCalls.cpp - The system calls that writing a file takes ---------===//
//
// One line each.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/FileCalls.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nnc {

FileCalls::~FileCalls() = default;

int FileCalls::createTemporary(char *pattern) { return ::mkostemp(pattern, O_CLOEXEC); }
ssize_t FileCalls::write(int fd, const void *bytes, size_t count) {
  return ::write(fd, bytes, count);
}
int FileCalls::setMode(int fd, mode_t mode) { return ::fchmod(fd, mode); }
int FileCalls::sync(int fd) { return ::fsync(fd); }
int FileCalls::close(int fd) { return ::close(fd); }
int FileCalls::rename(const char *from, const char *to) { return ::rename(from, to); }
int FileCalls::openFolder(const char *path) {
  return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
int FileCalls::remove(const char *path) { return ::unlink(path); }

FileCalls &FileCalls::system() {
  static FileCalls calls;
  return calls;
}

} // namespace nnc
