//===- Device.h - The device that a process uses ----------------*- C -*---===//
//
// One device, one stream for the order in which things happen, and one for copies to the device that
// run ahead. What fails is noted and told when the library lets go of the lock.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_RUNTIME_DEVICE_H
#define NNC_LIB_RUNTIME_DEVICE_H

#include "CudaDriver.h"
#include "nnc/Runtime/nnc_device.h"

#include <stdbool.h>
#include <stdint.h>

struct Device {
  struct CudaDriver cuda;
  CudaContext context;
  CudaStream stream, copies;
  /// "cuda:0, NVIDIA H100 80GB HBM3 (sm_90)"
  char name[160];
  /// 90 of sm_90.
  int version;
  /// Whether to wait for each kernel, to know which one fails.
  bool checksKernels;
  /// Whether a launch of the call under way failed, and how many there were.
  bool hasFailed;
  size_t numLaunches;
};
extern struct Device nncDevice;

/// Takes the lock and, the first time, finds out where to run. False after an error.
bool nncEnterDevice(void);
/// Lets go, and tells the error if there was one.
void nncLeaveDevice(void);
/// Whether calls run on a GPU; asked with the lock.
bool nncUsesGpu(void);

/// Notes an error, the first one until it is told; false.
bool nncFail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/// Whether `result` is success; else notes what failed, where a place of the program is known, there.
bool nncCheck(CudaResult result, const char *what, const char *place);
/// Waits for the stream. A kernel that failed there is one of many: says how to learn which.
bool nncWait(const char *what);
/// Memory on the device; 0 after an error.
CudaAddress nncAllocate(size_t bytes);
/// Whether `pointer` points into memory of the device, whoever allocated it.
bool nncIsOnDevice(const void *pointer);
/// The code of `entry` for this GPU; null, with an error noted, if there is none.
const nnc_variant *nncChooseVariant(const nnc_entry *entry);

#endif // NNC_LIB_RUNTIME_DEVICE_H
