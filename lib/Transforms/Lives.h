//===- Lives.h - When the values of a block live ----------------*- C++ -*-===//
//
// What a step keeps in memory, and where that is most: before it is the forward pass, after it the backward pass.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_TRANSFORMS_LIVES_H
#define NNC_LIB_TRANSFORMS_LIVES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <vector>

namespace nnc {

/// How many elements a value has, where a symbol is of a typical size.
int64_t elementsOf(mlir::Value value);

/// The family of the ODS definition; empty for ops of other dialects.
llvm::StringRef familyOf(mlir::Operation *op);
bool isElementwise(mlir::Operation *op);
/// Elements of the operand, moved or repeated, or known without one: it is read where it is used.
bool isView(mlir::Operation *op);

/// What `function` does step by step: its own block, and those of its scans.
llvm::SmallVector<mlir::Block *> stepBlocks(mlir::func::FuncOp function);

/// What stays the same while values are computed again: the bytes of types.
class Sizes {
public:
  int64_t bytesOf(mlir::Value value);

private:
  llvm::DenseMap<mlir::Type, int64_t> bytes;
};

/// When the values of a block live. One that needs no memory of its own is computed where it is used, so
/// that what it reads lives on until then.
class Lives {
public:
  Lives(mlir::Block &measuredBlock, Sizes &sizes);

  unsigned positionOf(mlir::Operation *op) const {
    return positions.lookup(block.findAncestorOpInBlock(*op));
  }
  /// Where the last computation that needs `value` is.
  unsigned endOf(mlir::Value value) const { return ends.lookup(value); }
  bool isInBlock(mlir::Value value) const {
    return value.getDefiningOp() && value.getDefiningOp()->getBlock() == &block;
  }
  bool hasMemory(mlir::Value value) const { return inMemory.contains(value); }

  unsigned peak = 0;
  int64_t peakBytes = 0;
  std::vector<mlir::Operation *> ops;

private:
  unsigned findEnd(mlir::Value value) const;
  void findPeak(Sizes &sizes);

  mlir::Block &block;
  llvm::DenseMap<mlir::Operation *, unsigned> positions;
  llvm::DenseMap<mlir::Value, unsigned> ends;
  llvm::DenseSet<mlir::Value> inMemory;
};

} // namespace nnc

#endif // NNC_LIB_TRANSFORMS_LIVES_H
