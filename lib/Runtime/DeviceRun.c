//===- DeviceRun.c - Entries and kernels on the device --------------------===//
//
// An entry's code launches its kernels on the stream, one by one. The second time that it is called with
// the same sizes and addresses, the launches are recorded as a graph, which is one call of the driver from
// then on.
//
// Arrays in host memory have a place on the device, two for each, in turn: what a call reads is copied to
// one while the call before it still uses the other. Arrays on the device that are elsewhere each time, as
// batches of a table are, are copied to such a place, too, once there were more of them than graphs are kept:
// that costs less than many launches.
//
//===----------------------------------------------------------------------===//
#include "Device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  kGraphs = 8,
  kPlaces = 2,
  /// Of arrays, as kernels load several elements at once.
  kAlignment = 64,
  /// A graph of more is dear to make, and saves less.
  kMostLaunches = 20000,
  /// Bytes of an array that may be copied for the sake of a graph.
  kMostMoved = 4 << 20,
};

/// The launches of a call, known by what they depend on.
struct Graph {
  /// The values of the symbols, then the addresses; null if the slot is free.
  uint64_t *key;
  /// Null as long as there was but one such call, or if its launches are too many.
  CudaGraphExec exec;
  bool hasRun, isTooLong;
  /// The call that used it last.
  uint64_t time;
};

/// Where the arrays of a call are on the device if the caller has them on the host.
struct Place {
  CudaAddress *addresses;
  size_t *sizes;
  /// The copies to it are done; nothing uses it any more.
  CudaEvent filled, released;
};

/// What an entry's `known` points to.
struct Known {
  const nnc_variant *variant;
  struct Place places[kPlaces];
  unsigned turn;
  struct Graph graphs[kGraphs];
  uint64_t calls;
  /// Calls that were like none that is known.
  uint64_t news;
  /// Where each array was last, and whether it was elsewhere before.
  const void **last;
  bool *varies;
};

/// Temporaries of whatever runs, larger when one asks for more.
static CudaAddress arena;
static size_t arenaBytes;

static bool makeEvents(struct Place *place) {
  struct CudaDriver *cuda = &nncDevice.cuda;
  return nncCheck(cuda->eventCreate(&place->filled, kCudaDisableTiming), "cuEventCreate", NULL) &&
         nncCheck(cuda->eventCreate(&place->released, kCudaDisableTiming), "cuEventCreate", NULL);
}

static struct Known *knowEntry(nnc_entry *entry) {
  if (entry->known)
    return entry->known;
  const nnc_variant *variant = nncChooseVariant(entry);
  if (!variant)
    return NULL;
  struct Known *known = calloc(1, sizeof *known);
  bool isGood = known || nncFail("out of memory");
  if (isGood) {
    known->variant = variant;
    known->last = calloc((size_t)entry->num_buffers + 1, sizeof *known->last);
    known->varies = calloc((size_t)entry->num_buffers + 1, sizeof *known->varies);
    isGood = (known->last && known->varies) || nncFail("out of memory");
  }
  for (int i = 0; isGood && i < kPlaces; ++i) {
    struct Place *place = &known->places[i];
    size_t count = (size_t)entry->num_buffers + 1;
    place->addresses = calloc(count, sizeof *place->addresses);
    place->sizes = calloc(count, sizeof *place->sizes);
    isGood = (place->addresses && place->sizes) || nncFail("out of memory");
    isGood = isGood && makeEvents(place);
  }
  if (isGood)
    return entry->known = known;
  for (int i = 0; known && i < kPlaces; ++i) {
    free(known->places[i].addresses);
    free(known->places[i].sizes);
  }
  if (known) {
    free(known->last);
    free(known->varies);
  }
  free(known);
  return NULL;
}

/// Makes `*address` memory for `bytes`. What was there may be in use by what still runs.
static bool grow(CudaAddress *address, size_t *size, size_t bytes) {
  if (*size >= bytes)
    return true;
  struct CudaDriver *cuda = &nncDevice.cuda;
  if (*address &&
      (!nncWait("temporaries") || !nncCheck(cuda->memFree(*address), "cuMemFree", NULL)))
    return false;
  *size = 0;
  *address = nncAllocate(bytes);
  if (*address)
    *size = bytes;
  return *address != 0;
}

/// The graph for `key`, or the slot that was not used for longest, emptied, with that key.
static struct Graph *findGraph(struct Known *known, const uint64_t *key, size_t count) {
  struct Graph *oldest = &known->graphs[0];
  for (int i = 0; i < kGraphs; ++i) {
    struct Graph *graph = &known->graphs[i];
    if (graph->key && memcmp(graph->key, key, count * sizeof *key) == 0) {
      graph->time = known->calls;
      return graph;
    }
    if (graph->time < oldest->time)
      oldest = graph;
  }
  if (oldest->exec)
    nncDevice.cuda.graphExecDestroy(oldest->exec);
  oldest->exec = NULL;
  oldest->hasRun = oldest->isTooLong = false;
  oldest->time = known->calls;
  if (!oldest->key)
    oldest->key = malloc(count * sizeof *key);
  if (!oldest->key) {
    nncFail("out of memory");
    return NULL;
  }
  memcpy(oldest->key, key, count * sizeof *key);
  return oldest;
}

static bool launchAll(const nnc_variant *variant, void *const *addresses, const int64_t *symbols) {
  nncDevice.hasFailed = false;
  nncDevice.numLaunches = 0;
  variant->run(addresses, symbols, (void *)(uintptr_t)arena);
  return !nncDevice.hasFailed;
}

/// Records the launches of a call into `graph`.
static bool record(const nnc_entry *entry, const nnc_variant *variant, struct Graph *graph,
                   void *const *addresses, const int64_t *symbols) {
  struct CudaDriver *cuda = &nncDevice.cuda;
  CudaGraph recorded = NULL;
  if (!nncCheck(cuda->beginCapture(nncDevice.stream, kCudaCaptureRelaxed), "cuStreamBeginCapture",
                entry->name))
    return false;
  bool isGood = launchAll(variant, addresses, symbols);
  isGood &=
      nncCheck(cuda->endCapture(nncDevice.stream, &recorded), "cuStreamEndCapture", entry->name);
  isGood = isGood && nncCheck(cuda->graphInstantiate(&graph->exec, recorded, 0),
                              "cuGraphInstantiate", entry->name);
  if (recorded)
    cuda->graphDestroy(recorded);
  if (!isGood)
    graph->exec = NULL;
  return isGood;
}

static bool runKernels(nnc_entry *entry, struct Known *known, const uint64_t *key, size_t count,
                       void *const *addresses, const int64_t *symbols) {
  if (nncDevice.checksKernels)
    return launchAll(known->variant, addresses, symbols);
  ++known->calls;
  struct Graph *graph = findGraph(known, key, count);
  if (!graph)
    return false;
  known->news += !graph->hasRun;
  if (!graph->hasRun || graph->isTooLong) {
    graph->hasRun = launchAll(known->variant, addresses, symbols);
    graph->isTooLong = nncDevice.numLaunches > kMostLaunches;
    return graph->hasRun;
  }
  if (!graph->exec && !record(entry, known->variant, graph, addresses, symbols))
    return false;
  return nncCheck(nncDevice.cuda.graphLaunch(graph->exec, nncDevice.stream), "cuGraphLaunch",
                  entry->name);
}

/// A call: its arrays as the caller gave them, and where they are on the device.
struct Call {
  nnc_entry *entry;
  void *const *buffers;
  size_t *bytes;
  bool *onHost;
  void **addresses;
  struct Place *place;
  bool readsHost, writesHost;
};

/// Whether array `slot` is one that the host has and the code uses so.
static bool isOnHost(const struct Call *call, int64_t slot, int use) {
  return call->onHost[slot] && (call->entry->buffers[slot].use & use);
}

/// Whether array `slot`, which is on the device, is to be copied to a place of ours.
static bool isMoved(const struct Call *call, struct Known *known, int64_t slot) {
  const void *address = call->buffers[slot];
  if (call->onHost[slot] || call->bytes[slot] == 0 || call->bytes[slot] > kMostMoved ||
      call->entry->buffers[slot].use != nnc_buffer_read)
    return false;
  known->varies[slot] |= known->last[slot] && known->last[slot] != address;
  known->last[slot] = address;
  return known->varies[slot] && known->news > kGraphs;
}

/// Moves array `slot` to `place` on the device.
static bool move(struct Call *call, struct Place *place, int64_t slot) {
  if (!grow(&place->addresses[slot], &place->sizes[slot], call->bytes[slot]))
    return false;
  call->addresses[slot] = (void *)(uintptr_t)place->addresses[slot];
  return nncCheck(nncDevice.cuda.copyOnDevice(place->addresses[slot],
                                              (CudaAddress)(uintptr_t)call->buffers[slot],
                                              call->bytes[slot], nncDevice.stream),
                  "cuMemcpyDtoDAsync", call->entry->name);
}

/// Finds where each array is, makes a place for those on the host, and copies what is read.
static bool placeArrays(struct Call *call, struct Known *known, const int64_t *symbols) {
  struct CudaDriver *cuda = &nncDevice.cuda;
  const nnc_entry *entry = call->entry;
  for (int64_t slot = 0; slot < entry->num_buffers; ++slot) {
    const nnc_buffer *buffer = &entry->buffers[slot];
    call->bytes[slot] = buffer->use ? (size_t)buffer->bytes(symbols) : 0;
    call->onHost[slot] = call->bytes[slot] > 0 && !nncIsOnDevice(call->buffers[slot]);
    call->addresses[slot] = buffer->use ? call->buffers[slot] : NULL;
    if (call->bytes[slot] > 0 && !call->onHost[slot] &&
        (uintptr_t)call->buffers[slot] % kAlignment != 0)
      return nncFail("%s: expected arrays on the device aligned to %d bytes, found array %" PRId64
                     " at %p",
                     entry->name, kAlignment, slot, call->buffers[slot]);
    call->readsHost |= isOnHost(call, slot, nnc_buffer_read);
    call->writesHost |= isOnHost(call, slot, nnc_buffer_written);
  }
  bool usesHost = call->readsHost || call->writesHost;
  struct Place *place = &known->places[usesHost ? known->turn++ % kPlaces : 0];
  for (int64_t slot = 0; slot < entry->num_buffers; ++slot)
    if (isMoved(call, known, slot) && !move(call, place, slot))
      return false;
  if (!usesHost)
    return true;
  call->place = place;
  if (call->readsHost && !nncCheck(cuda->streamWaitEvent(nncDevice.copies, place->released, 0),
                                   "cuStreamWaitEvent", entry->name))
    return false;
  for (int64_t slot = 0; slot < entry->num_buffers; ++slot) {
    if (!isOnHost(call, slot, nnc_buffer_read | nnc_buffer_written))
      continue;
    if (!grow(&place->addresses[slot], &place->sizes[slot], call->bytes[slot]))
      return false;
    call->addresses[slot] = (void *)(uintptr_t)place->addresses[slot];
    if (isOnHost(call, slot, nnc_buffer_read) &&
        !nncCheck(cuda->copyToDevice(place->addresses[slot], call->buffers[slot], call->bytes[slot],
                                     nncDevice.copies),
                  "cuMemcpyHtoDAsync", entry->name))
      return false;
  }
  return !call->readsHost || (nncCheck(cuda->eventRecord(place->filled, nncDevice.copies),
                                       "cuEventRecord", entry->name) &&
                              nncCheck(cuda->streamWaitEvent(nncDevice.stream, place->filled, 0),
                                       "cuStreamWaitEvent", entry->name));
}

/// Copies what was written to the host, and waits for as much as the caller has to.
static bool finish(const struct Call *call) {
  struct CudaDriver *cuda = &nncDevice.cuda;
  const nnc_entry *entry = call->entry;
  if (!call->place)
    return true;
  for (int64_t slot = 0; slot < entry->num_buffers; ++slot)
    if (isOnHost(call, slot, nnc_buffer_written) &&
        !nncCheck(cuda->copyToHost(call->buffers[slot],
                                   (CudaAddress)(uintptr_t)call->addresses[slot], call->bytes[slot],
                                   nncDevice.stream),
                  "cuMemcpyDtoHAsync", entry->name))
      return false;
  if (!nncCheck(cuda->eventRecord(call->place->released, nncDevice.stream), "cuEventRecord",
                entry->name))
    return false;
  return call->writesHost
             ? nncWait(entry->name)
             : nncCheck(cuda->eventSynchronize(call->place->filled), entry->name, NULL);
}

static bool runOnGpu(nnc_entry *entry, void *const *buffers, const int64_t *symbols) {
  struct Known *known = knowEntry(entry);
  if (!known)
    return false;
  size_t numBuffers = (size_t)entry->num_buffers, numSymbols = (size_t)entry->num_symbols;
  size_t bytes[numBuffers + 1];
  bool onHost[numBuffers + 1];
  void *addresses[numBuffers + 1];
  uint64_t key[numSymbols + numBuffers + 1];
  struct Call call = {
      .entry = entry, .buffers = buffers, .bytes = bytes, .onHost = onHost, .addresses = addresses};
  if (!placeArrays(&call, known, symbols) ||
      !grow(&arena, &arenaBytes, (size_t)known->variant->workspace(symbols)))
    return false;
  for (size_t i = 0; i < numSymbols; ++i)
    key[i] = (uint64_t)symbols[i];
  for (size_t i = 0; i < numBuffers; ++i)
    key[numSymbols + i] = (uintptr_t)addresses[i];
  key[numSymbols + numBuffers] = arena;
  return runKernels(entry, known, key, numSymbols + numBuffers + 1, addresses, symbols) &&
         finish(&call);
}

void nnc_device_run(nnc_entry *entry, void *const *buffers, const int64_t *symbols,
                    void *workspace) {
  bool isOpen = nncEnterDevice(), onCpu = isOpen && !nncUsesGpu();
  if (isOpen && !onCpu)
    runOnGpu(entry, buffers, symbols);
  nncLeaveDevice();
  if (onCpu)
    entry->cpu(buffers, symbols, workspace);
}

int64_t nnc_device_workspace(nnc_entry *entry, const int64_t *symbols) {
  enum { kLeast = 64 }; // as aligned_alloc may give null for nothing
  bool isOpen = nncEnterDevice(), onCpu = isOpen && !nncUsesGpu();
  nncLeaveDevice();
  return onCpu ? entry->cpu_workspace(symbols) : kLeast;
}
