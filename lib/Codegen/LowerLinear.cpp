//===- LowerLinear.cpp - Contractions -------------------------------------===//
//
// A matrix product of any rank is one linalg.generic over (batch…, row, column, k) that multiplies
// and adds; vectors, broadcast batches and transposed operands differ in the indexing maps only.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace nnc {
namespace {

struct LowerMatmul : LowerPattern<nn::MatmulOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::MatmulOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    Type elementType = getElementType(op.getX());
    Shape x = getShape(op.getX()), y = getShape(op.getY()), result = getShape(op.getZ());
    bool hasRow = x.size() > 1, hasColumn = y.size() > 1;
    unsigned batches = result.size() - hasRow - hasColumn;
    unsigned row = batches, column = batches + hasRow, k = column + hasColumn;
    unsigned numLoops = k + 1;
    auto loop = [&](unsigned dim) { return getAffineDimExpr(dim, context); };

    // The batch axes of an operand line up with the last batch loops.
    auto batchExprs = [&](ArrayRef<Dim> shape) {
      SmallVector<AffineExpr> exprs;
      unsigned own = shape.size() < 2 ? 0 : shape.size() - 2;
      for (unsigned dim = 0; dim < own; ++dim) {
        unsigned batch = batches - own + dim;
        bool repeats = shape[dim] == Dim(1) && result[batch] != Dim(1);
        exprs.push_back(repeats ? getAffineConstantExpr(0, context) : loop(batch));
      }
      return exprs;
    };
    SmallVector<AffineExpr> xExprs = batchExprs(x), yExprs = batchExprs(y);
    if (hasRow)
      xExprs.push_back(loop(row));
    xExprs.push_back(loop(k));
    yExprs.push_back(loop(k));
    if (hasColumn)
      yExprs.push_back(loop(column));
    Read reads[] = {{adaptor.getX(), AffineMap::get(numLoops, 0, xExprs, context), elementType},
                    {adaptor.getY(), AffineMap::get(numLoops, 0, yExprs, context), elementType}};

    Value zero = constantElement(rewriter, loc, 0, elementType);
    SmallVector<AffineExpr> zExprs;
    for (unsigned dim = 0; dim < k; ++dim)
      zExprs.push_back(loop(dim));
    Write write{lowering.fill(rewriter, loc, result, zero),
                AffineMap::get(numLoops, 0, zExprs, context)};
    SmallVector<utils::IteratorType> iterators(numLoops, utils::IteratorType::parallel);
    iterators.back() = utils::IteratorType::reduction;
    Operation *generic = createGeneric(
        rewriter, loc, reads, write, iterators, k,
        [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange outputs) {
          ElementBuilder b{inner, innerLoc, elementType};
          return SmallVector<Value>{b.add(outputs[0], b.mul(inputs[0], inputs[1]))};
        });
    rewriter.replaceOp(
        op, lowering.storeComputed(rewriter, loc, generic->getResult(0), result, elementType));
    return success();
  }
};

} // namespace

void populateLinearLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerMatmul>(lowering, patterns.getContext());
}

} // namespace nnc
