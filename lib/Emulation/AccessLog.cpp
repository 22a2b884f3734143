//===- AccessLog.cpp - Who touched which place ----------------------------===//
//
// Threads of a block are ordered by barriers, threads of different blocks by nothing. Of the reads of a place one
// moment is kept: that of the last, or that several threads read it after the same barrier, or several blocks.
//
//===----------------------------------------------------------------------===//
#include "AccessLog.h"

namespace nnc {

static bool counts(const Moment &moment, const Clock &clock) { return moment.time >= clock.oldest; }

static bool isOfBlock(const Moment &moment, const Clock &clock) {
  return moment.time >= clock.block && !moment.isOfSeveralBlocks;
}

/// Whether `before` is known to be over for the thread.
static bool isOver(const Moment &before, const Clock &clock, const Moment &now) {
  if (!counts(before, clock))
    return true;
  bool isOwn = before.thread == now.thread && !before.isOfSeveralThreads;
  return isOfBlock(before, clock) && (isOwn || before.time < now.time);
}

bool AccessLog::isWriteOver(const Place &place, const Clock &clock, const Moment &now) {
  if (place.signal == 0 || !counts(place.write, clock))
    return isOver(place.write, clock, now);
  auto number = size_t(place.signal - 1);
  return isOfBlock(place.write, clock) && clock.known && number < clock.known->size() &&
         (*clock.known)[number] >= place.phases;
}

inline AccessLog::Place &AccessLog::find(uintptr_t address, int32_t bytes) {
  uint64_t size = __builtin_ctz(unsigned(bytes)), number = address >> size;
  uint64_t key = number / kPagePlaces << 4 | size;
  Recent &last = recent[(number / kPagePlaces) % kRecent];
  if (!last.page || last.key != key) {
    std::unique_ptr<Page> &page = pages[key];
    if (!page)
      page = std::make_unique<Page>();
    last = {key, page.get()};
  }
  return last.page->places[number % kPagePlaces];
}

std::optional<Race> AccessLog::add(uintptr_t address, int32_t bytes, int32_t count,
                                   const Clock &clock, const Moment &now, Access access) {
  std::optional<Race> first;
  Place *next = nullptr;
  for (int32_t element = 0; element < count; ++element) {
    uintptr_t here = address + uintptr_t(element) * bytes;
    bool isOnPage = next && (here & (kPagePlaces * bytes - 1)) != 0;
    Place &place = isOnPage ? *next : find(here, bytes);
    next = &place + 1;
    // Where nobody has written since such a read, it has been looked at.
    if (access == Access::Read && place.read.time == now.time && !place.read.isOfSeveralBlocks &&
        (place.read.isOfSeveralThreads || place.read.thread == now.thread))
      continue;
    std::optional<Race> race = add(place, clock, now, access);
    if (!first)
      first = race;
  }
  return first;
}

std::optional<Race> AccessLog::add(Place &place, const Clock &clock, const Moment &now,
                                   Access access) {
  std::optional<Race> race;
  if (counts(place.copy, clock))
    race = Race{place.copy, now, Access::Copy, access};
  else if (!isWriteOver(place, clock, now))
    race = Race{place.write, now, place.signal == 0 ? Access::Write : Access::Tensor, access};
  if (access == Access::Read) {
    place.addRead(clock, now);
    return race;
  }
  bool isMultiplied = place.numProducts != 0 && counts(place.product, clock);
  if (access == Access::Product) {
    place.numProducts = int16_t(isMultiplied ? place.numProducts + 1 : 1);
    place.product = now;
    return race;
  }
  if (!race && isMultiplied)
    race = Race{place.product, now, Access::Product, access};
  // Those who read tell one who has tensors copied so by barriers in shared memory, which say nothing of threads.
  if (!race && access != Access::Tensor && !isOver(place.read, clock, now))
    race = Race{place.read, now, Access::Read, access};
  (access == Access::Copy ? place.copy : place.write) = now;
  place.read = {};
  place.signal = 0;
  return race;
}

std::optional<Race> AccessLog::addTensor(uintptr_t address, int32_t bytes, const Clock &clock,
                                         const Moment &now, int32_t signal, uint32_t phases) {
  Place &place = find(address, bytes);
  std::optional<Race> race = add(place, clock, now, Access::Tensor);
  place.signal = int16_t(signal + 1);
  place.phases = phases;
  return race;
}

void AccessLog::Place::addRead(const Clock &clock, const Moment &now) {
  if (!counts(read, clock) || (isOfBlock(read, clock) && read.time < now.time))
    read = now;
  else if (!isOfBlock(read, clock))
    read.isOfSeveralBlocks = 1;
  else if (read.thread != now.thread)
    read.isOfSeveralThreads = 1;
}

void AccessLog::finishCopy(uintptr_t address, int32_t bytes, const Moment &now) {
  Place &place = find(address, bytes);
  place.copy = {};
  place.write = now;
}

void AccessLog::finishProduct(uintptr_t address, int32_t bytes, const Clock &clock,
                              const Moment &now) {
  Place &place = find(address, bytes);
  --place.numProducts;
  place.addRead(clock, now);
}

std::optional<Moment> AccessLog::lastWrite(uintptr_t address, int32_t bytes, const Clock &clock) {
  const Place &place = find(address, bytes);
  return place.signal == 0 && counts(place.write, clock) ? std::optional(place.write)
                                                         : std::nullopt;
}

} // namespace nnc
