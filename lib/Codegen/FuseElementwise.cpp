//===- FuseElementwise.cpp - Fuse elementwise computations ----------------===//
//
// One pass over memory instead of several: a linalg.generic that only maps elements is merged into
// the operation that reads it. What decides is the cost: nothing dear is computed twice, and the
// inner loop of a contraction gets no extra work.
//
//===----------------------------------------------------------------------===//
#include "LoopCost.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSEELEMENTWISEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Whether `consumer` reads each element of `operand` about once.
bool readsOnce(linalg::GenericOp consumer, OpOperand *operand) {
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  llvm::SmallBitVector used(consumer.getNumLoops());
  for (AffineExpr expr : map.getResults())
    for (unsigned dim = 0; dim < consumer.getNumLoops(); ++dim)
      if (expr.isFunctionOfDim(dim))
        used.set(dim);
  SmallVector<int64_t> ranges = consumer.getStaticLoopRanges();
  for (unsigned dim = 0; dim < consumer.getNumLoops(); ++dim)
    if (!used.test(dim) && ranges[dim] != 1)
      return false;
  return true;
}

bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || producer->getBlock() != consumer->getBlock())
    return false;
  // What accumulates onto its initial value must happen once.
  for (OpOperand &init : producer.getDpsInitsMutable())
    if (producer.payloadUsesValueFromOperand(&init))
      return false;
  unsigned cost = bodyCost(producer);
  if (cost == 0)
    return true;
  if (!readsOnce(consumer, operand))
    return cost <= 2 && consumer.getNumReductionLoops() == 0;
  if (bodyCost(consumer) + cost > kMostBodyCost)
    return false;
  return producer->hasOneUse() || cost <= 6;
}

class FuseElementwise : public impl::FuseElementwisePassBase<FuseElementwise> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
    context->getLoadedDialect<linalg::LinalgDialect>()->getCanonicalizationPatterns(patterns);
    // Top down, so that a producer is complete before its consumers take it in.
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
} // namespace nnc
