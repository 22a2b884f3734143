//===- SimplifyShape.cpp - Rules on the movement of elements --------------===//
//
// Fewer and simpler movements of the same elements.
//
//===----------------------------------------------------------------------===//
#include "Simplify.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

//===-- Permutations ------------------------------------------------------===//

static SmallVector<int64_t> permutationOf(TransposeOp op) {
  int64_t rank = getShape(op.getX()).size();
  SmallVector<int64_t> permutation;
  for (int64_t index = 0; index < rank; ++index)
    permutation.push_back(op.getPermutation() ? normalizedAxis((*op.getPermutation())[index], rank)
                                              : rank - 1 - index);
  return permutation;
}

static Expr transposeTwice(TransposeOp op, const Place &place) {
  auto inner = op.getX().getDefiningOp<TransposeOp>();
  if (!inner)
    return {};
  SmallVector<int64_t> outerAxes = permutationOf(op), innerAxes = permutationOf(inner);
  auto axes = llvm::map_to_vector(outerAxes, [&](int64_t axis) { return innerAxes[axis]; });
  return llvm::is_sorted(axes) ? place(inner.getX()) : transpose(place(inner.getX()), axes);
}

/// A permutation that keeps the order of the axes longer than one is a reshape.
static Expr transposeOfVector(TransposeOp op, const Place &place) {
  Shape shape = getShape(op.getX());
  SmallVector<int64_t> axes = permutationOf(op);
  llvm::erase_if(axes, [&](int64_t axis) { return shape[axis] == Dim(1); });
  return llvm::is_sorted(axes) ? reshape(place(op.getX()), getShape(op.getY())) : Expr();
}

static Expr reverseTwice(ReverseOp op, const Place &place) {
  auto inner = op.getX().getDefiningOp<ReverseOp>();
  int64_t rank = getShape(op.getX()).size();
  if (!inner || normalizedAxes(op.getAxis(), rank) != normalizedAxes(inner.getAxis(), rank))
    return {};
  return place(inner.getX());
}

//===-- Reshapes ----------------------------------------------------------===//

/// All ways to say reshape become reshape, of which two in a row are one.
template <typename OpTy> static Expr asReshape(OpTy op, const Place &place) {
  return reshape(place(op.getX()), getShape(op.getY()));
}

/// A sum that keeps axes of size one only to lose them.
static Expr reshapeOfReduction(ReshapeOp op, const Place &place) {
  auto inner = op.getX().getDefiningOp<SumOp>();
  if (!inner || !inner.getKeepdims() || !inner->hasOneUse())
    return {};
  Expr x = place(inner.getX());
  SmallVector<int64_t> axes = normalizedAxes(inner.getAxis(), x.rank());
  if (reduceShape(x.shape(), axes, /*keepdims=*/false) != getShape(op.getY()))
    return {};
  return sum(x, axes, /*keepdims=*/false);
}

//===-- Reductions and contractions along axes of size one ----------------===//

template <typename OpTy> static Expr reduceOne(OpTy op, const Place &place) {
  Expr x = place(op.getX());
  for (int64_t axis : normalizedAxes(op.getAxis(), x.rank()))
    if (x.shape()[axis] != Dim(1))
      return {};
  return reshape(x, getShape(op.getY()));
}

/// A column times a row: every product is one element.
static Expr outerProduct(MatmulOp op, const Place &place) {
  Expr x = place(op.getX()), y = place(op.getY());
  return x.rank() >= 2 && y.rank() >= 2 && x.shape().back() == Dim(1) ? x * y : Expr();
}

static Expr concatOfOne(ConcatOp op, const Place &place) {
  return op.getInputs().size() == 1 ? place(op.getInputs().front()) : Expr();
}

void addShapeRules(RewritePatternSet &patterns) {
  addRule(patterns, transposeTwice);
  addRule(patterns, transposeOfVector);
  addRule(patterns, reverseTwice);
  addRule(patterns, asReshape<ExpandDimsOp>);
  addRule(patterns, asReshape<SqueezeOp>);
  addRule(patterns, reshapeOfReduction);
  addRule(patterns, reduceOne<SumOp>);
  addRule(patterns, reduceOne<MeanOp>);
  addRule(patterns, reduceOne<ProdOp>);
  addRule(patterns, reduceOne<MaxOp>);
  addRule(patterns, reduceOne<MinOp>);
  addRule(patterns, outerProduct);
  addRule(patterns, concatOfOne);
}

} // namespace nnc
