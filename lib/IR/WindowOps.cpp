//===- WindowOps.cpp - Ops on windows that slide over a tensor ------------===//
//
// The shape rules. A convolution is a sum over three tensors, image, filters and result; the ops of
// its family take two of them and give the third, so one check of the three shapes serves all.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Window.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

using Integers = std::optional<ArrayRef<int64_t>>;

/// The entries of `values` for `rank` axes; none given are `fallback`, one is for all axes.
static SmallVector<int64_t> forAxes(Integers values, size_t rank, int64_t fallback) {
  if (!values || values->empty())
    return SmallVector<int64_t>(rank, fallback);
  if (values->size() == 1)
    return SmallVector<int64_t>(rank, values->front());
  return llvm::to_vector(*values);
}

static LogicalResult checkAxes(OptionalLoc loc, StringRef op, StringRef name, Integers values,
                               size_t rank, int64_t least) {
  if (!values)
    return success();
  if (values->size() != 1 && values->size() != rank)
    return emitOptionalError(loc, "'", op, "' expects one number",
                             rank == 1 ? std::string() : " or " + std::to_string(rank), " for '",
                             name, "', found ", values->size());
  for (int64_t value : *values)
    if (value < least)
      return emitOptionalError(loc, "'", op, "' expects '", name, "' of ", least,
                               " or more, found ", value);
  return success();
}

template <typename OpTy> static WindowAxes convolutionWindow(OpTy op, ArrayRef<int64_t> kernel) {
  size_t rank = kernel.size();
  SmallVector<int64_t> strides = forAxes(op.getStrides(), rank, 1);
  SmallVector<int64_t> dilations = forAxes(op.getDilations(), rank, 1);
  SmallVector<int64_t> low = forAxes(op.getLow(), rank, 0), high = forAxes(op.getHigh(), rank, 0);
  WindowAxes axes;
  for (size_t axis = 0; axis < rank; ++axis)
    axes.push_back({kernel[axis], strides[axis], dilations[axis], low[axis], high[axis]});
  return axes;
}

static SmallVector<int64_t> constants(ArrayRef<Dim> dims) {
  return llvm::map_to_vector(dims, [](const Dim &dim) { return dim.constant(); });
}

namespace nnc {

WindowAxes getWindow(ConvolutionOp op) {
  return convolutionWindow(op, constants(ArrayRef(getShape(op.getW())).drop_front(2)));
}
WindowAxes getWindow(ConvolutionInputGradientOp op) {
  return convolutionWindow(op, constants(ArrayRef(getShape(op.getW())).drop_front(2)));
}
WindowAxes getWindow(ConvolutionWeightGradientOp op) {
  return convolutionWindow(op, constants(op.getShape()));
}

/// Windows do not overlap where no stride is given.
template <typename OpTy> static WindowAxes slidingWindow(OpTy op, ArrayRef<int64_t> size) {
  SmallVector<int64_t> strides =
      op.getStrides() ? forAxes(op.getStrides(), size.size(), 1) : llvm::to_vector(size);
  SmallVector<int64_t> dilations = forAxes(op.getDilations(), size.size(), 1);
  WindowAxes axes;
  for (size_t axis = 0; axis < size.size(); ++axis)
    axes.push_back({size[axis], strides[axis], dilations[axis]});
  return axes;
}

WindowAxes getWindow(WindowsOp op) { return slidingWindow(op, op.getSize()); }
WindowAxes getWindow(OverlapAddOp op) {
  size_t rank = op.getShape().size();
  return slidingWindow(op, constants(ArrayRef(getShape(op.getX())).take_back(rank)));
}

} // namespace nnc

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// Checks the operands' ranks and the attributes, for so many spatial axes.
template <typename Adaptor>
static LogicalResult checkConvolution(OptionalLoc loc, StringRef op, Adaptor adaptor, size_t rank) {
  ValueRange operands = adaptor.getOperands();
  if (failed(checkKind(loc, op, operands[0], OperandKind::Number)) ||
      failed(checkSameElementType(loc, op, operands)))
    return failure();
  for (Value operand : operands)
    if (rank == 0 || getShape(operand).size() != rank + 2)
      return emitOptionalError(loc, "'", op, "' expects tensors of one rank, 3 or more, found ",
                               typeToString(operands[0].getType()), " and ",
                               typeToString(operands[1].getType()));
  if (adaptor.getGroups() < 1)
    return emitOptionalError(loc, "'", op, "' expects 'groups' of 1 or more, found ",
                             adaptor.getGroups());
  return success(succeeded(checkAxes(loc, op, "strides", adaptor.getStrides(), rank, 1)) &&
                 succeeded(checkAxes(loc, op, "low", adaptor.getLow(), rank, 0)) &&
                 succeeded(checkAxes(loc, op, "high", adaptor.getHigh(), rank, 0)) &&
                 succeeded(checkAxes(loc, op, "dilations", adaptor.getDilations(), rank, 1)));
}

static LogicalResult checkKernel(OptionalLoc loc, StringRef op, ArrayRef<Dim> kernel) {
  for (const Dim &size : kernel)
    if (!size.isConstant() || size.constant() < 1)
      return emitOptionalError(loc, "'", op, "' expects a kernel of known size, found ",
                               shapeToString(kernel));
  return success();
}

/// The number of filters or channels in a group.
static std::optional<Dim> inGroup(OptionalLoc loc, StringRef op, StringRef what, const Dim &all,
                                  int64_t groups) {
  std::optional<Dim> each = all.exactDiv(Dim(groups));
  if (!each || (all.isConstant() && all.constant() % groups != 0)) {
    (void)emitOptionalError(loc, "'", op, "' expects the ", what, " to divide into ", groups,
                            " groups, found ", all.str());
    return std::nullopt;
  }
  return each;
}

/// The spatial sizes of the convolution of `input`.
static std::optional<Shape> countWindows(OptionalLoc loc, StringRef op, ArrayRef<Dim> input,
                                         ArrayRef<WindowAxis> axes) {
  Shape counts;
  for (auto [size, axis] : llvm::zip_equal(input, axes)) {
    Dim room = axis.room(size);
    if (room.isConstant() && room.constant() < 0) {
      (void)emitOptionalError(
          loc, "'", op, "' expects an input of ", axis.span() - axis.low - axis.high,
          " or more elements along each axis that the window slides over, found ", size.str());
      return std::nullopt;
    }
    counts.push_back(axis.count(size));
  }
  return counts;
}

LogicalResult ConvolutionOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                              SmallVectorImpl<Type> &types) {
  Shape x = nnc::getShape(adaptor.getX()), w = nnc::getShape(adaptor.getW());
  if (failed(checkConvolution(loc, "convolution", adaptor, x.size() < 2 ? 0 : x.size() - 2)))
    return failure();
  ArrayRef<Dim> kernel = ArrayRef(w).drop_front(2);
  if (failed(checkKernel(loc, "convolution", kernel)))
    return failure();
  std::optional<Dim> channels = inGroup(loc, "convolution", "channels", x[1], adaptor.getGroups());
  if (!channels || !inGroup(loc, "convolution", "filters", w[0], adaptor.getGroups()))
    return failure();
  if (*channels != w[1])
    return emitOptionalError(loc, "'convolution' expects filters for ", channels->str(),
                             " channels, found ", typeToString(adaptor.getW().getType()), " for ",
                             typeToString(adaptor.getX().getType()));
  std::optional<Shape> spatial = countWindows(loc, "convolution", ArrayRef(x).drop_front(2),
                                              convolutionWindow(adaptor, constants(kernel)));
  if (!spatial)
    return failure();
  Shape y = {x[0], w[0]};
  llvm::append_range(y, *spatial);
  types.push_back(makeTensorType(y, getElementType(adaptor.getX())));
  return success();
}

/// Checks that the convolution of `input` gives the spatial sizes of `y`.
static LogicalResult checkResult(OptionalLoc loc, StringRef op, ArrayRef<Dim> input, Value y,
                                 ArrayRef<WindowAxis> axes) {
  std::optional<Shape> expected = countWindows(loc, op, input, axes);
  if (!expected)
    return failure();
  Shape found = nnc::getShape(y);
  if (ArrayRef(found).drop_front(2) != ArrayRef(*expected))
    return emitOptionalError(loc, "'", op, "' expects ", shapeToString(*expected),
                             " as the last axes of 'y', found ", typeToString(y.getType()));
  return success();
}

LogicalResult ConvolutionInputGradientOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                                           Adaptor adaptor,
                                                           SmallVectorImpl<Type> &types) {
  constexpr StringLiteral name = "convolution_input_gradient";
  Shape y = nnc::getShape(adaptor.getY()), w = nnc::getShape(adaptor.getW()),
        shape = adaptor.getShape();
  if (failed(checkConvolution(loc, name, adaptor, shape.size())))
    return failure();
  ArrayRef<Dim> kernel = ArrayRef(w).drop_front(2);
  if (failed(checkKernel(loc, name, kernel)))
    return failure();
  if (y[1] != w[0])
    return emitOptionalError(
        loc, "'", name, "' expects as many filters as 'y' has channels, found ",
        typeToString(adaptor.getW().getType()), " for ", typeToString(adaptor.getY().getType()));
  if (!inGroup(loc, name, "filters", w[0], adaptor.getGroups()) ||
      failed(checkResult(loc, name, shape, adaptor.getY(),
                         convolutionWindow(adaptor, constants(kernel)))))
    return failure();
  Shape x = {y[0], w[1] * Dim(adaptor.getGroups())};
  llvm::append_range(x, shape);
  types.push_back(makeTensorType(x, getElementType(adaptor.getY())));
  return success();
}

LogicalResult ConvolutionWeightGradientOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                                            Adaptor adaptor,
                                                            SmallVectorImpl<Type> &types) {
  constexpr StringLiteral name = "convolution_weight_gradient";
  Shape x = nnc::getShape(adaptor.getX()), y = nnc::getShape(adaptor.getY()),
        shape = adaptor.getShape();
  if (failed(checkConvolution(loc, name, adaptor, shape.size())) ||
      failed(checkKernel(loc, name, shape)))
    return failure();
  if (x[0] != y[0])
    return emitOptionalError(loc, "'", name, "' expects 'x' and 'y' of one batch, found ",
                             typeToString(adaptor.getX().getType()), " and ",
                             typeToString(adaptor.getY().getType()));
  std::optional<Dim> channels = inGroup(loc, name, "channels", x[1], adaptor.getGroups());
  if (!channels || !inGroup(loc, name, "filters", y[1], adaptor.getGroups()) ||
      failed(checkResult(loc, name, ArrayRef(x).drop_front(2), adaptor.getY(),
                         convolutionWindow(adaptor, constants(shape)))))
    return failure();
  Shape w = {y[1], *channels};
  llvm::append_range(w, shape);
  types.push_back(makeTensorType(w, getElementType(adaptor.getX())));
  return success();
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

template <typename Adaptor>
static LogicalResult checkSliding(OptionalLoc loc, StringRef op, Adaptor adaptor, size_t rank) {
  return success(succeeded(checkAxes(loc, op, "strides", adaptor.getStrides(), rank, 1)) &&
                 succeeded(checkAxes(loc, op, "dilations", adaptor.getDilations(), rank, 1)));
}

LogicalResult WindowsOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  Shape x = nnc::getShape(adaptor.getX());
  ArrayRef<int64_t> size = adaptor.getSize();
  if (size.empty() || size.size() > x.size() || llvm::any_of(size, [](int64_t n) { return n < 1; }))
    return emitOptionalError(loc, "'windows' expects a size of 1 or more for some last axes of ",
                             typeToString(adaptor.getX().getType()));
  if (failed(checkSliding(loc, "windows", adaptor, size.size())))
    return failure();
  std::optional<Shape> counts = countWindows(loc, "windows", ArrayRef(x).take_back(size.size()),
                                             slidingWindow(adaptor, size));
  if (!counts)
    return failure();
  Shape y(ArrayRef(x).drop_back(size.size()));
  llvm::append_range(y, *counts);
  for (int64_t elements : size)
    y.push_back(Dim(elements));
  types.push_back(makeTensorType(y, getElementType(adaptor.getX())));
  return success();
}

LogicalResult OverlapAddOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  Shape x = nnc::getShape(adaptor.getX()), shape = adaptor.getShape();
  size_t rank = shape.size();
  if (failed(checkKind(loc, "overlap_add", adaptor.getX(), OperandKind::Number)))
    return failure();
  if (rank == 0 || x.size() < 2 * rank)
    return emitOptionalError(loc, "'overlap_add' expects two axes of windows for each of ", rank,
                             " sizes, found ", typeToString(adaptor.getX().getType()));
  ArrayRef<Dim> size = ArrayRef(x).take_back(rank),
                found = ArrayRef(x).drop_back(rank).take_back(rank);
  if (failed(checkKernel(loc, "overlap_add", size)) ||
      failed(checkSliding(loc, "overlap_add", adaptor, rank)))
    return failure();
  std::optional<Shape> counts =
      countWindows(loc, "overlap_add", shape, slidingWindow(adaptor, constants(size)));
  if (!counts)
    return failure();
  if (found != ArrayRef(*counts))
    return emitOptionalError(loc, "'overlap_add' expects ", shapeToString(*counts),
                             " windows for the sizes ", shapeToString(shape), ", found ",
                             shapeToString(found));
  Shape y(ArrayRef(x).drop_back(2 * rank));
  llvm::append_range(y, shape);
  types.push_back(makeTensorType(y, getElementType(adaptor.getX())));
  return success();
}
