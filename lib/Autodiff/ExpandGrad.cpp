//===- ExpandGrad.cpp - Replace nn.grad by the backward graph -------------===//
//
// In program order, so that a gradient is an ordinary value by the time that another one is taken
// of it.
//
//===----------------------------------------------------------------------===//
#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Autodiff/Passes.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_EXPANDGRADPASS
#include "nnc/Autodiff/Passes.h.inc"

/// A gradient that the source names keeps that name.
static void keepName(nn::GradOp op, ArrayRef<Value> gradients) {
  Operation *definition = gradients.size() == 1 ? gradients.front().getDefiningOp() : nullptr;
  if (definition && definition->getNumResults() == 1 && isa<NameLoc>(op.getLoc()))
    definition->setLoc(op.getLoc());
}

static LogicalResult expand(nn::GradOp op) {
  OpBuilder builder(op);
  Value loss = op.getLoss();
  Value seed = createScalar(builder, op.getLoc(), getElementType(loss), 1.0);
  FailureOr<SmallVector<Value>> gradients =
      differentiate(builder, op.getLoc(), loss, seed, op.getWrt());
  if (failed(gradients))
    return failure();
  keepName(op, *gradients);
  op.replaceAllUsesWith(*gradients);
  op.erase();
  return success();
}

namespace {
struct ExpandGradPass : impl::ExpandGradPassBase<ExpandGradPass> {
  void runOnOperation() override {
    SmallVector<nn::GradOp> gradients;
    getOperation().walk([&](nn::GradOp op) { gradients.push_back(op); });
    for (nn::GradOp op : gradients)
      if (failed(expand(op)))
        return signalPassFailure();
    eraseUnusedOps(getOperation().getBody());
  }
};
} // namespace

} // namespace nnc
