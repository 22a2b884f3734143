//===- ExpandViews.cpp - Sizes and strides of views -----------------------===//
//
// With MLIR's own patterns, but that its expansion of memref.expand_shape knows at most one size of a group
// that is open; here all of them may be symbols, and the operation says what each is.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_EXPANDVIEWSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Whether more than one size of a group is open.
bool hasOpenGroup(memref::ExpandShapeOp op) {
  MemRefType type = op.getResultType();
  return llvm::any_of(op.getReassociationIndices(), [&](ArrayRef<int64_t> group) {
    return llvm::count_if(group, [&](int64_t axis) { return type.isDynamicDim(axis); }) > 1;
  });
}

struct CastExpandedView : OpRewritePattern<memref::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::ExpandShapeOp op,
                                PatternRewriter &rewriter) const override {
    if (!hasOpenGroup(op))
      return failure();
    Location loc = op.getLoc();
    auto source = memref::ExtractStridedMetadataOp::create(rewriter, loc, op.getSrc());
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), strides(sizes.size());
    SmallVector<OpFoldResult> sourceStrides = source.getConstifiedMixedStrides();
    for (auto [axis, group] : llvm::enumerate(op.getReassociationIndices())) {
      // Row-major within the group.
      OpFoldResult stride = sourceStrides[axis];
      for (int64_t place : llvm::reverse(group)) {
        strides[place] = stride;
        if (place != group.front())
          stride = multiply(rewriter, loc, stride, sizes[place]);
      }
    }
    rewriter.replaceOpWithNewOp<memref::ReinterpretCastOp>(
        op, op.getResultType(), source.getBaseBuffer(), source.getConstifiedMixedOffset(), sizes,
        strides);
    return success();
  }

  static OpFoldResult multiply(OpBuilder &builder, Location loc, OpFoldResult left,
                               OpFoldResult right) {
    std::optional<int64_t> x = getConstantIntValue(left), y = getConstantIntValue(right);
    if (x && y)
      return builder.getIndexAttr(*x * *y);
    return builder.createOrFold<arith::MulIOp>(
        loc, getValueOrCreateConstantIndexOp(builder, loc, left),
        getValueOrCreateConstantIndexOp(builder, loc, right));
  }
};

class ExpandViews : public impl::ExpandViewsPassBase<ExpandViews> {
  void runOnOperation() override {
    // All open groups first: MLIR's patterns look through an expansion, and do not expect these.
    RewritePatternSet ours(&getContext()), theirs(&getContext());
    ours.add<CastExpandedView>(&getContext());
    memref::populateExpandStridedMetadataPatterns(theirs);
    if (failed(applyToViews(std::move(ours))) || failed(applyToViews(std::move(theirs))))
      signalPassFailure();
  }

  LogicalResult applyToViews(RewritePatternSet patterns) {
    SmallVector<Operation *> views;
    getOperation().walk([&](Operation *op) {
      if (isa<memref::MemRefDialect>(op->getDialect()) && op->getNumResults() != 0)
        views.push_back(op);
    });
    return applyOpPatternsGreedily(views, std::move(patterns));
  }
};

} // namespace
} // namespace nnc
