//===- LowerReduction.cpp - Ops that combine elements along axes ----------===//
//
// A reduction is a linalg.generic over all axes that starts from the neutral element. Sums and
// products of f16 and bf16 accumulate in f32 and are rounded once. Axes that are kept with size one
// are put back by a reshape, which readers look through. Over no axis, it is its operand: as a loop
// it would be a parallel one that reads what it writes.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace nnc {
namespace {

/// The loops of a reduction of `x`: all axes, those of `axes` combined.
struct Loops {
  SmallVector<utils::IteratorType> iterators;
  SmallVector<unsigned> reduced;
  AffineMap input, output;
};

Loops planLoops(int64_t rank, ArrayRef<int64_t> axes, MLIRContext *context) {
  Loops loops;
  SmallVector<AffineExpr> remaining;
  for (int64_t dim = 0; dim < rank; ++dim) {
    bool isReduced = llvm::is_contained(axes, dim);
    loops.iterators.push_back(isReduced ? utils::IteratorType::reduction
                                        : utils::IteratorType::parallel);
    if (isReduced)
      loops.reduced.push_back(dim);
    else
      remaining.push_back(getAffineDimExpr(dim, context));
  }
  loops.input = AffineMap::getMultiDimIdentityMap(rank, context);
  loops.output = AffineMap::get(rank, 0, remaining, context);
  return loops;
}

/// The least or the greatest number of `elementType`, infinite for floats.
Value extreme(ElementBuilder &b, bool isGreatest) {
  Type type = computeType(b.elementType);
  if (b.isFloat())
    return b.constant(isGreatest ? INFINITY : -INFINITY);
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value =
      b.isUnsignedNumber()
          ? (isGreatest ? APInt::getMaxValue(width) : APInt::getMinValue(width))
          : (isGreatest ? APInt::getSignedMaxValue(width) : APInt::getSignedMinValue(width));
  return b.make<arith::ConstantOp>(IntegerAttr::get(type, value));
}

Value neutral(ElementBuilder &b, nn::SumOp) { return b.constant(0); }
Value neutral(ElementBuilder &b, nn::ProdOp) { return b.constant(1); }
Value neutral(ElementBuilder &b, nn::MaxOp) { return extreme(b, /*isGreatest=*/false); }
Value neutral(ElementBuilder &b, nn::MinOp) { return extreme(b, /*isGreatest=*/true); }
Value combine(ElementBuilder &b, nn::SumOp, Value x, Value y) { return b.add(x, y); }
Value combine(ElementBuilder &b, nn::ProdOp, Value x, Value y) { return b.mul(x, y); }
Value combine(ElementBuilder &b, nn::MaxOp, Value x, Value y) { return b.maximum(x, y); }
Value combine(ElementBuilder &b, nn::MinOp, Value x, Value y) { return b.minimum(x, y); }

/// sum, prod, max, min.
template <typename OpTy> struct LowerReduction : LowerPattern<OpTy> {
  using LowerPattern<OpTy>::LowerPattern;

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = getElementType(op.getX());
    Shape shape = getShape(op.getX());
    SmallVector<int64_t> axes = normalizedAxes(op.getAxis(), shape.size());
    if (axes.empty()) {
      rewriter.replaceOp(op, adaptor.getX());
      return success();
    }
    Loops loops = planLoops(shape.size(), axes, op.getContext());
    Shape rest = reduceShape(shape, axes, /*keepdims=*/false);

    ElementBuilder outer{rewriter, loc, elementType};
    Value init = this->lowering.fill(rewriter, loc, rest, neutral(outer, op));
    Operation *generic = createGeneric(
        rewriter, loc, Read{adaptor.getX(), loops.input, elementType}, Write{init, loops.output},
        loops.iterators, loops.reduced,
        [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange outputs) {
          ElementBuilder b{inner, innerLoc, elementType};
          return SmallVector<Value>{combine(b, op, outputs[0], inputs[0])};
        });
    Value result =
        this->lowering.storeComputed(rewriter, loc, generic->getResult(0), rest, elementType);
    rewriter.replaceOp(op,
                       this->lowering.reshape(rewriter, loc, result, rest, getShape(op.getY())));
    return success();
  }
};

/// any, all: on the bytes that bools are stored as, so that one operation combines.
template <typename OpTy, typename CombinerTy> struct LowerBoolReduction : LowerPattern<OpTy> {
  using LowerPattern<OpTy>::LowerPattern;

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = getElementType(op.getX());
    Shape shape = getShape(op.getX());
    SmallVector<int64_t> axes = normalizedAxes(op.getAxis(), shape.size());
    if (axes.empty()) {
      rewriter.replaceOp(op, adaptor.getX());
      return success();
    }
    Loops loops = planLoops(shape.size(), axes, op.getContext());
    Shape rest = reduceShape(shape, axes, /*keepdims=*/false);
    bool startsTrue = std::is_same_v<CombinerTy, arith::AndIOp>;
    Value start = arith::ConstantIntOp::create(rewriter, loc, startsTrue, 8);
    Operation *generic = createGeneric(
        rewriter, loc, Read{adaptor.getX(), loops.input, elementType},
        Write{this->lowering.fill(rewriter, loc, rest, start), loops.output}, loops.iterators,
        loops.reduced,
        [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange outputs) {
          Value byte = storeElement(inner, innerLoc, inputs[0], elementType);
          return SmallVector<Value>{CombinerTy::create(inner, innerLoc, outputs[0], byte)};
        });
    rewriter.replaceOp(op, this->lowering.reshape(rewriter, loc, generic->getResult(0), rest,
                                                  getShape(op.getY())));
    return success();
  }
};

/// argmax, argmin: the best element so far and its index. A NaN is better than any number.
template <typename OpTy> struct LowerArg : LowerPattern<OpTy> {
  using LowerPattern<OpTy>::LowerPattern;

  static Value isBetter(ElementBuilder &b, Value element, Value best) {
    bool isMax = std::is_same_v<OpTy, nn::ArgmaxOp>;
    Value better = isMax ? b.less(best, element) : b.less(element, best);
    if (!b.isFloat())
      return better;
    Value isOrdered = b.make<arith::CmpFOp>(arith::CmpFPredicate::ORD, best, best);
    return b.logicalOr(better, b.logicalAnd(b.isNaN(element), isOrdered));
  }

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = getElementType(op.getX());
    Shape shape = getShape(op.getX());
    int64_t axis = normalizedAxis(op.getAxis(), shape.size());
    Loops loops = planLoops(shape.size(), axis, op.getContext());
    Shape rest = reduceShape(shape, axis, /*keepdims=*/false);
    ElementBuilder outer{rewriter, loc, elementType};
    Value worst = extreme(outer, std::is_same_v<OpTy, nn::ArgminOp>);
    Value first = arith::ConstantIntOp::create(rewriter, loc, 0, 64);
    Write writes[] = {{this->lowering.fill(rewriter, loc, rest, worst), loops.output},
                      {this->lowering.fill(rewriter, loc, rest, first), loops.output}};
    Operation *generic = createGeneric(
        rewriter, loc, Read{adaptor.getX(), loops.input, elementType}, writes, loops.iterators,
        loops.reduced,
        [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange outputs) {
          ElementBuilder b{inner, innerLoc, elementType};
          Value better = isBetter(b, inputs[0], outputs[0]);
          Value here =
              b.make<arith::IndexCastOp>(inner.getI64Type(), b.make<linalg::IndexOp>(axis));
          return SmallVector<Value>{b.select(better, inputs[0], outputs[0]),
                                    b.select(better, here, outputs[1])};
        });
    rewriter.replaceOp(op, this->lowering.reshape(rewriter, loc, generic->getResult(1), rest,
                                                  getShape(op.getY())));
    return success();
  }
};

} // namespace

void populateReductionLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerReduction<nn::SumOp>, LowerReduction<nn::ProdOp>, LowerReduction<nn::MaxOp>,
               LowerReduction<nn::MinOp>, LowerBoolReduction<nn::AnyOp, arith::OrIOp>,
               LowerBoolReduction<nn::AllOp, arith::AndIOp>, LowerArg<nn::ArgmaxOp>,
               LowerArg<nn::ArgminOp>>(lowering, patterns.getContext());
}

} // namespace nnc
