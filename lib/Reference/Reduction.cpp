//===- Reduction.cpp - Values of ops that combine elements along axes -----===//
//
// A reduction gathers the elements that share a place of the result, in row-major order, and
// combines the list. Sums and products of floating-point numbers are rounded once, at the end.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"
#include "Rules.h"

#include "nnc/IR/Inference.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace nnc {

using Floats = std::vector<double>;
using Integers = std::vector<int64_t>;

/// For each place of the result, which has the reduced axes dropped or of size one, the numbers of
/// the elements that are combined there.
static std::vector<Integers> groupElements(const HostTensor &x, ArrayRef<int64_t> axes,
                                           ArrayRef<int64_t> resultShape, bool keepdims) {
  std::vector<Integers> groups(countElements(resultShape));
  forEachElement(x.getShape(), [&](ArrayRef<int64_t> index, int64_t number) {
    Index place;
    for (auto [axis, value] : llvm::enumerate(index)) {
      if (!llvm::is_contained(axes, int64_t(axis)))
        place.push_back(value);
      else if (keepdims)
        place.push_back(0);
    }
    groups[elementNumber(resultShape, place)].push_back(number);
  });
  return groups;
}

static Index reducedShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes, bool keepdims) {
  Index result;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(axes, int64_t(axis)))
      result.push_back(size);
    else if (keepdims)
      result.push_back(1);
  }
  return result;
}

static Floats getFloats(const HostTensor &x, const Integers &numbers) {
  Floats elements;
  for (int64_t number : numbers)
    elements.push_back(x.getFloat(number));
  return elements;
}
static Integers getIntegers(const HostTensor &x, const Integers &numbers) {
  Integers elements;
  for (int64_t number : numbers)
    elements.push_back(x.getInteger(number));
  return elements;
}

//===-- Reductions --------------------------------------------------------===//

using ReduceFloats = double (*)(const Floats &);
using ReduceIntegers = int64_t (*)(const Integers &, Type);

template <typename OpTy>
static void addReduction(Registry &registry, ReduceFloats onFloats, ReduceIntegers onIntegers,
                         Rounding rounding = Rounding::None) {
  auto reduce = [=](OpTy op, Frame &frame) {
    const HostTensor &x = frame.get(op.getX());
    SmallVector<int64_t> axes = normalizedAxes(op.getAxis(), x.getRank());
    HostTensor y(x.getElementType(), reducedShape(x.getShape(), axes, op.getKeepdims()));
    std::vector<Integers> groups = groupElements(x, axes, y.getShape(), op.getKeepdims());
    for (auto [number, group] : llvm::enumerate(groups)) {
      if (x.isFloat())
        y.setFloat(number, onFloats(getFloats(x, group)));
      else
        y.setInteger(number, onIntegers(getIntegers(x, group), x.getElementType()));
    }
    return y;
  };
  registry.add<OpTy>(reduce, rounding);
}

static double sum(const Floats &elements) {
  double total = 0;
  for (double element : elements)
    total += element;
  return total;
}
static int64_t sum(const Integers &elements, Type) {
  uint64_t total = 0;
  for (int64_t element : elements)
    total += uint64_t(element);
  return int64_t(total);
}
static double product(const Floats &elements) {
  double total = 1;
  for (double element : elements)
    total *= element;
  return total;
}
static int64_t product(const Integers &elements, Type) {
  uint64_t total = 1;
  for (int64_t element : elements)
    total *= uint64_t(element);
  return int64_t(total);
}
static double mean(const Floats &elements) { return sum(elements) / double(elements.size()); }

/// Of nothing: the number below all; NaN if one is.
static double largest(const Floats &elements) {
  double result = -std::numeric_limits<double>::infinity();
  for (double element : elements)
    result = std::isnan(result) || element <= result ? result : element;
  return result;
}
static double smallest(const Floats &elements) {
  double result = std::numeric_limits<double>::infinity();
  for (double element : elements)
    result = std::isnan(result) || element >= result ? result : element;
  return result;
}
static bool isUnsigned(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }
static int64_t largest(const Integers &elements, Type type) {
  int64_t bits = type.getIntOrFloatBitWidth();
  int64_t result = isUnsigned(type) ? 0 : llvm::minIntN(bits);
  for (int64_t element : elements)
    result = std::max(result, element);
  return result;
}
static int64_t smallest(const Integers &elements, Type type) {
  int64_t bits = type.getIntOrFloatBitWidth();
  int64_t result = isUnsigned(type) ? int64_t(llvm::maxUIntN(bits)) : llvm::maxIntN(bits);
  for (int64_t element : elements)
    result = std::min(result, element);
  return result;
}
static double logsumexp(const Floats &elements) {
  double shift = largest(elements);
  if (std::isinf(shift))
    return shift;
  double total = 0;
  for (double element : elements)
    total += std::exp(element - shift);
  return shift + std::log(total);
}

/// A NaN is before every number, so that argmax and argmin find what max and min return.
template <typename Number> static bool isGreater(Number x, Number y) {
  return x > y || (x != x && y == y);
}
template <typename Number> static bool isLess(Number x, Number y) {
  return x < y || (x != x && y == y);
}

/// The index along `axis` of the first element that comes before all others in the order `before`,
/// which is called with two doubles or two int64_t.
template <typename OpTy, typename Order> static void addArg(Registry &registry, Order before) {
  registry.add<OpTy>([=](OpTy op, Frame &frame) {
    const HostTensor &x = frame.get(op.getX());
    int64_t axis = normalizedAxis(op.getAxis(), x.getRank());
    HostTensor y(IntegerType::get(op.getContext(), 64),
                 reducedShape(x.getShape(), axis, op.getKeepdims()));
    std::vector<Integers> groups = groupElements(x, axis, y.getShape(), op.getKeepdims());
    for (auto [number, group] : llvm::enumerate(groups)) {
      auto best = std::min_element(group.begin(), group.end(), [&](int64_t left, int64_t right) {
        return x.isFloat() ? before(x.getFloat(left), x.getFloat(right))
                           : before(x.getInteger(left), x.getInteger(right));
      });
      y.setInteger(number, best - group.begin());
    }
    return y;
  });
}

//===-- Softmax -----------------------------------------------------------===//

/// `compute` is given a line of elements along the axis and changes it in place.
template <typename OpTy> static void addSoftmax(Registry &registry, void (*compute)(Floats &line)) {
  registry.add<OpTy>([=](OpTy op, Frame &frame) {
    const HostTensor &x = frame.get(op.getX());
    int64_t axis = normalizedAxis(op.getAxis(), x.getRank());
    HostTensor y(x.getElementType(), x.getShape());
    Index lines = reducedShape(x.getShape(), axis, /*keepdims=*/false);
    for (const Integers &group : groupElements(x, axis, lines, /*keepdims=*/false)) {
      Floats line = getFloats(x, group);
      compute(line);
      for (auto [number, element] : llvm::zip_equal(group, line))
        y.setFloat(number, element);
    }
    return y;
  });
}

static void softmax(Floats &line) {
  double shift = largest(line), total = 0;
  for (double &element : line)
    total += element = std::exp(element - shift);
  for (double &element : line)
    element /= total;
}

static void logSoftmax(Floats &line) {
  double shift = largest(line), total = 0;
  for (double element : line)
    total += std::exp(element - shift);
  for (double &element : line)
    element = element - shift - std::log(total);
}

void registerReduction(Registry &registry) {
  addReduction<nn::SumOp>(registry, sum, sum, Rounding::OfTerms);
  addReduction<nn::ProdOp>(registry, product, product, Rounding::OfResult);
  addReduction<nn::MeanOp>(registry, mean, nullptr, Rounding::OfTerms);
  addReduction<nn::MaxOp>(registry, largest, largest);
  addReduction<nn::MinOp>(registry, smallest, smallest);
  addReduction<nn::LogsumexpOp>(registry, logsumexp, nullptr, Rounding::OfTerms);
  addReduction<nn::AnyOp>(registry, nullptr, largest);
  addReduction<nn::AllOp>(registry, nullptr, smallest);
  addArg<nn::ArgmaxOp>(registry, [](auto x, auto y) { return isGreater(x, y); });
  addArg<nn::ArgminOp>(registry, [](auto x, auto y) { return isLess(x, y); });
  addSoftmax<nn::SoftmaxOp>(registry, softmax);
  addSoftmax<nn::LogSoftmaxOp>(registry, logSoftmax);
}

} // namespace nnc
