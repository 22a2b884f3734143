//===- WindowContraction.h - Sums of products over windows ------*- C++ -*-===//
//
// A convolution, its derivative by the input and its derivative by the filters are the same products
//
//   x[image, channel, pixel + tap, ...] * filters[filter, channel, tap, ...]  for  pixels[image, filter, pixel, ...]
//
// and differ in which of the last two is the result, with the sums over all that it has no index for.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_WINDOWCONTRACTION_H
#define NNC_LIB_CODEGEN_WINDOWCONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// An axis along which windows move.
struct WindowLoops {
  /// The loops over the places of the window and over the elements in it.
  unsigned pixel, tap;
  /// How many places there are, and elements.
  int64_t pixels, taps;
  /// x is read at pixel + tap + offset, or pixel - tap + offset.
  bool isFlipped;
  int64_t offset;

  /// Element `index` of a window, in the order of x.
  int64_t tapAt(int64_t index) const { return isFlipped ? taps - 1 - index : index; }
  /// Where in x the window of pixel 0 begins.
  int64_t begin() const { return isFlipped ? offset - (taps - 1) : offset; }
};

struct WindowContraction {
  mlir::linalg::GenericOp op;
  mlir::OpOperand *x, *filters, *pixels;
  /// Loops.
  unsigned image, channel, filter;
  llvm::SmallVector<WindowLoops> axes;

  /// Whether the result has a filter's shape, summed over all windows.
  bool sumsPixels() const { return filters->getOperandNumber() > pixels->getOperandNumber(); }
  int64_t size(unsigned loop) const { return sizes[loop]; }

  /// Known extents of the loops.
  llvm::SmallVector<int64_t> sizes;
};

/// `op`, on buffers, if it is such a sum with one loop each over images, channels and filters, and, but for
/// images, known sizes.
std::optional<WindowContraction> matchWindowContraction(mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_WINDOWCONTRACTION_H
