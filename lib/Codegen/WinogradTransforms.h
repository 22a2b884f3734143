//===- WinogradTransforms.h - Fewer products for small windows --*- C++ -*-===//
//
// Winograd's minimal filtering (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray,
// Fast Algorithms for Convolutional Neural Networks, 2016). Along one axis two sums of three products each,
// y[i] = x[i] f[0] + x[i + 1] f[1] + x[i + 2] f[2], take four products:
//
//   y = A ((F f) * (X x)),   X x = (x0 - x2, x1 + x2, x2 - x1, x1 - x3)
//
// and so do three sums of two, the derivative by the filters. Along two axes that is 16 for 36. The additions
// before and after are few if there are many channels, and by halves at most, so that the error stays near
// that of the plain sums; but what a tile of x holds reaches both its outputs: an infinity or NaN at one end
// of it becomes NaN in both.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_WINOGRADTRANSFORMS_H
#define NNC_LIB_CODEGEN_WINOGRADTRANSFORMS_H

#include "mlir/IR/Builders.h"

namespace nnc::winograd {

/// Elements of x along each axis of a tile, also the number of products.
constexpr int64_t kTile = 4;
/// Pixels and taps of a tile.
constexpr int64_t kPixels = 2, kTaps = 3;

/// The non-zero elements of each row are alike but for their signs.
using Matrix = llvm::ArrayRef<llvm::SmallVector<float, 4>>;

/// X: of four elements of x what is multiplied.
Matrix inputMatrix();
/// F: of three taps what x is multiplied by.
Matrix tapsMatrix();
/// Of two pixels what x is multiplied by; `skipsFirst`: the first one does not count.
Matrix pixelsMatrix(bool skipsFirst);
/// A: of four products two pixels, or the second alone.
Matrix toPixelsMatrix(bool skipsFirst);
/// Of four products three taps.
Matrix toTapsMatrix();

/// rows * grid * columns^T; grids are row-major.
llvm::SmallVector<mlir::Value> transform(mlir::OpBuilder &builder, mlir::Location loc, Matrix rows,
                                         Matrix columns, llvm::ArrayRef<mlir::Value> grid);

} // namespace nnc::winograd

#endif // NNC_LIB_CODEGEN_WINOGRADTRANSFORMS_H
