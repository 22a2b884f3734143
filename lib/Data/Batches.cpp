//===- Batches.cpp - The batches of a training ----------------------------===//
//
// A stream's threads take the next free place of a ring, make its batch, and mark it as ready; the
// reader waits for the places in their order. Which thread made a batch leaves no trace in it.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Batches.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

namespace nnc {

//===----------------------------------------------------------------------===//
// Any batch
//===----------------------------------------------------------------------===//

BatchSource::BatchSource(const Dataset &dataset, BatchOptions batchOptions)
    : dataset(dataset), options(std::move(batchOptions)),
      batchSize(options.size.value_or(std::max<int64_t>(dataset.numRows(), 1))),
      rowsPerEpoch(dataset.numRows()), augmenter(dataset, options.augmentations, options.seed) {
  if (options.dropLast && rowsPerEpoch >= batchSize)
    rowsPerEpoch -= rowsPerEpoch % batchSize;
}

int64_t BatchSource::batchesPerEpoch() const {
  return std::max<int64_t>((rowsPerEpoch + batchSize - 1) / batchSize, 1);
}

DataCursor BatchSource::cursorAt(int64_t step) const {
  return {step / batchesPerEpoch(), step % batchesPerEpoch() * batchSize};
}

DataCursor BatchSource::after(DataCursor cursor) const {
  int64_t position = cursor.position + batchSize;
  return position < rowsPerEpoch ? DataCursor{cursor.epoch, position}
                                 : DataCursor{cursor.epoch + 1, 0};
}

int64_t BatchSource::rowsAt(DataCursor cursor) const {
  return std::clamp<int64_t>(rowsPerEpoch - cursor.position, 0, batchSize);
}

std::vector<Tensor> BatchSource::allocate(int64_t count) const {
  std::vector<Tensor> batch;
  for (size_t field = 0; field < dataset.columns.size(); ++field) {
    TensorShape shape = augmenter.shapeOf(field);
    shape.insert(shape.begin(), count);
    batch.emplace_back(dataset.columns[field].type(), shape, options.memory);
  }
  return batch;
}

RowIndices BatchSource::orderOf(int64_t epoch) const {
  if (options.isShuffled)
    return permutation(dataset.numRows(), options.seed, epoch);
  RowIndices order(static_cast<size_t>(dataset.numRows()));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

void BatchSource::fill(DataCursor cursor, const RowIndices &order,
                       std::vector<Tensor> &batch) const {
  for (int64_t row = 0, count = rowsAt(cursor); row < count; ++row)
    augmenter.write(order[size_t(cursor.position + row)], cursor.epoch, batch, row);
}

bool BatchSource::isCostly() const {
  // Waking a thread takes as long as copying some ten thousand bytes.
  constexpr size_t cheapBytes = 65536;
  size_t bytes = 0;
  for (const Tensor &column : dataset.columns)
    bytes += column.sizeInBytes() / size_t(std::max<int64_t>(dataset.numRows(), 1));
  return !augmenter.isEmpty() || bytes * size_t(batchSize) > cheapBytes;
}

//===----------------------------------------------------------------------===//
// One after the other
//===----------------------------------------------------------------------===//

namespace {
/// A place of the ring: memory for a batch of each number of rows that there is.
struct Place {
  std::map<int64_t, std::vector<Tensor>> memory;
  std::vector<Tensor> *batch = nullptr;
  bool isReady = false;
};
} // namespace

struct BatchStream::Shared {
  Shared(const BatchSource &source, DataCursor start, size_t places)
      : source(source), toMake(start), toGive(start), ring(places) {}

  /// Makes the batch at `cursor` in `place`.
  void make(Place &place, DataCursor cursor, const RowIndices &order) {
    int64_t rows = source.rowsAt(cursor);
    auto memory = place.memory.find(rows);
    if (memory == place.memory.end())
      memory = place.memory.emplace(rows, source.allocate(rows)).first;
    source.fill(cursor, order, memory->second);
    place.batch = &memory->second;
  }

  /// The order of the rows of an epoch. The two last ones are kept: some threads may still be at the
  /// end of an epoch when others begin the next.
  std::shared_ptr<const RowIndices> orderOf(int64_t epoch) {
    std::lock_guard<std::mutex> lock(orderMutex);
    std::shared_ptr<const RowIndices> &order = orders[epoch];
    if (!order)
      order = std::make_shared<RowIndices>(source.orderOf(epoch));
    std::shared_ptr<const RowIndices> result = order;
    if (orders.size() > 2)
      orders.erase(orders.begin());
    return result;
  }

  /// What each thread does.
  void work() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      placeIsFree.wait(lock, [&] { return isEnding || made < given + ring.size(); });
      if (isEnding)
        return;
      DataCursor cursor = toMake;
      toMake = source.after(cursor);
      Place &place = ring[made++ % ring.size()];
      lock.unlock();
      make(place, cursor, *orderOf(cursor.epoch));
      lock.lock();
      place.isReady = true;
      batchIsReady.notify_one();
    }
  }

  const BatchSource &source;
  std::mutex orderMutex;
  std::map<int64_t, std::shared_ptr<const RowIndices>> orders;

  std::mutex mutex; ///< of all that follows
  std::condition_variable placeIsFree, batchIsReady;
  DataCursor toMake, toGive;
  std::vector<Place> ring;
  /// Batches that threads have taken on, and those whose memory has been given back.
  size_t made = 0, given = 0;
  Place *inUse = nullptr;
  bool isEnding = false;
  std::vector<std::thread> threads;
};

BatchStream::BatchStream(const BatchSource &source, DataCursor start, unsigned threads)
    : shared(std::make_unique<Shared>(source, start, threads == 0 ? 1 : threads + 2)) {
  for (unsigned i = 0; i < threads; ++i)
    shared->threads.emplace_back([state = shared.get()] { state->work(); });
}

BatchStream::~BatchStream() {
  {
    std::lock_guard<std::mutex> lock(shared->mutex);
    shared->isEnding = true;
  }
  shared->placeIsFree.notify_all();
  for (std::thread &thread : shared->threads)
    thread.join();
}

std::vector<Tensor> &BatchStream::next() {
  Shared &state = *shared;
  DataCursor cursor = state.toGive;
  state.toGive = state.source.after(cursor);
  if (state.threads.empty()) {
    state.make(state.ring[0], cursor, *state.orderOf(cursor.epoch));
    return *state.ring[0].batch;
  }
  std::unique_lock<std::mutex> lock(state.mutex);
  if (state.inUse) {
    state.inUse->isReady = false;
    ++state.given;
    state.placeIsFree.notify_one();
  }
  state.inUse = &state.ring[state.given % state.ring.size()];
  state.batchIsReady.wait(lock, [&] { return state.inUse->isReady; });
  return *state.inUse->batch;
}

DataCursor BatchStream::cursor() const { return shared->toGive; }

} // namespace nnc
