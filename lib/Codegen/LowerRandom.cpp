//===- LowerRandom.cpp - Random numbers of a key --------------------------===//
//
// Each element computes its own Philox 4x32-10 block (Salmon et al., SC 2011) from the key, the
// stream and its row-major index; docs/numerics.md has the definition, nnc/Support/Random.h the
// same in C++. The map to the wanted range is one fused multiply-add in f64, rounded once.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <array>

using namespace mlir;

namespace nnc {
namespace {

/// Arithmetic on 32-bit and 64-bit words.
struct WordBuilder {
  OpBuilder &builder;
  Location loc;

  template <typename OpTy, typename... Args> Value make(Args &&...args) {
    return OpTy::create(builder, loc, std::forward<Args>(args)...);
  }
  Value word(uint32_t value) {
    return make<arith::ConstantIntOp>(builder.getI32Type(), int32_t(value));
  }
  Value wide(uint64_t value) {
    return make<arith::ConstantIntOp>(builder.getI64Type(), int64_t(value));
  }
  Value real(double value) { return make<arith::ConstantOp>(builder.getF64FloatAttr(value)); }
  Value low(Value wideValue) { return make<arith::TruncIOp>(builder.getI32Type(), wideValue); }
  Value high(Value wideValue) { return low(make<arith::ShRUIOp>(wideValue, wide(32))); }
  Value extend(Value wordValue) { return make<arith::ExtUIOp>(builder.getI64Type(), wordValue); }
  Value exclusiveOr(Value x, Value y) { return make<arith::XOrIOp>(x, y); }
};

using Words = std::array<Value, 4>;

/// Ten rounds. The key may be a value from outside the loop: its schedule is hoisted there.
Words buildPhilox(WordBuilder &b, Words counter, ArrayRef<std::array<Value, 2>> keys) {
  for (const std::array<Value, 2> &key : keys) {
    Value left = b.make<arith::MulIOp>(b.extend(counter[0]), b.wide(0xD2511F53));
    Value right = b.make<arith::MulIOp>(b.extend(counter[2]), b.wide(0xCD9E8D57));
    counter = {b.exclusiveOr(b.exclusiveOr(b.high(right), counter[1]), key[0]), b.low(right),
               b.exclusiveOr(b.exclusiveOr(b.high(left), counter[3]), key[1]), b.low(left)};
  }
  return counter;
}

/// What the elements of one random tensor have in common.
struct Source {
  SmallVector<std::array<Value, 2>> keys;
  Value stream, step;
};

Source makeSource(WordBuilder b, Value key, int64_t stream) {
  auto element = [&](int64_t position) {
    Value index = b.make<arith::ConstantIndexOp>(position);
    return b.make<tensor::ExtractOp>(key, index);
  };
  Value seed = element(0);
  Source source{{}, b.word(uint32_t(stream)), b.low(element(1))};
  std::array<Value, 2> words = {b.low(seed), b.high(seed)};
  for (int round = 0; round < 10; ++round) {
    source.keys.push_back(words);
    words = {b.make<arith::AddIOp>(words[0], b.word(0x9E3779B9)),
             b.make<arith::AddIOp>(words[1], b.word(0xBB67AE85))};
  }
  return source;
}

/// The row-major index of the element that the body of a linalg.generic is at.
Value elementNumber(WordBuilder &b, ValueRange sizes) {
  Value number = b.wide(0);
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    Value index = b.make<arith::IndexCastOp>(b.builder.getI64Type(), b.make<linalg::IndexOp>(dim));
    number = dim == 0 ? index : b.make<arith::AddIOp>(b.make<arith::MulIOp>(number, size), index);
  }
  return number;
}

/// The random integer of 24 bits (53 for f64) in `words`, as f64.
Value randomInteger(WordBuilder &b, const Words &words, bool isDouble) {
  if (!isDouble)
    return b.make<arith::SIToFPOp>(b.builder.getF64Type(),
                                   b.make<arith::ShRUIOp>(words[0], b.word(8)));
  Value both = b.make<arith::OrIOp>(b.make<arith::ShLIOp>(b.extend(words[0]), b.wide(32)),
                                    b.extend(words[1]));
  return b.make<arith::SIToFPOp>(b.builder.getF64Type(), b.make<arith::ShRUIOp>(both, b.wide(11)));
}

struct LowerUniform : LowerPattern<nn::UniformOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::UniformOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    double low = op.getLow().convertToDouble(), high = op.getHigh().convertToDouble();
    bool isDouble = op.getDtype().isF64();
    double unit = std::ldexp(1.0, isDouble ? -53 : -24);
    rewriter.replaceOp(
        op, draw(lowering, rewriter, op, adaptor.getKey(), [&](WordBuilder &b, const Words &words) {
          Value fraction = b.make<arith::MulFOp>(randomInteger(b, words, isDouble), b.real(unit));
          return b.make<math::FmaOp>(fraction, b.real(high - low), b.real(low));
        }));
    return success();
  }

  template <typename OpTy>
  static Value draw(const Lowering &lowering, OpBuilder &builder, OpTy op, Value key,
                    function_ref<Value(WordBuilder &, const Words &)> compute) {
    Location loc = op.getLoc();
    Shape shape = getShape(op.getY());
    Source source = makeSource({builder, loc}, key, op.getStream());
    SmallVector<Value> sizes;
    for (const Dim &dim : shape)
      sizes.push_back(arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                                 lowering.size(builder, loc, dim)));
    return lowering.elementwise(
        builder, loc, {}, {}, shape, op.getDtype(),
        [&](OpBuilder &inner, Location innerLoc, ValueRange) {
          WordBuilder b{inner, innerLoc};
          Value number = elementNumber(b, sizes);
          Words words = buildPhilox(b, {b.low(number), b.high(number), source.stream, source.step},
                                    source.keys);
          return castElement(inner, innerLoc, compute(b, words), inner.getF64Type(), op.getDtype());
        });
  }
};

} // namespace

void populateRandomLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerUniform>(lowering, patterns.getContext());
}

} // namespace nnc
