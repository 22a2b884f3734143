//===- CudaDriver.h - The functions of NVIDIA's driver in use ---*- C -*---===//
//
// The driver's interface as far as it is used here, by its names without "cu", so that nothing of
// NVIDIA's is needed to build or to link. Found when a program first asks for a GPU.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_RUNTIME_CUDADRIVER_H
#define NNC_LIB_RUNTIME_CUDADRIVER_H

#include <stddef.h>

typedef int CudaResult; // 0 is success
typedef int CudaDevice;
typedef unsigned long long CudaAddress;
typedef struct CudaContextObject *CudaContext;
typedef struct CudaModuleObject *CudaModule;
typedef struct CudaFunctionObject *CudaFunction;
typedef struct CudaStreamObject *CudaStream;
typedef struct CudaEventObject *CudaEvent;
typedef struct CudaGraphObject *CudaGraph;
typedef struct CudaGraphExecObject *CudaGraphExec;

enum {
  // Attributes of a device.
  kCudaMajorVersion = 75,
  kCudaMinorVersion = 76,
  // What memory a pointer points to, and that of a device.
  kCudaMemoryType = 2,
  kCudaDeviceMemory = 2,
  // Attributes of a function.
  kCudaMaxDynamicShared = 8,
  // Of streams and events.
  kCudaNonBlocking = 1,
  kCudaDisableTiming = 2,
  // How a capture treats other threads: leaves them alone.
  kCudaCaptureRelaxed = 2,
  // Options of a module.
  kCudaErrorLogBuffer = 5,
  kCudaErrorLogBytes = 6,
};

/// FUNCTION(name, symbol, parameters)
#define NNC_CUDA_FUNCTIONS(FUNCTION)                                                               \
  FUNCTION(init, "cuInit", (unsigned flags))                                                       \
  FUNCTION(getErrorName, "cuGetErrorName", (CudaResult, const char **name))                        \
  FUNCTION(getErrorString, "cuGetErrorString", (CudaResult, const char **text))                    \
  FUNCTION(deviceGetCount, "cuDeviceGetCount", (int *count))                                       \
  FUNCTION(deviceGet, "cuDeviceGet", (CudaDevice *, int number))                                   \
  FUNCTION(deviceGetName, "cuDeviceGetName", (char *name, int bytes, CudaDevice))                  \
  FUNCTION(deviceGetAttribute, "cuDeviceGetAttribute", (int *value, int attribute, CudaDevice))    \
  FUNCTION(primaryContextRetain, "cuDevicePrimaryCtxRetain", (CudaContext *, CudaDevice))          \
  FUNCTION(contextSetCurrent, "cuCtxSetCurrent", (CudaContext))                                    \
  FUNCTION(moduleLoad, "cuModuleLoadDataEx",                                                       \
           (CudaModule *, const void *image, unsigned count, int *options, void **values))         \
  FUNCTION(moduleGetFunction, "cuModuleGetFunction",                                               \
           (CudaFunction *, CudaModule, const char *name))                                         \
  FUNCTION(functionSetAttribute, "cuFuncSetAttribute", (CudaFunction, int attribute, int value))   \
  FUNCTION(launchKernel, "cuLaunchKernel",                                                         \
           (CudaFunction, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,         \
            unsigned blockY, unsigned blockZ, unsigned sharedBytes, CudaStream, void **arguments,  \
            void **extra))                                                                         \
  FUNCTION(memAlloc, "cuMemAlloc_v2", (CudaAddress *, size_t bytes))                               \
  FUNCTION(memFree, "cuMemFree_v2", (CudaAddress))                                                 \
  FUNCTION(memAllocHost, "cuMemAllocHost_v2", (void **memory, size_t bytes))                       \
  FUNCTION(memFreeHost, "cuMemFreeHost", (void *memory))                                           \
  FUNCTION(pointerGetAttribute, "cuPointerGetAttribute",                                           \
           (void *value, int attribute, CudaAddress))                                              \
  FUNCTION(copyToDevice, "cuMemcpyHtoDAsync_v2",                                                   \
           (CudaAddress to, const void *from, size_t bytes, CudaStream))                           \
  FUNCTION(copyToHost, "cuMemcpyDtoHAsync_v2",                                                     \
           (void *to, CudaAddress from, size_t bytes, CudaStream))                                 \
  FUNCTION(copyOnDevice, "cuMemcpyDtoDAsync_v2",                                                   \
           (CudaAddress to, CudaAddress from, size_t bytes, CudaStream))                           \
  FUNCTION(streamCreate, "cuStreamCreate", (CudaStream *, unsigned flags))                         \
  FUNCTION(streamSynchronize, "cuStreamSynchronize", (CudaStream))                                 \
  FUNCTION(streamWaitEvent, "cuStreamWaitEvent", (CudaStream, CudaEvent, unsigned flags))          \
  FUNCTION(eventCreate, "cuEventCreate", (CudaEvent *, unsigned flags))                            \
  FUNCTION(eventRecord, "cuEventRecord", (CudaEvent, CudaStream))                                  \
  FUNCTION(eventSynchronize, "cuEventSynchronize", (CudaEvent))                                    \
  FUNCTION(beginCapture, "cuStreamBeginCapture_v2", (CudaStream, int mode))                        \
  FUNCTION(endCapture, "cuStreamEndCapture", (CudaStream, CudaGraph *))                            \
  FUNCTION(graphInstantiate, "cuGraphInstantiateWithFlags",                                        \
           (CudaGraphExec *, CudaGraph, unsigned long long flags))                                 \
  FUNCTION(graphLaunch, "cuGraphLaunch", (CudaGraphExec, CudaStream))                              \
  FUNCTION(graphDestroy, "cuGraphDestroy", (CudaGraph))                                            \
  FUNCTION(graphExecDestroy, "cuGraphExecDestroy", (CudaGraphExec))

/// Those that only a driver has which knows sm_90; null elsewhere.
#define NNC_CUDA_LATER_FUNCTIONS(FUNCTION)                                                         \
  FUNCTION(tensorMapEncode, "cuTensorMapEncodeTiled",                                              \
           (void *map, int type, unsigned rank, CudaAddress, const unsigned long long *sizes,      \
            const unsigned long long *strides, const unsigned *box, const unsigned *elementSteps,  \
            int interleave, int swizzle, int promotion, int fill))

struct CudaDriver {
#define NNC_DECLARE(name, symbol, parameters) CudaResult(*name) parameters;
  NNC_CUDA_FUNCTIONS(NNC_DECLARE)
  NNC_CUDA_LATER_FUNCTIONS(NNC_DECLARE)
#undef NNC_DECLARE
};

/// Fills `driver`; null, or why there is none.
const char *nncLoadCudaDriver(struct CudaDriver *driver);

#endif // NNC_LIB_RUNTIME_CUDADRIVER_H
