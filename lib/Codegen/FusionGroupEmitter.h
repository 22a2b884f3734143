//===- FusionGroupEmitter.h - A group of operations as one loop ---*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_FUSIONGROUPEMITTER_H
#define NNC_LIB_CODEGEN_FUSIONGROUPEMITTER_H

#include "CPU/SizeArithmetic.h"
#include "FusionGroup.h"
#include "VisibleColumns.h"

namespace nnc {

/// Writes the members of a group, in the place of the last one, as a loop over the blocks in which each of them
/// does its part. Buffers that only they need become as large as one block.
class FusionGroupEmitter {
public:
  /// With blocks in so many parts, which threads may share, or if that is 0 as many as there can be.
  FusionGroupEmitter(mlir::IRRewriter &rewriter, const FusionGroup &group, int64_t numParts,
                     const std::optional<VisibleColumns> &visible);
  /// Returns the first and the last operation that it wrote.
  std::pair<mlir::Operation *, mlir::Operation *> replace();

private:
  using Size = SizeArithmetic::Size;
  /// The iterations of a shared loop in a block.
  struct Range {
    Size offset, extent;
  };
  using Ranges = llvm::SmallVector<Range>;

  void emitBands();
  void emitRows(int64_t begin, int64_t end);
  void clearHidden(int64_t begin, int64_t end);
  void emitAll();
  Size countIterations(const SharedLoop &loop);
  Size countAround();
  void emitLoops(Size lastCount, int64_t lastExtent,
                 llvm::function_ref<Range(mlir::Value)> lastRange);
  void emitBlock(Size number, Size lastCount, llvm::function_ref<Range(mlir::Value)> lastRange);
  void emitBlocks(mlir::Value begin, mlir::Value end, Size lastCount,
                  llvm::function_ref<Range(mlir::Value)> lastRange);
  void emitMembers(const Ranges &ranges);
  void compareInsteadOfMasks(mlir::linalg::GenericOp part, unsigned number, const Ranges &ranges);
  mlir::Value placeOf(unsigned number, unsigned loop, const Ranges &ranges);
  void allocateTemporaries(int64_t lastExtent);
  mlir::Value takeBlock(unsigned number, mlir::OpOperand &operand, const Ranges &ranges);
  mlir::Value takeUsed(mlir::Value block, llvm::ArrayRef<std::optional<unsigned>> axes,
                       const Ranges &ranges);
  llvm::SmallVector<std::optional<unsigned>> sharedAxes(mlir::Value root);

  mlir::IRRewriter &b;
  const FusionGroup &group;
  mlir::Location loc;
  int64_t parts;
  const std::optional<VisibleColumns> &visible;
  /// Those of the columns that the present rows see.
  std::pair<int64_t, int64_t> columns;
  SizeArithmetic sizes;
  /// The memory for a block of each temporary.
  llvm::DenseMap<mlir::Value, mlir::Value> blocks;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_FUSIONGROUPEMITTER_H
