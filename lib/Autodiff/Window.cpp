//===- Window.cpp - Derivatives of convolutions and windows ---------------===//
//
// A convolution is the sum T(x, w, y) over image, filters and result with one of the three left out;
// the derivative of each op of the family is made of the other two.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Window.h"
#include "Rule.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

/// The attributes of `op` but for `shape`, and then `shape` where it is given.
static SmallVector<NamedAttribute> attributesOf(Operation *op,
                                                std::optional<ArrayRef<Dim>> shape = {}) {
  SmallVector<NamedAttribute> attributes;
  for (NamedAttribute attribute : op->getAttrs())
    if (attribute.getName() != "shape" && attribute.getName() != "size")
      attributes.push_back(attribute);
  if (shape)
    attributes.emplace_back(StringAttr::get(op->getContext(), "shape"),
                            toAttr(op->getContext(), *shape));
  return attributes;
}

static Shape spatial(Expr tensor) { return Shape(ArrayRef(tensor.shape()).drop_front(2)); }

static Expr convolve(Operation *like, Expr x, Expr w) {
  return apply<ConvolutionOp>({x, w}, attributesOf(like));
}
static Expr inputGradient(Operation *like, Expr y, Expr w, Expr x) {
  return apply<ConvolutionInputGradientOp>({y, w}, attributesOf(like, spatial(x)));
}
static Expr weightGradient(Operation *like, Expr x, Expr y, Expr w) {
  return apply<ConvolutionWeightGradientOp>({x, y}, attributesOf(like, spatial(w)));
}

static Exprs<2> gradient(ConvolutionOp op, Expr x, Expr w, Expr y, Expr d) {
  return {inputGradient(op, d, w, x), weightGradient(op, x, d, w)};
}
static Exprs<2> gradient(ConvolutionInputGradientOp op, Expr y, Expr w, Expr x, Expr d) {
  return {convolve(op, d, w), weightGradient(op, d, y, w)};
}
static Exprs<2> gradient(ConvolutionWeightGradientOp op, Expr x, Expr y, Expr w, Expr d) {
  return {inputGradient(op, y, d, x), convolve(op, x, d)};
}

static Expr gradient(WindowsOp op, Expr x, Expr y, Expr d) {
  Shape shape = x.shape();
  SmallVector<NamedAttribute> attributes =
      attributesOf(op, ArrayRef(shape).take_back(op.getSize().size()));
  return apply<OverlapAddOp>({d}, attributes);
}
static Expr gradient(OverlapAddOp op, Expr x, Expr y, Expr d) {
  SmallVector<int64_t> size =
      llvm::map_to_vector(getWindow(op), [](const WindowAxis &axis) { return axis.size; });
  SmallVector<NamedAttribute> attributes = attributesOf(op);
  attributes.emplace_back(StringAttr::get(op->getContext(), "size"),
                          DenseI64ArrayAttr::get(op->getContext(), size));
  return apply<WindowsOp>({d}, attributes);
}

void registerWindowGradients(MLIRContext *context) {
  registerRules<ConvolutionOp, ConvolutionInputGradientOp, ConvolutionWeightGradientOp, WindowsOp,
                OverlapAddOp>(context);
}

} // namespace nnc
