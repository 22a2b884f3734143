//===- Block.h - The threads of a block, one at a time ----------*- C++ -*-===//
#ifndef NNC_LIB_EMULATION_BLOCK_H
#define NNC_LIB_EMULATION_BLOCK_H

#include "Fiber.h"
#include "MatrixUnit.h"
#include "TensorCopy.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace nnc {

/// Numbers by a seed.
class Draw {
public:
  explicit Draw(uint64_t seed) : state(seed) {}
  uint64_t below(uint64_t bound);

private:
  uint64_t state;
};

/// A block that runs.
class Block {
public:
  static constexpr int32_t kWarpSize = 32;
  static constexpr int64_t kSharedBytes = 256 * 1024;

  /// Runs `body` for each thread. What goes wrong is returned, empty if nothing does; threads that wait for ever
  /// are left where they are.
  std::string run(int32_t numThreads, const std::function<void(int32_t thread)> &body, Draw &draw);

  int32_t thread() const { return current; }
  /// How many barriers the threads have left behind them.
  uint32_t barriers() const { return passed; }
  /// Whether it is on the stack of a thread.
  bool isPrivate(uintptr_t address) const;
  /// Whether it is in memory of the block.
  bool isShared(uintptr_t address) const {
    return address - reinterpret_cast<uintptr_t>(memory.get()) < uintptr_t(kSharedBytes);
  }
  const char *sharedMemory() const { return memory.get(); }

  /// For the current thread to call.
  void waitAtBarrier(int32_t site);
  /// The bits, and in bit 32 whether there is a lane to have them from.
  uint64_t shuffle(int32_t site, uint32_t bits, int32_t offset, int32_t width, int32_t mode);
  /// This lane's share of sums + left * right, where a warp has 16 x 16 of the left factor and 16 x 8 of the right
  /// one as mma.sync.m16n8k16 has them, of tf32 half as many terms as m16n8k8 has them.
  void multiply(int32_t site, FactorKind kind, const uint32_t (&left)[4],
                const uint32_t (&right)[2], const float (&sums)[4]);
  /// One of the four sums that multiply left.
  float sum(int32_t part) const { return threads[current].sums[part]; }
  /// This lane's row of one of four matrices of 8 x 8 numbers of 16 bits is at `row`, as ldmatrix takes them; if they
  /// are turned, it is a column.
  void loadMatrices(int32_t site, const char *row, bool isTurned);
  /// Two numbers of one of the four matrices.
  uint32_t matrix(int32_t part) const { return threads[current].matrices[part]; }
  /// Starts to copy `count` bytes, and zeros up to `bytes`.
  void copy(char *to, const char *from, int32_t elementBytes, int64_t bytes, int64_t count);
  void endGroup() { ++threads[current].groups; }
  struct Landed {
    char *to;
    int32_t elementBytes;
    int64_t bytes;
  };
  /// Waits until no more than the last `groups` groups of copies are on their way; returns where the others went.
  std::vector<Landed> waitForCopies(int64_t groups);

  /// Asks for a product, for 128 threads at once, that is made at some time until they wait for it. `sums` are those of
  /// this thread; it gets names for what becomes of them, which it may pass on.
  void multiplyShared(int32_t site, const SharedProduct &product, float *sums);
  /// Whether `value` is no such name.
  static bool isNumber(float value);
  void endProducts() { ++threads[current].productGroups; }
  /// Waits until no more than the last `groups` groups of products are to be made; returns those for which all threads
  /// have waited now.
  std::vector<SharedProduct> waitForProducts(int64_t groups);
  /// The sum of the thread at this position that `name` stands for; none if it has not waited for it.
  std::optional<float> sumOf(float name, int32_t position) const;

  //===-- Barriers in shared memory, which count threads and bytes (mbarrier) ---===//

  void initSignal(int32_t signal, int32_t numThreads);
  /// One thread more has come to its phase.
  void arrive(int32_t signal);
  /// `bytes` more have to come.
  void expect(int32_t signal, int64_t bytes);
  /// Waits until the last phase of this parity is over.
  void waitForSignal(int32_t signal, int32_t parity);
  uint32_t phasesOver(int32_t signal) const { return signals[signal].phases; }
  const std::vector<uint32_t> &knownPhases() const { return threads[current].known; }
  /// Starts a copy, the bytes of which `signal` counts.
  void copyTensor(const TensorMap &map, const int32_t (&coordinates)[TensorMap::kMostAxes],
                  int32_t signal, char *to);

  /// Where the next piece of the block's memory is.
  char *shared(int64_t bytes);

private:
  enum class State {
    New,
    Ready,
    AtBarrier,
    AtShuffle,
    AtProduct,
    AtMatrices,
    AtShared,
    AtSignal,
    Ended
  };
  /// On its way until it has landed, which the thread does not know until it waits.
  struct Copy {
    int64_t group;
    char *to;
    const char *from;
    int32_t elementBytes;
    int64_t bytes, count;
    bool hasLanded = false;
  };
  struct Thread {
    State state = State::New;
    Fiber *fiber = nullptr;
    int32_t site = 0;
    uint32_t bits = 0;
    int32_t offset = 0, width = 0, mode = 0;
    uint64_t received = 0;
    FactorKind kind = FactorKind::Bf16;
    uint32_t left[4], right[2];
    float sums[4];
    const char *row = nullptr;
    bool isTurned = false;
    uint32_t matrices[4];
    std::vector<Copy> copies;
    int64_t groups = 0, sharedBytes = 0;
    float *sharedSums = nullptr;
    /// Groups of products that have been ended, and that the thread knows to be made.
    int64_t productGroups = 0, productsMade = 0;
    /// The phases of each signal that it knows to be over, by itself or from others.
    std::vector<uint32_t> known;
  };
  struct Signal {
    int32_t numThreads = 0, awaited = 0;
    int64_t bytes = 0;
    /// That are over.
    uint32_t phases = 0;
    /// What those know who have come to this phase, and who came to one that is over.
    std::vector<uint32_t> arriving, known;
  };
  struct TensorCopy {
    TensorMap map;
    int32_t coordinates[TensorMap::kMostAxes];
    int32_t signal;
    char *to;
  };
  struct PendingProduct {
    SharedProduct product;
    int64_t group;
    uint32_t name;
    bool isMade = false;
    /// A bit for each warp of which a thread has waited.
    uint32_t waited = 0;
  };
  /// Four warps that multiply together.
  struct Warpgroup {
    /// Those that not all threads have waited for, in order.
    std::deque<PendingProduct> products;
    /// By name: the sums of all threads, and the group that they are complete with.
    std::vector<std::vector<float>> sums;
    std::vector<int64_t> groups;
    SharedProduct asked;
  };

  void step(int32_t thread, const std::function<void(int32_t)> &body);
  void wait(State state, int32_t site, int32_t together, void (Block::*finish)(int32_t first));
  int32_t endOf(int32_t first, int32_t together) const {
    return std::min(first + together, int32_t(threads.size()));
  }
  bool haveComeTogether(int32_t first, int32_t together) const;
  void release(int32_t first, int32_t together);
  void finishShuffle(int32_t first);
  void finishProduct(int32_t first);
  void finishMatrices(int32_t first);
  void askForProduct(int32_t first);
  void make(Warpgroup &warpgroup, PendingProduct &product);
  void landTensor(size_t number);
  void completeIfDone(int32_t number);
  void join(std::vector<uint32_t> &known, const std::vector<uint32_t> &more) const;
  static void land(Copy &copy);
  void landSome();
  std::string passBarrier();
  std::string describe(int32_t thread) const;

  std::vector<Thread> threads;
  std::vector<int32_t> ready;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber *> idle;
  std::vector<Warpgroup> warpgroups;
  std::vector<Signal> signals;
  std::vector<TensorCopy> tensorCopies;
  /// At a multiple of what descriptors of matrices can say.
  std::unique_ptr<char, decltype(&std::free)> memory{nullptr, &std::free};
  Draw *draw = nullptr;
  int64_t mostUsed = 0;
  int32_t current = 0;
  uint32_t passed = 0;
};

} // namespace nnc

#endif // NNC_LIB_EMULATION_BLOCK_H
