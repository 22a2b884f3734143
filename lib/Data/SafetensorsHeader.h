//===- SafetensorsHeader.h - What a parameter file says it holds -*- C++ -*-===//
//
// The JSON header of a .safetensors file, checked for form only; whether the offsets make sense is
// for the reader to say.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_DATA_SAFETENSORSHEADER_H
#define NNC_LIB_DATA_SAFETENSORSHEADER_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

struct SafetensorsEntry {
  std::string name;
  std::string type;
  TensorShape shape;
  uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The errors do not name the file.
Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json);

} // namespace nnc

#endif // NNC_LIB_DATA_SAFETENSORSHEADER_H
