//===- FuzzNpy.cpp - Any bytes as an array file ---------------------------===//
//
// Reads the input as .npy. What is read, written again, must read as the same array.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Npy.h"

#include <cstdlib>

using namespace nnc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  Result<Tensor> tensor = parseNpy({reinterpret_cast<const char *>(bytes), size}, "fuzz.npy");
  if (!tensor) {
    if (tensor.error().what().empty())
      abort();
    return 0;
  }
  Result<Tensor> again = parseNpy(formatNpy(*tensor), "again.npy");
  if (!again || *again != *tensor)
    abort();
  return 0;
}
