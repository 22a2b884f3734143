//===- AccessLog.h - Who touched which place --------------------*- C++ -*-===//
#ifndef NNC_LIB_EMULATION_ACCESSLOG_H
#define NNC_LIB_EMULATION_ACCESSLOG_H

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace nnc {

/// Blocks run one after the other, so that time is what lies between two barriers of one.
using Time = uint64_t;

/// Which accesses may still get in each other's way.
struct Clock {
  /// When the first one counts, and when the block began.
  Time oldest, block;
  /// How many phases of each barrier in shared memory the thread knows to be over.
  const std::vector<uint32_t> *known = nullptr;
};

/// One thread at one time, or several of them. The fences of the asynchronous proxy that it has behind it are counted
/// by their last bits.
struct Moment {
  uint64_t time : 36, thread : 12, fences : 14, isOfSeveralThreads : 1, isOfSeveralBlocks : 1;
};

/// By a thread, a copy, a product of matrices in shared memory, or a copy of a tensor.
enum class Access { Read, Write, Copy, Product, Tensor };

/// Two accesses of one place, at least one a write, with nothing to order them.
struct Race {
  Moment first, second;
  Access firstAccess, secondAccess;
};

/// For each place the last write, and the reads after it as far as they matter. A copy that a thread does not wait for
/// is a write from its start to the wait, a product of shared matrices a read. A copy of a tensor is over for those who
/// know that a phase of the barrier is over that counts its bytes.
class AccessLog {
public:
  /// `count` elements of `bytes`, a power of two, from `address` on. Returns the first race.
  std::optional<Race> add(uintptr_t address, int32_t bytes, int32_t count, const Clock &clock,
                          const Moment &now, Access access);
  /// Says that the thread has waited for the copy to this place.
  void finishCopy(uintptr_t address, int32_t bytes, const Moment &now);
  /// Says that all threads have waited for the product, the last of them `now`.
  void finishProduct(uintptr_t address, int32_t bytes, const Clock &clock, const Moment &now);
  /// What a copy of a tensor writes, which is there after so many phases of the barrier `signal`.
  std::optional<Race> addTensor(uintptr_t address, int32_t bytes, const Clock &clock,
                                const Moment &now, int32_t signal, uint32_t phases);
  /// The last write to this place by a thread, if it counts.
  std::optional<Moment> lastWrite(uintptr_t address, int32_t bytes, const Clock &clock);

private:
  struct Place {
    Moment write{}, read{}, copy{}, product{};
    int16_t numProducts = 0;
    /// Of a tensor's copy that was the last to write: the number of the barrier and one, and how many phases it takes.
    int16_t signal = 0;
    uint32_t phases = 0;
    void addRead(const Clock &clock, const Moment &now);
  };
  static std::optional<Race> add(Place &place, const Clock &clock, const Moment &now,
                                 Access access);
  static constexpr size_t kPagePlaces = 512, kRecent = 256;
  struct Page {
    std::array<Place, kPagePlaces> places;
  };
  static bool isWriteOver(const Place &place, const Clock &clock, const Moment &now);
  Place &find(uintptr_t address, int32_t bytes);

  /// By size and number among those of that size.
  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages;
  struct Recent {
    uint64_t key = 0;
    Page *page = nullptr;
  };
  std::array<Recent, kRecent> recent;
};

} // namespace nnc

#endif // NNC_LIB_EMULATION_ACCESSLOG_H
