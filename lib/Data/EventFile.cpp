//===- EventFile.cpp - Files that TensorBoard reads -----------------------===//
//
// The few fields that are needed are encoded by hand: a varint of number and wire type, then the
// value. Records are written whole, several in one call, so that a reader can follow the file.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/EventFile.h"
#include "nnc/Support/File.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace nnc {

//===----------------------------------------------------------------------===//
// Protocol buffers
//===----------------------------------------------------------------------===//

namespace {
/// A message being encoded. Numbers are little-endian, as on every machine that we run on.
class Message {
public:
  Message &varint(unsigned field, uint64_t value) { return tag(field, 0).number(value); }
  Message &fixed(unsigned field, double value) { return tag(field, 1).raw(&value, sizeof value); }
  Message &fixed(unsigned field, float value) { return tag(field, 5).raw(&value, sizeof value); }
  Message &text(unsigned field, std::string_view value) {
    return tag(field, 2).number(value.size()).raw(value.data(), value.size());
  }

  std::string bytes;

private:
  Message &tag(unsigned field, unsigned wireType) { return number(field << 3 | wireType); }
  Message &number(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes += char(value | 0x80);
    bytes += char(value);
    return *this;
  }
  Message &raw(const void *data, size_t size) {
    bytes.append(static_cast<const char *>(data), size);
    return *this;
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

/// CRC-32C (Castagnoli), bit-reversed polynomial 0x82f63b78, a byte at a time.
static uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> entries;
    for (uint32_t index = 0; index < 256; ++index) {
      entries[index] = index;
      for (int bit = 0; bit < 8; ++bit)
        entries[index] = entries[index] >> 1 ^ (entries[index] & 1 ? 0x82f63b78u : 0);
    }
    return entries;
  }();
  uint32_t crc = ~0u;
  for (unsigned char byte : bytes)
    crc = table[(crc ^ byte) & 0xff] ^ crc >> 8;
  return ~crc;
}

/// A checksum of bytes that may hold checksums themselves.
static uint32_t maskedChecksum(std::string_view bytes) {
  uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

template <typename T> static void append(std::string &bytes, T value) {
  bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
}

void EventFile::addRecord(std::string_view bytes) {
  std::string length;
  append(length, uint64_t(bytes.size()));
  pending += length;
  append(pending, maskedChecksum(length));
  pending += bytes;
  append(pending, maskedChecksum(bytes));
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

static Error cannotWrite(const std::string &path, int code) {
  return Error::plain(fmt::format("cannot write: {}", systemReason(code))).in(path);
}

Result<EventFile> EventFile::create(const std::string &folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    return cannotWrite(folder, failed.value());
  std::string path = (std::filesystem::path(folder) / "events.out.tfevents.nnc").string();
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0)
    return cannotWrite(path, errno);
  EventFile file(path, fd);
  file.addRecord(Message().fixed(1, 0.0).text(3, "brain.Event:2").bytes);
  if (Status written = file.flush(); !written)
    return written.takeError();
  return file;
}

void EventFile::add(std::string_view name, int64_t step, float value, double time) {
  std::string scalar = Message().text(1, name).fixed(2, value).bytes;
  std::string summary = Message().text(1, scalar).bytes;
  addRecord(Message().fixed(1, time).varint(2, uint64_t(step)).text(5, summary).bytes);
}

Status EventFile::flush() {
  std::string_view rest = pending;
  while (!rest.empty()) {
    ssize_t count = ::write(fd, rest.data(), rest.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return cannotWrite(path, errno);
    rest.remove_prefix(size_t(count));
  }
  pending.clear();
  return {};
}

EventFile::EventFile(EventFile &&other) noexcept
    : path(std::move(other.path)), fd(std::exchange(other.fd, -1)),
      pending(std::move(other.pending)) {}

EventFile &EventFile::operator=(EventFile &&other) noexcept {
  std::swap(path, other.path);
  std::swap(fd, other.fd);
  std::swap(pending, other.pending);
  return *this;
}

EventFile::~EventFile() {
  if (fd >= 0)
    ::close(fd);
}

} // namespace nnc
