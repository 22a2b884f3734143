//===- Emulation.cpp - A GPU of one slow, careful multiprocessor ----------===//
#include "nnc/Emulation/Emulation.h"

#include "AccessLog.h"
#include "Block.h"

#include <iterator>
#include <map>
#include <numeric>

namespace nnc {
namespace {

struct Sizes {
  int64_t x = 1, y = 1, z = 1;
  int64_t count() const { return x * y * z; }
  /// One of the three coordinates of a number.
  int64_t coordinate(int64_t number, int32_t axis) const {
    return axis == 0 ? number % x : axis == 1 ? number / x % y : number / (x * y);
  }
  int64_t operator[](int32_t axis) const { return axis == 0 ? x : axis == 1 ? y : z; }
};

/// What a kernel is called with; nnc_parallel_for comes next.
struct Launch {
  const char *kernel = "", *place = "";
  Sizes grid, block;
};

/// What a moment knows of the number of fences.
constexpr uint32_t kFenceBits = (1 << 14) - 1;

class Device {
public:
  void start(uint64_t seed);
  void prepare(const Launch &next) { launch = next; }
  void run(void (*body)(void *, int64_t, int64_t), void *context);
  int64_t number(int32_t quantity, int32_t axis) const;
  void access(uintptr_t address, int32_t bytes, int32_t count, Access access);
  void startCopy(char *to, const char *from, int32_t bytes, int32_t count, int32_t exist);
  void waitForCopies(int32_t groups);
  void multiplyShared(int32_t site, const SharedProduct &product, float *sums);
  void waitForProducts(int32_t groups);
  float sumOf(float name, int32_t position);
  void copyTensor(const TensorMap &map, const int32_t (&coordinates)[TensorMap::kMostAxes],
                  int32_t signal, char *to);
  void fence() { ++fences[block.thread()]; }
  /// Of the registers of products.
  void fenceSums() { haveFenced[block.thread()] = true; }

  Block block;
  std::string problems;
  uint64_t numLaunches = 0;

private:
  void complain(const std::string &problem);
  void complainOnce(const std::string &problem);
  void report(const Race &race);
  std::string describe(const Moment &moment, Access access) const;
  Moment now() const {
    return {begin + block.barriers(), uint64_t(block.thread()), fences[block.thread()] & kFenceBits,
            0, 0};
  }
  /// For memory of the block, which is new for each, or of the device.
  Clock clock(bool isShared = true) const {
    return {isShared ? begin : launchBegin, begin, &block.knownPhases()};
  }
  uintptr_t sharedAddress(int64_t place) const {
    return reinterpret_cast<uintptr_t>(block.sharedMemory() + place);
  }

  Draw draw{0};
  Launch launch;
  AccessLog log;
  /// When the launch and the block began, and which blocks of the launch did when.
  Time launchBegin = 1, begin = 1;
  std::map<Time, int64_t> blocks;
  int64_t blockNumber = 0;
  bool hasRaced = false;
  /// By thread: the fences of the asynchronous proxy, and whether there is one of sums since these were read.
  std::vector<uint32_t> fences;
  std::vector<bool> haveFenced;
};

void Device::start(uint64_t seed) {
  draw = Draw(seed);
  problems.clear();
  numLaunches = 0;
}

void Device::complain(const std::string &problem) {
  problems += std::string("kernel '") + launch.kernel + "'";
  if (*launch.place)
    problems += std::string(" (") + launch.place + ")";
  problems += ": " + problem + "\n";
}

void Device::run(void (*body)(void *, int64_t, int64_t), void *context) {
  ++numLaunches;
  hasRaced = false;
  launchBegin = begin;
  blocks.clear();
  int64_t numThreads = launch.block.count();
  std::vector<int64_t> order(launch.grid.count());
  std::iota(order.begin(), order.end(), 0);
  for (size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[draw.below(left)]);
  for (int64_t next : order) {
    blockNumber = next;
    blocks[begin] = next;
    fences.assign(numThreads, 0);
    haveFenced.assign(numThreads, false);
    std::string problem = block.run(
        int32_t(numThreads),
        [&](int32_t thread) {
          int64_t index = next * numThreads + thread;
          body(context, index, index + 1);
        },
        draw);
    begin += block.barriers() + 1;
    if (problem.empty())
      continue;
    complain("in block " + std::to_string(next) + " " + problem);
    return;
  }
}

int64_t Device::number(int32_t quantity, int32_t axis) const {
  switch (quantity) {
  case 0:
    return launch.block.coordinate(block.thread(), axis);
  case 1:
    return launch.grid.coordinate(blockNumber, axis);
  case 2:
    return launch.block[axis];
  default:
    return launch.grid[axis];
  }
}

std::string Device::describe(const Moment &moment, Access access) const {
  std::string text =
      moment.isOfSeveralThreads ? "several threads" : "thread " + std::to_string(moment.thread);
  text += moment.isOfSeveralBlocks
              ? " of several blocks"
              : " of block " + std::to_string(std::prev(blocks.upper_bound(moment.time))->second);
  return text + (access == Access::Read      ? " reads"
                 : access == Access::Write   ? " writes"
                 : access == Access::Product ? " multiplies"
                 : access == Access::Tensor  ? " copies a tensor to"
                                             : " copies to");
}

void Device::access(uintptr_t address, int32_t bytes, int32_t count, Access access) {
  if (block.isPrivate(address))
    return;
  if (std::optional<Race> race =
          log.add(address, bytes, count, clock(block.isShared(address)), now(), access))
    report(*race);
}

/// One tells enough of a kernel.
void Device::complainOnce(const std::string &problem) {
  if (!hasRaced)
    complain(problem);
  hasRaced = true;
}

void Device::report(const Race &race) {
  bool isAwaited = race.firstAccess != Access::Read && race.firstAccess != Access::Write;
  complainOnce(describe(race.first, race.firstAccess) + " what " +
               describe(race.second, race.secondAccess) +
               (isAwaited ? ", with no wait between" : ", with no barrier between"));
}

/// The first thread of the warpgroup stands for all. What threads wrote they have to have fenced.
void Device::multiplyShared(int32_t site, const SharedProduct &product, float *sums) {
  if (block.thread() % SharedProduct::kThreads == 0)
    for (int64_t place : product.places()) {
      std::optional<Moment> write = log.lastWrite(sharedAddress(place), 2, clock());
      access(sharedAddress(place), 2, 1, Access::Product);
      if (write && (fences[write->thread] & kFenceBits) == write->fences)
        complainOnce(describe(*write, Access::Write) + " what " + describe(now(), Access::Product) +
                     ", with no fence of the asynchronous proxy between");
    }
  if (Block::isNumber(*sums) && !haveFenced[block.thread()])
    complainOnce(describe(now(), Access::Product) + ", with no fence behind what sets the sums");
  block.multiplyShared(site, product, sums);
}

void Device::waitForProducts(int32_t groups) {
  for (const SharedProduct &product : block.waitForProducts(groups))
    for (int64_t place : product.places())
      log.finishProduct(sharedAddress(place), 2, clock(), now());
}

/// What it writes others may read when they know that this phase of the barrier is over.
void Device::copyTensor(const TensorMap &map, const int32_t (&coordinates)[TensorMap::kMostAxes],
                        int32_t signal, char *to) {
  if (reinterpret_cast<uintptr_t>(to) % 1024 != 0)
    complainOnce(describe(now(), Access::Tensor) + " a place that is no multiple of 1024 bytes");
  uint32_t phases = block.phasesOver(signal) + 1;
  map.visit(coordinates, to, [&](const char *, char *place) {
    if (std::optional<Race> race = log.addTensor(reinterpret_cast<uintptr_t>(place),
                                                 map.elementBytes, clock(), now(), signal, phases))
      report(*race);
  });
  block.copyTensor(map, coordinates, signal, to);
}

float Device::sumOf(float name, int32_t position) {
  haveFenced[block.thread()] = false;
  if (Block::isNumber(name))
    return name;
  std::optional<float> sum = block.sumOf(name, position);
  if (!sum)
    complainOnce(describe(now(), Access::Read) + " sums of products, with no wait for these");
  return sum.value_or(name);
}

void Device::startCopy(char *to, const char *from, int32_t bytes, int32_t count, int32_t exist) {
  access(reinterpret_cast<uintptr_t>(from), bytes, exist, Access::Read);
  access(reinterpret_cast<uintptr_t>(to), bytes, count, Access::Copy);
  block.copy(to, from, bytes, int64_t(bytes) * count, int64_t(bytes) * exist);
}

void Device::waitForCopies(int32_t groups) {
  for (const Block::Landed &copy : block.waitForCopies(groups))
    for (int64_t offset = 0; offset < copy.bytes; offset += copy.elementBytes)
      log.finishCopy(reinterpret_cast<uintptr_t>(copy.to + offset), copy.elementBytes, now());
}

Device &device() {
  static Device instance;
  return instance;
}

//===-- What compiled code calls ------------------------------------------===//

void emulatedLaunch(const char *kernel, const char *place, int64_t gridX, int64_t gridY,
                    int64_t gridZ, int64_t blockX, int64_t blockY, int64_t blockZ) {
  device().prepare({kernel, place, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}});
}

void parallelFor(int64_t, void (*body)(void *, int64_t, int64_t), void *context) {
  device().run(body, context);
}

int64_t emulatedNumber(int32_t which) { return device().number(which / 3, which % 3); }

void emulatedBarrier(int32_t site) { device().block.waitAtBarrier(site); }

uint64_t emulatedShuffle(int32_t site, uint32_t bits, int32_t offset, int32_t width, int32_t mode) {
  return device().block.shuffle(site, bits, offset, width, mode);
}

void emulatedProduct(int32_t site, int32_t kind, uint32_t left0, uint32_t left1, uint32_t left2,
                     uint32_t left3, uint32_t right0, uint32_t right1, float sum0, float sum1,
                     float sum2, float sum3) {
  device().block.multiply(site, FactorKind(kind), {left0, left1, left2, left3}, {right0, right1},
                          {sum0, sum1, sum2, sum3});
}

float emulatedSum(int32_t part) { return device().block.sum(part); }

char *emulatedShared(int64_t bytes) { return device().block.shared(bytes); }

void emulatedAccess(int64_t address, int32_t bytes, int32_t count, int32_t writes) {
  device().access(uintptr_t(address), bytes, count, writes ? Access::Write : Access::Read);
}

void emulatedMatrices(int32_t site, const char *row, int32_t isTurned) {
  device().access(reinterpret_cast<uintptr_t>(row), 2, 8, Access::Read);
  device().block.loadMatrices(site, row, isTurned != 0);
}

uint32_t emulatedMatrix(int32_t part) { return device().block.matrix(part); }

void emulatedCopy(char *to, const char *from, int32_t bytes, int32_t count, int32_t exist) {
  device().startCopy(to, from, bytes, count, exist);
}

void emulatedGroup() { device().block.endGroup(); }

void emulatedWait(int32_t groups) { device().waitForCopies(groups); }

void emulatedSharedProduct(int32_t site, int32_t kind, int32_t columns, uint64_t left,
                           int32_t isLeftTurned, uint64_t right, int32_t isRightTurned,
                           float *sums) {
  device().multiplyShared(
      site, {FactorKind(kind), columns, {left, isLeftTurned != 0}, {right, isRightTurned != 0}},
      sums);
}

void emulatedProductGroup() { device().block.endProducts(); }

void emulatedProductWait(int32_t groups) { device().waitForProducts(groups); }

float emulatedSharedSum(float name, int32_t position) { return device().sumOf(name, position); }

void emulatedSumFence() { device().fenceSums(); }

void emulatedProxyFence() { device().fence(); }

void emulatedSignalInit(int32_t signal, int32_t numThreads) {
  device().block.initSignal(signal, numThreads);
}

void emulatedArrive(int32_t signal) { device().block.arrive(signal); }

void emulatedExpect(int32_t signal, int32_t bytes) {
  device().block.expect(signal, bytes);
  device().block.arrive(signal);
}

void emulatedSignalWait(int32_t signal, int32_t parity) {
  device().block.waitForSignal(signal, parity);
}

void emulatedTensorMap(TensorMap *map, const char *base, int32_t elementBytes, int32_t numAxes) {
  map->base = base;
  map->elementBytes = elementBytes;
  map->numAxes = numAxes;
}

void emulatedTensorAxis(TensorMap *map, int32_t axis, int64_t size, int64_t stride, int64_t box) {
  map->axes[axis] = {uint32_t(size), uint32_t(box), stride * map->elementBytes};
}

void emulatedTensorCopy(char *to, const TensorMap *map, int32_t signal, int32_t x, int32_t y,
                        int32_t z, int32_t u, int32_t v) {
  device().copyTensor(*map, {x, y, z, u, v}, signal, to);
}

} // namespace

std::map<std::string, void *> emulationSymbols() {
  return {{"nnc_parallel_for", reinterpret_cast<void *>(&parallelFor)},
          {"nnc_emulated_launch", reinterpret_cast<void *>(&emulatedLaunch)},
          {"nnc_emulated_number", reinterpret_cast<void *>(&emulatedNumber)},
          {"nnc_emulated_barrier", reinterpret_cast<void *>(&emulatedBarrier)},
          {"nnc_emulated_shuffle", reinterpret_cast<void *>(&emulatedShuffle)},
          {"nnc_emulated_product", reinterpret_cast<void *>(&emulatedProduct)},
          {"nnc_emulated_sum", reinterpret_cast<void *>(&emulatedSum)},
          {"nnc_emulated_shared", reinterpret_cast<void *>(&emulatedShared)},
          {"nnc_emulated_matrices", reinterpret_cast<void *>(&emulatedMatrices)},
          {"nnc_emulated_matrix", reinterpret_cast<void *>(&emulatedMatrix)},
          {"nnc_emulated_copy", reinterpret_cast<void *>(&emulatedCopy)},
          {"nnc_emulated_group", reinterpret_cast<void *>(&emulatedGroup)},
          {"nnc_emulated_wait", reinterpret_cast<void *>(&emulatedWait)},
          {"nnc_emulated_shared_product", reinterpret_cast<void *>(&emulatedSharedProduct)},
          {"nnc_emulated_product_group", reinterpret_cast<void *>(&emulatedProductGroup)},
          {"nnc_emulated_product_wait", reinterpret_cast<void *>(&emulatedProductWait)},
          {"nnc_emulated_shared_sum", reinterpret_cast<void *>(&emulatedSharedSum)},
          {"nnc_emulated_sum_fence", reinterpret_cast<void *>(&emulatedSumFence)},
          {"nnc_emulated_proxy_fence", reinterpret_cast<void *>(&emulatedProxyFence)},
          {"nnc_emulated_signal_init", reinterpret_cast<void *>(&emulatedSignalInit)},
          {"nnc_emulated_arrive", reinterpret_cast<void *>(&emulatedArrive)},
          {"nnc_emulated_expect", reinterpret_cast<void *>(&emulatedExpect)},
          {"nnc_emulated_signal_wait", reinterpret_cast<void *>(&emulatedSignalWait)},
          {"nnc_emulated_tensor_map", reinterpret_cast<void *>(&emulatedTensorMap)},
          {"nnc_emulated_tensor_axis", reinterpret_cast<void *>(&emulatedTensorAxis)},
          {"nnc_emulated_tensor_copy", reinterpret_cast<void *>(&emulatedTensorCopy)},
          {"nnc_emulated_access", reinterpret_cast<void *>(&emulatedAccess)}};
}

void startEmulation(uint64_t seed) { device().start(seed); }
std::string emulationReport() { return device().problems; }
uint64_t emulatedLaunches() { return device().numLaunches; }

} // namespace nnc
