//===- FuzzNpz.cpp - Any bytes as an archive of arrays --------------------===//
//
// Reads the input as .npz. What is read can be written again, unless two names differ only in what
// a zip file does not keep.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Npy.h"

#include <cstdlib>

using namespace nnc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  Result<std::vector<NamedTensor>> arrays =
      parseNpz({reinterpret_cast<const char *>(bytes), size}, "fuzz.npz");
  if (!arrays) {
    if (arrays.error().what().empty())
      abort();
    return 0;
  }
  Result<std::string> written = formatNpz(*arrays);
  if (!written)
    return 0;
  Result<std::vector<NamedTensor>> again = parseNpz(*written, "again.npz");
  if (!again || again->size() != arrays->size())
    abort();
  return 0;
}
