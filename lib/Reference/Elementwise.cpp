//===- Elementwise.cpp - Values of ops that work on each element ----------===//
//
// One line an op: what it is on floating-point numbers and, where it has them, on integers.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"
#include "Rules.h"

#include <cmath>

using namespace mlir;

namespace nnc {

//===-- Unary ops ---------------------------------------------------------===//

using FloatUnary = double (*)(double);
using IntegerUnary = int64_t (*)(int64_t);

template <typename OpTy>
static void addUnary(Registry &registry, FloatUnary onFloats, IntegerUnary onIntegers = nullptr,
                     Rounding rounding = Rounding::OfResult) {
  auto compute = [=](OpTy op, Frame &frame) {
    const HostTensor &x = frame.get(op.getX());
    HostTensor y(x.getElementType(), x.getShape());
    for (int64_t number = 0; number < x.getNumElements(); ++number) {
      if (x.isFloat())
        y.setFloat(number, onFloats(x.getFloat(number)));
      else
        y.setInteger(number, onIntegers(x.getInteger(number)));
    }
    return y;
  };
  registry.add<OpTy>(compute, rounding);
}

// Integers wrap: computed without sign, where C++ defines it.
static int64_t wrappingNeg(int64_t x) { return int64_t(-uint64_t(x)); }
static int64_t wrappingAdd(int64_t x, int64_t y) { return int64_t(uint64_t(x) + uint64_t(y)); }
static int64_t wrappingSub(int64_t x, int64_t y) { return int64_t(uint64_t(x) - uint64_t(y)); }
static int64_t wrappingMul(int64_t x, int64_t y) { return int64_t(uint64_t(x) * uint64_t(y)); }

static double sign(double x) { return std::isnan(x) ? x : (x > 0) - (x < 0); }
static double relu(double x) { return x > 0 || std::isnan(x) ? x : 0; }
/// Neither form overflows to a NaN where the other is needed.
static double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
static double softplus(double x) {
  return std::isnan(x) ? x : std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
}

static void registerUnary(Registry &registry) {
  addUnary<nn::NegOp>(registry, [](double x) { return -x; }, wrappingNeg, Rounding::None);
  addUnary<nn::AbsOp>(
      registry, [](double x) { return std::fabs(x); },
      [](int64_t x) { return x < 0 ? wrappingNeg(x) : x; }, Rounding::None);
  addUnary<nn::SignOp>(
      registry, sign, [](int64_t x) { return int64_t(x > 0) - int64_t(x < 0); }, Rounding::None);
  addUnary<nn::SquareOp>(
      registry, [](double x) { return x * x; }, [](int64_t x) { return wrappingMul(x, x); });
  addUnary<nn::ReluOp>(registry, relu, [](int64_t x) { return x > 0 ? x : 0; }, Rounding::None);
  addUnary<nn::ExpOp>(registry, [](double x) { return std::exp(x); });
  addUnary<nn::Expm1Op>(registry, [](double x) { return std::expm1(x); });
  addUnary<nn::LogOp>(registry, [](double x) { return std::log(x); });
  addUnary<nn::Log1pOp>(registry, [](double x) { return std::log1p(x); });
  addUnary<nn::SqrtOp>(registry, [](double x) { return std::sqrt(x); });
  addUnary<nn::RsqrtOp>(registry, [](double x) { return 1 / std::sqrt(x); });
  addUnary<nn::ReciprocalOp>(registry, [](double x) { return 1 / x; });
  addUnary<nn::SinOp>(registry, [](double x) { return std::sin(x); });
  addUnary<nn::CosOp>(registry, [](double x) { return std::cos(x); });
  addUnary<nn::TanhOp>(registry, [](double x) { return std::tanh(x); });
  addUnary<nn::SigmoidOp>(registry, sigmoid);
  addUnary<nn::SoftplusOp>(registry, softplus);
  addUnary<nn::ErfOp>(registry, [](double x) { return std::erf(x); });
  addUnary<nn::FloorOp>(registry, [](double x) { return std::floor(x); }, nullptr, Rounding::None);
  addUnary<nn::CeilOp>(registry, [](double x) { return std::ceil(x); }, nullptr, Rounding::None);
  // The default rounding mode: halves to even.
  addUnary<nn::RoundOp>(
      registry, [](double x) { return std::nearbyint(x); }, nullptr, Rounding::None);
  addUnary<nn::LogicalNotOp>(registry, nullptr, [](int64_t x) { return int64_t(!x); });
}

//===-- Binary ops --------------------------------------------------------===//

/// A function of two numbers of the given element type.
using FloatBinary = double (*)(double, double, Type);
using IntegerBinary = int64_t (*)(int64_t, int64_t);

template <typename OpTy>
static void addBinary(Registry &registry, FloatBinary onFloats, IntegerBinary onIntegers,
                      Rounding rounding = Rounding::OfResult) {
  auto compute = [=](OpTy op, Frame &frame) {
    const HostTensor &x = frame.get(op.getX()), &y = frame.get(op.getY());
    HostTensor z(x.getElementType(), broadcastShape(x.getShape(), y.getShape()));
    forEachElement(z.getShape(), [&](ArrayRef<int64_t> index, int64_t number) {
      int64_t left = broadcastNumber(x.getShape(), index);
      int64_t right = broadcastNumber(y.getShape(), index);
      if (x.isFloat())
        z.setFloat(number, onFloats(x.getFloat(left), y.getFloat(right), x.getElementType()));
      else
        z.setInteger(number, onIntegers(x.getInteger(left), y.getInteger(right)));
    });
    return z;
  };
  registry.add<OpTy>(compute, rounding);
}

/// The quotient is rounded to the type before it is rounded down, as a program in that type would.
static double floorDivide(double x, double y, Type type) {
  return std::floor(roundToType(type, x / y));
}
static double mod(double x, double y, Type type) {
  double remainder = std::fmod(x, y);
  return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder;
}

/// Division by zero gives 0; the lowest number divided by -1 wraps.
static int64_t floorDivide(int64_t x, int64_t y) {
  if (y == 0)
    return 0;
  if (y == -1)
    return wrappingNeg(x);
  return x / y - (x % y != 0 && (x < 0) != (y < 0));
}
static int64_t mod(int64_t x, int64_t y) {
  return y == 0 ? 0 : wrappingSub(x, wrappingMul(floorDivide(x, y), y));
}

/// A negative power is the quotient 1 / x^-y towards zero.
static int64_t power(int64_t x, int64_t y) {
  if (y < 0)
    return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
  int64_t result = 1;
  for (; y > 0; y /= 2, x = wrappingMul(x, x))
    if (y % 2)
      result = wrappingMul(result, x);
  return result;
}

static double maximum(double x, double y, Type) {
  return std::isnan(x) || std::isnan(y) ? x + y : std::max(x, y);
}
static double minimum(double x, double y, Type) {
  return std::isnan(x) || std::isnan(y) ? x + y : std::min(x, y);
}

static void registerBinary(Registry &registry) {
  addBinary<nn::AddOp>(registry, [](double x, double y, Type) { return x + y; }, wrappingAdd);
  addBinary<nn::SubOp>(registry, [](double x, double y, Type) { return x - y; }, wrappingSub);
  addBinary<nn::MulOp>(registry, [](double x, double y, Type) { return x * y; }, wrappingMul);
  addBinary<nn::DivOp>(registry, [](double x, double y, Type) { return x / y; }, nullptr);
  addBinary<nn::FloorDivideOp>(registry, floorDivide, floorDivide, Rounding::None);
  addBinary<nn::ModOp>(registry, mod, mod);
  addBinary<nn::PowOp>(registry, [](double x, double y, Type) { return std::pow(x, y); }, power);
  addBinary<nn::MaximumOp>(
      registry, maximum, [](int64_t x, int64_t y) { return std::max(x, y); }, Rounding::None);
  addBinary<nn::MinimumOp>(
      registry, minimum, [](int64_t x, int64_t y) { return std::min(x, y); }, Rounding::None);
  addBinary<nn::LogicalAndOp>(registry, nullptr, [](int64_t x, int64_t y) { return x & y; });
  addBinary<nn::LogicalOrOp>(registry, nullptr, [](int64_t x, int64_t y) { return x | y; });
  addBinary<nn::LogicalXorOp>(registry, nullptr, [](int64_t x, int64_t y) { return x ^ y; });
}

/// `compare` is called with two doubles or two int64_t.
template <typename OpTy, typename Compare>
static void addComparison(Registry &registry, Compare compare) {
  registry.add<OpTy>([compare](OpTy op, Frame &frame) {
    const HostTensor &x = frame.get(op.getX()), &y = frame.get(op.getY());
    HostTensor z(IntegerType::get(op.getContext(), 1), broadcastShape(x.getShape(), y.getShape()));
    forEachElement(z.getShape(), [&](ArrayRef<int64_t> index, int64_t number) {
      int64_t left = broadcastNumber(x.getShape(), index);
      int64_t right = broadcastNumber(y.getShape(), index);
      z.setInteger(number, x.isFloat() ? compare(x.getFloat(left), y.getFloat(right))
                                       : compare(x.getInteger(left), y.getInteger(right)));
    });
    return z;
  });
}

static void registerComparison(Registry &registry) {
  addComparison<nn::EqualOp>(registry, [](auto x, auto y) { return x == y; });
  addComparison<nn::NotEqualOp>(registry, [](auto x, auto y) { return x != y; });
  addComparison<nn::LessOp>(registry, [](auto x, auto y) { return x < y; });
  addComparison<nn::LessEqualOp>(registry, [](auto x, auto y) { return x <= y; });
  addComparison<nn::GreaterOp>(registry, [](auto x, auto y) { return x > y; });
  addComparison<nn::GreaterEqualOp>(registry, [](auto x, auto y) { return x >= y; });
}

//===-- Choice and conversion ---------------------------------------------===//

static HostTensor where(nn::WhereOp op, Frame &frame) {
  const HostTensor &condition = frame.get(op.getCondition());
  const HostTensor &x = frame.get(op.getX()), &y = frame.get(op.getY());
  HostTensor z(x.getElementType(),
               broadcastShape(condition.getShape(), broadcastShape(x.getShape(), y.getShape())));
  forEachElement(z.getShape(), [&](ArrayRef<int64_t> index, int64_t number) {
    bool isTrue = condition.getInteger(broadcastNumber(condition.getShape(), index));
    const HostTensor &chosen = isTrue ? x : y;
    z.copyElement(number, chosen, broadcastNumber(chosen.getShape(), index));
  });
  return z;
}

static HostTensor castElements(nn::CastOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  HostTensor y(op.getDtype(), x.getShape());
  for (int64_t number = 0; number < x.getNumElements(); ++number) {
    if (x.isFloat())
      y.setConverted(number, x.getFloat(number));
    else
      y.setConverted(number, x.getInteger(number));
  }
  return y;
}

void registerElementwise(Registry &registry) {
  registerUnary(registry);
  registerBinary(registry);
  registerComparison(registry);
  registry.add<nn::WhereOp>(where, Rounding::None);
  registry.add<nn::CastOp>(castElements, Rounding::None);
  registry.add<nn::StopGradientOp>(
      [](nn::StopGradientOp op, Frame &frame) { return frame.get(op.getX()); }, Rounding::None);
}

} // namespace nnc
