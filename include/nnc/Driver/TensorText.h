//===- TensorText.h - Tensors as text ---------------------------*- C++ -*-===//
//
// Nested lists, as NumPy, JSON and .nn literals write them.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TENSORTEXT_H
#define NNC_DRIVER_TENSORTEXT_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

/// "[[1, 2], [3, 4]]"; numbers are as short as reading them back allows, NaN is null where `json`.
/// Without `json`, tensors of more than 1,000 elements show the first and last three of each axis.
std::string toText(const Tensor &tensor, bool json = false);

/// Integers as the bytes of a text, a row of the last axis after the other with an empty line between
/// them; `indent` stands in front of every line. What is not UTF-8 or cannot be printed is shown as
/// \x00, what is no byte as U+FFFD.
std::string toCharacters(const Tensor &tensor, const std::string &indent = "");

/// "f32[2, 3]", "f32" for a scalar.
std::string typeText(const Tensor &tensor);

/// Reads a nested list of numbers as a tensor of `type`; all lists of one depth have one length.
Result<Tensor> parseTensor(const std::string &text, ElementType type);

/// A tensor from a file (.npy, or .csv as f32[rows, columns]) or from a literal, in `type`.
Result<Tensor> readTensor(const std::string &fileOrLiteral, ElementType type);

} // namespace nnc

#endif // NNC_DRIVER_TENSORTEXT_H
