/* Calls an entry as the compiler makes them, where there is no compiler: y = x * w, w = w + 1 for n numbers,
 * by two kernels with a temporary between them. */
#define _GNU_SOURCE
#include "fake_cuda.h"
#include "nnc/Runtime/nnc_device.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *memory(void *address, size_t count) {
  static void *(*look)(uint64_t, size_t);
  if (!look) {
    void *found = dlsym(dlopen("libcuda.so.1", RTLD_NOW), "fake_memory");
    memcpy(&look, &found, sizeof look);
  }
  return look((uint64_t)(uintptr_t)address, count * sizeof(float));
}

/* What the PTX would do. */
void fake_kernel_multiply(const unsigned *grid, const unsigned *block, void **arguments);
void fake_kernel_multiply(const unsigned *grid, const unsigned *block, void **arguments) {
  int64_t n = *(int64_t *)arguments[3];
  float *x = memory(*(void **)arguments[0], n), *w = memory(*(void **)arguments[1], n);
  float *z = memory(*(void **)arguments[2], n);
  for (int64_t i = 0; i < n && i < (int64_t)grid[0] * block[0]; ++i)
    z[i] = x[i] * w[i];
}
void fake_kernel_update(const unsigned *grid, const unsigned *block, void **arguments);
void fake_kernel_update(const unsigned *grid, const unsigned *block, void **arguments) {
  int64_t n = *(int64_t *)arguments[3];
  float *z = memory(*(void **)arguments[0], n), *w = memory(*(void **)arguments[1], n);
  float *y = memory(*(void **)arguments[2], n);
  for (int64_t i = 0; i < n && i < (int64_t)grid[0] * block[0]; ++i) {
    y[i] = z[i];
    w[i] += 1;
  }
}

/* What the compiler would write down. */
#ifndef PTX
#define PTX                                                                                        \
  ".entry multiply(\n .param .u64 x,\n .param .u64 w,\n .param .u64 z,\n .param .u64 n)\n"         \
  ".entry update(\n .param .u64 z,\n .param .u64 w,\n .param .u64 y,\n .param .u64 n)\n"
#endif
static const char *const names[] = {"multiply", "update"};
static nnc_kernels kernels = {"sm_90a", PTX, "cubin", 2, names, NULL};

static int repetitions = 1, isHuge, hasTensor;
static int64_t bytes(const int64_t *symbols) { return 4 * symbols[0]; }
static void onGpu(void *const *buffers, const int64_t *symbols, void *workspace) {
  int64_t blocks[] = {isHuge ? INT64_C(1) << 32 : (symbols[0] + 255) / 256, 1, 1},
          threads[] = {256, 1, 1};
  void *x = buffers[0], *w = buffers[1], *y = buffers[3];
  int64_t n = symbols[0];
  void *first[] = {&x, &w, &workspace, &n}, *second[] = {&workspace, &w, &y, &n};
  if (hasTensor) {
    _Alignas(64) char map[128];
    int64_t sizes[] = {2, n, 8}, strides[] = {64, 16, 1}, box[] = {1, 4, 64};
    nnc_device_tensor_map(map, "net.nn:3:7", x, 3, sizes, strides, box);
  }
  for (int i = 0; i < repetitions; ++i)
    nnc_device_launch(&kernels, 0, "net.nn:3:7", blocks, threads, 0, first);
  nnc_device_launch(&kernels, 1, "net.nn:4:7", blocks, threads, 60000, second);
}
static void onCpu(void *const *buffers, const int64_t *symbols, void *workspace) {
  float *x = buffers[0], *w = buffers[1], *z = workspace, *y = buffers[3];
  for (int64_t i = 0; i < symbols[0]; ++i)
    z[i] = x[i] * w[i];
  for (int64_t i = 0; i < symbols[0]; ++i) {
    y[i] = z[i];
    w[i] += 1;
  }
}
static const nnc_buffer buffers[] = {{bytes, nnc_buffer_read},
                                     {bytes, nnc_buffer_read | nnc_buffer_written},
                                     {NULL, 0},
                                     {bytes, nnc_buffer_written}};
/* The newest that runs here is taken, whatever the order; FAR stands for what does not. */
static void astray(void *const *buffers, const int64_t *symbols, void *workspace) {
  (void)buffers, (void)symbols, (void)workspace;
  printf("code for another GPU\n");
}
#ifndef VARIANTS
#define VARIANTS                                                                                   \
  {"sm_80", astray, bytes}, {"sm_90a", onGpu, bytes}, {"sm_90", astray, bytes}, {                  \
    "sm_100", astray, bytes                                                                        \
  }
#endif
static const nnc_variant variants[] = {VARIANTS};
static nnc_entry entry = {
    "net.step", onCpu, bytes, sizeof variants / sizeof *variants, variants, 4, 1, buffers, NULL};

enum { kMost = 1000 };

static void step(float *x, float *w, float *y, int64_t n) {
  void *arrays[] = {x, w, w, y};
  void *workspace = malloc((size_t)nnc_device_workspace(&entry, &n));
  nnc_device_run(&entry, arrays, &n, workspace);
  free(workspace);
}

/* Steps with the state on the host or the device, and inputs in the memory of the step before. */
static int train(const char *where, int steps, int64_t n) {
  static float x[kMost], w[kMost], y[kMost];
  int keepsState = strcmp(where, "host") != 0, keepsAll = strcmp(where, "device") == 0;
  for (int i = 0; i < n; ++i)
    w[i] = (float)i;
  float *state = w, *result = y, *input = x;
  if (keepsState) {
    state = nnc_device_alloc(sizeof w);
    nnc_device_copy(state, w, sizeof w);
  }
  if (keepsAll) {
    result = nnc_device_alloc(sizeof y);
    input = nnc_device_alloc(sizeof x);
  }
  for (int k = 0; k < steps; ++k) {
    for (int i = 0; i < n; ++i)
      x[i] = (float)(k + 1);
    if (keepsAll)
      nnc_device_copy(input, x, sizeof x);
    step(input, state, result, n);
    if (keepsAll)
      nnc_device_copy(y, result, sizeof y);
    for (int i = 0; i < n; ++i)
      if (y[i] != (float)((k + 1) * (i + k))) {
        printf("step %d: expected %d at %d, found %g\n", k, (k + 1) * (i + k), i, y[i]);
        return 1;
      }
  }
  if (keepsState)
    nnc_device_copy(w, state, sizeof w);
  for (int i = 0; i < n; ++i)
    if (w[i] != (float)(i + steps)) {
      printf("state: expected %d at %d, found %g\n", i + steps, i, w[i]);
      return 1;
    }
  if (keepsState)
    nnc_device_free(state);
  if (keepsAll) {
    nnc_device_free(result);
    nnc_device_free(input);
  }
  printf("%s: %d steps of %d numbers on %s\n", where, steps, (int)n, nnc_device_name());
  return 0;
}

/* Inputs of the host, results on the device: a call may return early, but not before it has read. */
static int feed(int steps) {
  static float w[kMost], y[kMost];
  float *x = nnc_device_alloc_host(sizeof w);
  float *state = nnc_device_alloc(sizeof w), *results[3];
  nnc_device_copy(state, w, sizeof w);
  for (int k = 0; k < 3; ++k)
    results[k] = nnc_device_alloc(sizeof y);
  for (int k = 0; k < steps; ++k) {
    for (int i = 0; i < kMost; ++i)
      x[i] = (float)(k + 1);
    step(x, state, results[k % 3], kMost);
  }
  memset(x, 0, sizeof w);
  nnc_device_free_host(x);
  int wrong = 0;
  for (int k = steps - 3; k < steps; ++k) {
    nnc_device_copy(y, results[k % 3], sizeof y);
    for (int i = 0; i < kMost; ++i)
      wrong += y[i] != (float)((k + 1) * k);
  }
  printf("feed: %d wrong\n", wrong);
  return wrong != 0;
}

/* A graph does not outlive the memory of its temporaries, which grow. */
static int growArena(void) {
  static float x[kMost], w[kMost], y[kMost];
  float *arrays[3];
  for (int i = 0; i < kMost; ++i)
    x[i] = 2;
  for (int k = 0; k < 3; ++k) {
    arrays[k] = nnc_device_alloc(sizeof x);
    nnc_device_copy(arrays[k], k == 0 ? x : w, sizeof x);
  }
  for (int k = 0; k < 7; ++k)
    step(arrays[0], arrays[1], arrays[2], k == 3 ? kMost : 10);
  nnc_device_copy(y, arrays[2], sizeof y);
  printf("arena: %g %g\n", y[9], y[10]);
  return y[9] != 12 || y[10] != 0;
}

/* Batches of a table on the device: another address each time. */
static int readTable(int steps) {
  enum { kBatch = 64 };
  static float table[kMost * kBatch], w[kBatch], y[kBatch];
  for (int i = 0; i < kMost * kBatch; ++i)
    table[i] = (float)(i / kBatch);
  float *state = nnc_device_alloc(sizeof w), *result = nnc_device_alloc(sizeof y);
  float *x = nnc_device_alloc(sizeof table);
  nnc_device_copy(state, w, sizeof w);
  nnc_device_copy(x, table, sizeof table);
  for (int k = 0; k < steps; ++k) {
    step(x + k * kBatch, state, result, kBatch);
    nnc_device_copy(y, result, sizeof y);
    for (int i = 0; i < kBatch; ++i)
      if (y[i] != (float)(k * k)) {
        printf("step %d: expected %d, found %g\n", k, k * k, y[i]);
        return 1;
      }
  }
  printf("table: right\n");
  return 0;
}

/* A state in memory that another library took from the driver. */
static int useOthers(int steps) {
  static float x[kMost], w[kMost], y[kMost];
  int (*allocate)(uint64_t *, size_t);
  void *found = dlsym(dlopen("libcuda.so.1", RTLD_NOW), "cuMemAlloc_v2");
  memcpy(&allocate, &found, sizeof allocate);
  printf("on %s, %s\n", nnc_device_name(), nnc_device_stream() ? "in a stream" : "nowhere");
  uint64_t state;
  allocate(&state, sizeof w);
  float *there = (float *)(uintptr_t)state;
  nnc_device_copy(there, w, sizeof w);
  for (int k = 0; k < steps; ++k)
    step(x, there, y, kMost);
  nnc_device_copy(w, there, sizeof w);
  printf("others: %g\n", w[kMost - 1]);
  return w[kMost - 1] != (float)steps;
}

static void note(const char *message, void *context) {
  ++*(int *)context;
  printf("handled: %s\n", message);
}

int main(int argc, char **argv) {
  int steps = argc > 2 ? atoi(argv[2]) : 6;
  if (strcmp(argv[1], "feed") == 0)
    return feed(steps);
  if (strcmp(argv[1], "long") == 0) { /* too many launches for a graph */
    repetitions = 20000;
    return train("device", steps, 10);
  }
  if (strcmp(argv[1], "table") == 0)
    return readTable(steps);
  if (strcmp(argv[1], "others") == 0)
    return useOthers(steps);
  if (strcmp(argv[1], "free") == 0) {
    nnc_device_free(NULL);
    nnc_device_free_host(NULL);
    nnc_device_free(malloc(8));
    return 0;
  }
  if (strcmp(argv[1], "empty") == 0) { /* wherever arrays of nothing are */
    float one[2];
    step(one + 1, NULL, one + 1, 0);
    printf("empty: done\n");
    return 0;
  }
  if (strcmp(argv[1], "aligned") == 0) {
    float *all = nnc_device_alloc(4096), x[4] = {0}, y[4];
    step(x, all + 1, y, 4);
    return 0;
  }
  if (strcmp(argv[1], "huge") == 0) {
    isHuge = 1;
    return train("host", 1, 10);
  }
  if (strcmp(argv[1], "tensor") == 0) {
    hasTensor = 1;
    return train("host", 1, 10);
  }
  if (strcmp(argv[1], "arena") == 0)
    return growArena();
  if (strcmp(argv[1], "sizes") == 0) /* the arena and the places grow */
    return train("host", steps, 10) || train("state", steps, kMost) || train("host", steps, 500);
  if (strcmp(argv[1], "handler") == 0) {
    static float x[4], w[4], y[4];
    int errors = 0;
    nnc_device_on_error(note, &errors);
    for (int k = 0; k < steps; ++k)
      step(x, w, y, 4);
    printf("%d errors\n", errors);
    return 0;
  }
  if (strcmp(argv[1], "outside") == 0) { /* too short a state */
    float *state = nnc_device_alloc(256), x[100] = {0}, y[100];
    step(x, state, y, 100);
    return 0;
  }
  return train(argv[1], steps, kMost);
}
