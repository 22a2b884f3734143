//===- Shape.cpp - Derivatives of ops that move elements ------------------===//
//
// These ops are linear: the rule is the adjoint, which moves elements back, adds those that were
// repeated, and puts zeros where one was left out.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

//===-- Reshapes and permutations -----------------------------------------===//

static Expr gradient(ReshapeOp, Expr x, Expr y, Expr d) { return reshape(d, x.shape()); }
static Expr gradient(ExpandDimsOp, Expr x, Expr y, Expr d) { return reshape(d, x.shape()); }
static Expr gradient(SqueezeOp, Expr x, Expr y, Expr d) { return reshape(d, x.shape()); }
static Expr gradient(BroadcastToOp, Expr x, Expr y, Expr d) { return unbroadcast(d, x); }
static Expr gradient(ReverseOp op, Expr x, Expr y, Expr d) { return reverse(d, op.getAxis()); }
static Expr gradient(TransposeOp op, Expr x, Expr y, Expr d) {
  SmallVector<int64_t> inverse(x.rank());
  for (int64_t index = 0; index < x.rank(); ++index) {
    int64_t axis = op.getPermutation() ? (*op.getPermutation())[index] : x.rank() - 1 - index;
    inverse[normalizedAxis(axis, x.rank())] = index;
  }
  return transpose(d, inverse);
}

//===-- Parts -------------------------------------------------------------===//

static Expr gradient(SliceOp op, Expr x, Expr y, Expr d) {
  return sliceUpdate(zerosLike(x), d, op.getStarts(), op.getStops(), op.getSteps());
}

static Exprs<2> gradient(SliceUpdateOp op, Expr x, Expr update, Expr y, Expr d) {
  return {sliceUpdate(d, scalar(d, 0), op.getStarts(), op.getStops(), op.getSteps()),
          slice(d, op.getStarts(), op.getStops(), op.getSteps())};
}

static Expr gradient(PadOp op, Expr x, Expr y, Expr d) {
  Shape starts, stops;
  for (auto [before, size] : llvm::zip(op.getLow(), x.shape())) {
    starts.push_back(Dim(before));
    stops.push_back(Dim(before) + size);
  }
  return slice(d, starts, stops, SmallVector<int64_t>(x.rank(), 1));
}

static SmallVector<Expr> gradient(ConcatOp op, ArrayRef<Expr> inputs, Expr y, Expr d) {
  int64_t axis = normalizedAxis(op.getAxis(), y.rank());
  Shape starts(y.rank(), Dim(0)), stops = y.shape();
  SmallVector<Expr> gradients;
  for (Expr input : inputs) {
    stops[axis] = starts[axis] + input.shape()[axis];
    gradients.push_back(slice(d, starts, stops, SmallVector<int64_t>(y.rank(), 1)));
    starts[axis] = stops[axis];
  }
  return gradients;
}

//===-- Indices -----------------------------------------------------------===//

static Exprs<2> gradient(GatherOp op, Expr x, Expr indices, Expr y, Expr d) {
  return {scatterAdd(zerosLike(x), indices, d, op.getAxis()), zero()};
}

static Exprs<3> gradient(ScatterAddOp op, Expr x, Expr indices, Expr updates, Expr y, Expr d) {
  return {d, zero(), gather(d, indices, op.getAxis())};
}

void registerShapeGradients(MLIRContext *context) {
  registerRules<ReshapeOp, ExpandDimsOp, SqueezeOp, BroadcastToOp, ReverseOp, TransposeOp, SliceOp,
                SliceUpdateOp, PadOp, ConcatOp, GatherOp, ScatterAddOp>(context);
}

} // namespace nnc
