//===- SimplifyBroadcast.cpp - Computing before repeating -----------------===//
//
// An elementwise op broadcasts by itself, so what was repeated before it is read unrepeated, and
// where all of its operands are repeated, it is computed once and the result is repeated.
//
//===----------------------------------------------------------------------===//
#include "Simplify.h"
#include "nnc/IR/OpTable.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

Expr unrepeated(Expr value) {
  if (auto broadcast = value.value.getDefiningOp<BroadcastToOp>())
    return unrepeated({value.place, broadcast.getX()});
  if (value.rank() == 0 || !value.value.getDefiningOp())
    return value;
  std::optional<double> number = getSplat(value.value);
  return number ? scalar(value, *number) : value;
}

static bool isRepeated(Value value) {
  bool isScalar = mlir::cast<RankedTensorType>(value.getType()).getRank() == 0;
  return value.getDefiningOp<BroadcastToOp>() || (!isScalar && getSplat(value));
}

namespace {
/// On any elementwise op; it is built again with other operands, the attributes stay.
struct ReadUnrepeated : RewritePattern {
  explicit ReadUnrepeated(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || llvm::none_of(op->getOperands(), isRepeated))
      return failure();
    Place place{rewriter, getUnnamedLoc(op)};
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(unrepeated(place(operand)).value);
    Operation *smaller =
        createInferred(rewriter, place.loc, op->getName().getStringRef(), operands, op->getAttrs());
    Expr result = broadcastTo(place(smaller->getResult(0)), getShape(op->getResult(0)));
    rewriter.replaceOp(op, result.value);
    return success();
  }

  static bool isElementwise(Operation *op) {
    if (!isa_and_present<NNDialect>(op->getDialect()))
      return false;
    const OpInfo *info = lookupOp(op->getName().stripDialect());
    return info && info->family == "Elementwise";
  }
};
} // namespace

/// broadcast_to(broadcast_to(x)) = broadcast_to(x); of a full tensor, a larger one.
static Expr broadcastTwice(BroadcastToOp op, const Place &place) {
  if (!isRepeated(op.getX()))
    return {};
  return broadcastTo(unrepeated(place(op.getX())), op.getShape());
}

/// Moving equal elements changes nothing but the shape.
template <typename OpTy> static Expr moveEqual(OpTy op, const Place &place) {
  if (!isRepeated(op.getX()))
    return {};
  Expr one = unrepeated(place(op.getX()));
  return one.rank() == 0 ? broadcastTo(one, getShape(op.getY())) : Expr();
}

/// The sum of n equal numbers is n times the number; axes that are not repeated are summed before
/// the others are repeated.
static Expr sumOfRepeated(SumOp op, const Place &place) {
  if (!isRepeated(op.getX()))
    return {};
  Expr x = place(op.getX()), one = unrepeated(x);
  int64_t added = x.rank() - one.rank();
  SmallVector<int64_t> repeated, summed; // axes of x; axes of one
  for (int64_t axis : normalizedAxes(op.getAxis(), x.rank())) {
    if (axis < added || one.shape()[axis - added] == Dim(1))
      repeated.push_back(axis);
    else
      summed.push_back(axis - added);
  }
  Shape shape;
  for (auto [axis, dim] : llvm::enumerate(one.shape())) {
    bool isReduced = llvm::is_contained(summed, int64_t(axis)) ||
                     llvm::is_contained(repeated, int64_t(axis) + added);
    if (!isReduced || op.getKeepdims())
      shape.push_back(isReduced ? Dim(1) : dim);
  }
  if (!summed.empty())
    one = sum(one, summed, /*keepdims=*/true);
  if (!repeated.empty())
    one = one * countAlong(x, repeated);
  return broadcastTo(reshape(one, shape), getShape(op.getY()));
}

void addBroadcastRules(RewritePatternSet &patterns) {
  patterns.add<ReadUnrepeated>(patterns.getContext());
  addRule(patterns, broadcastTwice);
  addRule(patterns, sumOfRepeated);
  addRule(patterns, moveEqual<ReshapeOp>);
  addRule(patterns, moveEqual<TransposeOp>);
  addRule(patterns, moveEqual<ReverseOp>);
  addRule(patterns, moveEqual<SliceOp>);
}

} // namespace nnc
