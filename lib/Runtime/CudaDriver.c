//===- CudaDriver.c - The functions of NVIDIA's driver in use -------------===//
#include "CudaDriver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

const char *nncLoadCudaDriver(struct CudaDriver *driver) {
  static char reason[256];
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(reason, sizeof reason, "%s", dlerror());
    return reason;
  }
#define NNC_FIND(name, symbol, parameters)                                                         \
  {                                                                                                \
    void *address = dlsym(library, symbol);                                                        \
    if (!address) {                                                                                \
      snprintf(reason, sizeof reason, "libcuda.so.1 is too old: it has no %s", symbol);            \
      dlclose(library);                                                                            \
      return reason;                                                                               \
    }                                                                                              \
    memcpy(&driver->name, &address, sizeof address);                                               \
  }
  NNC_CUDA_FUNCTIONS(NNC_FIND)
#undef NNC_FIND
#define NNC_FIND(name, symbol, parameters)                                                         \
  {                                                                                                \
    void *address = dlsym(library, symbol);                                                        \
    memcpy(&driver->name, &address, sizeof address);                                               \
  }
  NNC_CUDA_LATER_FUNCTIONS(NNC_FIND)
#undef NNC_FIND
  return NULL;
}
