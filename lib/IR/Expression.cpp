//===- Expression.cpp - Writing nn programs as formulas -------------------===//
//
// The ops with attributes, and the adjoint of broadcasting.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Expression.h"

using namespace mlir;

namespace nnc {

//===-- Attributes --------------------------------------------------------===//

static NamedAttribute integers(Expr x, StringRef name, ArrayRef<int64_t> value) {
  return x.place->builder.getNamedAttr(name, x.place->builder.getDenseI64ArrayAttr(value));
}
static NamedAttribute integer(Expr x, StringRef name, int64_t value) {
  return x.place->builder.getNamedAttr(name, x.place->builder.getI64IntegerAttr(value));
}
static NamedAttribute flag(Expr x, StringRef name, bool value) {
  return x.place->builder.getNamedAttr(name, x.place->builder.getBoolAttr(value));
}
static NamedAttribute dims(Expr x, StringRef name, ArrayRef<Dim> value) {
  return x.place->builder.getNamedAttr(name, toAttr(x.place->builder.getContext(), value));
}
static NamedAttribute type(Expr x, StringRef name, Type value) {
  return x.place->builder.getNamedAttr(name, TypeAttr::get(value));
}

//===-- Constants ---------------------------------------------------------===//

Expr scalar(Expr like, double number) {
  return {like.place,
          createScalar(like.place->builder, like.place->loc, like.elementType(), number)};
}

Expr zerosLike(Expr like) {
  if (like.rank() == 0)
    return scalar(like, 0);
  NamedAttribute value =
      like.place->builder.getNamedAttr("value", like.place->builder.getF64FloatAttr(0));
  return {like.place, create<nn::FullOp>(like.place->builder, like.place->loc, {},
                                         {dims(like, "shape", like.shape()), value,
                                          type(like, "dtype", like.elementType())})};
}

Expr iotaLike(Expr like, ArrayRef<Dim> shape, int64_t axis) {
  return {like.place, create<nn::IotaOp>(like.place->builder, like.place->loc, {},
                                         {dims(like, "shape", shape), integer(like, "axis", axis),
                                          type(like, "dtype", like.elementType())})};
}

Expr countAlong(Expr x, ArrayRef<int64_t> axes) {
  Shape shape = x.shape();
  Dim elements(1);
  for (int64_t axis : axes)
    elements = elements * shape[axis];
  if (elements.isConstant())
    return scalar(x, elements.constant());
  return cast(apply<nn::SizeOp>({x}, {integers(x, "axis", axes)}), x.elementType());
}

//===-- Ops with attributes -----------------------------------------------===//

Expr cast(Expr x, Type elementType) {
  return apply<nn::CastOp>({x}, {type(x, "dtype", elementType)});
}

Expr sum(Expr x, ArrayRef<int64_t> axes, bool keepdims) {
  return apply<nn::SumOp>({x}, {integers(x, "axis", axes), flag(x, "keepdims", keepdims)});
}

Expr prod(Expr x, ArrayRef<int64_t> axes, bool keepdims) {
  return apply<nn::ProdOp>({x}, {integers(x, "axis", axes), flag(x, "keepdims", keepdims)});
}

Expr max(Expr x, ArrayRef<int64_t> axes, bool keepdims) {
  return apply<nn::MaxOp>({x}, {integers(x, "axis", axes), flag(x, "keepdims", keepdims)});
}

Expr reshape(Expr x, ArrayRef<Dim> shape) {
  if (ArrayRef(x.shape()) == shape)
    return x;
  return apply<nn::ReshapeOp>({x}, {dims(x, "shape", shape)});
}

Expr broadcastTo(Expr x, ArrayRef<Dim> shape) {
  if (ArrayRef(x.shape()) == shape)
    return x;
  return apply<nn::BroadcastToOp>({x}, {dims(x, "shape", shape)});
}

Expr expandDims(Expr x, ArrayRef<int64_t> axes) {
  return apply<nn::ExpandDimsOp>({x}, {integers(x, "axis", axes)});
}

Expr transpose(Expr x, ArrayRef<int64_t> permutation) {
  bool reversed = true;
  for (auto [index, axis] : llvm::enumerate(permutation))
    reversed &= axis == int64_t(permutation.size() - 1 - index);
  if (reversed) // the default, which reads better
    return apply<nn::TransposeOp>({x});
  return apply<nn::TransposeOp>({x}, {integers(x, "permutation", permutation)});
}

Expr slice(Expr x, ArrayRef<Dim> starts, ArrayRef<Dim> stops, ArrayRef<int64_t> steps) {
  return apply<nn::SliceOp>(
      {x}, {dims(x, "starts", starts), dims(x, "stops", stops), integers(x, "steps", steps)});
}

Expr sliceUpdate(Expr x, Expr update, ArrayRef<Dim> starts, ArrayRef<Dim> stops,
                 ArrayRef<int64_t> steps) {
  return apply<nn::SliceUpdateOp>({x, update}, {dims(x, "starts", starts), dims(x, "stops", stops),
                                                integers(x, "steps", steps)});
}

Expr gather(Expr x, Expr indices, int64_t axis) {
  return apply<nn::GatherOp>({x, indices}, {integer(x, "axis", axis)});
}

Expr scatterAdd(Expr x, Expr indices, Expr updates, int64_t axis) {
  return apply<nn::ScatterAddOp>({x, indices, updates}, {integer(x, "axis", axis)});
}

Expr reverse(Expr x, ArrayRef<int64_t> axes) {
  return apply<nn::ReverseOp>({x}, {integers(x, "axis", axes)});
}

Location getUnnamedLoc(Operation *op) {
  auto name = dyn_cast<NameLoc>(op->getLoc());
  return name ? name.getChildLoc() : op->getLoc();
}

//===-- Broadcasting ------------------------------------------------------===//

Expr unbroadcast(Expr gradient, Expr like) {
  Shape from = gradient.shape(), to = like.shape();
  if (from == to)
    return gradient;
  int64_t added = from.size() - to.size();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, added));
  for (int64_t axis = added; axis < int64_t(from.size()); ++axis)
    if (from[axis] != to[axis - added])
      axes.push_back(axis);
  // Axes of size one within `like` stay; axes before it go.
  return reshape(sum(gradient, axes, /*keepdims=*/added == 0), to);
}

} // namespace nnc
