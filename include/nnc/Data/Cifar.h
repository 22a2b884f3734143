//===- Cifar.h - CIFAR's binary files ----------------------------*- C++ -*-===//
//
// Records of fixed length: a label (CIFAR-100: a coarse one, then a fine one), then 32 x 32 pixels,
// first all red, then all green, then all blue. Plain or gzipped. The fields are "image", f32[N, 3,
// 32, 32] from 0 to 255, "label" and, for CIFAR-100, "coarse", both i64[N].
//
// Format: https://www.cs.toronto.edu/~kriz/cifar.html, "binary version"
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_CIFAR_H
#define NNC_DATA_CIFAR_H

#include "nnc/Data/Dataset.h"

namespace nnc {

enum class CifarKind { Cifar10, Cifar100 };

/// The records of all files, in their order.
Result<Dataset> readCifar(const std::vector<std::string> &paths, CifarKind kind);
/// The same for one file in memory, gzipped or not; `file` is for messages.
Result<Dataset> parseCifar(std::string bytes, const std::string &file, CifarKind kind);

} // namespace nnc

#endif // NNC_DATA_CIFAR_H
