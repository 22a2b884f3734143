//===- Shape.cpp - Values of ops that move elements -----------------------===//
//
// Each rule makes the result's shape and says, element by element, where it comes from.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"
#include "Rules.h"

#include "nnc/IR/Inference.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Expected;

namespace nnc {

/// The tensor of `shape` whose element at an index is the element of `x` with the number that
/// `source` returns.
static HostTensor moved(const HostTensor &x, ArrayRef<int64_t> shape,
                        llvm::function_ref<int64_t(ArrayRef<int64_t> index)> source) {
  HostTensor y(x.getElementType(), shape);
  forEachElement(shape, [&](ArrayRef<int64_t> index, int64_t number) {
    y.copyElement(number, x, source(index));
  });
  return y;
}

//===-- Reshapes ----------------------------------------------------------===//

static Expected<HostTensor> reshape(nn::ReshapeOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  Expected<SmallVector<int64_t>> shape = frame.resolve(op.getShape());
  if (!shape)
    return shape.takeError();
  auto *unknown = llvm::find(*shape, -1);
  if (unknown != shape->end()) {
    *unknown = 1;
    int64_t known = countElements(*shape);
    *unknown = known == 0 ? 0 : x.getNumElements() / known;
  }
  if (countElements(*shape) != x.getNumElements())
    return createStringError("'reshape' expects a shape of " + std::to_string(x.getNumElements()) +
                             " elements, found " + shapeToString(op.getShape()));
  return x.reshaped(*shape);
}

static Expected<HostTensor> broadcastTo(nn::BroadcastToOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  Expected<SmallVector<int64_t>> shape = frame.resolve(op.getShape());
  if (!shape)
    return shape.takeError();
  return moved(x, *shape,
               [&](ArrayRef<int64_t> index) { return broadcastNumber(x.getShape(), index); });
}

static HostTensor expandDims(nn::ExpandDimsOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  Index shape(x.getShape());
  for (int64_t axis : normalizedAxes(op.getAxis(), x.getRank() + op.getAxis().size()))
    shape.insert(shape.begin() + axis, 1);
  return x.reshaped(shape);
}

/// Without `axis`, the axes that the type says are of size one: a symbol that happens to be one
/// stays.
static HostTensor squeeze(nn::SqueezeOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  SmallVector<int64_t> axes;
  if (op.getAxis()) {
    axes = normalizedAxes(op.getAxis(), x.getRank());
  } else {
    for (auto [axis, dim] : llvm::enumerate(getShape(op.getX())))
      if (dim == Dim(1))
        axes.push_back(axis);
  }
  Index shape;
  for (auto [axis, size] : llvm::enumerate(x.getShape()))
    if (!llvm::is_contained(axes, int64_t(axis)))
      shape.push_back(size);
  return x.reshaped(shape);
}

//===-- Permutations ------------------------------------------------------===//

static HostTensor transpose(nn::TransposeOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  int64_t rank = x.getRank();
  Index permutation, shape;
  for (int64_t axis = 0; axis < rank; ++axis) {
    permutation.push_back(op.getPermutation() ? normalizedAxis((*op.getPermutation())[axis], rank)
                                              : rank - 1 - axis);
    shape.push_back(x.getShape()[permutation.back()]);
  }
  return moved(x, shape, [&](ArrayRef<int64_t> index) {
    Index source(rank);
    for (int64_t axis = 0; axis < rank; ++axis)
      source[permutation[axis]] = index[axis];
    return elementNumber(x.getShape(), source);
  });
}

static HostTensor reverse(nn::ReverseOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  SmallVector<int64_t> axes = normalizedAxes(op.getAxis(), x.getRank());
  return moved(x, x.getShape(), [&](ArrayRef<int64_t> index) {
    Index source(index);
    for (int64_t axis : axes)
      source[axis] = x.getShape()[axis] - 1 - index[axis];
    return elementNumber(x.getShape(), source);
  });
}

//===-- Parts -------------------------------------------------------------===//

namespace {
/// The part of a tensor that `slice` selects.
struct Part {
  SmallVector<int64_t> starts, shape, steps;

  /// The index in the whole tensor of an index into the part.
  Index locate(ArrayRef<int64_t> index) const {
    Index source;
    for (size_t axis = 0; axis < index.size(); ++axis)
      source.push_back(starts[axis] + index[axis] * steps[axis]);
    return source;
  }
};
} // namespace

template <typename OpTy> static Expected<Part> resolvePart(OpTy op, Frame &frame) {
  Expected<SmallVector<int64_t>> starts = frame.resolve(op.getStarts());
  if (!starts)
    return starts.takeError();
  Expected<SmallVector<int64_t>> stops = frame.resolve(op.getStops());
  if (!stops)
    return stops.takeError();
  Part part{*starts, {}, SmallVector<int64_t>(op.getSteps())};
  for (auto [axis, size] : llvm::enumerate(frame.get(op.getX()).getShape())) {
    int64_t start = (*starts)[axis], stop = (*stops)[axis], step = part.steps[axis];
    if (start < 0 || stop < start || stop > size)
      return createStringError("'" + OpTy::getOperationName().drop_front(3) +
                               "' expects a part within axis " + std::to_string(axis) +
                               " of size " + std::to_string(size) + ", found " +
                               std::to_string(start) + ":" + std::to_string(stop));
    part.shape.push_back((stop - start + step - 1) / step);
  }
  return part;
}

static Expected<HostTensor> slice(nn::SliceOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  Expected<Part> part = resolvePart(op, frame);
  if (!part)
    return part.takeError();
  return moved(x, part->shape, [&](ArrayRef<int64_t> index) {
    return elementNumber(x.getShape(), part->locate(index));
  });
}

static Expected<HostTensor> sliceUpdate(nn::SliceUpdateOp op, Frame &frame) {
  const HostTensor &update = frame.get(op.getUpdate());
  Expected<Part> part = resolvePart(op, frame);
  if (!part)
    return part.takeError();
  HostTensor y = frame.get(op.getX());
  forEachElement(part->shape, [&](ArrayRef<int64_t> index, int64_t) {
    y.copyElement(elementNumber(y.getShape(), part->locate(index)), update,
                  broadcastNumber(update.getShape(), index));
  });
  return y;
}

static HostTensor concat(nn::ConcatOp op, Frame &frame) {
  const HostTensor &first = frame.get(op.getInputs().front());
  int64_t axis = normalizedAxis(op.getAxis(), first.getRank());
  Index shape(first.getShape());
  for (Value input : op.getInputs().drop_front())
    shape[axis] += frame.get(input).getShape()[axis];
  HostTensor y(first.getElementType(), shape);
  int64_t offset = 0;
  for (Value input : op.getInputs()) {
    const HostTensor &x = frame.get(input);
    forEachElement(x.getShape(), [&](ArrayRef<int64_t> index, int64_t number) {
      Index target(index);
      target[axis] += offset;
      y.copyElement(elementNumber(shape, target), x, number);
    });
    offset += x.getShape()[axis];
  }
  return y;
}

static HostTensor pad(nn::PadOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  Index shape(x.getShape());
  for (auto [size, low, high] : llvm::zip_equal(shape, op.getLow(), op.getHigh()))
    size += low + high;
  HostTensor y(x.getElementType(), shape);
  for (int64_t number = 0; number < y.getNumElements(); ++number)
    y.setConverted(number, op.getValue().convertToDouble());
  forEachElement(x.getShape(), [&](ArrayRef<int64_t> index, int64_t number) {
    Index target(index);
    for (auto [value, low] : llvm::zip_equal(target, op.getLow()))
      value += low;
    y.copyElement(elementNumber(shape, target), x, number);
  });
  return y;
}

//===-- Indices -----------------------------------------------------------===//

/// The place along an axis of `size` that an index means: a negative one counts from the end, one
/// further out is clamped.
static int64_t clampedIndex(int64_t index, int64_t size) {
  return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size - 1);
}

/// The shape of gather(x, indices, axis).
static Expected<Index> gatherShape(const HostTensor &x, const HostTensor &indices, int64_t axis) {
  if (x.getShape()[axis] == 0 && indices.getNumElements() != 0)
    return createStringError("'gather' expects an axis of one element or more");
  Index shape(x.getShape().take_front(axis));
  shape.append(indices.getShape().begin(), indices.getShape().end());
  shape.append(x.getShape().begin() + axis + 1, x.getShape().end());
  return shape;
}

/// The number of the element of `x` that gather(x, indices, axis) has at `index`.
static int64_t gatheredNumber(const HostTensor &x, const HostTensor &indices, int64_t axis,
                              ArrayRef<int64_t> index) {
  int64_t number = elementNumber(indices.getShape(), index.slice(axis, indices.getRank()));
  Index source(index.take_front(axis));
  source.push_back(clampedIndex(indices.getInteger(number), x.getShape()[axis]));
  source.append(index.begin() + axis + indices.getRank(), index.end());
  return elementNumber(x.getShape(), source);
}

static Expected<HostTensor> gather(nn::GatherOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX()), &indices = frame.get(op.getIndices());
  int64_t axis = normalizedAxis(op.getAxis(), x.getRank());
  Expected<Index> shape = gatherShape(x, indices, axis);
  if (!shape)
    return shape.takeError();
  return moved(x, *shape,
               [&](ArrayRef<int64_t> index) { return gatheredNumber(x, indices, axis, index); });
}

/// Rounded after each addition, in the order of the updates.
static Expected<HostTensor> scatterAdd(nn::ScatterAddOp op, Frame &frame) {
  HostTensor y = frame.get(op.getX());
  const HostTensor &indices = frame.get(op.getIndices()), &updates = frame.get(op.getUpdates());
  int64_t axis = normalizedAxis(op.getAxis(), y.getRank());
  Expected<Index> shape = gatherShape(y, indices, axis);
  if (!shape)
    return shape.takeError();
  forEachElement(*shape, [&](ArrayRef<int64_t> index, int64_t number) {
    int64_t target = gatheredNumber(y, indices, axis, index);
    if (y.isFloat())
      y.setFloat(target, y.getFloat(target) + updates.getFloat(number));
    else
      y.setInteger(target,
                   int64_t(uint64_t(y.getInteger(target)) + uint64_t(updates.getInteger(number))));
  });
  return y;
}

/// An index out of range gives zeros.
static HostTensor oneHot(nn::OneHotOp op, Frame &frame) {
  const HostTensor &indices = frame.get(op.getIndices());
  Index shape(indices.getShape());
  shape.push_back(op.getDepth());
  HostTensor y(op.getDtype(), shape);
  forEachElement(shape, [&](ArrayRef<int64_t> index, int64_t number) {
    int64_t chosen = indices.getInteger(elementNumber(indices.getShape(), index.drop_back()));
    y.setConverted(number, int64_t(chosen == index.back()));
  });
  return y;
}

static HostTensor size(nn::SizeOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX());
  int64_t product = 1;
  for (int64_t axis : normalizedAxes(op.getAxis(), x.getRank()))
    product *= x.getShape()[axis];
  HostTensor y(IntegerType::get(op.getContext(), 64), {});
  y.setInteger(0, product);
  return y;
}

void registerShape(Registry &registry) {
  registry.add<nn::ReshapeOp>(reshape, Rounding::None);
  registry.add<nn::BroadcastToOp>(broadcastTo, Rounding::None);
  registry.add<nn::ExpandDimsOp>(expandDims, Rounding::None);
  registry.add<nn::SqueezeOp>(squeeze, Rounding::None);
  registry.add<nn::TransposeOp>(transpose, Rounding::None);
  registry.add<nn::ReverseOp>(reverse, Rounding::None);
  registry.add<nn::SliceOp>(slice, Rounding::None);
  registry.add<nn::SliceUpdateOp>(sliceUpdate, Rounding::None);
  registry.add<nn::ConcatOp>(concat, Rounding::None);
  registry.add<nn::PadOp>(pad, Rounding::None);
  registry.add<nn::GatherOp>(gather, Rounding::None);
  registry.add<nn::ScatterAddOp>(scatterAdd, Rounding::OfTerms);
  registry.add<nn::OneHotOp>(oneHot, Rounding::None);
  registry.add<nn::SizeOp>(size, Rounding::None);
}

} // namespace nnc
