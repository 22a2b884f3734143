//===- Decompose.cpp - Write composite ops in terms of simpler ones -------===//
//
// One overload of `decompose` an op. x is the operand, in f32 if it was narrower; the result is
// converted back.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Expression.h"
#include "nnc/Transforms/Passes.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {
#define GEN_PASS_DEF_DECOMPOSEPASS
#include "nnc/Transforms/Passes.h.inc"

static Expr decompose(MeanOp op, Expr x) {
  SmallVector<int64_t> axes = normalizedAxes(op.getAxis(), x.rank());
  return sum(x, axes, op.getKeepdims()) / countAlong(x, axes);
}

/// Shifted by the maximum, so that no exponential overflows, unless that is infinite: then by 0,
/// and the sum itself is 0, infinite or NaN as it should be.
static Expr decompose(LogsumexpOp op, Expr x) {
  SmallVector<int64_t> axes = normalizedAxes(op.getAxis(), x.rank());
  Expr greatest = max(x, axes, /*keepdims=*/true);
  Expr shift = where(less(abs(greatest), INFINITY), greatest, 0);
  Expr y = log(sum(exp(x - shift), axes, /*keepdims=*/true)) + shift;
  return op.getKeepdims() ? y : reshape(y, getShape(op.getY()));
}

/// The exponents of a softmax along `axes`, none of them positive.
static Expr shifted(Expr x, ArrayRef<int64_t> axes) { return x - max(x, axes, /*keepdims=*/true); }

static Expr decompose(SoftmaxOp op, Expr x) {
  int64_t axis = normalizedAxis(op.getAxis(), x.rank());
  Expr numerator = exp(shifted(x, axis));
  return numerator / sum(numerator, axis, /*keepdims=*/true);
}

static Expr decompose(LogSoftmaxOp op, Expr x) {
  int64_t axis = normalizedAxis(op.getAxis(), x.rank());
  Expr exponent = shifted(x, axis);
  return exponent - log(sum(exp(exponent), axis, /*keepdims=*/true));
}

static Expr decompose(OneHotOp op, Expr indices) {
  Expr numbers = iotaLike(indices, {Dim(op.getDepth())}, 0);
  return equal(expandDims(indices, {indices.rank()}), numbers);
}

namespace {
template <typename OpTy> struct Decompose : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    Place place{rewriter, getUnnamedLoc(op)};
    Expr x{&place, op->getOperand(0)};
    bool isNarrow = isa<Float16Type, BFloat16Type>(x.elementType());
    Expr y = decompose(op, isNarrow ? cast(x, rewriter.getF32Type()) : x);
    Type elementType = getElementType(op->getResult(0));
    if (y.elementType() != elementType)
      y = cast(y, elementType);
    y.value.getDefiningOp()->setLoc(op.getLoc());
    rewriter.replaceOp(op, y.value);
    return success();
  }
};

struct DecomposePass : impl::DecomposePassBase<DecomposePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Decompose<MeanOp>, Decompose<LogsumexpOp>, Decompose<SoftmaxOp>,
                 Decompose<LogSoftmaxOp>, Decompose<OneHotOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

} // namespace nnc
