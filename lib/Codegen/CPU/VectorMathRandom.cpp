// Random numbers in generated code: nnc/Support/Random.h on vectors.
//
// The words are the same bits, the uniform numbers the same numbers. The quantile of the normal
// distribution is AS 241 (M. J. Wichura, Applied Statistics 37, 1988): PPND7 for f32, PPND16 for
// f64; the ranges of its argument become selects, and one division serves them all.
//
// Greatest error measured, in ulp (f32, f64): 4.9, 4.6.
#include "VectorMath.h"
#include "nnc/Codegen/MathExpansions.h"
#include "nnc/Support/Random.h"

using namespace mlir;

namespace nnc {

namespace vm {
namespace {
// PPND7: near the centre, and in the tails.
constexpr double centerTop7[] = {3.3871327179, 50.434271938, 159.29113202, 59.109374720};
constexpr double centerBottom7[] = {1, 17.895169469, 78.757757664, 67.187563600};
constexpr double tailTop7[] = {1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103};
constexpr double tailBottom7[] = {1, 0.73700164250, 0.12021132975};

std::array<Val, 4> philox(std::array<Val, 4> counter, std::array<Val, 2> key) {
  for (int round = 0; round < 10; ++round) {
    auto [lowLeft, highLeft] = multiplyExtended(counter[0], counter[0].lit(0xD2511F53));
    auto [lowRight, highRight] = multiplyExtended(counter[2], counter[2].lit(0xCD9E8D57));
    counter = {highRight ^ counter[1] ^ key[0], lowRight, highLeft ^ counter[3] ^ key[1], lowLeft};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

/// A numerator and a denominator.
struct Ratio {
  Val top, bottom;
};

Ratio select(Val condition, Ratio a, Ratio b) {
  return {select(condition, a.top, b.top), select(condition, a.bottom, b.bottom)};
}

Ratio tailRatio(Val root) {
  Val near = root - 1.6;
  if (root.isSingle()) // 2^-25 is as far out as its bits go, and well within the first range
    return {polynomial(near, tailTop7), polynomial(near, tailBottom7)};
  Val far = root - 5.0;
  using namespace wichura;
  return select(root <= 5.0, {polynomial(near, middleTop), polynomial(near, middleBottom)},
                {polynomial(far, tailTop), polynomial(far, tailBottom)});
}

/// The quantile at a u in (0, 1/2), which is negative.
Val lowerQuantile(Val u) {
  Val q = u - 0.5, square = fma(q, -0.0 - q, q.lit(0.180625));
  Ratio center = u.isSingle()
                     ? Ratio{polynomial(square, centerTop7), polynomial(square, centerBottom7)}
                     : Ratio{polynomial(square, wichura::centerTop),
                             polynomial(square, wichura::centerBottom)};
  Ratio tail = tailRatio(sqrt(-0.0 - logPositive(u)));
  Val isCentral = q >= -0.425;
  auto [top, bottom] = select(isCentral, center, tail);
  return select(isCentral, q, q.lit(-1)) * (top / bottom);
}
} // namespace
} // namespace vm

using vm::Val;

std::array<Value, 4> buildPhilox(OpBuilder &builder, Location loc, std::array<Value, 4> counter,
                                 std::array<Value, 2> key) {
  auto word = [&](Value value) { return Val(builder, loc, value); };
  std::array<Val, 4> words =
      vm::philox({word(counter[0]), word(counter[1]), word(counter[2]), word(counter[3])},
                 {word(key[0]), word(key[1])});
  return {words[0], words[1], words[2], words[3]};
}

Value buildUniform(OpBuilder &builder, Location loc, FloatType type, Value word0, Value word1) {
  Val first(builder, loc, word0), second(builder, loc, word1);
  if (type.getWidth() <= 32)
    return vm::convert(vm::shiftRight(first, 8), type) * 0x1p-24;
  Val number = (vm::shiftLeft(vm::resize(first, 64), 32) | vm::resize(second, 64));
  return vm::convert(vm::shiftRight(number, 11), type) * 0x1p-53;
}

Value buildNormal(OpBuilder &builder, Location loc, FloatType type, Value word0, Value word1) {
  Val number(builder, loc, word0);
  if (type.getWidth() == 64)
    number = vm::shiftLeft(vm::resize(number, 64), 32) | vm::resize(number.with(word1), 64);
  int width = number.isSingle() ? 32 : 64, bits = number.isSingle() ? 24 : 53;
  // The upper half counts from its own end: all bits but the first are turned.
  Val sign = vm::shiftRight(number, width - 1);
  Val fromEnd = vm::shiftRight(number ^ (number.lit(0) - sign), width - bits);
  Val u = (vm::convert(fromEnd, type) + 0.5) * std::ldexp(1.0, -bits);
  Val flip = vm::shiftLeft(sign, width - 1);
  return vm::fromBits(vm::toBits(vm::lowerQuantile(u)) ^ flip);
}

} // namespace nnc
