//===- FuzzImage.cpp - Any bytes as an image ------------------------------===//
//
// Decodes the input as PNG or JPEG, to grey or to colours.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Images.h"

#include <cstdlib>

using namespace nnc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(bytes), size);
  Result<Tensor> result = decodeImage(text, "fuzz.png", size % 2 ? 1 : 3);
  if (!result && result.error().what().empty())
    abort();
  return 0;
}
