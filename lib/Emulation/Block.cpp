//===- Block.cpp - The threads of a block, one at a time ------------------===//
#include "Block.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nnc {

uint64_t Draw::below(uint64_t bound) {
  // splitmix64
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  // The upper half of a product is quicker than a remainder.
  return uint64_t((unsigned __int128)(z ^ (z >> 31)) * bound >> 64);
}

static constexpr char kNothing = char(0xff);

bool Block::isPrivate(uintptr_t address) const { return threads[current].fiber->owns(address); }

void Block::land(Copy &copy) {
  if (copy.hasLanded)
    return;
  std::copy_n(copy.from, copy.count, copy.to);
  std::fill(copy.to + copy.count, copy.to + copy.bytes, 0);
  copy.hasLanded = true;
}

void Block::make(Warpgroup &warpgroup, PendingProduct &product) {
  if (!product.isMade)
    product.product.add(memory.get(), warpgroup.sums[product.name]);
  product.isMade = true;
}

/// Lets copies land that happen to be quick, and has products made.
void Block::landSome() {
  if (!warpgroups.empty() && draw->below(16) == 0) {
    Warpgroup &warpgroup = warpgroups[draw->below(warpgroups.size())];
    auto next = std::find_if(warpgroup.products.begin(), warpgroup.products.end(),
                             [](const PendingProduct &product) { return !product.isMade; });
    if (next != warpgroup.products.end())
      make(warpgroup, *next);
  }
  if (!tensorCopies.empty() && draw->below(16) == 0)
    landTensor(draw->below(tensorCopies.size()));
  while (draw->below(2) == 0) {
    std::vector<Copy> &copies = threads[draw->below(threads.size())].copies;
    if (!copies.empty())
      land(copies[draw->below(copies.size())]);
  }
}

void Block::step(int32_t number, const std::function<void(int32_t)> &body) {
  landSome();
  current = number;
  Thread &thread = threads[number];
  if (thread.state == State::New) {
    if (idle.empty()) {
      fibers.push_back(std::make_unique<Fiber>());
      idle.push_back(fibers.back().get());
    }
    thread.fiber = idle.back();
    idle.pop_back();
    thread.state = State::Ready;
    thread.fiber->start([&body, number] { body(number); });
  } else {
    thread.fiber->resume();
  }
  if (!thread.fiber->hasEnded())
    return;
  thread.state = State::Ended;
  idle.push_back(thread.fiber);
}

std::string Block::run(int32_t numThreads, const std::function<void(int32_t)> &body, Draw &order) {
  draw = &order;
  threads.assign(numThreads, Thread());
  // What nobody has written is no number.
  if (!memory) {
    memory.reset(static_cast<char *>(std::aligned_alloc(kSharedBytes, kSharedBytes)));
    mostUsed = kSharedBytes;
  }
  std::fill_n(memory.get(), mostUsed, kNothing);
  mostUsed = 0;
  signals.clear();
  tensorCopies.clear();
  warpgroups.assign(numThreads / SharedProduct::kThreads, Warpgroup());
  passed = 0;
  ready.resize(numThreads);
  for (int32_t thread = 0; thread < numThreads; ++thread)
    ready[thread] = thread;
  while (true) {
    while (!ready.empty()) {
      std::swap(ready[draw->below(ready.size())], ready.back());
      int32_t next = ready.back();
      ready.pop_back();
      step(next, body);
    }
    if (std::all_of(threads.begin(), threads.end(),
                    [](const Thread &thread) { return thread.state == State::Ended; }))
      return "";
    // Nobody can go on before one of these lands.
    if (!tensorCopies.empty()) {
      landTensor(draw->below(tensorCopies.size()));
      continue;
    }
    std::string problem = passBarrier();
    if (problem.empty())
      continue;
    // Those that wait keep their stacks for good; nothing on these needs to be undone.
    for (std::unique_ptr<Fiber> &fiber : fibers)
      if (!fiber->hasEnded())
        static_cast<void>(fiber.release());
    fibers.erase(std::remove(fibers.begin(), fibers.end(), nullptr), fibers.end());
    return problem;
  }
}

std::string Block::describe(int32_t number) const {
  std::string text = "thread " + std::to_string(number);
  const Thread &thread = threads[number];
  if (thread.state == State::Ended)
    return text + " has returned";
  text += thread.state == State::AtBarrier   ? " waits at barrier "
          : thread.state == State::AtShuffle ? " waits at shuffle "
          : thread.state == State::AtProduct ? " waits at product "
          : thread.state == State::AtShared  ? " waits at product of shared matrices "
          : thread.state == State::AtSignal  ? " waits for shared barrier "
                                             : " waits at matrices ";
  return text + std::to_string(thread.site);
}

/// Lets all go on who wait at one barrier; if they do not, says so.
std::string Block::passBarrier() {
  auto isElsewhere = [&](const Thread &thread) {
    return thread.state != threads[0].state || thread.site != threads[0].site;
  };
  auto other = std::find_if(threads.begin(), threads.end(), isElsewhere);
  if (other != threads.end())
    return "threads wait for each other for ever: " + describe(0) + ", " +
           describe(int32_t(other - threads.begin()));
  if (threads[0].state != State::AtBarrier)
    return "threads wait for each other for ever: " + describe(0);
  ++passed;
  for (size_t thread = 0; thread < threads.size(); ++thread) {
    threads[thread].state = State::Ready;
    ready.push_back(int32_t(thread));
  }
  return "";
}

void Block::waitAtBarrier(int32_t site) { wait(State::AtBarrier, site, 0, nullptr); }

/// Whether these threads are where the current one is.
bool Block::haveComeTogether(int32_t first, int32_t together) const {
  const Thread *begin = threads.data() + first, *end = threads.data() + endOf(first, together);
  return std::all_of(begin, end, [&](const Thread &thread) {
    return thread.state == threads[current].state && thread.site == threads[current].site;
  });
}

void Block::release(int32_t first, int32_t together) {
  for (int32_t thread = first; thread < endOf(first, together); ++thread) {
    threads[thread].state = State::Ready;
    ready.push_back(thread);
  }
}

/// Waits for other threads. Where those are the ones of a warp or a few, the last of them does `finish` for all.
void Block::wait(State state, int32_t site, int32_t together,
                 void (Block::*finish)(int32_t first)) {
  Thread &thread = threads[current];
  thread.state = state;
  thread.site = site;
  int32_t first = finish ? current / together * together : 0;
  if (finish && haveComeTogether(first, together)) {
    (this->*finish)(first);
    release(first, together);
  }
  thread.fiber->suspend();
}

/// Gives each lane what it asked for.
void Block::finishShuffle(int32_t begin) {
  int32_t end = endOf(begin, kWarpSize);
  for (int32_t number = begin; number < end; ++number) {
    Thread &thread = threads[number];
    int32_t lane = number - begin, segment = lane / thread.width * thread.width;
    // In the order of gpu::ShuffleMode.
    int32_t source = thread.mode == 0   ? lane ^ thread.offset
                     : thread.mode == 1 ? lane + thread.offset
                     : thread.mode == 2 ? lane - thread.offset
                                        : segment + thread.offset;
    bool isValid = source >= segment && source < segment + thread.width && begin + source < end;
    thread.received = isValid ? threads[begin + source].bits | uint64_t(1) << 32 : thread.bits;
  }
}

uint64_t Block::shuffle(int32_t site, uint32_t bits, int32_t offset, int32_t width, int32_t mode) {
  Thread &thread = threads[current];
  thread.bits = bits;
  thread.offset = offset;
  thread.width = width;
  thread.mode = mode;
  wait(State::AtShuffle, site, kWarpSize, &Block::finishShuffle);
  return thread.received;
}

/// Of the registers of some lanes that hold terms of one row, the number at this term; registers of the next terms are
/// `next` from each other.
static float termOf(const uint32_t *const (&lanes)[4], int32_t term, int32_t next,
                    FactorKind kind) {
  // The unit does not read the last bits.
  if (kind == FactorKind::Tf32)
    return floatFromBits(lanes[term % 4][term / 4 * next] & ~0x1fffu);
  uint32_t pair = lanes[term % 8 / 2][term / 8 * next];
  return widen(uint16_t(pair >> (16 * (term % 2))), kind);
}

/// Lane g * 4 + t has of the left factor rows g and g + 8, terms 2t, 2t + 1 and 8 more, of the right one column g
/// and the same terms; of tf32 terms t and 4 more. Of the sums it has rows g and g + 8, columns 2t and 2t + 1.
void Block::finishProduct(int32_t first) {
  const Thread *lanes = &threads[first];
  float results[kWarpSize][4];
  for (int32_t lane = 0; lane < kWarpSize; ++lane)
    for (int32_t part = 0; part < 4; ++part) {
      FactorKind kind = lanes[lane].kind;
      int32_t row = lane / 4, below = part / 2, column = lane % 4 * 2 + part % 2;
      const Thread *left = &lanes[row * 4], *right = &lanes[column * 4];
      const uint32_t *ofRow[] = {left[0].left + below, left[1].left + below, left[2].left + below,
                                 left[3].left + below};
      const uint32_t *ofColumn[] = {right[0].right, right[1].right, right[2].right, right[3].right};
      float sum = lanes[lane].sums[part];
      for (int32_t term = 0; term < (kind == FactorKind::Tf32 ? 8 : 16); ++term)
        sum += termOf(ofRow, term, 2, kind) * termOf(ofColumn, term, 1, kind);
      results[lane][part] = sum;
    }
  for (int32_t lane = 0; lane < kWarpSize; ++lane)
    std::copy_n(results[lane], 4, threads[first + lane].sums);
}

void Block::multiply(int32_t site, FactorKind kind, const uint32_t (&left)[4],
                     const uint32_t (&right)[2], const float (&sums)[4]) {
  Thread &thread = threads[current];
  thread.kind = kind;
  std::copy_n(left, 4, thread.left);
  std::copy_n(right, 2, thread.right);
  std::copy_n(sums, 4, thread.sums);
  wait(State::AtProduct, site, kWarpSize, &Block::finishProduct);
}

/// Lane 8 m + r says where row r of matrix m is; lane g * 4 + t gets of each matrix elements 2t and 2t + 1 of row g.
void Block::finishMatrices(int32_t first) {
  Thread *lanes = &threads[first];
  for (int32_t lane = 0; lane < kWarpSize; ++lane)
    for (int32_t part = 0; part < 4; ++part) {
      uint32_t pair = 0;
      for (int32_t half = 0; half < 2; ++half) {
        int32_t row = lane / 4, column = lane % 4 * 2 + half;
        if (lanes[lane].isTurned)
          std::swap(row, column);
        uint16_t bits;
        std::memcpy(&bits, lanes[part * 8 + row].row + column * 2, sizeof bits);
        pair |= uint32_t(bits) << (16 * half);
      }
      lanes[lane].matrices[part] = pair;
    }
}

void Block::loadMatrices(int32_t site, const char *row, bool isTurned) {
  Thread &thread = threads[current];
  thread.row = row;
  thread.isTurned = isTurned;
  wait(State::AtMatrices, site, kWarpSize, &Block::finishMatrices);
}

void Block::copy(char *to, const char *from, int32_t elementBytes, int64_t bytes, int64_t count) {
  Thread &thread = threads[current];
  thread.copies.push_back({thread.groups, to, from, elementBytes, bytes, count});
}

std::vector<Block::Landed> Block::waitForCopies(int64_t groups) {
  Thread &thread = threads[current];
  std::vector<Landed> landed;
  auto first = thread.copies.begin();
  for (; first != thread.copies.end() && first->group < thread.groups - groups; ++first) {
    land(*first);
    landed.push_back({first->to, first->elementBytes, first->bytes});
  }
  thread.copies.erase(thread.copies.begin(), first);
  return landed;
}

/// Names of sums are no numbers that arithmetic makes.
static constexpr uint32_t kName = 0x7fd00000, kNameBits = 0xffff;

bool Block::isNumber(float value) { return (bitsOf(value) & ~kNameBits) != kName; }

void Block::askForProduct(int32_t first) {
  Warpgroup &warpgroup = warpgroups[first / SharedProduct::kThreads];
  const SharedProduct &product = warpgroup.asked;
  float given = *threads[first].sharedSums;
  auto count = size_t(product.sumsOfThread());
  if (isNumber(given)) {
    std::vector<float> &sums = warpgroup.sums.emplace_back();
    for (int32_t thread = first; thread < first + SharedProduct::kThreads; ++thread)
      sums.insert(sums.end(), threads[thread].sharedSums, threads[thread].sharedSums + count);
    given = floatFromBits(kName | uint32_t(warpgroup.groups.size()));
    warpgroup.groups.push_back(0);
    for (int32_t thread = first; thread < first + SharedProduct::kThreads; ++thread)
      std::fill_n(threads[thread].sharedSums, count, given);
  }
  uint32_t name = bitsOf(given) & kNameBits;
  warpgroup.groups[name] = threads[first].productGroups;
  warpgroup.products.push_back({product, threads[first].productGroups, name});
}

void Block::multiplyShared(int32_t site, const SharedProduct &product, float *sums) {
  threads[current].sharedSums = sums;
  warpgroups[current / SharedProduct::kThreads].asked = product;
  wait(State::AtShared, site, SharedProduct::kThreads, &Block::askForProduct);
}

std::vector<SharedProduct> Block::waitForProducts(int64_t groups) {
  Thread &thread = threads[current];
  Warpgroup &warpgroup = warpgroups[current / SharedProduct::kThreads];
  int64_t before = thread.productsMade;
  thread.productsMade = std::max(before, thread.productGroups - groups);
  for (PendingProduct &product : warpgroup.products)
    if (product.group >= before && product.group < thread.productsMade) {
      make(warpgroup, product);
      product.waited |= 1u << (current % SharedProduct::kThreads / kWarpSize);
    }
  std::vector<SharedProduct> done;
  while (!warpgroup.products.empty() &&
         warpgroup.products.front().waited == (1u << SharedProduct::kThreads / kWarpSize) - 1) {
    done.push_back(warpgroup.products.front().product);
    warpgroup.products.pop_front();
  }
  return done;
}

std::optional<float> Block::sumOf(float name, int32_t position) const {
  const Warpgroup &warpgroup = warpgroups[current / SharedProduct::kThreads];
  uint32_t number = bitsOf(name) & kNameBits;
  if (warpgroup.groups[number] >= threads[current].productsMade)
    return std::nullopt;
  const std::vector<float> &sums = warpgroup.sums[number];
  return sums[current % SharedProduct::kThreads * (sums.size() / SharedProduct::kThreads) +
              position];
}

//===-- Barriers in shared memory -----------------------------------------===//

void Block::join(std::vector<uint32_t> &known, const std::vector<uint32_t> &more) const {
  known.resize(signals.size());
  for (size_t signal = 0; signal < more.size(); ++signal)
    known[signal] = std::max(known[signal], more[signal]);
}

void Block::initSignal(int32_t signal, int32_t numThreads) {
  if (signals.size() <= size_t(signal))
    signals.resize(signal + 1);
  signals[signal].numThreads = signals[signal].awaited = numThreads;
}

/// Ends the phase if all threads and bytes have come, for those that wait for it.
void Block::completeIfDone(int32_t number) {
  Signal &signal = signals[number];
  if (signal.awaited != 0 || signal.bytes != 0)
    return;
  ++signal.phases;
  signal.awaited = signal.numThreads;
  join(signal.known, signal.arriving);
  signal.known[number] = signal.phases;
  for (size_t thread = 0; thread < threads.size(); ++thread)
    if (threads[thread].state == State::AtSignal && threads[thread].site == number) {
      threads[thread].state = State::Ready;
      ready.push_back(int32_t(thread));
    }
}

void Block::arrive(int32_t signal) {
  join(signals[signal].arriving, threads[current].known);
  --signals[signal].awaited;
  completeIfDone(signal);
}

void Block::expect(int32_t signal, int64_t bytes) { signals[signal].bytes += bytes; }

void Block::waitForSignal(int32_t signal, int32_t parity) {
  while (int32_t(signals[signal].phases & 1) == parity) {
    threads[current].state = State::AtSignal;
    threads[current].site = signal;
    threads[current].fiber->suspend();
  }
  join(threads[current].known, signals[signal].known);
}

void Block::copyTensor(const TensorMap &map, const int32_t (&coordinates)[TensorMap::kMostAxes],
                       int32_t signal, char *to) {
  TensorCopy &copy = tensorCopies.emplace_back();
  copy.map = map;
  std::copy_n(coordinates, TensorMap::kMostAxes, copy.coordinates);
  copy.signal = signal;
  copy.to = to;
}

void Block::landTensor(size_t number) {
  TensorCopy copy = tensorCopies[number];
  tensorCopies.erase(tensorCopies.begin() + int64_t(number));
  int32_t bytes = copy.map.elementBytes;
  copy.map.visit(copy.coordinates, copy.to, [&](const char *from, char *to) {
    if (from)
      std::memcpy(to, from, size_t(bytes));
    else
      std::memset(to, 0, size_t(bytes));
  });
  signals[copy.signal].bytes -= copy.map.boxBytes();
  completeIfDone(copy.signal);
}

char *Block::shared(int64_t bytes) {
  int64_t &used = threads[current].sharedBytes;
  char *place = memory.get() + used;
  used += (bytes + 1023) / 1024 * 1024;
  mostUsed = std::max(mostUsed, used);
  return place;
}

} // namespace nnc
