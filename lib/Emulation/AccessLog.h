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
  /// How many fences of the asynchronous proxy the thread has behind it.
  uint32_t fences = 0;
};

/// By a thread, a copy, or a product of matrices in shared memory.
enum class Access { Read, Write, Copy, Product };

/// Two accesses of one place, at least one a write, with nothing to order them.
struct Race {
  Moment first, second;
  Access firstAccess, secondAccess;
};

/// For each place the last write of a launch, and the reads after it as far as they matter. A copy that a thread does
/// not wait for is a write from its start to the wait, a product of shared matrices a read.
class AccessLog {
public:
  AccessLog() : places(1 << 12) {}

  /// Forgets everything.
  void clear();
  std::optional<Race> add(uintptr_t address, Moment now, Access access);
  /// Says that the thread has waited for the copy to this place.
  void finishCopy(uintptr_t address, Moment now);
  /// Says that all threads have waited for the product, the last of them `now`.
  void finishProduct(uintptr_t address, Moment now);
  /// The last write to this place.
  Moment lastWrite(uintptr_t address) { return find(address).write; }

private:
  struct Place {
    uintptr_t address = 0;
    uint64_t generation = 0;
    Moment write, read, copy, product;
    int32_t numProducts = 0;
    void addRead(const Moment &now);
  };
  Place &find(uintptr_t address);
  void grow();

  std::vector<Place> places;
  uint64_t generation = 1;
  size_t count = 0;
};

} // namespace nnc

#endif // NNC_LIB_EMULATION_ACCESSLOG_H
