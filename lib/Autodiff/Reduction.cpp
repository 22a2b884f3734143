//===- Reduction.cpp - Derivatives of reductions --------------------------===//
//
// x is the operand, y the result, d its cotangent. `restored` gives y and d back the axes that the
// op reduced, with size one, so that they broadcast against x.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

template <typename OpTy> static SmallVector<int64_t> axesOf(OpTy op, Expr x) {
  return normalizedAxes(op.getAxis(), x.rank());
}

/// `y`, of the shape of the op's result, broadcastable to `x`. Leading axes come by themselves.
template <typename OpTy> static Expr restored(OpTy op, Expr x, Expr y) {
  SmallVector<int64_t> axes = axesOf(op, x);
  bool areLeading = axes.empty() || axes.back() == int64_t(axes.size()) - 1;
  return op.getKeepdims() || areLeading ? y : expandDims(y, axes);
}

static Expr gradient(SumOp op, Expr x, Expr y, Expr d) {
  return broadcastTo(restored(op, x, d), x.shape());
}

static Expr gradient(MeanOp op, Expr x, Expr y, Expr d) {
  return broadcastTo(restored(op, x, d / countAlong(x, axesOf(op, x))), x.shape());
}

/// The product of the other elements, also where some are zero: y / x if none is, the product of
/// the rest at a single zero, else 0. (Differentiated again, it is right for at most one zero.)
static Expr gradient(ProdOp op, Expr x, Expr y, Expr d) {
  SmallVector<int64_t> axes = axesOf(op, x);
  Expr isZero = equal(x, 0), nonzero = where(isZero, 1, x);
  Expr zeros = sum(cast(isZero, x.elementType()), axes, /*keepdims=*/true);
  Expr rest = where(equal(zeros, 1), prod(nonzero, axes, /*keepdims=*/true), 0);
  return restored(op, x, d) * where(isZero, rest, restored(op, x, y) / nonzero);
}

/// Equal parts of d to the elements that are the extreme.
template <typename OpTy> static Expr gradientOfExtreme(OpTy op, Expr x, Expr y, Expr d) {
  Expr isExtreme = equal(x, restored(op, x, y));
  Expr ties = sum(cast(isExtreme, x.elementType()), axesOf(op, x), op.getKeepdims());
  return where(isExtreme, restored(op, x, d / ties), 0);
}
static Expr gradient(MaxOp op, Expr x, Expr y, Expr d) { return gradientOfExtreme(op, x, y, d); }
static Expr gradient(MinOp op, Expr x, Expr y, Expr d) { return gradientOfExtreme(op, x, y, d); }

static Expr gradient(LogsumexpOp op, Expr x, Expr y, Expr d) {
  return restored(op, x, d) * exp(x - restored(op, x, y));
}

/// The sum along the axis of a softmax, which stays with size one.
template <typename OpTy> static Expr sumAlong(OpTy op, Expr x) {
  return sum(x, {normalizedAxis(op.getAxis(), x.rank())}, /*keepdims=*/true);
}
static Expr gradient(SoftmaxOp op, Expr x, Expr y, Expr d) { return y * (d - sumAlong(op, d * y)); }
static Expr gradient(LogSoftmaxOp op, Expr x, Expr y, Expr d) {
  return d - exp(y) * sumAlong(op, d);
}

void registerReductionGradients(MLIRContext *context) {
  registerRules<SumOp, MeanOp, ProdOp, MaxOp, MinOp, LogsumexpOp, SoftmaxOp, LogSoftmaxOp>(context);
}

} // namespace nnc
