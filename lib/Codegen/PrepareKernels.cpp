//===- PrepareKernels.cpp - One kind of operation for the kernel emitter --===//
//
// Whatever computes on buffers becomes a linalg.generic: copies, too, with as few loops as will do. An
// operand that lies the wrong way round is packed once, a result that does is computed the other way round
// and turned at the end.
//
//===----------------------------------------------------------------------===//
#include "KernelLoops.h"
#include "PackOperands.h"
#include "PassTarget.h"
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
    writeCopies(rewriter);
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (isa<linalg::FillOp>(op))
        continue;
      rewriter.setInsertionPoint(op);
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic)
        generic = *linalg::generalizeNamedOp(rewriter, op);
      generic = simplifyLoops(rewriter, generic);
      turnOutput(rewriter, generic, *target);
      packInputs(rewriter, generic, *target);
    }
  }

  void writeCopies(IRRewriter &rewriter) {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp op) { copies.push_back(op); });
    for (memref::CopyOp op : copies) {
      rewriter.setInsertionPoint(op);
      AffineMap identity =
          rewriter.getMultiDimIdentityMap(cast<MemRefType>(op.getSource().getType()).getRank());
      if (op.getSource() != op.getTarget())
        copyBuffer(rewriter, op.getLoc(), op.getSource(), op.getTarget(), identity, identity);
      rewriter.eraseOp(op);
    }
  }
};

} // namespace
} // namespace nnc
