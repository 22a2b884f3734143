//===- Simplify.cpp - Fewer and cheaper ops -------------------------------===//
//
// The rules of the files SimplifyArithmetic, SimplifyBroadcast and SimplifyShape and the dialect's
// own canonicalizations, until none applies.
//
//===----------------------------------------------------------------------===//
#include "Simplify.h"
#include "nnc/Transforms/Passes.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_SIMPLIFYPASS
#include "nnc/Transforms/Passes.h.inc"

namespace {
struct NameKeeper : RewriterBase::Listener {
  using Listener::notifyOperationReplaced;

  void notifyOperationReplaced(Operation *op, ValueRange replacement) override {
    if (!isa<NameLoc>(op->getLoc()) || replacement.size() != 1)
      return;
    Operation *definition = replacement.front().getDefiningOp();
    if (definition && !isa<NameLoc>(definition->getLoc()) &&
        !definition->hasTrait<OpTrait::ConstantLike>())
      definition->setLoc(op->getLoc());
  }
};

struct SimplifyPass : impl::SimplifyPassBase<SimplifyPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    addArithmeticRules(patterns);
    addBroadcastRules(patterns);
    addShapeRules(patterns);
    for (RegisteredOperationName name : getContext().getRegisteredOperationsByDialect("nn"))
      name.getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyRules(getOperation(), std::move(patterns), /*fold=*/true)))
      signalPassFailure();
  }
};
} // namespace

LogicalResult applyRules(Operation *root, RewritePatternSet &&patterns, bool fold) {
  NameKeeper names;
  GreedyRewriteConfig config;
  config.setListener(&names);
  config.enableFolding(fold);
  config.enableConstantCSE(fold);
  return applyPatternsGreedily(root, std::move(patterns), config);
}

} // namespace nnc
