//===- FuzzSafetensors.cpp - Any bytes as a parameter file ----------------===//
//
// Reads the input as .safetensors. What is read, written again, must read as the same tensors.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Safetensors.h"

#include <cstdlib>

using namespace nnc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  Result<Safetensors> content =
      parseSafetensors({reinterpret_cast<const char *>(bytes), size}, "fuzz.safetensors");
  if (!content) {
    if (content.error().what().empty())
      abort();
    return 0;
  }
  Result<std::string> written = formatSafetensors(*content);
  if (!written)
    abort();
  Result<Safetensors> again = parseSafetensors(*written, "again.safetensors");
  if (!again || again->tensors.size() != content->tensors.size() ||
      again->metadata != content->metadata)
    abort();
  for (size_t i = 0; i < content->tensors.size(); ++i)
    if (again->tensors[i].name != content->tensors[i].name ||
        again->tensors[i].value != content->tensors[i].value)
      abort();
  return 0;
}
