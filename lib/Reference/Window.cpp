//===- Window.cpp - Values of convolutions and windows --------------------===//
//
// A convolution and its derivatives visit the same products, one for each image, filter, channel of
// its group, place of the window and place in the window; they differ in which of the three tensors
// adds them up.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"
#include "Rules.h"

#include "nnc/IR/Window.h"

using namespace mlir;
using llvm::Expected;

namespace nnc {
namespace {

/// Sums of products, rounded once at the end.
class Sums {
public:
  Sums(Type elementType, ArrayRef<int64_t> shape)
      : result(elementType, shape), floats(result.getNumElements()),
        integers(result.getNumElements()) {}

  void add(int64_t number, const HostTensor &a, int64_t i, const HostTensor &b, int64_t j) {
    if (result.isFloat())
      floats[number] += a.getFloat(i) * b.getFloat(j);
    else
      integers[number] += uint64_t(a.getInteger(i)) * uint64_t(b.getInteger(j));
  }

  HostTensor take() {
    for (int64_t number = 0; number < result.getNumElements(); ++number)
      if (result.isFloat())
        result.setFloat(number, floats[number]);
      else
        result.setInteger(number, int64_t(integers[number]));
    return std::move(result);
  }

private:
  HostTensor result;
  std::vector<double> floats;
  std::vector<uint64_t> integers;
};

/// The index in the padded input of element `place` of window `window`, less the padding; none where
/// it falls outside.
std::optional<Index> inputIndex(ArrayRef<WindowAxis> axes, ArrayRef<int64_t> input,
                                ArrayRef<int64_t> window, ArrayRef<int64_t> place) {
  Index index;
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t at = window[i] * axes[i].stride + place[i] * axes[i].dilation - axes[i].low;
    if (at < 0 || at >= input[i])
      return std::nullopt;
    index.push_back(at);
  }
  return index;
}

/// Calls `visit` with the numbers of the elements of x, w and y that each product is about.
void forEachProduct(ArrayRef<int64_t> x, ArrayRef<int64_t> w, ArrayRef<int64_t> y, int64_t groups,
                    ArrayRef<WindowAxis> axes,
                    llvm::function_ref<void(int64_t, int64_t, int64_t)> visit) {
  Index space(y);
  llvm::append_range(space, w.drop_front());
  int64_t filtersInGroup = w[0] / groups;
  forEachElement(space, [&](ArrayRef<int64_t> index, int64_t) {
    ArrayRef<int64_t> result = index.take_front(y.size()), filter = index.drop_front(y.size());
    std::optional<Index> place =
        inputIndex(axes, x.drop_front(2), result.drop_front(2), filter.drop_front());
    if (!place)
      return;
    Index image = {index[0], index[1] / filtersInGroup * w[1] + filter[0]};
    llvm::append_range(image, *place);
    Index weight = {index[1]};
    llvm::append_range(weight, filter);
    visit(elementNumber(x, image), elementNumber(w, weight), elementNumber(y, result));
  });
}

Expected<Index> shapeOf(Value value, Frame &frame) {
  Expected<SmallVector<int64_t>> shape = frame.resolve(getShape(value));
  if (!shape)
    return shape.takeError();
  if (llvm::any_of(*shape, [](int64_t size) { return size < 0; }))
    return llvm::createStringError("a window has no room");
  return Index(shape->begin(), shape->end());
}

Expected<HostTensor> convolution(nn::ConvolutionOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX()), &w = frame.get(op.getW());
  Expected<Index> shape = shapeOf(op.getY(), frame);
  if (!shape)
    return shape.takeError();
  Sums sums(x.getElementType(), *shape);
  forEachProduct(x.getShape(), w.getShape(), *shape, op.getGroups(), getWindow(op),
                 [&](int64_t i, int64_t j, int64_t k) { sums.add(k, x, i, w, j); });
  return sums.take();
}

Expected<HostTensor> inputGradient(nn::ConvolutionInputGradientOp op, Frame &frame) {
  const HostTensor &y = frame.get(op.getY()), &w = frame.get(op.getW());
  Expected<Index> shape = shapeOf(op.getX(), frame);
  if (!shape)
    return shape.takeError();
  Sums sums(y.getElementType(), *shape);
  forEachProduct(*shape, w.getShape(), y.getShape(), op.getGroups(), getWindow(op),
                 [&](int64_t i, int64_t j, int64_t k) { sums.add(i, y, k, w, j); });
  return sums.take();
}

Expected<HostTensor> weightGradient(nn::ConvolutionWeightGradientOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX()), &y = frame.get(op.getY());
  Expected<Index> shape = shapeOf(op.getW(), frame);
  if (!shape)
    return shape.takeError();
  Sums sums(x.getElementType(), *shape);
  forEachProduct(x.getShape(), *shape, y.getShape(), op.getGroups(), getWindow(op),
                 [&](int64_t i, int64_t j, int64_t k) { sums.add(j, x, i, y, k); });
  return sums.take();
}

/// Calls `visit` with the numbers of each element of the windows of `windows` and of the element of
/// `input` that it is.
void forEachInWindows(ArrayRef<int64_t> input, ArrayRef<int64_t> windows, ArrayRef<WindowAxis> axes,
                      llvm::function_ref<void(int64_t, int64_t)> visit) {
  size_t rank = axes.size();
  forEachElement(windows, [&](ArrayRef<int64_t> index, int64_t number) {
    Index place(index.drop_back(2 * rank));
    std::optional<Index> inside = inputIndex(
        axes, input.take_back(rank), index.drop_back(rank).take_back(rank), index.take_back(rank));
    llvm::append_range(place, *inside);
    visit(number, elementNumber(input, place));
  });
}

Expected<HostTensor> windows(nn::WindowsOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  Expected<Index> shape = shapeOf(op.getY(), frame);
  if (!shape)
    return shape.takeError();
  HostTensor y(x.getElementType(), *shape);
  forEachInWindows(x.getShape(), *shape, getWindow(op),
                   [&](int64_t number, int64_t source) { y.copyElement(number, x, source); });
  return y;
}

Expected<HostTensor> overlapAdd(nn::OverlapAddOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  Expected<Index> shape = shapeOf(op.getY(), frame);
  if (!shape)
    return shape.takeError();
  Sums sums(x.getElementType(), *shape);
  HostTensor one = HostTensor::scalar(x.getElementType(), 1);
  forEachInWindows(*shape, x.getShape(), getWindow(op),
                   [&](int64_t number, int64_t target) { sums.add(target, x, number, one, 0); });
  return sums.take();
}

} // namespace

void registerWindow(Registry &registry) {
  registry.add<nn::ConvolutionOp>(convolution, Rounding::OfTerms);
  registry.add<nn::ConvolutionInputGradientOp>(inputGradient, Rounding::OfTerms);
  registry.add<nn::ConvolutionWeightGradientOp>(weightGradient, Rounding::OfTerms);
  registry.add<nn::WindowsOp>(windows, Rounding::None);
  registry.add<nn::OverlapAddOp>(overlapAdd, Rounding::OfTerms);
}

} // namespace nnc
