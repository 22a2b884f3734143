//===- DeviceKernels.c - Load and launch kernels --------------------------===//
//
// What is assembled for this GPU is loaded as it is; else the driver compiles the PTX, which takes some
// time when a program starts.
//
//===----------------------------------------------------------------------===//
#include "Device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/// What a table's `loaded` points to.
struct Loaded {
  CudaModule module;
  CudaFunction functions[];
};

static bool loadImage(const nnc_kernels *kernels, CudaModule *module) {
  struct CudaDriver *cuda = &nncDevice.cuda;
  if (kernels->cubin && cuda->moduleLoad(module, kernels->cubin, 0, NULL, NULL) == 0)
    return true;
  char log[512] = "";
  int options[] = {kCudaErrorLogBuffer, kCudaErrorLogBytes};
  void *values[] = {log, (void *)(uintptr_t)sizeof log};
  CudaResult result = cuda->moduleLoad(module, kernels->ptx, 2, options, values);
  if (result == 0)
    return true;
  char what[800];
  snprintf(what, sizeof what,
           "the code for %s does not run on %s (NNC_DEVICE=cpu runs without)%s%s", kernels->arch,
           nncDevice.name, log[0] ? ": " : "", log);
  return nncCheck(result, what, NULL);
}

static struct Loaded *loadKernels(nnc_kernels *kernels) {
  if (kernels->loaded)
    return kernels->loaded;
  struct Loaded *loaded =
      calloc(1, sizeof *loaded + (size_t)kernels->count * sizeof loaded->functions[0]);
  if (!loaded) {
    nncFail("out of memory");
    return NULL;
  }
  bool isGood = loadImage(kernels, &loaded->module);
  for (int64_t i = 0; isGood && i < kernels->count; ++i)
    isGood = nncCheck(
        nncDevice.cuda.moduleGetFunction(&loaded->functions[i], loaded->module, kernels->names[i]),
        kernels->names[i], NULL);
  if (!isGood) {
    free(loaded);
    return NULL;
  }
  return kernels->loaded = loaded;
}

void nnc_device_launch(nnc_kernels *kernels, int64_t kernel, const char *place,
                       const int64_t blocks[3], const int64_t threads[3], int64_t shared_bytes,
                       void **arguments) {
  enum { kSharedForAll = 48 * 1024 };
  struct CudaDriver *cuda = &nncDevice.cuda;
  // What follows a failure has nothing to work on.
  struct Loaded *loaded = nncDevice.hasFailed ? NULL : loadKernels(kernels);
  if (!loaded) {
    nncDevice.hasFailed = true;
    return;
  }
  if (blocks[0] == 0 || blocks[1] == 0 || blocks[2] == 0)
    return;
  const char *name = kernels->names[kernel];
  if (blocks[0] > INT32_MAX || blocks[1] > UINT16_MAX || blocks[2] > UINT16_MAX) {
    nncDevice.hasFailed = !nncFail("%s: %s: too many blocks: %" PRId64 " x %" PRId64 " x %" PRId64,
                                   place, name, blocks[0], blocks[1], blocks[2]);
    return;
  }
  ++nncDevice.numLaunches;
  CudaFunction function = loaded->functions[kernel];
  CudaResult result = 0;
  if (shared_bytes > kSharedForAll)
    result = cuda->functionSetAttribute(function, kCudaMaxDynamicShared, (int)shared_bytes);
  if (result == 0)
    result =
        cuda->launchKernel(function, (unsigned)blocks[0], (unsigned)blocks[1], (unsigned)blocks[2],
                           (unsigned)threads[0], (unsigned)threads[1], (unsigned)threads[2],
                           (unsigned)shared_bytes, nncDevice.stream, arguments, NULL);
  if (result == 0 && nncDevice.checksKernels)
    result = cuda->streamSynchronize(nncDevice.stream);
  nncDevice.hasFailed = !nncCheck(result, name, place);
}
