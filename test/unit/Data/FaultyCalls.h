//===- FaultyCalls.h - A file system that fails on demand -------*- C++ -*-===//
//
// Passes calls on to the system, but one of them fails, writes short, or is the last that happens.
// After such an end, `loseUnsynced` leaves the folder as a power failure could: what was not flushed
// is cut short, and a rename in a folder that was not flushed is undone.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_TEST_FAULTYCALLS_H
#define NNC_TEST_FAULTYCALLS_H

#include "nnc/Support/FileCalls.h"

#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace nnc {

class FaultyCalls : public FileCalls {
public:
  enum class Fault { Fails, WritesShort, Ends };

  FaultyCalls(Fault fault, int place, int code) : fault(fault), place(place), code(code) {}

  /// Whether the call with the fault has been made.
  bool hasFailed() const { return count > place; }

  int createTemporary(char *pattern) override {
    if (isFaulty())
      return -1;
    int fd = FileCalls::createTemporary(pattern);
    paths[fd] = pattern;
    unsynced.insert(pattern);
    return fd;
  }
  ssize_t write(int fd, const void *bytes, size_t size) override {
    bool isShort = fault == Fault::WritesShort && count == place;
    if (isFaulty())
      return -1;
    return FileCalls::write(fd, bytes, isShort ? (size + 1) / 2 : size);
  }
  int setMode(int fd, mode_t mode) override {
    return isFaulty() ? -1 : FileCalls::setMode(fd, mode);
  }
  int sync(int fd) override {
    if (isFaulty())
      return -1;
    unsynced.erase(paths[fd]);
    if (paths[fd].empty())
      lastRename.reset(); // A folder.
    return 0;             // The disk of a test need not turn.
  }
  int close(int fd) override {
    bool fails = isFaulty();
    paths.erase(fd);
    int result = FileCalls::close(fd);
    errno = fails ? code : errno;
    return fails ? -1 : result;
  }
  int rename(const char *from, const char *to) override {
    if (isFaulty())
      return -1;
    if (unsynced.erase(from))
      unsynced.insert(to);
    lastRename = {from, to};
    return FileCalls::rename(from, to);
  }
  int openFolder(const char *path) override {
    if (isFaulty())
      return -1;
    int fd = FileCalls::openFolder(path);
    paths[fd] = "";
    return fd;
  }
  int remove(const char *path) override { return isFaulty() ? -1 : FileCalls::remove(path); }

  void loseUnsynced() {
    for (const std::string &path : unsynced)
      if (std::filesystem::exists(path))
        std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    if (lastRename)
      std::filesystem::rename(lastRename->second, lastRename->first);
  }

private:
  bool isFaulty() {
    int index = count++;
    bool fails =
        (fault == Fault::Fails && index == place) || (fault == Fault::Ends && index >= place);
    if (fails)
      errno = code;
    return fails;
  }

  Fault fault;
  int place, code, count = 0;
  std::map<int, std::string> paths;
  std::set<std::string> unsynced;
  std::optional<std::pair<std::string, std::string>> lastRename;
};

} // namespace nnc

#endif // NNC_TEST_FAULTYCALLS_H
