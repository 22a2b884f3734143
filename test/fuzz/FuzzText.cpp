//===- FuzzText.cpp - Any bytes as a text ---------------------------------===//
//
// Reads the input, compressed or not, as a text of ASCII or of any bytes.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Text.h"

#include <cstdlib>

using namespace nnc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(bytes), size);
  TextOptions options{1 + int64_t(size % 7), 1 + int64_t(size % 5), size % 2 ? 128 : 256};
  Result<Dataset> result = parseText(std::string(text), "fuzz.txt", options);
  if (!result && result.error().what().empty())
    abort();
  if (result && result->find("text")->shape() != result->find("next")->shape())
    abort();
  return 0;
}
