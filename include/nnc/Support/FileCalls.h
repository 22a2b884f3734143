//===- FileCalls.h - The system calls that writing a file takes --*- C++ -*-===//
//
// What writes a file so that it is there whole or not at all asks the operating system through this
// interface, so that a test can make any one call fail, write short, or be the last that happens.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SUPPORT_FILECALLS_H
#define NNC_SUPPORT_FILECALLS_H

#include <cstddef>
#include <sys/types.h>

namespace nnc {

/// Each does, and returns, what the POSIX function behind it does, errno included.
class FileCalls {
public:
  virtual ~FileCalls();

  /// Makes a file whose name is `pattern` with its six last letters replaced.
  virtual int createTemporary(char *pattern);
  virtual ssize_t write(int fd, const void *bytes, size_t count);
  virtual int setMode(int fd, mode_t mode);
  /// Returns once the file, or the names in the folder, are on the disk.
  virtual int sync(int fd);
  virtual int close(int fd);
  virtual int rename(const char *from, const char *to);
  virtual int openFolder(const char *path);
  virtual int remove(const char *path);

  /// Those of the system that we run on.
  static FileCalls &system();
};

} // namespace nnc

#endif // NNC_SUPPORT_FILECALLS_H
