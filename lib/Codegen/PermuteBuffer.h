//===- PermuteBuffer.h - Another order of axes for a temporary --*- C++ -*-===//
//
// Which order the axes of a temporary have in memory is nobody's business but that of the operations which
// use it, directly or through views.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_PERMUTEBUFFER_H
#define NNC_LIB_CODEGEN_PERMUTEBUFFER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace nnc {

struct BufferAxis {
  mlir::memref::AllocOp alloc;
  int64_t axis;
  int64_t rank() { return alloc.getType().getRank(); }
};

/// The temporary that `view` shows, and its axis that is `axis` of the view; none if the view reshapes
/// across it, or shows something else.
std::optional<BufferAxis> findAxis(mlir::Value view, int64_t axis);

/// Whether the axis may be moved to another place: all uses of the temporary are known, and none reshapes it
/// together with others.
bool canMove(BufferAxis axis);

/// Calls `body` with each use of the temporary by an operation that computes, and with the place of the axis
/// there.
void forEachUse(BufferAxis axis, llvm::function_ref<void(mlir::OpOperand &, int64_t)> body);

/// Replaces the temporary by one whose axis i is axis order[i] of `alloc`, in all that use it.
mlir::memref::AllocOp permuteBuffer(mlir::RewriterBase &rewriter, mlir::memref::AllocOp alloc,
                                    llvm::ArrayRef<int64_t> order);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PERMUTEBUFFER_H
