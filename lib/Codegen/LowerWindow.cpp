//===- LowerWindow.cpp - Convolutions and windows -------------------------===//
//
// Each becomes one linalg.generic that reads its input at o * stride + k * dilation; no window is
// copied. Inputs are padded with zeros first where a window reaches outside.
//
// The adjoints, which add where windows overlap, are turned round: each element of the result gathers
// what falls on it. With p = element + low and stride s, p = q * s + r is hit by window q - t at
// place t * s + r, for t from 0 to ceil((span - r) / s) - 1; so the result is computed in s phases r, each
// a convolution of stride one by the places that are its own, and nothing is multiplied by zeros.
//
//===----------------------------------------------------------------------===//
#include "ElementBuilder.h"

#include "nnc/IR/Window.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace nnc {
namespace {

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Loops under construction: parallel ones first, then those that add up.
class LoopNest {
public:
  explicit LoopNest(MLIRContext *mlirContext) : context(mlirContext) {}

  AffineExpr parallel() { return add(utils::IteratorType::parallel); }
  AffineExpr reduction() {
    reduced.push_back(iterators.size());
    return add(utils::IteratorType::reduction);
  }
  AffineMap map(ArrayRef<AffineExpr> exprs) const {
    return AffineMap::get(iterators.size(), 0, exprs, context);
  }
  SmallVector<AffineExpr> parallels(size_t count) {
    SmallVector<AffineExpr> exprs;
    for (size_t i = 0; i < count; ++i)
      exprs.push_back(parallel());
    return exprs;
  }
  SmallVector<AffineExpr> reductions(size_t count) {
    SmallVector<AffineExpr> exprs;
    for (size_t i = 0; i < count; ++i)
      exprs.push_back(reduction());
    return exprs;
  }

  SmallVector<utils::IteratorType> iterators;
  SmallVector<unsigned> reduced;

private:
  AffineExpr add(utils::IteratorType kind) {
    iterators.push_back(kind);
    return getAffineDimExpr(iterators.size() - 1, context);
  }
  MLIRContext *context;
};

using Exprs = SmallVector<AffineExpr>;

Exprs joined(std::initializer_list<ArrayRef<AffineExpr>> parts) {
  Exprs exprs;
  for (ArrayRef<AffineExpr> part : parts)
    llvm::append_range(exprs, part);
  return exprs;
}

Shape joined(std::initializer_list<ArrayRef<Dim>> parts) {
  Shape shape;
  for (ArrayRef<Dim> part : parts)
    llvm::append_range(shape, part);
  return shape;
}

//===----------------------------------------------------------------------===//
// What the lowerings share
//===----------------------------------------------------------------------===//

/// Builds the parts of one lowering.
struct WindowBuilder {
  const Lowering &lowering;
  OpBuilder &builder;
  Location loc;
  Type elementType;

  Value zeros(ArrayRef<Dim> shape) {
    Value zero = constantElement(builder, loc, 0, elementType);
    return lowering.fill(builder, loc, shape, storeElement(builder, loc, zero, elementType));
  }

  /// `source`, of `shape`, in a tensor of zeros.
  Value place(Value source, ArrayRef<Dim> shape, ArrayRef<Dim> target, ArrayRef<Dim> offsets,
              ArrayRef<int64_t> steps = {}) {
    return lowering.insert(builder, loc, source, shape, zeros(target), offsets, steps);
  }

  /// The input of a convolution with its border of zeros; `shape` is updated.
  Value pad(Value input, Shape &shape, ArrayRef<WindowAxis> axes) {
    if (llvm::all_of(axes, [](const WindowAxis &axis) { return axis.low == 0 && axis.high == 0; }))
      return input;
    Shape padded(shape), offsets(shape.size(), Dim(0));
    size_t first = shape.size() - axes.size();
    for (auto [i, axis] : llvm::enumerate(axes)) {
      padded[first + i] = padded[first + i] + Dim(axis.low + axis.high);
      offsets[first + i] = Dim(axis.low);
    }
    input = place(input, shape, padded, offsets);
    shape = padded;
    return input;
  }

  /// Splits axis `axis` of a tensor into `groups` axes of equal size; `shape` is updated.
  Value split(Value value, Shape &shape, size_t axis, int64_t groups) {
    Shape parts(shape);
    parts[axis] = *shape[axis].exactDiv(Dim(groups));
    parts.insert(parts.begin() + axis, Dim(groups));
    value = lowering.reshape(builder, loc, value, shape, parts);
    shape = parts;
    return value;
  }

  /// sum over the reductions of a * b, a tensor of `shape` with one loop an axis.
  Value contract(LoopNest &loops, Value a, ArrayRef<AffineExpr> aExprs, Value b,
                 ArrayRef<AffineExpr> bExprs, ArrayRef<Dim> shape, ArrayRef<AffineExpr> exprs) {
    Read reads[] = {{a, loops.map(aExprs), elementType}, {b, loops.map(bExprs), elementType}};
    return accumulate(loops, reads, shape, exprs, [](ElementBuilder &e, ValueRange inputs) {
      return e.mul(inputs[0], inputs[1]);
    });
  }

  Value accumulate(LoopNest &loops, ArrayRef<Read> reads, ArrayRef<Dim> shape,
                   ArrayRef<AffineExpr> exprs,
                   function_ref<Value(ElementBuilder &, ValueRange)> term) {
    Value zero = constantElement(builder, loc, 0, elementType);
    Write write{lowering.fill(builder, loc, shape, zero), loops.map(exprs)};
    Operation *generic = createGeneric(
        builder, loc, reads, write, loops.iterators, loops.reduced,
        [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange outputs) {
          ElementBuilder e{inner, innerLoc, elementType};
          return SmallVector<Value>{e.add(outputs[0], term(e, inputs))};
        });
    return lowering.storeComputed(builder, loc, generic->getResult(0), shape, elementType);
  }
};

/// o * stride + k * dilation along each axis.
Exprs windowExprs(ArrayRef<WindowAxis> axes, ArrayRef<AffineExpr> windows,
                  ArrayRef<AffineExpr> places) {
  Exprs exprs;
  for (auto [axis, window, place] : llvm::zip_equal(axes, windows, places))
    exprs.push_back(window * axis.stride + place * axis.dilation);
  return exprs;
}

//===----------------------------------------------------------------------===//
// Convolution, and its derivative by the filters
//===----------------------------------------------------------------------===//

struct LowerConvolution : LowerPattern<nn::ConvolutionOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ConvolutionOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    WindowBuilder b{lowering, rewriter, op.getLoc(), getElementType(op.getX())};
    WindowAxes axes = getWindow(op);
    int64_t groups = op.getGroups();
    Shape xShape = getShape(op.getX()), wShape = getShape(op.getW()), yShape = getShape(op.getY());
    Value x = b.pad(adaptor.getX(), xShape, axes), w = adaptor.getW();
    bool grouped = groups != 1;
    Shape split = yShape;
    if (grouped) {
      x = b.split(x, xShape, 1, groups);
      w = b.split(w, wShape, 0, groups);
      split[1] = wShape[1];
      split.insert(split.begin() + 1, Dim(groups));
    }
    LoopNest loops(op.getContext());
    AffineExpr n = loops.parallel();
    Exprs g = loops.parallels(grouped);
    AffineExpr f = loops.parallel();
    Exprs o = loops.parallels(axes.size());
    AffineExpr c = loops.reduction();
    Exprs k = loops.reductions(axes.size());
    Value y = b.contract(loops, x, joined({n, g, c, windowExprs(axes, o, k)}), w,
                         joined({g, f, c, k}), split, joined({n, g, f, o}));
    rewriter.replaceOp(op, lowering.reshape(rewriter, op.getLoc(), y, split, yShape));
    return success();
  }
};

struct LowerWeightGradient : LowerPattern<nn::ConvolutionWeightGradientOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ConvolutionWeightGradientOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    WindowBuilder b{lowering, rewriter, op.getLoc(), getElementType(op.getX())};
    WindowAxes axes = getWindow(op);
    int64_t groups = op.getGroups();
    Shape xShape = getShape(op.getX()), wShape = getShape(op.getW()), yShape = getShape(op.getY());
    Value x = b.pad(adaptor.getX(), xShape, axes), y = adaptor.getY();
    bool grouped = groups != 1;
    Shape split = wShape;
    if (grouped) {
      x = b.split(x, xShape, 1, groups);
      y = b.split(y, yShape, 1, groups);
      split[0] = yShape[2];
      split.insert(split.begin(), Dim(groups));
    }
    LoopNest loops(op.getContext());
    Exprs g = loops.parallels(grouped);
    AffineExpr f = loops.parallel(), c = loops.parallel();
    Exprs k = loops.parallels(axes.size());
    AffineExpr n = loops.reduction();
    Exprs o = loops.reductions(axes.size());
    Value w = b.contract(loops, x, joined({n, g, c, windowExprs(axes, o, k)}), y,
                         joined({n, g, f, o}), split, joined({g, f, c, k}));
    rewriter.replaceOp(op, lowering.reshape(rewriter, op.getLoc(), w, split, wShape));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// The adjoints
//===----------------------------------------------------------------------===//

/// How the elements of one axis of the result gather what falls on them.
struct GatherAxis {
  WindowAxis axis;
  /// The size of the result, and how many windows there are.
  Dim size, windows;

  bool hasPhases() const { return axis.stride > 1; }
  int64_t phases() const { return hasPhases() ? axis.stride : 1; }
  /// Windows that may hit an element of a phase.
  int64_t tapsOf(int64_t phase) const {
    int64_t places = std::max<int64_t>(0, axis.span() - phase);
    return hasPhases() ? llvm::divideCeilSigned(places, axis.stride) : axis.size;
  }
  /// Windows that may hit one element, and how far apart they are.
  int64_t taps() const {
    return hasPhases() ? llvm::divideCeilSigned(axis.span(), axis.stride) : axis.size;
  }
  int64_t tapStep() const { return hasPhases() ? 1 : axis.dilation; }
  /// The first block of `stride` elements that is needed, and where the result begins in it.
  int64_t firstBlock() const { return axis.low / axis.stride; }
  int64_t firstElement() const { return axis.low % axis.stride; }
  Dim blocks() const { return (size + Dim(firstElement())).ceilDiv(Dim(axis.stride)); }

  /// Where window 0 lies among the windows that the blocks read; negative if it is not read.
  int64_t offset() const { return (taps() - 1) * tapStep() - firstBlock(); }
  Dim paddedWindows() const { return blocks() + Dim((taps() - 1) * tapStep()); }
  /// The first window that is read, and how many are.
  int64_t firstWindow() const { return std::max<int64_t>(0, -offset()); }
  Dim readWindows() const {
    Dim end = axis.high < axis.span() ? windows : blocks() + Dim(firstBlock());
    return end - Dim(firstWindow());
  }
  bool needsPadding() const {
    return offset() != 0 || readWindows() != windows || paddedWindows() != windows;
  }
};

using GatherAxes = SmallVector<GatherAxis>;

GatherAxes gatherAxes(ArrayRef<WindowAxis> axes, ArrayRef<Dim> sizes, ArrayRef<Dim> windows) {
  GatherAxes result;
  for (auto [axis, size, count] : llvm::zip_equal(axes, sizes, windows))
    result.push_back({axis, size, count});
  return result;
}

/// A gathering in progress: the loops over the result's blocks and phases and over the taps.
class Gathering {
public:
  Gathering(WindowBuilder &builder, const GatherAxes &gatherAxes) : b(builder), axes(gatherAxes) {}

  /// The windows along the axes from `first`, padded so that all taps of all blocks exist; `shape` is
  /// updated.
  Value padWindows(Value value, Shape &shape, size_t first) {
    if (llvm::none_of(axes, [](const GatherAxis &axis) { return axis.needsPadding(); }))
      return value;
    Shape part(shape), target(shape), from(shape.size(), Dim(0)), to(shape.size(), Dim(0));
    for (auto [i, axis] : llvm::enumerate(axes)) {
      part[first + i] = axis.readWindows();
      from[first + i] = Dim(axis.firstWindow());
      target[first + i] = axis.paddedWindows();
      to[first + i] = Dim(std::max<int64_t>(0, axis.offset()));
    }
    if (ArrayRef(part) != ArrayRef(shape))
      value = b.lowering.extract(b.builder, b.loc, value, from, part);
    shape = target;
    return b.place(value, part, target, to);
  }

  /// The last axes, elements of a window, spread by the dilation where they are of several phases; `shape` is updated.
  Value spreadKernel(Value value, Shape &shape) {
    size_t first = shape.size() - axes.size();
    Shape target(shape), offsets(shape.size(), Dim(0));
    SmallVector<int64_t> steps(shape.size(), 1);
    for (auto [i, axis] : llvm::enumerate(axes)) {
      if (!axis.hasPhases())
        continue;
      target[first + i] = Dim(axis.axis.span());
      steps[first + i] = axis.axis.dilation;
    }
    if (ArrayRef(target) != ArrayRef(shape))
      value = b.place(value, shape, target, offsets, steps);
    shape = target;
    return value;
  }

  /// What of a kernel, spread so, is of one phase; `shape` is updated.
  Value takePhase(Value value, Shape &shape, ArrayRef<int64_t> phase) {
    if (!hasPhases())
      return value;
    size_t first = shape.size() - axes.size();
    Shape offsets(first, Dim(0)), part(ArrayRef(shape).take_front(first));
    SmallVector<int64_t> steps(first, 1);
    for (auto [axis, number] : llvm::zip_equal(axes, phase)) {
      offsets.push_back(Dim(number));
      part.push_back(Dim(axis.tapsOf(number)));
      steps.push_back(axis.phases());
    }
    shape = part;
    return b.lowering.extract(b.builder, b.loc, value, offsets, part, steps);
  }

  /// Loops over the blocks of the result, and over the taps of a phase.
  void openResult(LoopNest &loops) { blocks = loops.parallels(axes.size()); }
  void openTaps(LoopNest &loops) { taps = loops.reductions(axes.size()); }

  Exprs windowExprs() const {
    Exprs exprs;
    for (auto [axis, block, tap] : llvm::zip_equal(axes, blocks, taps))
      exprs.push_back(block + (axis.taps() - 1) * axis.tapStep() - tap * axis.tapStep());
    return exprs;
  }
  Exprs kernelExprs() const { return taps; }
  Exprs resultExprs() const { return blocks; }
  Shape resultShape() const {
    Shape shape;
    for (const GatherAxis &axis : axes)
      shape.push_back(axis.blocks());
    return shape;
  }

  /// The result of all phases, each made by `makePhase`, with `outer` axes before those of the windows.
  Value join(ArrayRef<Dim> outer, function_ref<Value(ArrayRef<int64_t>)> makePhase) {
    SmallVector<int64_t> phase(axes.size(), 0);
    if (!hasPhases())
      return makePhase(phase);
    Shape whole(outer), blockShape = joined({outer, resultShape()}), begin(outer.size(), Dim(0)),
                        result(outer);
    SmallVector<int64_t> steps(outer.size(), 1);
    bool hasAll = true;
    for (const GatherAxis &axis : axes) {
      whole.push_back(axis.blocks() * Dim(axis.phases()));
      begin.push_back(Dim(axis.firstElement()));
      result.push_back(axis.size);
      steps.push_back(axis.phases());
      hasAll &= axis.tapsOf(axis.phases() - 1) != 0;
    }
    // What no window hits is zero.
    Value value = hasAll ? b.lowering.empty(b.builder, b.loc, whole, storageType(b.elementType))
                         : b.zeros(whole);
    do {
      bool isHit = llvm::all_of(llvm::zip_equal(axes, phase), [](auto entry) {
        return std::get<0>(entry).tapsOf(std::get<1>(entry)) != 0;
      });
      Shape offsets(outer.size(), Dim(0));
      llvm::append_range(offsets, phase);
      if (isHit)
        value = b.lowering.insert(b.builder, b.loc, makePhase(phase), blockShape, value, offsets,
                                  steps);
    } while (advance(phase));
    if (ArrayRef(whole) == ArrayRef(result))
      return value;
    return b.lowering.extract(b.builder, b.loc, value, begin, result);
  }

private:
  bool hasPhases() const {
    return llvm::any_of(axes, [](const GatherAxis &axis) { return axis.hasPhases(); });
  }
  /// Makes `phase` the next one; false after the last.
  bool advance(MutableArrayRef<int64_t> phase) const {
    for (size_t i = axes.size(); i-- > 0;) {
      if (++phase[i] < axes[i].phases())
        return true;
      phase[i] = 0;
    }
    return false;
  }

  WindowBuilder &b;
  const GatherAxes &axes;
  Exprs blocks, taps;
};

struct LowerInputGradient : LowerPattern<nn::ConvolutionInputGradientOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::ConvolutionInputGradientOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    WindowBuilder b{lowering, rewriter, op.getLoc(), getElementType(op.getY())};
    Shape xShape = getShape(op.getX()), wShape = getShape(op.getW()), yShape = getShape(op.getY());
    GatherAxes axes =
        gatherAxes(getWindow(op), ArrayRef(xShape).drop_front(2), ArrayRef(yShape).drop_front(2));
    Gathering gathering(b, axes);
    Value y = gathering.padWindows(adaptor.getY(), yShape, 2), w = adaptor.getW();
    bool grouped = op.getGroups() != 1;
    Shape outer = {xShape[0], xShape[1]}, split = outer;
    if (grouped) {
      y = b.split(y, yShape, 1, op.getGroups());
      w = b.split(w, wShape, 0, op.getGroups());
      split = {xShape[0], Dim(op.getGroups()), wShape[2]};
    }
    w = gathering.spreadKernel(w, wShape);
    Shape inner = gathering.resultShape();
    rewriter.replaceOp(op, gathering.join(outer, [&](ArrayRef<int64_t> phase) {
      LoopNest loops(op.getContext());
      AffineExpr n = loops.parallel();
      Exprs g = loops.parallels(grouped);
      AffineExpr c = loops.parallel();
      gathering.openResult(loops);
      AffineExpr f = loops.reduction();
      gathering.openTaps(loops);
      Shape shape(wShape);
      Value part = gathering.takePhase(w, shape, phase);
      Value x = b.contract(loops, y, joined({n, g, f, gathering.windowExprs()}), part,
                           joined({g, f, c, gathering.kernelExprs()}), joined({split, inner}),
                           joined({n, g, c, gathering.resultExprs()}));
      return lowering.reshape(rewriter, op.getLoc(), x, joined({split, inner}),
                              joined({outer, inner}));
    }));
    return success();
  }
};

/// Windows that lie side by side and fill the result are read where they lie: what computes them can
/// then be fused into what reads the result.
bool areTiles(const GatherAxes &axes) {
  return llvm::all_of(axes, [](const GatherAxis &axis) {
    return axis.axis.size == axis.axis.stride && axis.axis.dilation == 1 && axis.axis.low == 0 &&
           axis.windows * Dim(axis.axis.stride) == axis.size;
  });
}

/// (outer..., p / stride..., p % stride...)
AffineMap tileMap(const GatherAxes &axes, size_t outer, MLIRContext *context) {
  SmallVector<AffineExpr> exprs;
  for (size_t i = 0; i < outer; ++i)
    exprs.push_back(getAffineDimExpr(i, context));
  for (auto [i, axis] : llvm::enumerate(axes))
    exprs.push_back(getAffineDimExpr(outer + i, context).floorDiv(axis.axis.stride));
  for (auto [i, axis] : llvm::enumerate(axes))
    exprs.push_back(getAffineDimExpr(outer + i, context) % axis.axis.stride);
  return AffineMap::get(outer + axes.size(), 0, exprs, context);
}

struct LowerOverlapAdd : LowerPattern<nn::OverlapAddOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::OverlapAddOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    WindowBuilder b{lowering, rewriter, op.getLoc(), getElementType(op.getX())};
    Shape xShape = getShape(op.getX());
    WindowAxes windows = getWindow(op);
    size_t rank = windows.size(), first = xShape.size() - 2 * rank;
    Shape outer(ArrayRef(xShape).take_front(first));
    GatherAxes axes =
        gatherAxes(windows, op.getShape(), ArrayRef(xShape).drop_front(first).take_front(rank));
    if (areTiles(axes)) {
      rewriter.replaceOp(op, lowering.rearrange(rewriter, op.getLoc(), adaptor.getX(),
                                                tileMap(axes, first, op.getContext()),
                                                getShape(op.getY())));
      return success();
    }
    Gathering gathering(b, axes);
    Value x = gathering.padWindows(adaptor.getX(), xShape, first);
    x = gathering.spreadKernel(x, xShape);

    rewriter.replaceOp(op, gathering.join(outer, [&](ArrayRef<int64_t> phase) {
      LoopNest loops(op.getContext());
      Exprs batch = loops.parallels(first);
      gathering.openResult(loops);
      gathering.openTaps(loops);
      Shape shape(xShape);
      Value part = gathering.takePhase(x, shape, phase);
      Read read{part, loops.map(joined({batch, gathering.windowExprs(), gathering.kernelExprs()})),
                b.elementType};
      return b.accumulate(loops, read, joined({outer, gathering.resultShape()}),
                          joined({batch, gathering.resultExprs()}),
                          [](ElementBuilder &, ValueRange inputs) { return inputs[0]; });
    }));
    return success();
  }
};

struct LowerWindows : LowerPattern<nn::WindowsOp> {
  using LowerPattern::LowerPattern;

  LogicalResult matchAndRewrite(nn::WindowsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    WindowAxes axes = getWindow(op);
    LoopNest loops(op.getContext());
    Exprs batch = loops.parallels(getShape(op.getX()).size() - axes.size());
    Exprs windows = loops.parallels(axes.size());
    Exprs places = loops.parallels(axes.size());
    AffineMap map = loops.map(joined({batch, windowExprs(axes, windows, places)}));
    rewriter.replaceOp(
        op, lowering.rearrange(rewriter, op.getLoc(), adaptor.getX(), map, getShape(op.getY())));
    return success();
  }
};

} // namespace

void populateWindowLowering(RewritePatternSet &patterns, const Lowering &lowering) {
  patterns.add<LowerConvolution, LowerWeightGradient, LowerInputGradient, LowerOverlapAdd,
               LowerWindows>(lowering, patterns.getContext());
}

} // namespace nnc
