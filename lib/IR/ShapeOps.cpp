//===- ShapeOps.cpp - Ops that move elements ------------------------------===//
//
// Shape rules and folders.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Inference.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

//===-- Reshapes ----------------------------------------------------------===//

/// `shape` with a dimension of -1 replaced by what is left of `elements`.
static std::optional<Shape> resolveShape(Shape shape, const Dim &elements) {
  Dim known(1);
  Dim *unknown = nullptr;
  for (Dim &dim : shape) {
    if (dim != Dim(-1))
      known = known * dim;
    else if (std::exchange(unknown, &dim))
      return std::nullopt;
  }
  if (!unknown)
    return known == elements ? std::optional<Shape>(shape) : std::nullopt;
  if (known == Dim(0))
    return std::nullopt;
  std::optional<Dim> rest = elements.exactDiv(known);
  if (!rest)
    return std::nullopt;
  *unknown = *rest;
  return shape;
}

LogicalResult ReshapeOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX();
  Dim elements = numElements(nnc::getShape(x));
  if (llvm::count(adaptor.getShape(), Dim(-1)) > 1)
    return emitOptionalError(loc, "'reshape' expects -1 for one dimension, found ",
                             shapeToString(adaptor.getShape()));
  std::optional<Shape> shape = resolveShape(adaptor.getShape(), elements);
  if (!shape)
    return emitOptionalError(loc, "'reshape' expects a shape of ", elements.str(), " elements for ",
                             typeToString(x.getType()), ", found ",
                             shapeToString(adaptor.getShape()));
  types.push_back(makeTensorType(*shape, getElementType(x)));
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getX().getType() == getType())
    return getX();
  if (auto inner = getX().getDefiningOp<ReshapeOp>()) {
    getXMutable().assign(inner.getX());
    return getResult();
  }
  return {};
}

LogicalResult ExpandDimsOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  Shape shape = getShape(adaptor.getX());
  std::optional<SmallVector<int64_t>> axes =
      normalizeAxes(loc, "expand_dims", adaptor.getAxis(), shape.size() + adaptor.getAxis().size());
  if (!axes)
    return failure();
  for (int64_t axis : *axes)
    shape.insert(shape.begin() + axis, Dim(1));
  types.push_back(makeTensorType(shape, getElementType(adaptor.getX())));
  return success();
}

LogicalResult SqueezeOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  Shape shape = getShape(adaptor.getX());
  SmallVector<int64_t> axes;
  if (adaptor.getAxis()) {
    std::optional<SmallVector<int64_t>> given =
        normalizeAxes(loc, "squeeze", adaptor.getAxis(), shape.size());
    if (!given)
      return failure();
    axes = *given;
  } else {
    for (auto [index, dim] : llvm::enumerate(shape))
      if (dim == Dim(1))
        axes.push_back(index);
  }
  for (int64_t axis : axes)
    if (shape[axis] != Dim(1))
      return emitOptionalError(loc, "'squeeze' expects axis ", axis, " of size 1, found ",
                               typeToString(adaptor.getX().getType()));
  types.push_back(
      makeTensorType(reduceShape(shape, axes, /*keepdims=*/false), getElementType(adaptor.getX())));
  return success();
}

LogicalResult BroadcastToOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                              SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX();
  Shape target = adaptor.getShape();
  std::optional<Shape> shape =
      broadcastShapes(std::nullopt, "broadcast_to", nnc::getShape(x), target);
  if (!shape || *shape != target)
    return emitOptionalError(loc, "'broadcast_to' cannot broadcast ", typeToString(x.getType()),
                             " to ", shapeToString(target));
  types.push_back(makeTensorType(target, getElementType(x)));
  return success();
}

OpFoldResult BroadcastToOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? OpFoldResult(getX()) : OpFoldResult();
}

//===-- Permutations ------------------------------------------------------===//

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  Shape shape = getShape(adaptor.getX());
  Shape result(shape.rbegin(), shape.rend());
  if (std::optional<ArrayRef<int64_t>> permutation = adaptor.getPermutation()) {
    std::optional<SmallVector<int64_t>> sorted =
        normalizeAxes(loc, "transpose", permutation, shape.size());
    if (!sorted)
      return failure();
    if (sorted->size() != shape.size())
      return emitOptionalError(loc, "'transpose' expects a permutation of ", shape.size(),
                               " axes, found ", permutation->size());
    for (auto [index, axis] : llvm::enumerate(*permutation))
      result[index] = shape[normalizedAxis(axis, shape.size())];
  }
  types.push_back(makeTensorType(result, getElementType(adaptor.getX())));
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  int64_t rank = getShape(getX()).size();
  if (rank < 2)
    return getX();
  auto inner = getX().getDefiningOp<TransposeOp>();
  if (!inner)
    return {};
  if (!getPermutation() && !inner.getPermutation())
    return inner.getX();
  if (!getPermutation() || !inner.getPermutation())
    return {};
  for (auto [index, axis] : llvm::enumerate(*getPermutation()))
    if (normalizedAxis((*inner.getPermutation())[normalizedAxis(axis, rank)], rank) !=
        int64_t(index))
      return {};
  return inner.getX();
}

LogicalResult ReverseOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX();
  if (!normalizeAxes(loc, "reverse", adaptor.getAxis(), getShape(x).size()))
    return failure();
  types.push_back(x.getType());
  return success();
}

//===-- Parts -------------------------------------------------------------===//

/// The shape of the part of `x`, after checking that it lies within `x` where that can be known.
static std::optional<Shape> inferPart(OptionalLoc loc, StringRef op, Value x, ArrayRef<Dim> starts,
                                      ArrayRef<Dim> stops, ArrayRef<int64_t> steps) {
  Shape shape = getShape(x), part;
  if (starts.size() != shape.size() || stops.size() != shape.size() ||
      steps.size() != shape.size()) {
    (void)emitOptionalError(loc, "'", op, "' expects ", shape.size(),
                            " starts, stops and steps for ", typeToString(x.getType()), ", found ",
                            starts.size(), ", ", stops.size(), " and ", steps.size());
    return std::nullopt;
  }
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    Dim extent = stops[axis] - starts[axis], room = shape[axis] - stops[axis];
    auto negative = [](const Dim &dim) { return dim.isConstant() && dim.constant() < 0; };
    if (steps[axis] < 1 || negative(starts[axis]) || negative(extent) || negative(room)) {
      (void)emitOptionalError(loc, "'", op, "' expects a part within axis ", axis, " of size ",
                              shape[axis].str(), ", found ", starts[axis].str(), ":",
                              stops[axis].str(), ":", steps[axis]);
      return std::nullopt;
    }
    part.push_back(extent.ceilDiv(Dim(steps[axis])));
  }
  return part;
}

LogicalResult SliceOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  std::optional<Shape> part = inferPart(loc, "slice", adaptor.getX(), adaptor.getStarts(),
                                        adaptor.getStops(), adaptor.getSteps());
  if (!part)
    return failure();
  types.push_back(makeTensorType(*part, getElementType(adaptor.getX())));
  return success();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? OpFoldResult(getX()) : OpFoldResult();
}

LogicalResult SliceUpdateOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                              SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX(), update = adaptor.getUpdate();
  std::optional<Shape> part = inferPart(loc, "slice_update", x, adaptor.getStarts(),
                                        adaptor.getStops(), adaptor.getSteps());
  if (!part || failed(checkSameElementType(loc, "slice_update", {x, update})))
    return failure();
  std::optional<Shape> shape =
      broadcastShapes(std::nullopt, "slice_update", getShape(update), *part);
  if (!shape || *shape != *part)
    return emitOptionalError(loc, "'slice_update' cannot broadcast ",
                             typeToString(update.getType()), " to the part of shape ",
                             shapeToString(*part));
  types.push_back(x.getType());
  return success();
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  ValueRange inputs = adaptor.getInputs();
  if (inputs.empty())
    return emitOptionalError(loc, "'concat' expects at least one tensor");
  Shape result = getShape(inputs.front());
  std::optional<int64_t> axis = normalizeAxis(loc, "concat", adaptor.getAxis(), result.size());
  if (!axis || failed(checkSameElementType(loc, "concat", inputs)))
    return failure();
  for (Value input : inputs.drop_front()) {
    Shape shape = getShape(input);
    bool fits = shape.size() == result.size();
    for (size_t index = 0; fits && index < shape.size(); ++index)
      fits = int64_t(index) == *axis || shape[index] == result[index];
    if (!fits)
      return emitOptionalError(loc, "'concat' expects equal dimensions except along axis ", *axis,
                               ", found ", typeToString(inputs.front().getType()), " and ",
                               typeToString(input.getType()));
    result[*axis] = result[*axis] + shape[*axis];
  }
  types.push_back(makeTensorType(result, getElementType(inputs.front())));
  return success();
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  Shape shape = getShape(adaptor.getX());
  ArrayRef<int64_t> low = adaptor.getLow(), high = adaptor.getHigh();
  if (low.size() != shape.size() || high.size() != shape.size())
    return emitOptionalError(loc, "'pad' expects ", shape.size(),
                             " widths before and after, found ", low.size(), " and ", high.size());
  for (auto [dim, before, after] : llvm::zip(shape, low, high)) {
    if (before < 0 || after < 0)
      return emitOptionalError(loc, "'pad' expects widths of zero or more, found ",
                               std::min(before, after));
    dim = dim + Dim(before) + Dim(after);
  }
  types.push_back(makeTensorType(shape, getElementType(adaptor.getX())));
  return success();
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? OpFoldResult(getX()) : OpFoldResult();
}

//===-- Indices -----------------------------------------------------------===//

static LogicalResult checkIndices(OptionalLoc loc, StringRef op, Value indices) {
  if (getElementType(indices).isInteger(64) || getElementType(indices).isInteger(32))
    return success();
  return emitOptionalError(loc, "'", op, "' expects indices of type i64 or i32, found ",
                           typeToString(indices.getType()));
}

/// The shape of gather(x, indices, axis).
static std::optional<Shape> inferGather(OptionalLoc loc, StringRef op, Value x, Value indices,
                                        int64_t axisAttr) {
  Shape shape = getShape(x), chosen = getShape(indices);
  std::optional<int64_t> axis = normalizeAxis(loc, op, axisAttr, shape.size());
  if (!axis || failed(checkIndices(loc, op, indices)))
    return std::nullopt;
  Shape result(shape.begin(), shape.begin() + *axis);
  result.append(chosen.begin(), chosen.end());
  result.append(shape.begin() + *axis + 1, shape.end());
  return result;
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  std::optional<Shape> shape =
      inferGather(loc, "gather", adaptor.getX(), adaptor.getIndices(), adaptor.getAxis());
  if (!shape)
    return failure();
  types.push_back(makeTensorType(*shape, getElementType(adaptor.getX())));
  return success();
}

LogicalResult ScatterAddOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  Value x = adaptor.getX(), updates = adaptor.getUpdates();
  std::optional<Shape> shape =
      inferGather(loc, "scatter_add", x, adaptor.getIndices(), adaptor.getAxis());
  if (!shape || failed(checkSameElementType(loc, "scatter_add", {x, updates})))
    return failure();
  if (getShape(updates) != *shape)
    return emitOptionalError(loc, "'scatter_add' expects updates of shape ", shapeToString(*shape),
                             ", found ", typeToString(updates.getType()));
  types.push_back(x.getType());
  return success();
}

LogicalResult OneHotOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Shape shape = getShape(adaptor.getIndices());
  if (failed(checkIndices(loc, "one_hot", adaptor.getIndices())))
    return failure();
  if (int64_t(adaptor.getDepth()) < 1)
    return emitOptionalError(loc, "'one_hot' expects a depth of one or more, found ",
                             int64_t(adaptor.getDepth()));
  shape.push_back(Dim(adaptor.getDepth()));
  types.push_back(makeTensorType(shape, adaptor.getDtype()));
  return success();
}

LogicalResult SizeOp::inferReturnTypes(MLIRContext *context, OptionalLoc loc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  if (!normalizeAxes(loc, "size", adaptor.getAxis(), getShape(adaptor.getX()).size()))
    return failure();
  types.push_back(RankedTensorType::get({}, IntegerType::get(context, 64)));
  return success();
}

OpFoldResult SizeOp::fold(FoldAdaptor) {
  Shape shape = getShape(getX());
  Dim size(1);
  for (int64_t axis : normalizedAxes(getAxis(), shape.size()))
    size = size * shape[axis];
  if (!size.isConstant())
    return {};
  return DenseElementsAttr::get(cast<RankedTensorType>(getType()), size.constant());
}
