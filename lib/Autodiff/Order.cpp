//===- Order.cpp - Derivatives of cumulative sums and sorting -------------===//
//
// A cumulative sum goes back as one from the other end. A sort is a permutation of each row, which
// the cotangent undoes.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

static Expr gradient(CumsumOp op, Expr x, Expr y, Expr d) {
  Builder &builder = d.place->builder;
  NamedAttribute attributes[] = {
      builder.getNamedAttr("axis", op.getAxisAttr()),
      builder.getNamedAttr("reverse", builder.getBoolAttr(!op.getReverse())),
      builder.getNamedAttr("exclusive", op.getExclusiveAttr())};
  return apply<CumsumOp>({d}, attributes);
}

/// `x` with `axis` exchanged for the last.
static Expr lastAxis(Expr x, int64_t axis) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, x.rank()));
  std::swap(permutation[axis], permutation.back());
  return axis == x.rank() - 1 ? x : transpose(x, permutation);
}

static Expr gradient(SortOp op, Expr x, Expr y, Expr d) {
  Builder &builder = d.place->builder;
  int64_t axis = normalizedAxis(op.getAxis(), x.rank());
  NamedAttribute attributes[] = {builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis)),
                                 builder.getNamedAttr("descending", op.getDescendingAttr())};
  Expr order = lastAxis(apply<ArgsortOp>({x}, attributes), axis);
  // All rows are one long one, in which a row's elements lie behind those of the rows before it.
  Shape rows = order.shape();
  Dim all = numElements(rows), size = rows.back();
  Dim count = numElements(ArrayRef(rows).drop_back());
  Expr matrix = reshape(order, {count, size});
  Expr first = iotaLike(order, {count, Dim(1)}, 0) * countAlong(order, {x.rank() - 1});
  Expr places = reshape(matrix + first, {all});
  Expr values = reshape(lastAxis(d, axis), {all});
  Expr restored = scatterAdd(zerosLike(values), places, values, 0);
  return lastAxis(reshape(restored, rows), axis);
}

void registerOrderGradients(MLIRContext *context) { registerRules<CumsumOp, SortOp>(context); }

} // namespace nnc
