//===- FuzzIdx.cpp - Any bytes as an IDX file -----------------------------===//
//
// Reads the input, compressed or not.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Idx.h"

#include <cstdlib>

using namespace nnc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(bytes), size);
  Result<Tensor> result = parseIdx(std::string(text), "fuzz.idx");
  if (!result && result.error().what().empty())
    abort();
  return 0;
}
