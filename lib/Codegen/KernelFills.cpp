//===- KernelFills.cpp - What an operation's outputs hold before ----------===//
#include "KernelFills.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"

using namespace mlir;

namespace nnc {

bool mayTouch(Operation *op, Value root) {
  auto isBuffer = [](Value value) { return isa<BaseMemRefType>(value.getType()); };
  // Loops work on what is outside by its name; the body of an operation may read where it likes.
  return op
      ->walk([&](Operation *inner) {
        bool touches = !isPure(inner) && llvm::any_of(inner->getOperands(), [&](Value operand) {
          return isBuffer(operand) && rootBuffer(operand) == root;
        });
        for (Region &region : inner->getRegions())
          touches |= llvm::any_of(region.getArguments(), isBuffer);
        return touches ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether `expr` is outer * step + inner, where loop `inner` has `step` iterations.
static bool isSplit(AffineExpr expr, ArrayRef<int64_t> sizes, AffineExpr &outer,
                    AffineExpr &inner) {
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!sum || sum.getKind() != AffineExprKind::Add)
    return false;
  auto product = dyn_cast<AffineBinaryOpExpr>(sum.getLHS());
  auto dim = dyn_cast<AffineDimExpr>(sum.getRHS());
  if (!product || product.getKind() != AffineExprKind::Mul || !dim)
    return false;
  outer = product.getLHS();
  inner = dim;
  return product.getRHS() == getAffineConstantExpr(sizes[dim.getPosition()], expr.getContext());
}

/// Whether the loops reach each element of an output that lies as `map` says: an axis is a loop, or two of which
/// the inner one is as long as a step of the outer one.
static bool reachesAll(linalg::LinalgOp op, AffineMap map) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  SmallVector<AffineExpr> loops;
  for (AffineExpr expr : map.getResults()) {
    // More axes than loops are no permutation.
    if (expr == getAffineConstantExpr(0, map.getContext()))
      continue;
    AffineExpr outer, inner;
    if (isSplit(expr, sizes, outer, inner)) {
      loops.push_back(outer);
      expr = inner;
    }
    loops.push_back(expr);
  }
  return AffineMap::get(map.getNumDims(), 0, loops, map.getContext()).isProjectedPermutation();
}

linalg::FillOp findFill(linalg::LinalgOp op, OpOperand &output) {
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  if (generic && isEpilogue(generic, output.getOperandNumber() - op.getNumDpsInputs()))
    return nullptr;
  if (!reachesAll(op, op.getMatchingIndexingMap(&output)))
    return nullptr;
  Value buffer = output.get();
  linalg::FillOp last;
  for (Operation *user : buffer.getUsers()) {
    auto fill = dyn_cast<linalg::FillOp>(user);
    if (fill && fill.output() == buffer && fill->getBlock() == op->getBlock() &&
        fill->isBeforeInBlock(op) && (!last || last->isBeforeInBlock(fill)))
      last = fill;
  }
  if (!last)
    return nullptr;
  Value root = rootBuffer(buffer);
  for (Operation *between = last->getNextNode(); between != op; between = between->getNextNode())
    if (mayTouch(between, root))
      return nullptr;
  return last;
}

} // namespace nnc
