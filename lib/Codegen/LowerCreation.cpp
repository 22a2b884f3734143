//===- LowerCreation.cpp - Ops that make tensors --------------------------===//
//
// Constants in the form that elements are stored in, fills, and counting.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace nnc {
namespace {

struct LowerConstant : LowerPattern<nn::ConstantOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ConstantOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ElementsAttr value = op.getValue();
    Type elementType = value.getElementType(), stored = storageType(elementType);
    auto type = lowering.convert(op.getType());
    if (elementType != stored) {
      auto elements = dyn_cast<DenseElementsAttr>(value);
      if (!elements)
        return op.emitError("expected the elements of the constant in the text");
      value = elements.mapValues(stored, [](const APInt &element) { return element.zext(8); });
    }
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, type, cast<TypedAttr>(value));
    return success();
  }
};

struct LowerFull : LowerPattern<nn::FullOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::FullOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    double number = op.getValue().convertToDouble();
    Type stored = storageType(op.getDtype());
    // A constant, not an operation on one.
    Value value =
        isa<FloatType>(stored)
            ? arith::ConstantOp::create(rewriter, loc, rewriter.getFloatAttr(stored, number))
                  .getResult()
        : op.getDtype().isInteger(1) ? constantElement(rewriter, loc, number != 0, stored)
                                     : constantElement(rewriter, loc, number, op.getDtype());
    rewriter.replaceOp(op, lowering.fill(rewriter, loc, getShape(op.getY()), value));
    return success();
  }
};

struct LowerIota : LowerPattern<nn::IotaOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::IotaOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Shape shape = getShape(op.getY());
    int64_t axis = normalizedAxis(op.getAxis(), shape.size());
    Type i64 = rewriter.getI64Type();
    rewriter.replaceOp(
        op, lowering.elementwise(rewriter, op.getLoc(), {}, {}, shape, op.getDtype(),
                                 [&](OpBuilder &inner, Location loc, ValueRange) {
                                   Value index = linalg::IndexOp::create(inner, loc, axis);
                                   index = arith::IndexCastOp::create(inner, loc, i64, index);
                                   return castElement(inner, loc, index, i64, op.getDtype());
                                 }));
    return success();
  }
};

} // namespace

void populateCreationLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerConstant, LowerFull, LowerIota>(lowering, patterns.getContext());
}

} // namespace nnc
