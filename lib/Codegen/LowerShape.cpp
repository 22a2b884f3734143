//===- LowerShape.cpp - Ops that move elements ----------------------------===//
//
// Transposes and broadcasts are copies that readers look through. Parts are slices of tensors;
// joining and padding insert slices into a tensor made for the result.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace nnc {
namespace {

/// reshape, expand_dims, squeeze: the result's type tells all.
template <typename OpTy> struct LowerReshape : LowerPattern<OpTy> {
  using LowerPattern<OpTy>::LowerPattern;

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, this->lowering.reshape(rewriter, op.getLoc(), adaptor.getX(),
                                                  getShape(op.getX()), getShape(op.getY())));
    return success();
  }
};

struct LowerBroadcastTo : LowerPattern<nn::BroadcastToOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::BroadcastToOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(
        op, lowering.broadcast(rewriter, op.getLoc(), adaptor.getX(), getShape(op.getY())));
    return success();
  }
};

struct LowerTranspose : LowerPattern<nn::TransposeOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::TransposeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = getShape(op.getX()).size();
    std::optional<ArrayRef<int64_t>> permutation = op.getPermutation();
    SmallVector<AffineExpr> exprs(rank);
    for (int64_t axis = 0; axis < rank; ++axis) {
      int64_t source = permutation ? normalizedAxis((*permutation)[axis], rank) : rank - 1 - axis;
      exprs[source] = rewriter.getAffineDimExpr(axis);
    }
    AffineMap map = AffineMap::get(rank, 0, exprs, op.getContext());
    rewriter.replaceOp(
        op, lowering.rearrange(rewriter, op.getLoc(), adaptor.getX(), map, getShape(op.getY())));
    return success();
  }
};

/// Offsets, sizes and strides of the part that starts, stops and steps select.
struct Part {
  Shape shape;
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

Part makePart(const Lowering &lowering, OpBuilder &builder, Location loc, ArrayRef<Dim> starts,
              ArrayRef<Dim> stops, ArrayRef<int64_t> steps) {
  Part part;
  for (auto [start, stop, step] : llvm::zip_equal(starts, stops, steps)) {
    part.shape.push_back((stop - start).ceilDiv(Dim(step)));
    part.strides.push_back(builder.getIndexAttr(step));
  }
  part.offsets = lowering.foldedOffsets(builder, loc, starts, part.shape);
  part.sizes = lowering.foldedSizes(builder, loc, part.shape);
  return part;
}

struct LowerSlice : LowerPattern<nn::SliceOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::SliceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Part part =
        makePart(lowering, rewriter, op.getLoc(), op.getStarts(), op.getStops(), op.getSteps());
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, lowering.convert(op.getType()), adaptor.getX(), part.offsets, part.sizes, part.strides);
    return success();
  }
};

struct LowerSliceUpdate : LowerPattern<nn::SliceUpdateOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::SliceUpdateOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Part part =
        makePart(lowering, rewriter, op.getLoc(), op.getStarts(), op.getStops(), op.getSteps());
    Value update = lowering.broadcast(rewriter, op.getLoc(), adaptor.getUpdate(), part.shape);
    rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(op, update, adaptor.getX(), part.offsets,
                                                       part.sizes, part.strides);
    return success();
  }
};

struct LowerConcat : LowerPattern<nn::ConcatOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ConcatOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Shape shape = getShape(op.getY());
    int64_t axis = normalizedAxis(op.getAxis(), shape.size());
    Value joined =
        lowering.empty(rewriter, op.getLoc(), shape, storageType(getElementType(op.getY())));
    Shape offsets(shape.size(), Dim(0));
    for (auto [original, input] : llvm::zip_equal(op.getInputs(), adaptor.getInputs())) {
      Shape inputShape = getShape(original);
      joined = lowering.insert(rewriter, op.getLoc(), input, inputShape, joined, offsets);
      offsets[axis] = offsets[axis] + inputShape[axis];
    }
    rewriter.replaceOp(op, joined);
    return success();
  }
};

struct LowerPad : LowerPattern<nn::PadOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::PadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = getElementType(op.getX());
    Value value = constantElement(rewriter, loc, op.getValue().convertToDouble(), elementType);
    Value border = lowering.fill(rewriter, loc, getShape(op.getY()),
                                 storeElement(rewriter, loc, value, elementType));
    Shape offsets = llvm::map_to_vector<4>(op.getLow(), [](int64_t low) { return Dim(low); });
    rewriter.replaceOp(
        op, lowering.insert(rewriter, loc, adaptor.getX(), getShape(op.getX()), border, offsets));
    return success();
  }
};

struct LowerSize : LowerPattern<nn::SizeOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::SizeOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Shape shape = getShape(op.getX());
    Dim product(1);
    for (int64_t axis : normalizedAxes(op.getAxis(), shape.size()))
      product = product * shape[axis];
    Value size = arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(),
                                            lowering.size(rewriter, loc, product));
    rewriter.replaceOpWithNewOp<tensor::FromElementsOp>(op, lowering.convert(op.getType()), size);
    return success();
  }
};

} // namespace

void populateShapeLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerReshape<nn::ReshapeOp>, LowerReshape<nn::ExpandDimsOp>,
               LowerReshape<nn::SqueezeOp>, LowerBroadcastTo, LowerTranspose, LowerSlice,
               LowerSliceUpdate, LowerConcat, LowerPad, LowerSize>(lowering, patterns.getContext());
}

} // namespace nnc
