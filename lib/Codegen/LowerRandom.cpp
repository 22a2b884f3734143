//===- LowerRandom.cpp - Random numbers of a key --------------------------===//
//
// Each element computes its own block of random words from the key, the stream and its row-major
// index; nnc/Support/Random.h is the definition. Uniform numbers are mapped to their range by one
// fused multiply-add in f64 and rounded once, so that their bits are the reference's.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"
#include "nnc/Codegen/MathExpansions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace nnc {
namespace {

/// The low and the high 32 bits of an i64.
std::array<Value, 2> splitWords(OpBuilder &builder, Location loc, Value value) {
  Value width = arith::ConstantIntOp::create(builder, loc, 32, 64);
  Value high = arith::ShRUIOp::create(builder, loc, value, width);
  return {arith::TruncIOp::create(builder, loc, builder.getI32Type(), value),
          arith::TruncIOp::create(builder, loc, builder.getI32Type(), high)};
}

/// The row-major index of the element that the body of a linalg.generic is at; `sizes` are i64.
Value elementNumber(OpBuilder &builder, Location loc, ValueRange sizes) {
  Value number = arith::ConstantIntOp::create(builder, loc, 0, 64);
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    Value index = linalg::IndexOp::create(builder, loc, dim);
    index = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
    if (dim == 0) {
      number = index;
      continue;
    }
    number = arith::MulIOp::create(builder, loc, number, size);
    number = arith::AddIOp::create(builder, loc, number, index);
  }
  return number;
}

Value constant(OpBuilder &builder, Location loc, FloatType type, double value) {
  return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, value));
}

/// `unit` in [0, 1), mapped to the range of `op`.
Value emit(OpBuilder &builder, Location loc, nn::UniformOp op, FloatType type,
           const std::array<Value, 4> &words) {
  Value unit = buildUniform(builder, loc, type, words[0], words[1]);
  double low = op.getLow().convertToDouble(), high = op.getHigh().convertToDouble();
  FloatType f64 = builder.getF64Type();
  if (low == 0 && high == 1)
    return castElement(builder, loc, unit, type, op.getDtype());
  Value exact = castElement(builder, loc, unit, type, f64);
  Value mapped = math::FmaOp::create(builder, loc, exact, constant(builder, loc, f64, high - low),
                                     constant(builder, loc, f64, low));
  return castElement(builder, loc, mapped, f64, op.getDtype());
}

Value emit(OpBuilder &builder, Location loc, nn::NormalOp op, FloatType type,
           const std::array<Value, 4> &words) {
  Value standard = buildNormal(builder, loc, type, words[0], words[1]);
  double mean = op.getMean().convertToDouble(), deviation = op.getStd().convertToDouble();
  if (mean != 0 || deviation != 1)
    standard = math::FmaOp::create(builder, loc, standard, constant(builder, loc, type, deviation),
                                   constant(builder, loc, type, mean));
  return castElement(builder, loc, standard, type, op.getDtype());
}

template <typename OpTy> struct LowerRandom : LowerPattern<OpTy> {
  using LowerPattern<OpTy>::LowerPattern;

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Shape shape = getShape(op.getY());
    auto keyElement = [&](int64_t position) {
      Value index = arith::ConstantIndexOp::create(rewriter, loc, position);
      Value element = tensor::ExtractOp::create(rewriter, loc, adaptor.getKey(), index);
      return splitWords(rewriter, loc, element);
    };
    std::array<Value, 2> key = keyElement(0);
    Value step = keyElement(1)[0];
    Value stream = arith::ConstantIntOp::create(rewriter, loc, int32_t(op.getStream()), 32);
    SmallVector<Value> sizes;
    for (const Dim &dim : shape)
      sizes.push_back(arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(),
                                                 this->lowering.size(rewriter, loc, dim)));
    FloatType type =
        op.getDtype().isF64() ? FloatType(rewriter.getF64Type()) : FloatType(rewriter.getF32Type());
    auto body = [&](OpBuilder &inner, Location innerLoc, ValueRange) {
      auto [low, high] = splitWords(inner, innerLoc, elementNumber(inner, innerLoc, sizes));
      return emit(inner, innerLoc, op, type,
                  buildPhilox(inner, innerLoc, {low, high, stream, step}, key));
    };
    rewriter.replaceOp(
        op, this->lowering.elementwise(rewriter, loc, {}, {}, shape, op.getDtype(), body));
    return success();
  }
};

} // namespace

void populateRandomLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerRandom<nn::UniformOp>, LowerRandom<nn::NormalOp>>(lowering,
                                                                      patterns.getContext());
}

} // namespace nnc
