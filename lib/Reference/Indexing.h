//===- Indexing.h - Walking over the elements of a tensor -------*- C++ -*-===//
//
// Elements are numbered in row-major order; an index is one number an axis.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_REFERENCE_INDEXING_H
#define NNC_LIB_REFERENCE_INDEXING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace nnc {

using Index = llvm::SmallVector<int64_t, 4>;

/// Calls `visit` with the index and the number of each element of `shape`, in order.
void forEachElement(llvm::ArrayRef<int64_t> shape,
                    llvm::function_ref<void(llvm::ArrayRef<int64_t> index, int64_t number)> visit);

/// The number of the element at `index`.
int64_t elementNumber(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> index);

/// The number of the element of a tensor of `shape` that broadcasting puts at `index`, which has as
/// many axes or more.
int64_t broadcastNumber(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> index);

/// The shape to which shapes that fit each other broadcast.
Index broadcastShape(llvm::ArrayRef<int64_t> left, llvm::ArrayRef<int64_t> right);

} // namespace nnc

#endif // NNC_LIB_REFERENCE_INDEXING_H
