//===- PrepareKernels.cpp - One kind of operation for the kernel emitter --===//
//
// Whatever computes on buffers becomes a linalg.generic: copies, too, with as few loops as will do. An
// operand that lies the wrong way round is packed once, a result that does is computed the other way round
// and turned at the end.
//
//===----------------------------------------------------------------------===//
#include "BindingTime.h"
#include "KernelLoops.h"
#include "PackOperands.h"
#include "PackSteps.h"
#include "PassTarget.h"
#include "PrivateMemory.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_PREPAREKERNELSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

class PrepareKernels : public impl::PrepareKernelsPassBase<PrepareKernels> {
  using PrepareKernelsPassBase::PrepareKernelsPassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    generalizeKernels(rewriter, getOperation());
    DenseSet<Value> early;
    if (splitsPreparation)
      early = BindingTimes(getOperation()).earlyValues();
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    for (linalg::GenericOp op : ops) {
      op = simplifyLoops(rewriter, op);
      packSteps(rewriter, op);
      op = simplifyLoops(rewriter, op);
      turnBadlyFilled(rewriter, op, *target);
      packInputs(rewriter, op, *target, early, grain);
    }
    separateMemory(getOperation());
  }
};

} // namespace
} // namespace nnc
