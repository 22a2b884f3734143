//===- LowerIndexing.cpp - Elements chosen by index -----------------------===//
//
// gather and reverse compute where each element of the result comes from. scatter_add runs through
// its indices in order, so that sums have one order.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace nnc {
namespace {

/// `position`, an integer, as an index from 0 to size-1: negative ones count from the end, what
/// lies outside is clamped.
Value clampPosition(OpBuilder &builder, Location loc, Value position, Value size) {
  ElementBuilder b{builder, loc, builder.getI64Type()};
  if (position.getType() != builder.getI64Type())
    position = b.make<arith::ExtSIOp>(builder.getI64Type(), position);
  Value extent = b.make<arith::IndexCastOp>(builder.getI64Type(), size);
  Value zero = b.constant(0);
  Value fromEnd = b.add(position, extent);
  position = b.select(b.less(position, zero), fromEnd, position);
  position = b.minimum(position, b.sub(extent, b.constant(1)));
  return b.make<arith::IndexCastOp>(builder.getIndexType(), b.maximum(position, zero));
}

struct LowerGather : LowerPattern<nn::GatherOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::GatherOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Shape shape = getShape(op.getX()), result = getShape(op.getY());
    unsigned indexRank = getShape(op.getIndices()).size();
    unsigned axis = normalizedAxis(op.getAxis(), shape.size());
    SmallVector<AffineExpr> exprs;
    for (unsigned dim = 0; dim < indexRank; ++dim)
      exprs.push_back(rewriter.getAffineDimExpr(axis + dim));
    Read indices{adaptor.getIndices(), AffineMap::get(result.size(), 0, exprs, op.getContext()),
                 getElementType(op.getIndices())};
    Write write{lowering.empty(rewriter, loc, result, storageType(getElementType(op.getX()))),
                rewriter.getMultiDimIdentityMap(result.size())};
    Value extent = lowering.size(rewriter, loc, shape[axis]);
    SmallVector<utils::IteratorType> iterators(result.size(), utils::IteratorType::parallel);
    Operation *generic = createGeneric(
        rewriter, loc, indices, write, iterators, {},
        [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange) {
          SmallVector<Value> place;
          for (unsigned dim = 0; dim < shape.size(); ++dim)
            place.push_back(dim == axis
                                ? clampPosition(inner, innerLoc, inputs[0], extent)
                                : linalg::IndexOp::create(inner, innerLoc,
                                                          dim < axis ? dim : dim + indexRank - 1));
          return SmallVector<Value>{
              tensor::ExtractOp::create(inner, innerLoc, adaptor.getX(), place)};
        });
    rewriter.replaceOp(op, generic->getResults());
    return success();
  }
};

struct LowerReverse : LowerPattern<nn::ReverseOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ReverseOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Shape shape = getShape(op.getX());
    SmallVector<int64_t> axes = normalizedAxes(op.getAxis(), shape.size());
    SmallVector<Value> last(shape.size());
    for (int64_t axis : axes)
      last[axis] = lowering.size(rewriter, loc, shape[axis] - Dim(1));
    Write write{lowering.empty(rewriter, loc, shape, storageType(getElementType(op.getX()))),
                rewriter.getMultiDimIdentityMap(shape.size())};
    SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
    Operation *generic = createGeneric(
        rewriter, loc, {}, write, iterators, {},
        [&](OpBuilder &inner, Location innerLoc, ValueRange, ValueRange) {
          SmallVector<Value> place;
          for (unsigned dim = 0; dim < shape.size(); ++dim) {
            Value index = linalg::IndexOp::create(inner, innerLoc, dim);
            place.push_back(last[dim] ? arith::SubIOp::create(inner, innerLoc, last[dim], index)
                                      : index);
          }
          return SmallVector<Value>{
              tensor::ExtractOp::create(inner, innerLoc, adaptor.getX(), place)};
        });
    rewriter.replaceOp(op, generic->getResults());
    return success();
  }
};

/// One loop an axis of the indices; inside, the slice of the updates is added to the slice of x.
struct LowerScatterAdd : LowerPattern<nn::ScatterAddOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ScatterAddOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> lower, upper, steps;
    for (const Dim &dim : getShape(op.getIndices())) {
      lower.push_back(arith::ConstantIndexOp::create(rewriter, loc, 0));
      upper.push_back(lowering.size(rewriter, loc, dim));
      steps.push_back(arith::ConstantIndexOp::create(rewriter, loc, 1));
    }
    if (upper.empty()) {
      rewriter.replaceOp(op, addSlice(rewriter, loc, op, adaptor, {}, adaptor.getX()));
      return success();
    }
    scf::LoopNest nest = scf::buildLoopNest(
        rewriter, loc, lower, upper, steps, adaptor.getX(),
        [&](OpBuilder &inner, Location innerLoc, ValueRange place, ValueRange carried) {
          return scf::ValueVector{addSlice(inner, innerLoc, op, adaptor, place, carried[0])};
        });
    rewriter.replaceOp(op, nest.results);
    return success();
  }

  Value addSlice(OpBuilder &builder, Location loc, nn::ScatterAddOp op, OpAdaptor adaptor,
                 ValueRange place, Value target) const {
    Shape shape = getShape(op.getX());
    Type elementType = getElementType(op.getX());
    int64_t axis = normalizedAxis(op.getAxis(), shape.size());
    Value index = tensor::ExtractOp::create(builder, loc, adaptor.getIndices(), place);
    index = clampPosition(builder, loc, index, lowering.size(builder, loc, shape[axis]));

    // The slice of x keeps every axis but `axis`; that of the updates has the loops' axes there. Behind
    // an axis of size one, which could be taken for the one that is left out, both keep all axes.
    bool keepsAll = llvm::is_contained(ArrayRef(shape).take_front(axis), Dim(1));
    Shape sliceShape = reduceShape(shape, axis, keepsAll), updateShape = sliceShape;
    if (keepsAll) {
      updateShape.assign(shape.begin(), shape.begin() + axis);
      updateShape.append(place.size(), Dim(1));
      updateShape.append(shape.begin() + axis + 1, shape.end());
    }
    RankedTensorType sliceType = lowering.convert(makeTensorType(sliceShape, elementType)),
                     updateType = lowering.convert(makeTensorType(updateShape, elementType));
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    SmallVector<OpFoldResult> offsets(shape.size(), zero), strides(shape.size(), one);
    SmallVector<OpFoldResult> sizes = lowering.foldedSizes(builder, loc, shape);
    sizes[axis] = one;
    SmallVector<OpFoldResult> updateOffsets = offsets, updateSizes = sizes;
    updateOffsets.erase(updateOffsets.begin() + axis);
    updateSizes.erase(updateSizes.begin() + axis);
    updateOffsets.insert(updateOffsets.begin() + axis, place.begin(), place.end());
    updateSizes.insert(updateSizes.begin() + axis, place.size(), one);
    SmallVector<OpFoldResult> updateStrides(updateSizes.size(), one);
    offsets[axis] = index;

    Value update = tensor::ExtractSliceOp::create(builder, loc, updateType, adaptor.getUpdates(),
                                                  updateOffsets, updateSizes, updateStrides);
    Value slice =
        tensor::ExtractSliceOp::create(builder, loc, sliceType, target, offsets, sizes, strides);
    AffineMap identity = builder.getMultiDimIdentityMap(sliceShape.size()), updateMap = identity;
    if (keepsAll) {
      SmallVector<AffineExpr> places = llvm::to_vector(identity.getResults());
      places.erase(places.begin() + axis);
      places.insert(places.begin() + axis, place.size(), builder.getAffineConstantExpr(0));
      updateMap = AffineMap::get(sliceShape.size(), 0, places, builder.getContext());
    }
    SmallVector<utils::IteratorType> iterators(sliceShape.size(), utils::IteratorType::parallel);
    // The sum is written where the slice of x is.
    Operation *sum = createGeneric(
        builder, loc, Read{update, updateMap, elementType}, Write{slice, identity}, iterators, {},
        [&](OpBuilder &inner, Location innerLoc, ValueRange in, ValueRange out) {
          ElementBuilder b{inner, innerLoc, elementType};
          Value before = loadElement(inner, innerLoc, out[0], elementType);
          return SmallVector<Value>{
              storeElement(inner, innerLoc, b.add(before, in[0]), elementType)};
        });
    return tensor::InsertSliceOp::create(builder, loc, sum->getResult(0), target, offsets, sizes,
                                         strides);
  }
};

} // namespace

void populateIndexingLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerGather, LowerReverse, LowerScatterAdd>(lowering, patterns.getContext());
}

} // namespace nnc
