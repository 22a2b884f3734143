//===- FuzzCifar.cpp - Any bytes as records of CIFAR ----------------------===//
//
// Reads the input, compressed or not, as records of the one kind or the other.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Cifar.h"

#include <cstdlib>

using namespace nnc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(bytes), size);
  Result<Dataset> result = parseCifar(std::string(text), "fuzz.bin",
                                      size % 2 ? CifarKind::Cifar10 : CifarKind::Cifar100);
  if (!result && result.error().what().empty())
    abort();
  return 0;
}
