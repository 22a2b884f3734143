//===- AccessLog.h - Who touched which place --------------------*- C++ -*-===//
#ifndef NNC_LIB_EMULATION_ACCESSLOG_H
#define NNC_LIB_EMULATION_ACCESSLOG_H

#include <cstdint>
#include <optional>
#include <vector>

namespace nnc {

/// One thread between two barriers.
struct Moment {
  int64_t block = -1;
  int32_t thread = 0;
  uint32_t barriers = 0;
};

enum class Access { Read, Write, Copy };

/// Two accesses of one place, at least one a write, with nothing to order them.
struct Race {
  Moment first, second;
  Access firstAccess, secondAccess;
};

/// For each place the last write of a launch, and the reads after it as far as they matter. A copy that a thread does
/// not wait for is a write from its start to the wait.
class AccessLog {
public:
  AccessLog() : places(1 << 12) {}

  /// Forgets everything.
  void clear();
  std::optional<Race> add(uintptr_t address, Moment now, Access access);
  /// Says that the thread has waited for the copy to this place.
  void finishCopy(uintptr_t address, Moment now);

private:
  struct Place {
    uintptr_t address = 0;
    uint64_t generation = 0;
    Moment write, read, copy;
  };
  Place &find(uintptr_t address);
  void grow();

  std::vector<Place> places;
  uint64_t generation = 1;
  size_t count = 0;
};

} // namespace nnc

#endif // NNC_LIB_EMULATION_ACCESSLOG_H
