//===- Block.cpp - The threads of a block, one at a time ------------------===//
#include "Block.h"

#include <algorithm>

namespace nnc {

uint64_t Draw::below(uint64_t bound) {
  // splitmix64
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % bound;
}

static constexpr int64_t kSharedBytes = 256 * 1024;
static constexpr char kNothing = char(0xff);

bool Block::isPrivate(uintptr_t address) const { return threads[current].fiber->owns(address); }

void Block::step(int32_t number, const std::function<void(int32_t)> &body) {
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

std::string Block::run(int32_t numThreads, const std::function<void(int32_t)> &body, Draw &draw) {
  threads.assign(numThreads, Thread());
  // What nobody has written is no number.
  memory.resize(kSharedBytes, kNothing);
  std::fill_n(memory.begin(), mostUsed, kNothing);
  passed = 0;
  ready.resize(numThreads);
  for (int32_t thread = 0; thread < numThreads; ++thread)
    ready[thread] = thread;
  while (true) {
    while (!ready.empty()) {
      std::swap(ready[draw.below(ready.size())], ready.back());
      int32_t next = ready.back();
      ready.pop_back();
      step(next, body);
    }
    if (std::all_of(threads.begin(), threads.end(),
                    [](const Thread &thread) { return thread.state == State::Ended; }))
      return "";
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
  text += thread.state == State::AtBarrier ? " waits at barrier " : " waits at shuffle ";
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

void Block::wait(State state, int32_t site) {
  Thread &thread = threads[current];
  thread.state = state;
  thread.site = site;
  thread.fiber->suspend();
}

void Block::waitAtBarrier(int32_t site) { wait(State::AtBarrier, site); }

/// If all lanes have come to the shuffle, gives each what it asked for.
void Block::finishShuffle(int32_t warp) {
  int32_t begin = warp * kWarpSize, end = std::min(begin + kWarpSize, int32_t(threads.size()));
  int32_t site = threads[current].site;
  for (int32_t lane = begin; lane < end; ++lane)
    if (threads[lane].state != State::AtShuffle || threads[lane].site != site)
      return;
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
  for (int32_t number = begin; number < end; ++number) {
    threads[number].state = State::Ready;
    ready.push_back(number);
  }
}

uint64_t Block::shuffle(int32_t site, uint32_t bits, int32_t offset, int32_t width, int32_t mode) {
  Thread &thread = threads[current];
  thread.bits = bits;
  thread.offset = offset;
  thread.width = width;
  thread.mode = mode;
  thread.site = site;
  thread.state = State::AtShuffle;
  finishShuffle(current / kWarpSize);
  int32_t me = current;
  thread.fiber->suspend();
  return threads[me].received;
}

char *Block::shared(int64_t bytes) {
  int64_t &used = threads[current].sharedBytes;
  char *place = memory.data() + used;
  used += (bytes + 127) / 128 * 128;
  mostUsed = std::max(mostUsed, used);
  return place;
}

} // namespace nnc
