//===- TypicalSize.h - A number for a size that is not known ----*- C++ -*-===//
//
// Passes that weigh one way of computing against another need numbers before the program has any. What they
// choose holds for all sizes; it is only best for those that are like this one.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_TYPICALSIZE_H
#define NNC_IR_TYPICALSIZE_H

#include "nnc/IR/Dim.h"

namespace nnc {

constexpr int64_t kTypicalSize = 64;

/// `dim` where each symbol is kTypicalSize.
int64_t typicalSize(const Dim &dim);
/// `size` itself, or kTypicalSize if it is not known.
inline int64_t typicalSize(int64_t size) {
  return mlir::ShapedType::isDynamic(size) ? kTypicalSize : size;
}

} // namespace nnc

#endif // NNC_IR_TYPICALSIZE_H
