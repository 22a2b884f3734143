//===- AccessLog.cpp - Who touched which place ----------------------------===//
//
// Threads of a block are ordered by barriers, threads of different blocks by nothing. Of the reads of a place one
// moment is kept: that of the last, or that several threads read it after the same barrier, or several blocks.
//
//===----------------------------------------------------------------------===//
#include "AccessLog.h"

namespace nnc {

static constexpr int64_t kNone = -1, kSeveralBlocks = -2;
static constexpr int32_t kSeveralThreads = -1;

/// Whether `before` is known to be over at `now`.
static bool isOver(const Moment &before, const Moment &now) {
  if (before.block == kNone)
    return true;
  return before.block == now.block &&
         (before.thread == now.thread || before.barriers < now.barriers);
}

void AccessLog::clear() {
  ++generation;
  count = 0;
}

void AccessLog::grow() {
  std::vector<Place> old(places.size() * 2);
  old.swap(places);
  count = 0;
  for (const Place &place : old)
    if (place.generation == generation)
      find(place.address) = place;
}

AccessLog::Place &AccessLog::find(uintptr_t address) {
  size_t mask = places.size() - 1;
  size_t slot = (address * 0x9e3779b97f4a7c15u >> 20) & mask;
  while (places[slot].generation == generation && places[slot].address != address)
    slot = (slot + 1) & mask;
  Place &place = places[slot];
  if (place.generation != generation) {
    place = {address, generation, {}, {}, {}, {}};
    ++count;
  }
  return place;
}

std::optional<Race> AccessLog::add(uintptr_t address, Moment now, Access access) {
  if (count * 2 > places.size())
    grow();
  Place &place = find(address);
  std::optional<Race> race;
  if (place.copy.block != kNone)
    race = Race{place.copy, now, Access::Copy, access};
  else if (!isOver(place.write, now))
    race = Race{place.write, now, Access::Write, access};
  if (access == Access::Product) {
    place.product = now;
    ++place.numProducts;
    return race;
  }
  if (access != Access::Read) {
    if (!race && place.numProducts != 0)
      race = Race{place.product, now, Access::Product, access};
    if (!race && !isOver(place.read, now))
      race = Race{place.read, now, Access::Read, access};
    (access == Access::Copy ? place.copy : place.write) = now;
    place.read = {};
    return race;
  }
  place.addRead(now);
  return race;
}

void AccessLog::Place::addRead(const Moment &now) {
  if (read.block == kNone || (read.block == now.block && read.barriers < now.barriers))
    read = now;
  else if (read.block != now.block)
    read.block = kSeveralBlocks;
  else if (read.thread != now.thread)
    read.thread = kSeveralThreads;
}

void AccessLog::finishCopy(uintptr_t address, Moment now) {
  Place &place = find(address);
  place.copy = {};
  place.write = now;
}

void AccessLog::finishProduct(uintptr_t address, Moment now) {
  Place &place = find(address);
  --place.numProducts;
  place.addRead(now);
}

} // namespace nnc
