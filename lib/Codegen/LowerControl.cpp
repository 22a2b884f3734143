//===- LowerControl.cpp - Loops -------------------------------------------===//
//
// A scan is an scf.for that carries its values and the tensors that collected values go into. Each
// iteration reads its slice of the sequences and inserts its slice of what is collected.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace nnc {
namespace {

/// One slice of a stack along its first axis.
struct Slice {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

Slice sliceAt(const Lowering &lowering, OpBuilder &builder, Location loc, ArrayRef<Dim> stack,
              Value position) {
  Slice slice;
  slice.offsets.assign(stack.size(), builder.getIndexAttr(0));
  slice.strides.assign(stack.size(), builder.getIndexAttr(1));
  slice.sizes = lowering.foldedSizes(builder, loc, stack);
  slice.offsets[0] = position;
  slice.sizes[0] = builder.getIndexAttr(1);
  return slice;
}

struct LowerScan : LowerPattern<nn::ScanOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ScanOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> carried(adaptor.getInits());
    for (Value stacked : op.getResults().drop_front(op.getNumCarried()))
      carried.push_back(
          lowering.empty(rewriter, loc, getShape(stacked), storageType(getElementType(stacked))));
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value count = lowering.size(rewriter, loc, op.getCount());
    auto loop = scf::ForOp::create(rewriter, loc, zero, count, one, carried);
    if (carried.empty())
      rewriter.eraseOp(loop.getBody()->getTerminator());

    rewriter.setInsertionPointToStart(loop.getBody());
    Value position = loop.getInductionVar();
    if (op.getReverse()) {
      Value last = lowering.size(rewriter, loc, op.getCount() - Dim(1));
      position = arith::SubIOp::create(rewriter, loc, last, position);
    }
    SmallVector<Value> arguments = makeArguments(rewriter, op, adaptor, loop, position);
    nn::YieldOp yield = op.getYield();
    rewriter.inlineBlockBefore(&op.getBody().front(), loop.getBody(), loop.getBody()->end(),
                               arguments);
    replaceYield(rewriter, op, loop, yield, position);
    rewriter.replaceOp(op, loop.getResults());
    return success();
  }

private:
  /// `value` in the type of `original`, a value of nn.
  Value castBack(OpBuilder &builder, Value value, Value original) const {
    if (value.getType() == original.getType())
      return value;
    return UnrealizedConversionCastOp::create(builder, value.getLoc(), original.getType(), value)
        .getResult(0);
  }

  /// What the body's arguments stand for: the number of the iteration, what is carried, and the
  /// slices.
  SmallVector<Value> makeArguments(OpBuilder &builder, nn::ScanOp op, OpAdaptor adaptor,
                                   scf::ForOp loop, Value position) const {
    Location loc = op.getLoc();
    Value number = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), position);
    auto scalarType = RankedTensorType::get({}, builder.getI64Type());
    SmallVector<Value> arguments = {
        tensor::FromElementsOp::create(builder, loc, scalarType, number)};
    for (auto [argument, value] : llvm::zip(op.getCarriedArguments(), loop.getRegionIterArgs()))
      arguments.push_back(castBack(builder, value, argument));
    for (auto [argument, original, sequence] :
         llvm::zip_equal(op.getSliceArguments(), op.getSequences(), adaptor.getSequences())) {
      Slice slice = sliceAt(lowering, builder, loc, getShape(original), position);
      Value part =
          tensor::ExtractSliceOp::create(builder, loc, lowering.convert(argument.getType()),
                                         sequence, slice.offsets, slice.sizes, slice.strides);
      arguments.push_back(castBack(builder, part, argument));
    }
    return arguments;
  }

  void replaceYield(ConversionPatternRewriter &rewriter, nn::ScanOp op, scf::ForOp loop,
                    nn::YieldOp yield, Value position) const {
    Location loc = yield.getLoc();
    rewriter.setInsertionPoint(yield);
    SmallVector<Value> values;
    for (auto [index, value] : llvm::enumerate(yield.getValues())) {
      RankedTensorType type = lowering.convert(value.getType());
      Value plain =
          value.getType() == type
              ? value
              : UnrealizedConversionCastOp::create(rewriter, loc, type, value).getResult(0);
      if (index >= op.getNumCarried()) {
        Slice slice = sliceAt(lowering, rewriter, loc, getShape(op.getResult(index)), position);
        plain = tensor::InsertSliceOp::create(rewriter, loc, plain, loop.getRegionIterArgs()[index],
                                              slice.offsets, slice.sizes, slice.strides);
      }
      values.push_back(plain);
    }
    rewriter.replaceOpWithNewOp<scf::YieldOp>(yield, values);
  }
};

} // namespace

void populateControlLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerScan>(lowering, patterns.getContext());
}

} // namespace nnc
