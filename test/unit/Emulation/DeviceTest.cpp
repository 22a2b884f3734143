// Kernels by hand, right ones and wrong ones, through the functions that compiled code calls.
#include "nnc/Emulation/Emulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <vector>

namespace nnc {
namespace {

template <typename Function> Function *symbol(const char *name) {
  return reinterpret_cast<Function *>(emulationSymbols().at(name));
}

int64_t threadId() { return symbol<int64_t(int32_t)>("nnc_emulated_number")(0); }
int64_t blockId() { return symbol<int64_t(int32_t)>("nnc_emulated_number")(3); }
void barrier(int32_t site) { symbol<void(int32_t)>("nnc_emulated_barrier")(site); }
float *shared(int64_t count) {
  return reinterpret_cast<float *>(symbol<char *(int64_t)>("nnc_emulated_shared")(count * 4));
}
uint64_t shuffle(uint32_t bits, int32_t offset, int32_t width, int32_t mode) {
  using Function = uint64_t(int32_t, uint32_t, int32_t, int32_t, int32_t);
  return symbol<Function>("nnc_emulated_shuffle")(7, bits, offset, width, mode);
}
void access(const float &place, bool writes) {
  using Function = void(int64_t, int32_t, int32_t, int32_t);
  symbol<Function>("nnc_emulated_access")(reinterpret_cast<int64_t>(&place), 4, 1, writes);
}
void store(float &place, float value) {
  access(place, true);
  place = value;
}
float load(const float &place) {
  access(place, false);
  return place;
}

void copy(float &to, const float &from, int32_t count, int32_t exist) {
  using Function = void(float *, const float *, int32_t, int32_t, int32_t);
  symbol<Function>("nnc_emulated_copy")(&to, &from, 4, count, exist);
}
void endGroup() { symbol<void()>("nnc_emulated_group")(); }
void waitForCopies(int32_t groups) { symbol<void(int32_t)>("nnc_emulated_wait")(groups); }

/// What the emulator says of a kernel in this order of its threads.
std::string run(int64_t blocks, int64_t threads, const std::function<void()> &kernel,
                uint64_t order) {
  startEmulation(order);
  using Launch =
      void(const char *, const char *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
  symbol<Launch>("nnc_emulated_launch")("k", "net.nn:4:3", blocks, 1, 1, threads, 1, 1);
  using Body = void(void *, int64_t, int64_t);
  symbol<void(int64_t, Body *, void *)>("nnc_parallel_for")(
      blocks * threads,
      [](void *context, int64_t, int64_t) {
        (*static_cast<const std::function<void()> *>(context))();
      },
      const_cast<std::function<void()> *>(&kernel));
  return emulationReport();
}

/// All orders say the same.
std::string run(int64_t blocks, int64_t threads, const std::function<void()> &kernel) {
  std::string report = run(blocks, threads, kernel, 1);
  for (uint64_t order : {2, 3, 4})
    EXPECT_EQ(run(blocks, threads, kernel, order).empty(), report.empty());
  return report;
}

TEST(Device, PassesNumbersThroughTheBlocksMemory) {
  std::vector<float> reversed(3 * 64);
  auto kernel = [&] {
    float *memory = shared(64);
    store(memory[threadId()], float(blockId() * 64 + threadId()));
    barrier(0);
    store(reversed[blockId() * 64 + threadId()], load(memory[63 - threadId()]));
  };
  EXPECT_EQ(run(3, 64, kernel), "");
  for (int64_t i = 0; i < 3 * 64; ++i)
    EXPECT_EQ(reversed[i], i / 64 * 64 + 63 - i % 64);
}

TEST(Device, FindsAMissingBarrier) {
  std::vector<float> reversed(64);
  auto kernel = [&] {
    float *memory = shared(64);
    store(memory[threadId()], 1);
    store(reversed[threadId()], load(memory[63 - threadId()]));
  };
  EXPECT_THAT(run(1, 64, kernel),
              testing::MatchesRegex("kernel 'k' \\(net.nn:4:3\\): thread [0-9]+ of block 0 "
                                    "(reads|writes) what thread [0-9]+ of block 0 "
                                    "(reads|writes), with no barrier between\n"));
}

TEST(Device, FindsThatABarrierOrdersNoBlocks) {
  float sum = 0;
  auto kernel = [&] {
    barrier(0);
    if (threadId() == 0)
      store(sum, load(sum) + 1);
  };
  EXPECT_EQ(run(1, 32, kernel), "");
  EXPECT_THAT(run(2, 32, kernel), testing::HasSubstr("with no barrier between"));
}

TEST(Device, LetsManyReadWhatOneWrote) {
  float place = 0;
  auto kernel = [&] {
    if (threadId() == 0)
      store(place, 5);
    barrier(0);
    EXPECT_EQ(load(place), 5);
    barrier(1);
    if (threadId() == 31)
      store(place, 6);
  };
  EXPECT_EQ(run(1, 64, kernel), "");
  auto early = [&] {
    EXPECT_GE(load(place), 0);
    if (threadId() == 31)
      store(place, 6);
  };
  EXPECT_THAT(run(1, 64, early), testing::HasSubstr("writes"));
}

TEST(Device, FindsThreadsThatNeverCome) {
  auto leaves = [] {
    if (threadId() != 5)
      barrier(3);
  };
  EXPECT_EQ(run(1, 64, leaves),
            "kernel 'k' (net.nn:4:3): in block 0 threads wait for each other for ever: "
            "thread 0 waits at barrier 3, thread 5 has returned\n");
  auto parts = [] { barrier(threadId() < 32 ? 1 : 2); };
  EXPECT_EQ(run(1, 64, parts),
            "kernel 'k' (net.nn:4:3): in block 0 threads wait for each other for ever: "
            "thread 0 waits at barrier 1, thread 32 waits at barrier 2\n");
  auto half = [] {
    if (threadId() % 2)
      shuffle(0, 1, 32, 0);
  };
  EXPECT_EQ(run(1, 32, half),
            "kernel 'k' (net.nn:4:3): in block 0 threads wait for each other for ever: "
            "thread 0 has returned, thread 1 waits at shuffle 7\n");
  // And goes on with the next kernel.
  EXPECT_EQ(run(2, 64, [] { barrier(0); }), "");
}

TEST(Device, ShufflesAsTheHardwareDoes) {
  auto kernel = [] {
    int64_t lane = threadId() % 32;
    auto expect = [](uint64_t found, uint32_t bits, bool isValid) {
      EXPECT_EQ(uint32_t(found), bits);
      EXPECT_EQ(found >> 32, isValid);
    };
    uint32_t own = 100 + threadId(), first = own - lane;
    expect(shuffle(own, 5, 32, 0), first + (lane ^ 5), true);
    expect(shuffle(own, 3, 32, 1), lane + 3 < 32 ? own + 3 : own, lane + 3 < 32);
    expect(shuffle(own, 3, 16, 2), lane % 16 >= 3 ? own - 3 : own, lane % 16 >= 3);
    expect(shuffle(own, 2, 8, 3), first + lane / 8 * 8 + 2, true);
  };
  EXPECT_EQ(run(1, 64, kernel), "");
}

/// The number that the upper or lower half of a register of 16-bit numbers holds, which is small and whole.
uint32_t pairOf(int low, int high, bool isHalf) {
  auto bits = [&](int number) -> uint32_t {
    float wide = float(number);
    uint32_t single;
    std::memcpy(&single, &wide, sizeof single);
    if (!isHalf)
      return single >> 16;
    if (number == 0)
      return 0;
    return (single >> 16 & 0x8000) | (((single >> 23 & 255) - 112) << 10) | (single >> 13 & 1023);
  };
  return bits(low) | bits(high) << 16;
}

TEST(Device, MultipliesMatricesAsTheHardwareDoes) {
  auto left = [](int64_t row, int64_t term) { return int(row * 3 + term * 5) % 7 - 3; };
  auto right = [](int64_t term, int64_t column) { return int(term * 2 + column * 3) % 5 - 2; };
  for (bool isHalf : {false, true}) {
    auto kernel = [&] {
      // As the PTX manual numbers the elements of mma.m16n8k16.
      int64_t group = threadId() / 4, within = threadId() % 4;
      auto leftPair = [&](int64_t row, int64_t term) {
        return pairOf(left(row, term), left(row, term + 1), isHalf);
      };
      auto rightPair = [&](int64_t term) {
        return pairOf(right(term, group), right(term + 1, group), isHalf);
      };
      using Product = void(int32_t, int32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                           uint32_t, float, float, float, float);
      symbol<Product>("nnc_emulated_product")(
          1, isHalf, leftPair(group, within * 2), leftPair(group + 8, within * 2),
          leftPair(group, within * 2 + 8), leftPair(group + 8, within * 2 + 8),
          rightPair(within * 2), rightPair(within * 2 + 8), 1, 2, 3, 4);
      for (int32_t part = 0; part < 4; ++part) {
        int64_t row = group + part / 2 * 8, column = within * 2 + part % 2;
        int expected = part + 1;
        for (int64_t term = 0; term < 16; ++term)
          expected += left(row, term) * right(term, column);
        EXPECT_EQ(symbol<float(int32_t)>("nnc_emulated_sum")(part), expected);
      }
    };
    EXPECT_EQ(run(1, 32, kernel), "");
  }
}

TEST(Device, LoadsMatricesAsTheHardwareDoes) {
  for (bool isTurned : {false, true}) {
    auto kernel = [&] {
      auto *memory = reinterpret_cast<uint16_t *>(shared(32 * 16 / 2));
      // Rows of 8 numbers, 16 from each other: row r of matrix m is row 8 m + r.
      for (int64_t column = 0; column < 8; ++column)
        memory[threadId() * 16 + column] = uint16_t(threadId() * 8 + column);
      barrier(0);
      using Load = void(int32_t, int64_t, int32_t);
      symbol<Load>("nnc_emulated_matrices")(1, reinterpret_cast<int64_t>(&memory[threadId() * 16]),
                                            isTurned);
      for (int64_t part = 0; part < 4; ++part) {
        int64_t row = threadId() / 4, column = threadId() % 4 * 2;
        auto number = [&](int64_t r, int64_t c) {
          return uint32_t(part * 64 + (isTurned ? c * 8 + r : r * 8 + c));
        };
        EXPECT_EQ(symbol<uint32_t(int32_t)>("nnc_emulated_matrix")(int32_t(part)),
                  number(row, column) | number(row, column + 1) << 16);
      }
    };
    EXPECT_EQ(run(1, 32, kernel), "");
  }
}

//===-- Products of matrices in shared memory -----------------------------===//

void proxyFence() { symbol<void()>("nnc_emulated_proxy_fence")(); }
void sumFence() { symbol<void()>("nnc_emulated_sum_fence")(); }
void endProducts() { symbol<void()>("nnc_emulated_product_group")(); }
void waitForProducts(int32_t groups) { symbol<void(int32_t)>("nnc_emulated_product_wait")(groups); }
float sumOf(float name, int32_t position) {
  return symbol<float(float, int32_t)>("nnc_emulated_shared_sum")(name, position);
}

/// How a factor of 16 terms lies: in lines of 32 bytes, of the terms of a place or of 16 places of a term.
struct Lines {
  bool isTurned;
  int64_t placeOf(int64_t place, int64_t term) const {
    int64_t at = isTurned ? place / 16 * 256 + term * 16 + place % 16 : place * 16 + term;
    return at ^ (at >> 6 & 1) << 3;
  }
  uint64_t describe(const uint16_t *begin) const {
    return uint64_t(3) << 62 | uint64_t(256 >> 4) << 32 | uint64_t(512 >> 4) << 16 |
           (reinterpret_cast<uintptr_t>(begin) & 0x3ffff) >> 4;
  }
};

void multiplyShared(const uint16_t *left, Lines leftLines, const uint16_t *right, Lines rightLines,
                    float *sums) {
  using Product = void(int32_t, int32_t, int32_t, uint64_t, int32_t, uint64_t, int32_t, float *);
  symbol<Product>("nnc_emulated_shared_product")(9, 0, 16, leftLines.describe(left),
                                                 leftLines.isTurned, rightLines.describe(right),
                                                 rightLines.isTurned, sums);
}

/// A kernel of a warpgroup that multiplies 64 x 16 by 16 x 16, but for what it leaves out.
struct SharedKernel {
  Lines left{false}, right{true};
  bool fences = true, meets = true, fencesSums = true, waits = true, waitsBeforeWriting = true;

  static int64_t leftAt(int64_t row, int64_t term) { return (row * 3 + term * 5) % 7 - 3; }
  static int64_t rightAt(int64_t term, int64_t column) { return (term * 2 + column * 3) % 5 - 2; }
  static void write(uint16_t &place, int64_t number) {
    using Function = void(int64_t, int32_t, int32_t, int32_t);
    symbol<Function>("nnc_emulated_access")(reinterpret_cast<int64_t>(&place), 2, 1, 1);
    place = uint16_t(pairOf(int(number), 0, false));
  }

  void operator()() const {
    auto *rows = reinterpret_cast<uint16_t *>(shared(64 * 16 / 2)),
         *columns = reinterpret_cast<uint16_t *>(shared(16 * 16 / 2));
    for (int64_t i = threadId(); i < 64 * 16; i += 128)
      write(rows[left.placeOf(i / 16, i % 16)], leftAt(i / 16, i % 16));
    for (int64_t i = threadId(); i < 16 * 16; i += 128)
      write(columns[right.placeOf(i / 16, i % 16)], rightAt(i % 16, i / 16));
    if (fences)
      proxyFence();
    if (meets)
      barrier(0);
    float sums[8] = {};
    if (fencesSums)
      sumFence();
    multiplyShared(rows, left, columns, right, sums);
    multiplyShared(rows, left, columns, right, sums);
    endProducts();
    if (waits)
      waitForProducts(0);
    if (!waitsBeforeWriting) {
      barrier(1);
      write(rows[threadId()], 0);
    }
    for (int32_t i = 0; i < 8; ++i) {
      int64_t row = threadId() / 32 * 16 + threadId() % 32 / 4 + i / 2 % 2 * 8,
              column = i / 4 * 8 + threadId() % 4 * 2 + i % 2, expected = 0;
      for (int64_t term = 0; term < 16; ++term)
        expected += 2 * leftAt(row, term) * rightAt(term, column);
      float sum = sumOf(sums[i], i);
      if (waits && fences && meets && fencesSums && waitsBeforeWriting)
        EXPECT_EQ(sum, float(expected));
    }
  }
};

TEST(Device, MultipliesMatricesInSharedMemory) {
  for (bool isLeftTurned : {false, true})
    for (bool isRightTurned : {false, true}) {
      SharedKernel kernel;
      kernel.left = {isLeftTurned};
      kernel.right = {isRightTurned};
      EXPECT_EQ(run(2, 128, kernel), "");
    }
}

TEST(Device, FindsProductsThatNobodyWaitsFor) {
  SharedKernel kernel;
  kernel.waits = false;
  EXPECT_THAT(run(1, 128, kernel),
              testing::HasSubstr("reads sums of products, with no wait for these"));
  // Nor is it allowed to write what they read.
  kernel.waitsBeforeWriting = false;
  EXPECT_THAT(run(1, 128, kernel),
              testing::MatchesRegex(".*multiplies what .* writes, with no wait between\n"));
}

TEST(Device, FindsThatAProductDoesNotSeeWhatThreadsWrote) {
  SharedKernel kernel;
  kernel.fences = false;
  EXPECT_THAT(run(1, 128, kernel),
              testing::HasSubstr("multiplies, with no fence of the asynchronous proxy between"));
  kernel = {};
  kernel.meets = false;
  EXPECT_THAT(run(1, 128, kernel), testing::HasSubstr("multiplies, with no barrier between"));
  kernel = {};
  kernel.fencesSums = false;
  EXPECT_THAT(run(1, 128, kernel),
              testing::HasSubstr("multiplies, with no fence behind what sets the sums"));
}

TEST(Device, FindsThatNotAllOfAWarpgroupMultiply) {
  auto kernel = [] {
    auto *memory = reinterpret_cast<uint16_t *>(shared(64 * 16));
    float sums[8] = {};
    sumFence();
    if (threadId() < 96)
      multiplyShared(memory, {false}, memory, {false}, sums);
  };
  EXPECT_THAT(run(1, 128, kernel), testing::HasSubstr("waits at product of shared matrices 9"));
}

//===-- Barriers in shared memory, and copies of tensors ------------------===//

void initSignal(int32_t signal, int32_t threads) {
  symbol<void(int32_t, int32_t)>("nnc_emulated_signal_init")(signal, threads);
}
void arrive(int32_t signal) { symbol<void(int32_t)>("nnc_emulated_arrive")(signal); }
void expectBytes(int32_t signal, int32_t bytes) {
  symbol<void(int32_t, int32_t)>("nnc_emulated_expect")(signal, bytes);
}
void waitForSignal(int32_t signal, int32_t parity) {
  symbol<void(int32_t, int32_t)>("nnc_emulated_signal_wait")(signal, parity);
}

/// Boxes of 4 x 64 of a tensor of 6 rows of 100 numbers, of which one thread has several copied, one after the other to two
/// places, and others read them; what each leaves out is a flag.
struct TensorKernel {
  static constexpr int32_t kStages = 2, kBoxes = 5, kBytes = 4 * 64 * 2;
  bool waitsForCopies = true, waitsForReaders = true, saysThatItHasRead = true;
  int32_t expected = kBytes;

  std::vector<uint16_t> input = std::vector<uint16_t>(6 * 100);
  mutable std::vector<std::vector<int>> found =
      std::vector<std::vector<int>>(kBoxes, std::vector<int>(4 * 64));

  TensorKernel() {
    for (size_t i = 0; i < input.size(); ++i)
      input[i] = uint16_t(1 + i);
  }
  /// Boxes go to the right, from row 3 on.
  int expectedAt(int32_t box, int64_t row, int64_t column) const {
    int64_t from = 3 + row, at = 20 * box + column;
    return from < 6 && at < 100 ? int(input[from * 100 + at]) : 0;
  }

  void operator()() const {
    alignas(64) char map[128];
    symbol<void(char *, const uint16_t *, int32_t, int32_t)>("nnc_emulated_tensor_map")(
        map, input.data(), 2, 2);
    using Axis = void(char *, int32_t, int64_t, int64_t, int64_t);
    symbol<Axis>("nnc_emulated_tensor_axis")(map, 0, 6, 100, 4);
    symbol<Axis>("nnc_emulated_tensor_axis")(map, 1, 100, 1, 64);
    auto *memory = reinterpret_cast<uint16_t *>(shared(kStages * 1024 / 4));
    if (threadId() == 0)
      for (int32_t stage = 0; stage < kStages; ++stage) {
        initSignal(stage, 1);
        initSignal(kStages + stage, 31);
      }
    barrier(0);
    for (int32_t box = 0; box < kBoxes; ++box) {
      int32_t stage = box % kStages, turn = box / kStages;
      uint16_t *place = memory + stage * 512;
      if (threadId() == 0) {
        if (waitsForReaders)
          waitForSignal(kStages + stage, ~turn & 1);
        expectBytes(stage, expected);
        using Copy = void(uint16_t *, char *, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t);
        symbol<Copy>("nnc_emulated_tensor_copy")(place, map, stage, 20 * box, 3, 0, 0, 0);
        continue;
      }
      if (waitsForCopies)
        waitForSignal(stage, turn & 1);
      for (int64_t i = threadId() - 1; i < 4 * 64; i += 31) {
        int64_t at = i ^ (i / 64 % 8) << 3;
        using Access = void(int64_t, int32_t, int32_t, int32_t);
        symbol<Access>("nnc_emulated_access")(reinterpret_cast<int64_t>(place + at), 2, 1, 0);
        found[box][i] = place[at];
      }
      if (saysThatItHasRead)
        arrive(kStages + stage);
    }
  }
};

TEST(Device, CopiesBoxesOfTensors) {
  TensorKernel kernel;
  EXPECT_EQ(run(1, 32, [&] { kernel(); }), "");
  for (int32_t box = 0; box < TensorKernel::kBoxes; ++box)
    for (int64_t i = 0; i < 4 * 64; ++i)
      ASSERT_EQ(kernel.found[box][i], kernel.expectedAt(box, i / 64, i % 64)) << box << " " << i;
}

TEST(Device, FindsATensorThatNobodyWaitsFor) {
  TensorKernel kernel;
  kernel.waitsForCopies = false;
  EXPECT_THAT(run(1, 32, [&] { kernel(); }),
              testing::MatchesRegex(".*(copies a tensor to|reads) what .*\n.*|.*for ever.*\n"));
}

TEST(Device, FindsACopyOfATensorToWhatIsStillRead) {
  TensorKernel kernel;
  kernel.waitsForReaders = false;
  EXPECT_THAT(run(1, 32, [&] { kernel(); }), testing::HasSubstr("what thread 0 of block 0"));
}

TEST(Device, FindsBarriersInSharedMemoryThatNeverOpen) {
  TensorKernel kernel;
  kernel.saysThatItHasRead = false;
  EXPECT_THAT(run(1, 32, [&] { kernel(); }),
              testing::HasSubstr("thread 0 waits for shared barrier 2"));
  kernel.saysThatItHasRead = true;
  kernel.expected = TensorKernel::kBytes + 16;
  EXPECT_THAT(run(1, 32, [&] { kernel(); }), testing::HasSubstr("waits for shared barrier 0"));
}

//===-- Copies ------------------------------------------------------------===//

TEST(Device, CopiesWhileThreadsGoOn) {
  std::vector<float> input(64), reversed(64);
  for (int i = 0; i < 64; ++i)
    input[i] = float(i);
  auto kernel = [&] {
    float *memory = shared(2 * 64);
    int64_t place = threadId() * 4;
    copy(memory[place], input[place], 4, 4);
    endGroup();
    // Of these four, two do not exist.
    copy(memory[64 + place], input[place], 4, 2);
    endGroup();
    waitForCopies(1);
    barrier(0);
    for (int64_t i = place; i < place + 4; ++i)
      store(reversed[i], load(memory[63 - i]));
    waitForCopies(0);
    barrier(1);
    EXPECT_EQ(load(memory[64 + 5]), 5);
    EXPECT_EQ(load(memory[64 + 6]), 0);
  };
  EXPECT_EQ(run(1, 16, kernel), "");
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(reversed[i], float(63 - i));
}

TEST(Device, LetsCopiesLandWhenTheyLike) {
  float input = 5;
  bool isEarly = false, isLate = false;
  auto kernel = [&] {
    float *memory = shared(1);
    if (threadId() == 0)
      copy(*memory, input, 1, 1);
    barrier(0);
    (*memory == 5 ? isEarly : isLate) = true;
  };
  for (uint64_t order = 0; order < 40; ++order)
    run(1, 2, kernel, order);
  EXPECT_TRUE(isEarly);
  EXPECT_TRUE(isLate);
}

TEST(Device, FindsAMissingWait) {
  float input = 5;
  auto kernel = [&](bool waits, bool meets) {
    return [&input, waits, meets] {
      float *memory = shared(1);
      if (threadId() == 0)
        copy(*memory, input, 1, 1);
      endGroup();
      if (waits)
        waitForCopies(0);
      if (meets)
        barrier(0);
      load(*memory);
    };
  };
  EXPECT_EQ(run(1, 2, kernel(true, true)), "");
  EXPECT_THAT(
      run(1, 2, kernel(false, true)),
      testing::MatchesRegex("kernel 'k' \\(net.nn:4:3\\): thread 0 of block 0 copies to what "
                            "thread [01] of block 0 reads, with no wait between\n"));
  EXPECT_THAT(run(1, 2, kernel(true, false)), testing::HasSubstr("between"));
  // The last group is the one that is not waited for.
  auto early = [&] {
    float *memory = shared(1);
    copy(*memory, input, 1, 1);
    endGroup();
    waitForCopies(1);
    load(*memory);
  };
  EXPECT_THAT(run(1, 1, early), testing::HasSubstr("with no wait between"));
}

TEST(Device, FindsACopyToWhatIsStillRead) {
  float input = 5;
  auto kernel = [&](bool meets) {
    return [&input, meets] {
      float *memory = shared(1);
      if (threadId() == 0)
        store(*memory, 1);
      barrier(0);
      load(*memory);
      if (meets)
        barrier(1);
      if (threadId() == 1)
        copy(*memory, input, 1, 1);
    };
  };
  EXPECT_EQ(run(1, 2, kernel(true)), "");
  EXPECT_THAT(run(1, 2, kernel(false)), testing::HasSubstr("copies to"));
}

TEST(Device, HandsOutMemoryThatNobodyWrote) {
  for (int times = 0; times < 2; ++times)
    EXPECT_EQ(run(
                  1, 32,
                  [] {
                    float *memory = shared(32);
                    EXPECT_NE(memory[threadId()], memory[threadId()]); // no number
                    barrier(0);
                    memory[threadId()] = 1;
                  },
                  1),
              "");
}

} // namespace
} // namespace nnc
