//===- NpyHeader.h - What an npy file says about its array -------*- C++ -*-===//
//
// The header is a Python dictionary, {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), },
// behind a magic string, a version and a length.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_DATA_NPYHEADER_H
#define NNC_LIB_DATA_NPYHEADER_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

struct NpyHeader {
  /// The type in the file: 'f', 'i', 'u' or 'b', and its size.
  char kind = 0;
  size_t itemSize = 0;
  bool isBigEndian = false;
  bool isFortranOrder = false;
  TensorShape shape;
  int64_t count = 0;
  /// The type of the tensor: the same one, or the next that holds all its values.
  ElementType type = ElementType::F32;
  /// Where the elements start.
  size_t dataOffset = 0;
};

/// The errors name neither the file nor, in an archive, the member.
Result<NpyHeader> parseNpyHeader(std::string_view bytes);

} // namespace nnc

#endif // NNC_LIB_DATA_NPYHEADER_H
