//===- Npy.h - NumPy's array files -------------------------------*- C++ -*-===//
//
// Reads and writes .npy (one array) and .npz (a zip file of .npy members), as numpy.save and
// numpy.savez do. Both byte orders and both memory orders are read. Integers that nnc does not have
// are widened to ones it has (i2 and u2 to i32, u4 and u8 to i64), bf16 is written as f32: no value
// changes. Files of the same arrays are the same bytes.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_NPY_H
#define NNC_DATA_NPY_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

Result<Tensor> readNpy(const std::string &path);
/// The same for bytes in memory; `file` is for messages.
Result<Tensor> parseNpy(std::string_view bytes, const std::string &file);
std::string formatNpy(const Tensor &tensor);
Status writeNpy(const std::string &path, const Tensor &tensor);

/// The arrays of a file in its order, or those with the given names in the order of the names.
Result<std::vector<NamedTensor>> readNpz(const std::string &path,
                                         const std::vector<std::string> &names = {});
Result<std::vector<NamedTensor>> parseNpz(std::string_view bytes, const std::string &file,
                                          const std::vector<std::string> &names = {});
Result<std::string> formatNpz(const std::vector<NamedTensor> &arrays);
Status writeNpz(const std::string &path, const std::vector<NamedTensor> &arrays);

} // namespace nnc

#endif // NNC_DATA_NPY_H
