//===- Safetensors.h - Parameter files ---------------------------*- C++ -*-===//
//
// Reads and writes .safetensors: a length, a JSON header that gives each tensor's type, shape and
// place, then the bytes. The reader trusts nothing: offsets must tile the data without gaps or
// overlaps, and agree with type and shape. Tensors need not be aligned in the file; the writer puts
// wider types first, so that those it writes are.
//
// Format: https://github.com/huggingface/safetensors#format
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_SAFETENSORS_H
#define NNC_DATA_SAFETENSORS_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

struct Safetensors {
  /// In the order of the header.
  std::vector<NamedTensor> tensors;
  /// Free text: key and value, in the order of the header.
  std::vector<std::pair<std::string, std::string>> metadata;

  const Tensor *find(std::string_view name) const;
};

Result<Safetensors> readSafetensors(const std::string &path);
/// The same for bytes in memory; `file` is for messages.
Result<Safetensors> parseSafetensors(std::string_view bytes, const std::string &file);
/// Fails if a name occurs twice, is "__metadata__" or is not UTF-8.
Result<std::string> formatSafetensors(const Safetensors &content);
Status writeSafetensors(const std::string &path, const Safetensors &content);

} // namespace nnc

#endif // NNC_DATA_SAFETENSORS_H
