//===- Device.c - The device that a process uses --------------------------===//
#include "Device.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Device nncDevice;

enum { kAlignment = 256 };

/// Memory that nnc_device_alloc gave.
struct Range {
  uintptr_t begin;
  size_t bytes;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static enum { kUnknown, kCpu, kGpu } unit;
static char message[1024];
static void (*errorHandler)(const char *, void *);
static void *errorContext;
static struct Range *ranges;
static size_t numRanges, maxRanges;

bool nncFail(const char *format, ...) {
  if (message[0] == 0) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
  }
  return false;
}

bool nncCheck(CudaResult result, const char *what, const char *place) {
  if (result == 0)
    return true;
  const char *name = NULL, *text = NULL;
  nncDevice.cuda.getErrorName(result, &name);
  nncDevice.cuda.getErrorString(result, &text);
  char number[24];
  snprintf(number, sizeof number, "%d", result);
  return nncFail("%s%s%s: %s (%s)", place ? place : "", place && *place ? ": " : "", what,
                 text ? text : "unknown error", name ? name : number);
}

bool nncWait(const char *what) {
  CudaResult result = nncDevice.cuda.streamSynchronize(nncDevice.stream);
  if (result == 0)
    return true;
  char text[200];
  snprintf(text, sizeof text, "%s%s", what,
           nncDevice.checksKernels ? "" : ", some kernel (NNC_DEVICE_CHECK=1 tells which)");
  return nncCheck(result, text, NULL);
}

static bool openStreams(void) {
  struct CudaDriver *cuda = &nncDevice.cuda;
  return nncCheck(cuda->streamCreate(&nncDevice.stream, kCudaNonBlocking), "cuStreamCreate",
                  NULL) &&
         nncCheck(cuda->streamCreate(&nncDevice.copies, kCudaNonBlocking), "cuStreamCreate", NULL);
}

/// Opens GPU `number`; notes an error that begins with `wish`.
static bool openGpu(int number, const char *wish) {
  struct CudaDriver *cuda = &nncDevice.cuda;
  const char *reason = nncLoadCudaDriver(cuda);
  if (reason)
    return nncFail("%s: no NVIDIA driver is installed: %s", wish, reason);
  int count = 0, major = 0, minor = 0;
  CudaDevice device;
  char model[100] = "";
  if (!nncCheck(cuda->init(0), "cuInit", wish) ||
      !nncCheck(cuda->deviceGetCount(&count), "cuDeviceGetCount", wish))
    return false;
  if (number >= count)
    return nncFail("%s: expected a number below that of the GPUs, which is %d", wish, count);
  if (!nncCheck(cuda->deviceGet(&device, number), "cuDeviceGet", wish) ||
      !nncCheck(cuda->deviceGetName(model, sizeof model, device), "cuDeviceGetName", wish) ||
      !nncCheck(cuda->deviceGetAttribute(&major, kCudaMajorVersion, device), "cuDeviceGetAttribute",
                wish) ||
      !nncCheck(cuda->deviceGetAttribute(&minor, kCudaMinorVersion, device), "cuDeviceGetAttribute",
                wish) ||
      !nncCheck(cuda->primaryContextRetain(&nncDevice.context, device), "cuDevicePrimaryCtxRetain",
                wish) ||
      !nncCheck(cuda->contextSetCurrent(nncDevice.context), "cuCtxSetCurrent", wish) ||
      !openStreams())
    return false;
  nncDevice.version = 10 * major + minor;
  snprintf(nncDevice.name, sizeof nncDevice.name, "cuda:%d, %s (sm_%d)", number, model,
           nncDevice.version);
  const char *check = getenv("NNC_DEVICE_CHECK");
  nncDevice.checksKernels = check && strcmp(check, "1") == 0;
  return true;
}

/// Does what NNC_DEVICE says.
static bool openDevice(void) {
  const char *wish = getenv("NNC_DEVICE");
  int number = 0;
  char rest;
  if (!wish || strcmp(wish, "auto") == 0) {
    unit = openGpu(0, "NNC_DEVICE=auto") ? kGpu : kCpu;
    message[0] = 0;
  } else if (strcmp(wish, "cpu") == 0) {
    unit = kCpu;
  } else if (sscanf(wish, "cuda:%d%c", &number, &rest) == 1 && number >= 0) {
    char text[40];
    snprintf(text, sizeof text, "NNC_DEVICE=cuda:%d", number);
    if (openGpu(number, text))
      unit = kGpu;
  } else {
    nncFail("NNC_DEVICE expects auto, cpu or cuda:N, found '%.100s'", wish);
  }
  if (unit == kCpu)
    strcpy(nncDevice.name, "cpu");
  return unit != kUnknown;
}

bool nncEnterDevice(void) {
  pthread_mutex_lock(&mutex);
  if (unit == kUnknown && !openDevice())
    return false;
  return unit == kCpu ||
         nncCheck(nncDevice.cuda.contextSetCurrent(nncDevice.context), "cuCtxSetCurrent", NULL);
}

void nncLeaveDevice(void) {
  char text[sizeof message];
  strcpy(text, message);
  message[0] = 0;
  void (*handler)(const char *, void *) = errorHandler;
  void *context = errorContext;
  pthread_mutex_unlock(&mutex);
  if (text[0] == 0)
    return;
  if (handler) {
    handler(text, context);
    return;
  }
  fprintf(stderr, "nnc: error: %s\n", text);
  exit(1);
}

bool nncUsesGpu(void) { return unit == kGpu; }

CudaAddress nncAllocate(size_t bytes) {
  CudaAddress address = 0;
  char what[60];
  snprintf(what, sizeof what, "memory for %zu bytes on the device", bytes);
  return nncCheck(nncDevice.cuda.memAlloc(&address, bytes), what, NULL) ? address : 0;
}

static struct Range *findRange(const void *pointer) {
  for (size_t i = numRanges; i-- > 0;)
    if ((uintptr_t)pointer - ranges[i].begin < ranges[i].bytes)
      return &ranges[i];
  return NULL;
}

bool nncIsOnDevice(const void *pointer) {
  if (unit != kGpu)
    return false;
  if (findRange(pointer))
    return true;
  // The driver knows what others allocated, and calls memory of the host an error.
  unsigned type = 0;
  return nncDevice.cuda.pointerGetAttribute(&type, kCudaMemoryType,
                                            (CudaAddress)(uintptr_t)pointer) == 0 &&
         type == kCudaDeviceMemory;
}

const char *nnc_device_name(void) {
  bool isOpen = nncEnterDevice();
  nncLeaveDevice();
  return isOpen ? nncDevice.name : "";
}

void *nnc_device_stream(void) {
  void *stream = nncEnterDevice() && nncUsesGpu() ? nncDevice.stream : NULL;
  nncLeaveDevice();
  return stream;
}

void nnc_device_on_error(void (*handler)(const char *message, void *context), void *context) {
  pthread_mutex_lock(&mutex);
  errorHandler = handler;
  errorContext = context;
  pthread_mutex_unlock(&mutex);
}

/// Remembers memory on the device.
static bool addRange(uintptr_t begin, size_t bytes) {
  if (numRanges == maxRanges) {
    size_t most = maxRanges ? 2 * maxRanges : 16;
    struct Range *more = realloc(ranges, most * sizeof *more);
    if (!more)
      return nncFail("out of memory");
    ranges = more;
    maxRanges = most;
  }
  ranges[numRanges++] = (struct Range){begin, bytes};
  return true;
}

/// `bytes` as a multiple of the alignment, and not nothing.
static size_t roundUp(size_t bytes) {
  return bytes == 0 ? kAlignment : (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

static void *allocateOnCpu(size_t bytes) {
  void *memory = aligned_alloc(kAlignment, bytes);
  if (!memory)
    nncFail("no memory for %zu bytes", bytes);
  return memory;
}

void *nnc_device_alloc(size_t bytes) {
  void *memory = NULL;
  bytes = roundUp(bytes);
  if (nncEnterDevice()) {
    if (!nncUsesGpu()) {
      memory = allocateOnCpu(bytes);
    } else {
      memory = (void *)(uintptr_t)nncAllocate(bytes);
      if (memory && !addRange((uintptr_t)memory, bytes)) {
        nncDevice.cuda.memFree((CudaAddress)(uintptr_t)memory);
        memory = NULL;
      }
    }
  }
  nncLeaveDevice();
  return memory;
}

void *nnc_device_alloc_host(size_t bytes) {
  void *memory = NULL;
  bytes = roundUp(bytes);
  if (nncEnterDevice()) {
    if (!nncUsesGpu())
      memory = allocateOnCpu(bytes);
    else if (!nncCheck(nncDevice.cuda.memAllocHost(&memory, bytes), "nnc_device_alloc_host", NULL))
      memory = NULL;
  }
  nncLeaveDevice();
  return memory;
}

void nnc_device_free_host(void *memory) {
  if (!memory)
    return;
  if (nncEnterDevice()) {
    if (!nncUsesGpu())
      free(memory);
    else if (nncWait("nnc_device_free_host"))
      nncCheck(nncDevice.cuda.memFreeHost(memory), "nnc_device_free_host", NULL);
  }
  nncLeaveDevice();
}

void nnc_device_free(void *memory) {
  if (!memory)
    return;
  if (nncEnterDevice()) {
    struct Range *range = nncUsesGpu() ? findRange(memory) : NULL;
    if (!nncUsesGpu()) {
      free(memory);
    } else if (!range) {
      nncFail("nnc_device_free: expected what nnc_device_alloc gave, found %p", memory);
    } else if (nncWait("nnc_device_free")) { // Whatever uses it may still run.
      nncCheck(nncDevice.cuda.memFree((CudaAddress)range->begin), "nnc_device_free", NULL);
      *range = ranges[--numRanges];
    }
  }
  nncLeaveDevice();
}

void nnc_device_copy(void *to, const void *from, size_t bytes) {
  if (nncEnterDevice() && bytes > 0) {
    struct CudaDriver *cuda = &nncDevice.cuda;
    CudaStream stream = nncDevice.stream;
    CudaAddress target = (CudaAddress)(uintptr_t)to, source = (CudaAddress)(uintptr_t)from;
    bool toDevice = nncIsOnDevice(to), fromDevice = nncIsOnDevice(from);
    if (toDevice && fromDevice) {
      nncCheck(cuda->copyOnDevice(target, source, bytes, stream), "nnc_device_copy", NULL);
    } else if (toDevice || fromDevice) {
      CudaResult result = toDevice ? cuda->copyToDevice(target, from, bytes, stream)
                                   : cuda->copyToHost(to, source, bytes, stream);
      if (nncCheck(result, "nnc_device_copy", NULL))
        nncWait("nnc_device_copy");
    } else {
      memmove(to, from, bytes);
    }
  }
  nncLeaveDevice();
}

void nnc_device_wait(void) {
  if (nncEnterDevice() && nncUsesGpu())
    nncWait("nnc_device_wait");
  nncLeaveDevice();
}
