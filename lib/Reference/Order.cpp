//===- Order.cpp - Values of cumulative sums and sorting ------------------===//
//
// Each rule goes along the axis, for every index of the other axes.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"
#include "Rules.h"

#include "nnc/IR/Inference.h"

#include <cmath>
#include <numeric>

using namespace mlir;

namespace nnc {

/// Calls `visit` with the numbers of the elements of each row of `shape` along `axis`.
static void forEachRow(ArrayRef<int64_t> shape, int64_t axis,
                       llvm::function_ref<void(ArrayRef<int64_t> numbers)> visit) {
  Index first(shape);
  first[axis] = std::min<int64_t>(shape[axis], 1);
  int64_t stride = countElements(shape.drop_front(axis + 1));
  forEachElement(first, [&](ArrayRef<int64_t> index, int64_t) {
    SmallVector<int64_t> numbers;
    for (int64_t i = 0; i < shape[axis]; ++i)
      numbers.push_back(elementNumber(shape, index) + i * stride);
    visit(numbers);
  });
}

static HostTensor cumsum(nn::CumsumOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  HostTensor y(x.getElementType(), x.getShape());
  auto sumRow = [&](ArrayRef<int64_t> row) {
    SmallVector<int64_t> numbers(row);
    if (op.getReverse())
      std::reverse(numbers.begin(), numbers.end());
    double floatSum = 0;
    uint64_t integerSum = 0;
    for (int64_t number : numbers) {
      double floatNext = floatSum + (x.isFloat() ? x.getFloat(number) : 0);
      uint64_t integerNext = integerSum + (x.isFloat() ? 0 : uint64_t(x.getInteger(number)));
      if (x.isFloat())
        y.setFloat(number, op.getExclusive() ? floatSum : floatNext);
      else
        y.setInteger(number, int64_t(op.getExclusive() ? integerSum : integerNext));
      floatSum = floatNext;
      integerSum = integerNext;
    }
  };
  forEachRow(x.getShape(), normalizedAxis(op.getAxis(), x.getRank()), sumRow);
  return y;
}

/// Whether element `i` comes before element `j`; NaN is greater than any number.
static bool isLess(const HostTensor &x, int64_t i, int64_t j) {
  if (!x.isFloat())
    return x.getInteger(i) < x.getInteger(j);
  return x.getFloat(i) < x.getFloat(j) || (std::isnan(x.getFloat(j)) && !std::isnan(x.getFloat(i)));
}

/// For each row its numbers, and the positions in it in order.
static void sortRows(const HostTensor &x, int64_t axis, bool descending,
                     llvm::function_ref<void(ArrayRef<int64_t>, ArrayRef<int64_t>)> visit) {
  forEachRow(x.getShape(), normalizedAxis(axis, x.getRank()), [&](ArrayRef<int64_t> numbers) {
    SmallVector<int64_t> order(numbers.size());
    std::iota(order.begin(), order.end(), 0);
    auto comesBefore = [&](int64_t i, int64_t j) {
      return descending ? isLess(x, numbers[j], numbers[i]) : isLess(x, numbers[i], numbers[j]);
    };
    // Equal elements in the order of their positions.
    llvm::sort(order, [&](int64_t i, int64_t j) {
      return comesBefore(i, j) || (!comesBefore(j, i) && i < j);
    });
    visit(numbers, order);
  });
}

static HostTensor sort(nn::SortOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  HostTensor y(x.getElementType(), x.getShape());
  sortRows(x, op.getAxis(), op.getDescending(),
           [&](ArrayRef<int64_t> numbers, ArrayRef<int64_t> order) {
             for (auto [number, position] : llvm::zip_equal(numbers, order))
               y.copyElement(number, x, numbers[position]);
           });
  return y;
}

static HostTensor argsort(nn::ArgsortOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  HostTensor y(IntegerType::get(op.getContext(), 64), x.getShape());
  sortRows(x, op.getAxis(), op.getDescending(),
           [&](ArrayRef<int64_t> numbers, ArrayRef<int64_t> order) {
             for (auto [number, position] : llvm::zip_equal(numbers, order))
               y.setInteger(number, position);
           });
  return y;
}

void registerOrder(Registry &registry) {
  registry.add<nn::CumsumOp>(cumsum, Rounding::OfTerms);
  registry.add<nn::SortOp>(sort, Rounding::None);
  registry.add<nn::ArgsortOp>(argsort);
}

} // namespace nnc
