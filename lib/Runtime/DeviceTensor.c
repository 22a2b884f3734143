//===- DeviceTensor.c - Describe tensors to the unit that copies them -----===//
#include "Device.h"

void nnc_device_tensor_map(void *map, const char *place, const void *address, int64_t num_axes,
                           const int64_t *sizes, const int64_t *strides, const int64_t *box) {
  enum { kMostAxes = 5, kElementBytes = 2, kTwoBytes = 1, kSwizzle128 = 3, kPromote128 = 2 };
  // What follows a failure has nothing to work on.
  if (nncDevice.hasFailed)
    return;
  if (!nncDevice.cuda.tensorMapEncode) {
    nncDevice.hasFailed = !nncFail("%s: libcuda.so.1 is too old for code for sm_90a: it has no "
                                   "cuTensorMapEncodeTiled (NNC_DEVICE=cpu runs without)",
                                   place);
    return;
  }
  // The driver has the innermost axis first, and knows that its elements are side by side.
  unsigned long long dimensions[kMostAxes], steps[kMostAxes];
  unsigned boxSizes[kMostAxes], elementSteps[kMostAxes];
  for (int64_t axis = 0; axis < num_axes; ++axis) {
    int64_t from = num_axes - 1 - axis;
    // Nothing is copied of what is empty.
    if (sizes[from] == 0)
      return;
    dimensions[axis] = (unsigned long long)sizes[from];
    boxSizes[axis] = (unsigned)box[from];
    elementSteps[axis] = 1;
    if (axis > 0)
      steps[axis - 1] = (unsigned long long)strides[from] * kElementBytes;
  }
  CudaResult result = nncDevice.cuda.tensorMapEncode(
      map, kTwoBytes, (unsigned)num_axes, (CudaAddress)(uintptr_t)address, dimensions, steps,
      boxSizes, elementSteps, 0, kSwizzle128, kPromote128, 0);
  nncDevice.hasFailed = !nncCheck(result, "cuTensorMapEncodeTiled", place);
}
