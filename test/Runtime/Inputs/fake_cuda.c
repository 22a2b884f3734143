/* A libcuda.so.1 for tests where there is no GPU: host memory, and kernels that the program defines.
 *
 * What is asked for on a stream is not done before somebody waits for it, so that a wait that is missing
 * shows. Addresses on the device are none of the host, and are checked when a copy or a kernel uses them.
 * A kernel NAME, which the PTX declares with its parameters, is a function of the program:
 *
 *   void fake_kernel_NAME(const unsigned *grid, const unsigned *block, void **arguments);
 *
 * Environment:
 *   FAKE_CUDA_LOG=FILE           each call of the driver is a line there
 *   FAKE_CUDA_FAIL=NAME:N:ERROR  call number N of function NAME fails with ERROR
 *   FAKE_CUDA_GPUS=N             how many there are; 1 when left out
 *   FAKE_CUDA_KERNELS=FILE       a shared library that has the kernels as emulate-kernels makes them:
 *                                  void fake_kernel_NAME(void **buffers, int64_t *numbers, void *)
 *                                where the last numbers are the grid's sizes; addresses on the device are
 *                                those of the host then
 */
#define _GNU_SOURCE
#include "fake_cuda.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Result;
enum {
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kInvalidImage = 200,
  kNoBinary = 209,
  kInvalidHandle = 400,
  kNotFound = 500,
  kIllegalAddress = 700,
  kCaptureInvalidated = 901,
  kMaxParameters = 256,
};

typedef struct Function Function;
typedef struct Stream Stream;
typedef struct Event Event;

struct Function {
  char name[128];
  int numParameters;
  char isPointer[kMaxParameters];
  void (*code)(const unsigned *grid, const unsigned *block, void **arguments);
  Function *next;
};
typedef struct Module {
  Function *functions;
} Module;

typedef struct Operation {
  enum { kToDevice, kToHost, kOnDevice, kLaunch, kWait } kind;
  uint64_t device, other;
  void *host;
  size_t bytes;
  const Function *function;
  unsigned grid[3], block[3];
  uint64_t arguments[kMaxParameters];
  Stream *stream; /* of what is waited for, up to there */
  size_t count;
} Operation;

typedef struct List {
  Operation *operations;
  size_t count, room;
} List;

struct Stream {
  List list;
  size_t done;
  List *captured;
};
struct Event {
  Stream *stream;
  size_t count;
};

/* Memory of the device. */
typedef struct Block {
  char *memory;
  uint64_t address;
  size_t bytes;
  struct Block *next;
} Block;
static Block *blocks;
static uint64_t nextAddress = 0x700000000000ull << 8;
static Result failure; /* of a kernel or copy, told by all that follows */

static void tell(const char *format, ...) {
  static FILE *log;
  const char *name = getenv("FAKE_CUDA_LOG");
  if (!log && name && *name)
    log = fopen(name, "w");
  if (!log)
    return;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(log, format, arguments);
  va_end(arguments);
  fflush(log);
}

/* Whether this call of `name` is to fail, and how. */
static Result injected(const char *name, int number) {
  const char *text = getenv("FAKE_CUDA_FAIL");
  char wanted[64];
  int at, error;
  if (text && sscanf(text, "%63[^:]:%d:%d", wanted, &at, &error) == 3 &&
      strcmp(wanted, name) == 0 && number == at)
    return error;
  return 0;
}

#define ENTER(name)                                                                                \
  do {                                                                                             \
    static int calls;                                                                              \
    Result wrong = injected(name, ++calls);                                                        \
    if (wrong) {                                                                                   \
      tell("%s fails\n", name);                                                                    \
      return wrong;                                                                                \
    }                                                                                              \
    if (failure)                                                                                   \
      return failure;                                                                              \
  } while (0)

void *fake_memory(uint64_t address, size_t bytes) {
  static char scratch[4096];
  for (Block *block = blocks; block; block = block->next)
    if (address >= block->address && address + bytes <= block->address + block->bytes)
      return block->memory + (address - block->address);
  failure = kIllegalAddress;
  return scratch;
}

static Operation *append(List *list) {
  if (list->count == list->room) {
    list->room = list->room ? 2 * list->room : 16;
    list->operations = realloc(list->operations, list->room * sizeof *list->operations);
  }
  Operation *operation = &list->operations[list->count++];
  memset(operation, 0, sizeof *operation);
  return operation;
}

static void run(const Operation *operation);

static void runUpTo(Stream *stream, size_t count) {
  while (stream->done < count)
    run(&stream->list.operations[stream->done++]);
}

static void launch(const Operation *o) {
  const Function *function = o->function;
  void *arguments[kMaxParameters];
  if (!getenv("FAKE_CUDA_KERNELS")) {
    for (int i = 0; i < function->numParameters; ++i)
      arguments[i] = (void *)&o->arguments[i];
    function->code(o->grid, o->block, arguments);
    return;
  }
  int64_t numbers[kMaxParameters + 3];
  int numBuffers = 0, numNumbers = 0;
  for (int i = 0; i < function->numParameters; ++i)
    if (function->isPointer[i])
      arguments[numBuffers++] = (void *)(uintptr_t)o->arguments[i];
    else
      numbers[numNumbers++] = (int64_t)o->arguments[i];
  for (int i = 0; i < 3; ++i)
    numbers[numNumbers++] = o->grid[i];
  void (*code)(void **, int64_t *, void *);
  memcpy(&code, &function->code, sizeof code);
  code(arguments, numbers, NULL);
}

static void run(const Operation *o) {
  if (failure)
    return;
  if (o->kind == kWait) {
    runUpTo(o->stream, o->count);
  } else if (o->kind == kLaunch) {
    launch(o);
  } else {
    void *device = fake_memory(o->device, o->bytes);
    void *other = o->kind == kOnDevice ? fake_memory(o->other, o->bytes) : o->host;
    if (!failure)
      memmove(o->kind == kToHost ? other : device, o->kind == kToHost ? device : other, o->bytes);
  }
}

static Operation *ask(Stream *stream) {
  return append(stream->captured ? stream->captured : &stream->list);
}

Result cuInit(unsigned flags) {
  (void)flags;
  ENTER("cuInit");
  return 0;
}

Result cuGetErrorName(Result result, const char **name) {
  *name = result == kOutOfMemory      ? "CUDA_ERROR_OUT_OF_MEMORY"
          : result == kIllegalAddress ? "CUDA_ERROR_ILLEGAL_ADDRESS"
          : result == kNoBinary       ? "CUDA_ERROR_NO_BINARY_FOR_GPU"
                                      : "CUDA_ERROR_OTHER";
  return 0;
}

Result cuGetErrorString(Result result, const char **text) {
  *text = result == kOutOfMemory      ? "out of memory"
          : result == kIllegalAddress ? "an illegal memory access was encountered"
          : result == kNoBinary       ? "no kernel image is available for execution on the device"
                                      : "some other error";
  return 0;
}

Result cuDeviceGetCount(int *count) {
  ENTER("cuDeviceGetCount");
  const char *text = getenv("FAKE_CUDA_GPUS");
  *count = text ? atoi(text) : 1;
  return 0;
}

Result cuDeviceGet(int *device, int number) {
  ENTER("cuDeviceGet");
  *device = number;
  return 0;
}

Result cuDeviceGetName(char *name, int bytes, int device) {
  (void)device;
  snprintf(name, (size_t)bytes, "Fake GPU");
  return 0;
}

Result cuDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  *value = attribute == 75 ? 9 : 0;
  return 0;
}

Result cuDevicePrimaryCtxRetain(void **context, int device) {
  (void)device;
  ENTER("cuDevicePrimaryCtxRetain");
  *context = &blocks;
  return 0;
}

Result cuCtxSetCurrent(void *context) { return context == &blocks ? 0 : kInvalidHandle; }

/* Reads ".entry NAME(.param .u64 …, …)". */
static void readKernels(Module *module, const char *ptx) {
  void *library =
      getenv("FAKE_CUDA_KERNELS") ? dlopen(getenv("FAKE_CUDA_KERNELS"), RTLD_NOW) : NULL;
  for (const char *at = strstr(ptx, ".entry "); at; at = strstr(at, ".entry ")) {
    Function *function = calloc(1, sizeof *function);
    at += strlen(".entry ");
    sscanf(at, "%127[^( \n]", function->name);
    const char *end = strchr(at, ')');
    for (const char *p = at; (p = strstr(p, ".param ")) && p < end; ++p) {
      const char *pointer = strstr(p, ".ptr "), *line = strchr(p, '\n');
      function->isPointer[function->numParameters++] = pointer && line && pointer < line;
    }
    char symbol[160];
    snprintf(symbol, sizeof symbol, "fake_kernel_%s", function->name);
    if (getenv("FAKE_CUDA_KERNELS") && !library)
      fprintf(stderr, "%s\n", dlerror());
    void *code = dlsym(library ? library : RTLD_DEFAULT, symbol);
    memcpy(&function->code, &code, sizeof code);
    function->next = module->functions;
    module->functions = function;
  }
}

Result cuModuleLoadDataEx(Module **module, const char *image, unsigned count, int *options,
                          void **values) {
  ENTER("cuModuleLoadDataEx");
  if (memcmp(image, "\177ELF", 4) == 0 || memcmp(image, "cubin", 5) == 0) {
    tell("cuModuleLoadDataEx: machine code for another GPU\n");
    return kNoBinary;
  }
  if (!strstr(image, ".entry ")) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == 5)
        strcpy(values[i], "ptxas error: no entry");
    return kInvalidImage;
  }
  *module = calloc(1, sizeof **module);
  readKernels(*module, image);
  tell("cuModuleLoadDataEx: PTX\n");
  return 0;
}

Result cuModuleGetFunction(Function **function, Module *module, const char *name) {
  ENTER("cuModuleGetFunction");
  for (*function = module->functions; *function; *function = (*function)->next)
    if (strcmp((*function)->name, name) == 0)
      return (*function)->code ? 0 : kNotFound;
  return kNotFound;
}

Result cuFuncSetAttribute(Function *function, int attribute, int value) {
  ENTER("cuFuncSetAttribute");
  tell("cuFuncSetAttribute %s %d %d\n", function->name, attribute, value);
  return 0;
}

Result cuLaunchKernel(Function *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                      unsigned by, unsigned bz, unsigned shared, Stream *stream, void **arguments,
                      void **extra) {
  (void)extra;
  ENTER("cuLaunchKernel");
  if (gx == 0 || gy == 0 || gz == 0 || bx * by * bz == 0 || bx * by * bz > 1024)
    return kInvalidValue;
  tell("cuLaunchKernel %s (%u %u %u) (%u %u %u) %u%s\n", function->name, gx, gy, gz, bx, by, bz,
       shared, stream->captured ? " into a graph" : "");
  Operation *o = ask(stream);
  o->kind = kLaunch;
  o->function = function;
  unsigned grid[] = {gx, gy, gz}, block[] = {bx, by, bz};
  memcpy(o->grid, grid, sizeof grid);
  memcpy(o->block, block, sizeof block);
  for (int i = 0; i < function->numParameters; ++i)
    memcpy(&o->arguments[i], arguments[i], 8);
  return 0;
}

Result cuTensorMapEncodeTiled(void *map, int type, unsigned rank, uint64_t address,
                              const uint64_t *sizes, const uint64_t *strides, const unsigned *box,
                              const unsigned *elementSteps, int interleave, int swizzle,
                              int promotion, int fill) {
  ENTER("cuTensorMapEncodeTiled");
  if ((uintptr_t)map % 64 != 0 || address % 16 != 0 || rank > 5 || elementSteps[0] != 1)
    return kInvalidValue;
  tell("cuTensorMapEncodeTiled type %d:", type);
  for (unsigned axis = 0; axis < rank; ++axis)
    tell(" %u of %llu by %llu,", box[axis], (unsigned long long)sizes[axis],
         axis > 0 ? (unsigned long long)strides[axis - 1] : 0);
  tell(" %d %d %d %d\n", interleave, swizzle, promotion, fill);
  return 0;
}

Result cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  ENTER("cuMemAlloc");
  Block *block = calloc(1, sizeof *block);
  block->bytes = bytes;
  block->memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(block->memory, 0xff, bytes); /* NaN */
  block->address = getenv("FAKE_CUDA_KERNELS") ? (uintptr_t)block->memory : nextAddress;
  nextAddress += (bytes + 0xffff) / 0x10000 * 0x10000;
  block->next = blocks;
  blocks = block;
  *address = block->address;
  tell("cuMemAlloc %zu\n", bytes);
  return 0;
}

Result cuMemFree_v2(uint64_t address) {
  ENTER("cuMemFree");
  for (Block **place = &blocks; *place; place = &(*place)->next)
    if ((*place)->address == address) {
      Block *block = *place;
      *place = block->next;
      tell("cuMemFree %zu\n", block->bytes);
      free(block->memory);
      free(block);
      return 0;
    }
  return kInvalidValue;
}

Result cuMemAllocHost_v2(void **memory, size_t bytes) {
  ENTER("cuMemAllocHost");
  *memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  tell("cuMemAllocHost %zu\n", bytes);
  return 0;
}

Result cuMemFreeHost(void *memory) {
  ENTER("cuMemFreeHost");
  free(memory);
  return 0;
}

Result cuPointerGetAttribute(unsigned *value, int attribute, uint64_t address) {
  for (Block *block = blocks; block && attribute == 2; block = block->next)
    if (address - block->address < block->bytes) {
      *value = 2;
      return 0;
    }
  return kInvalidValue;
}

Result cuMemcpyHtoDAsync_v2(uint64_t to, void *from, size_t bytes, Stream *stream) {
  ENTER("cuMemcpyHtoDAsync");
  tell("cuMemcpyHtoDAsync %zu\n", bytes);
  Operation *o = ask(stream);
  o->kind = kToDevice;
  o->device = to;
  o->host = from;
  o->bytes = bytes;
  return 0;
}

Result cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
  ENTER("cuMemcpyDtoHAsync");
  tell("cuMemcpyDtoHAsync %zu\n", bytes);
  Operation *o = ask(stream);
  o->kind = kToHost;
  o->device = from;
  o->host = to;
  o->bytes = bytes;
  return 0;
}

Result cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream *stream) {
  ENTER("cuMemcpyDtoDAsync");
  tell("cuMemcpyDtoDAsync %zu\n", bytes);
  Operation *o = ask(stream);
  o->kind = kOnDevice;
  o->device = to;
  o->other = from;
  o->bytes = bytes;
  return 0;
}

Result cuStreamCreate(Stream **stream, unsigned flags) {
  (void)flags;
  ENTER("cuStreamCreate");
  *stream = calloc(1, sizeof **stream);
  return 0;
}

Result cuStreamSynchronize(Stream *stream) {
  ENTER("cuStreamSynchronize");
  if (stream->captured)
    return kCaptureInvalidated;
  tell("cuStreamSynchronize\n");
  runUpTo(stream, stream->list.count);
  return failure;
}

Result cuStreamWaitEvent(Stream *stream, Event *event, unsigned flags) {
  (void)flags;
  ENTER("cuStreamWaitEvent");
  if (!event->stream)
    return 0;
  Operation *o = ask(stream);
  o->kind = kWait;
  o->stream = event->stream;
  o->count = event->count;
  return 0;
}

Result cuEventCreate(Event **event, unsigned flags) {
  (void)flags;
  ENTER("cuEventCreate");
  *event = calloc(1, sizeof **event);
  return 0;
}

Result cuEventRecord(Event *event, Stream *stream) {
  ENTER("cuEventRecord");
  event->stream = stream;
  event->count = stream->list.count;
  return 0;
}

Result cuEventSynchronize(Event *event) {
  ENTER("cuEventSynchronize");
  tell("cuEventSynchronize\n");
  if (event->stream)
    runUpTo(event->stream, event->count);
  return failure;
}

Result cuStreamBeginCapture_v2(Stream *stream, int mode) {
  (void)mode;
  ENTER("cuStreamBeginCapture");
  stream->captured = calloc(1, sizeof *stream->captured);
  return 0;
}

Result cuStreamEndCapture(Stream *stream, List **graph) {
  ENTER("cuStreamEndCapture");
  *graph = stream->captured;
  stream->captured = NULL;
  return 0;
}

Result cuGraphInstantiateWithFlags(List **executable, List *graph, unsigned long long flags) {
  (void)flags;
  ENTER("cuGraphInstantiate");
  *executable = calloc(1, sizeof **executable);
  for (size_t i = 0; i < graph->count; ++i)
    *append(*executable) = graph->operations[i];
  tell("cuGraphInstantiate: %zu launches\n", graph->count);
  return 0;
}

Result cuGraphLaunch(List *executable, Stream *stream) {
  ENTER("cuGraphLaunch");
  tell("cuGraphLaunch\n");
  for (size_t i = 0; i < executable->count; ++i)
    *append(&stream->list) = executable->operations[i];
  return 0;
}

static Result destroy(List *list) {
  free(list->operations);
  free(list);
  return 0;
}

Result cuGraphDestroy(List *graph) { return destroy(graph); }
Result cuGraphExecDestroy(List *executable) {
  tell("cuGraphExecDestroy\n");
  return destroy(executable);
}
