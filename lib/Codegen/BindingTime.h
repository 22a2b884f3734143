//===- BindingTime.h - What of a function is known early --------*- C++ -*-===//
//
// Parameters and states that a function does not update are known before it is called, and so is what is
// computed from them and from constants alone: early. What depends on an input is late.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_BINDINGTIME_H
#define NNC_LIB_CODEGEN_BINDINGTIME_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace nnc {

/// The parts of a function on buffers that are early. An early buffer has a known size, early operations
/// alone write it, and late ones read it after the last of these only, so that it can be computed
/// beforehand. One that is much larger than what it is made of, and little work, counts as late.
class BindingTimes {
public:
  explicit BindingTimes(mlir::func::FuncOp function);

  /// Each in the order of the program.
  mlir::ArrayRef<mlir::BlockArgument> earlyArguments() const { return arguments; }
  mlir::ArrayRef<mlir::memref::AllocOp> earlyBuffers() const { return buffers; }
  mlir::ArrayRef<mlir::linalg::LinalgOp> earlyOperations() const { return operations; }
  /// What could be early, but is little work for its memory.
  mlir::ArrayRef<mlir::linalg::LinalgOp> repeatedOperations() const { return repeated; }
  /// The arguments and the results of the buffers.
  const llvm::DenseSet<mlir::Value> &earlyValues() const { return early; }
  /// Whether anything late reads `buffer`, an early argument or the result of an early buffer.
  bool isReadLate(mlir::Value buffer) const;

private:
  bool isEarly(mlir::Value value) const;
  bool isEarly(mlir::linalg::LinalgOp op) const;
  /// Collects the operations that write `alloc`.
  bool canBeEarly(mlir::memref::AllocOp alloc,
                  mlir::SmallVectorImpl<mlir::linalg::LinalgOp> &writers) const;
  bool saves(mlir::memref::AllocOp alloc, mlir::ArrayRef<mlir::linalg::LinalgOp> writers) const;

  mlir::SmallVector<mlir::BlockArgument> arguments;
  mlir::SmallVector<mlir::memref::AllocOp> buffers;
  mlir::SmallVector<mlir::linalg::LinalgOp> operations, repeated;
  /// The arguments, and the allocations that may be early as far as is known.
  llvm::DenseSet<mlir::Value> early;
  /// What uses each of them, through views or not.
  llvm::DenseMap<mlir::Value, mlir::SmallVector<mlir::Operation *>> users;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_BINDINGTIME_H
