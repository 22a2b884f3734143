// What processors without the instruction do in its place: the fused multiply-add, and the conversions
// between f32 and the short floats.
//
// f32 is multiplied and added in f64, where the product is exact. f64 takes the product in two parts
// (T. J. Dekker, "A floating-point technique for extending the available precision", 1971) and so the sum
// (D. E. Knuth): the last bit may be another than that of one rounding, but what a product's rounding lost
// is found exactly, which is what the algorithms here need. Factors stay below 2^996. Conversions of f16
// are those of F. Giesen's "half_to_float_fast" and "float_to_half_fast3_rtne".
#include "VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nnc::vm {

namespace {
/// An unevaluated sum.
struct Pair {
  Val high, low;
};

/// x in two halves of 26 bits each.
Pair split(Val x) {
  Val scaled = x * 0x1.0000002p27;
  Val high = scaled - (scaled - x);
  return {high, x - high};
}

Pair multiplyExactly(Val a, Val b) {
  Val product = a * b;
  auto [aHigh, aLow] = split(a);
  auto [bHigh, bLow] = split(b);
  Val error = aLow * bLow - (((product - aHigh * bHigh) - aLow * bHigh) - aHigh * bLow);
  return {product, error};
}

Pair addExactly(Val a, Val b) {
  Val sum = a + b;
  Val fromB = sum - a;
  return {sum, (a - (sum - fromB)) + (b - fromB)};
}
/// The low half of `bits` as a float of 16 bits.
Val shortFloat(Val bits, Type type) {
  Val low = resize(bits, 16);
  return bits.with(arith::BitcastOp::create(*bits.builder, bits.loc, bits.typeOf(type), low));
}
} // namespace

Val fmaBySteps(Val a, Val b, Val c) {
  if (a.isSingle()) {
    Type f64 = a.builder->getF64Type();
    return convert(convert(a, f64) * convert(b, f64) + convert(c, f64), a.elementType());
  }
  auto [product, lost] = multiplyExactly(a, b);
  auto [sum, rest] = addExactly(product, c);
  return sum + (rest + lost);
}

Val halfToSingle(Val half) {
  OpBuilder &builder = *half.builder;
  Value raw = arith::BitcastOp::create(builder, half.loc, half.typeOf(builder.getI16Type()), half);
  Val bits = resize(half.with(raw), 32);
  Val magnitude = shiftLeft(bits & 0x7fff, 13);
  // As an f32 the number is 2^112 times too small, denormals too; infinities and NaN stay what they are.
  Val number = toBits(fromBits(magnitude) * 0x1p112);
  Val result =
      select(lessUnsigned(magnitude, magnitude.lit(0x0f800000)), number, magnitude | 0x7f800000);
  return fromBits(result | shiftLeft(bits & 0x8000, 16));
}

Val singleToHalf(Val x) {
  Val bits = toBits(x), magnitude = bits & 0x7fffffff;
  // The unit in the last place of 1/2 is the smallest f16.
  Val denormal = toBits(fromBits(magnitude) + 0.5) - 0x3f000000;
  Val odd = shiftRight(magnitude, 13) & 1;
  Val normal = shiftRight(magnitude + odd + (0xfff - (112 << 23)), 13);
  Val special = select(lessUnsigned(magnitude.lit(0x7f800000), magnitude),
                       (shiftRight(magnitude, 13) & 0x3ff) | 0x7e00, magnitude.lit(0x7c00));
  Val result = select(lessUnsigned(magnitude, magnitude.lit(0x38800000)), denormal, normal);
  result = select(lessUnsigned(magnitude, magnitude.lit(0x47800000)), result, special);
  return shortFloat(result | (shiftRight(bits, 16) & 0x8000), x.builder->getF16Type());
}

Val singleToBrain(Val x) {
  Val bits = toBits(x), high = shiftRight(bits, 16);
  Val rounded = shiftRight(bits + (high & 1) + 0x7fff, 16);
  return shortFloat(select(isNaN(x), high | 0x40, rounded), x.builder->getBF16Type());
}

} // namespace nnc::vm
