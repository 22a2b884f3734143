//===- PackInput.h - A copy of an operand in the order of the loops -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_PACKINPUT_H
#define NNC_LIB_CODEGEN_PACKINPUT_H

#include "KernelLoops.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// The loops of an operation while its operands are packed.
struct OperandLoops {
  llvm::SmallVector<mlir::AffineMap> maps;
  llvm::SmallVector<mlir::utils::IteratorType> kinds;
  llvm::SmallVector<int64_t> sizes;
  unsigned vectorDim;

  OperandLoops(mlir::linalg::GenericOp op, unsigned dim)
      : maps(op.getIndexingMapsArray()), kinds(op.getIteratorTypesArray()),
        sizes(op.getStaticLoopRanges()), vectorDim(dim) {}

  /// Makes two loops of `dim`: an outer one in its place, and the innermost, of `width`, which it returns.
  unsigned split(unsigned dim, int64_t width);
  /// Gives two loops each other's place.
  void exchange(unsigned first, unsigned second);
};

/// `source`, which `map` reads, with two axes where the loops split one.
mlir::Value splitAxes(mlir::IRRewriter &rewriter, mlir::Location loc, mlir::Value source,
                      const OperandLoops &loops, mlir::AffineMap &map);

/// The outermost loop around `op`, or `op` itself, before which a copy of `source` is as good as at `op`.
mlir::Operation *findPackingPlace(mlir::linalg::GenericOp op, mlir::Value source);

/// Whether the sizes of `source` depend on the trip of a loop: the workspace has no room for a copy of it.
bool changesShape(mlir::Value source);

/// Copies `source`, which `map` reads, to a buffer in the order of the loops, the vectors' loop last, and
/// makes `map` read that. The copy itself goes through the source from end to end. Rows that are to have a
/// `length` of their own get zeros at the end. Elements are converted, if that is asked for.
mlir::Value packInput(mlir::IRRewriter &rewriter, mlir::Location loc, mlir::Value source,
                      const OperandLoops &loops, mlir::AffineMap &map,
                      std::optional<int64_t> length = std::nullopt, Conversion conversion = {});

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PACKINPUT_H
