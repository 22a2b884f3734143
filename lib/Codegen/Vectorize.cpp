//===- Vectorize.cpp - Emit loops and vectors for linalg on buffers -------===//
//
// Gives each operation to the kernel emitter, with loops that walk the same memory merged, and the fill
// before a reduction turned into its initial value.
//
//===----------------------------------------------------------------------===//
#include "CPU/KernelPlan.h"
#include "KernelFills.h"
#include "PassTarget.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_VECTORIZEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Whether loops `dim` and `dim + 1` are one walk through the memory of each operand.
bool walkTogether(linalg::GenericOp op, unsigned dim) {
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation())
      return false;
    if (!map.isFunctionOfDim(dim) && !map.isFunctionOfDim(dim + 1))
      continue;
    auto first = map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    auto second = map.getResultPosition(getAffineDimExpr(dim + 1, map.getContext()));
    if (!first || !second || *second != *first + 1)
      return false;
    SmallVector<ReassociationIndices> groups;
    for (int64_t i = 0; i < map.getNumResults(); ++i)
      if (i == *second)
        groups.back().push_back(i);
      else
        groups.push_back({i});
    auto type = cast<MemRefType>(operand.get().getType());
    if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
      return false;
  }
  return true;
}

/// Merges neighbouring loops where all operands allow it: a matrix becomes one long row.
linalg::GenericOp mergeLoops(IRRewriter &rewriter, linalg::GenericOp op) {
  if (op.hasIndexSemantics() || op.getNumLoops() < 2)
    return op;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<ReassociationIndices> groups = {{0}};
  bool merges = false;
  for (unsigned dim = 1; dim < op.getNumLoops(); ++dim) {
    if (kinds[dim] == kinds[dim - 1] && walkTogether(op, dim - 1)) {
      groups.back().push_back(dim);
      merges = true;
    } else {
      groups.push_back({dim});
    }
  }
  if (!merges)
    return op;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> merged = linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(merged))
    return op;
  rewriter.eraseOp(op);
  return cast<linalg::GenericOp>(merged->collapsedOp);
}

class Vectorize : public impl::VectorizePassBase<Vectorize> {
  using VectorizePassBase::VectorizePassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    emitAll(rewriter, *target);
    getOperation().walk([](arith::ArithFastMathInterface op) {
      arith::FastMathFlagsAttr flags = op.getFastMathFlagsAttr();
      if (!flags)
        return;
      auto contract = arith::FastMathFlags::contract | flags.getValue();
      op->setAttr(op.getFastMathAttrName(),
                  arith::FastMathFlagsAttr::get(op->getContext(), contract));
    });
  }

  void emitAll(IRRewriter &rewriter, const TargetDescription &target) {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    // A fill that a later operation starts from is no loop of its own.
    llvm::SmallSetVector<Operation *, 8> absorbed;
    DenseMap<Operation *, SmallVector<Value>> initialValues;
    for (linalg::LinalgOp op : ops) {
      SmallVector<Value> &initial = initialValues[op];
      for (OpOperand &output : op.getDpsInitsMutable()) {
        linalg::FillOp fill = isa<linalg::FillOp>(op) ? nullptr : findFill(op, output);
        initial.push_back(fill ? fill.value() : Value());
        if (fill)
          absorbed.insert(fill);
      }
    }
    for (linalg::LinalgOp op : ops) {
      if (absorbed.contains(op))
        continue;
      SmallVector<Value> initial = initialValues.lookup(op);
      rewriter.setInsertionPoint(op);
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic)
        generic = *linalg::generalizeNamedOp(rewriter, op);
      generic = mergeLoops(rewriter, generic);
      rewriter.setInsertionPoint(generic);
      emitKernel(rewriter, generic, planKernel(generic, target), initial, grain);
      rewriter.eraseOp(generic);
    }
    for (Operation *fill : absorbed)
      rewriter.eraseOp(fill);
  }
};

} // namespace
} // namespace nnc
