//===- Idx.h - Arrays as MNIST has them --------------------------*- C++ -*-===//
//
// IDX: a magic number that tells element type and rank, the sizes, then the elements; numbers have
// their highest byte first. Plain or gzipped. Elements of 16 bits become i32. Several files make a
// dataset.
//
// Format: http://yann.lecun.com/exdb/mnist (archived), "The IDX file format"
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_IDX_H
#define NNC_DATA_IDX_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

Result<Tensor> readIdx(const std::string &path);
/// The same for bytes in memory, gzipped or not; `file` is for messages.
Result<Tensor> parseIdx(std::string bytes, const std::string &file);

} // namespace nnc

#endif // NNC_DATA_IDX_H
