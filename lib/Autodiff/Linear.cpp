//===- Linear.cpp - Derivatives of contractions ---------------------------===//
//
// For z = x @ y on matrices: d_x = d @ yᵀ, d_y = xᵀ @ d. Vectors are made matrices first, and
// batches that broadcast are summed by unbroadcast.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

static Expr transposeMatrix(Expr x) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
  std::swap(permutation[x.rank() - 1], permutation[x.rank() - 2]);
  return transpose(x, permutation);
}

/// All rows of a batch of matrices as one matrix.
static Expr stackRows(Expr x) {
  Shape shape = x.shape();
  return reshape(x, {numElements(ArrayRef(shape).drop_back()), shape.back()});
}

static Exprs<2> gradientOfMatrices(Expr x, Expr y, Expr d) {
  Expr dx = unbroadcast(matmul(d, transposeMatrix(y)), x);
  // One matrix y for a batch: a single product that also sums over the batch.
  if (y.rank() == 2 && x.rank() > 2)
    return {dx, matmul(transposeMatrix(stackRows(x)), stackRows(d))};
  return {dx, unbroadcast(matmul(transposeMatrix(x), d), y)};
}

/// The matrix of the products x[i] y[j].
static Expr outer(Expr x, Expr y) { return expandDims(x, {1}) * y; }

static Exprs<2> gradient(MatmulOp, Expr x, Expr y, Expr z, Expr d) {
  if (x.rank() == 1 && y.rank() == 1)
    return {d * y, d * x};
  if (x.rank() == 1 && y.rank() == 2)
    return {matmul(y, d), outer(x, d)};
  if (x.rank() == 2 && y.rank() == 1)
    return {outer(d, y), matmul(d, x)};
  Expr left = x, right = y;
  if (y.rank() == 1) {
    right = expandDims(y, {1});
    d = expandDims(d, {d.rank()});
  }
  if (x.rank() == 1) {
    left = expandDims(x, {0});
    d = expandDims(d, {d.rank() - 1});
  }
  auto [dx, dy] = gradientOfMatrices(left, right, d);
  return {reshape(dx, x.shape()), reshape(dy, y.shape())};
}

void registerLinearGradients(MLIRContext *context) { registerRules<MatmulOp>(context); }

} // namespace nnc
