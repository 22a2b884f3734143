//===- EventFile.h - Files that TensorBoard reads ----------------*- C++ -*-===//
//
// Scalars by step and name. A file is a sequence of records, a length and bytes with a checksum each;
// the bytes are a message of type Event in the format of protocol buffers, of which two kinds are
// needed: one that says the version, and one with a value.
//
// Formats: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h
//          https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_EVENTFILE_H
#define NNC_DATA_EVENTFILE_H

#include "nnc/Support/Result.h"

namespace nnc {

class EventFile {
public:
  /// Starts a file in `folder`, which is made if need be, in place of an old one.
  static Result<EventFile> create(const std::string &folder);

  /// Adds a value; `time` is in seconds since 1970. It is in the file after the next `flush`.
  void add(std::string_view name, int64_t step, float value, double time);
  Status flush();

  EventFile(EventFile &&other) noexcept;
  EventFile &operator=(EventFile &&other) noexcept;
  ~EventFile();

private:
  EventFile(std::string path, int fd) : path(std::move(path)), fd(fd) {}
  void addRecord(std::string_view bytes);

  std::string path;
  int fd;
  std::string pending;
};

} // namespace nnc

#endif // NNC_DATA_EVENTFILE_H
