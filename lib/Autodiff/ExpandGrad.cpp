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

static LogicalResult expand(nn::GradOp op) {
  OpBuilder builder(op);
  Value loss = op.getLoss();
  Value seed = createScalar(builder, op.getLoc(), getElementType(loss), 1.0);
  FailureOr<SmallVector<Value>> gradients =
      differentiate(builder, op.getLoc(), loss, seed, op.getWrt());
  if (failed(gradients))
    return failure();
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
