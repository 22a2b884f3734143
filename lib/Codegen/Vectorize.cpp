//===- Vectorize.cpp - Emit loops and vectors for linalg on buffers -------===//
//
// Gives each operation to the kernel emitter, with the fill before a reduction turned into its initial
// value.
//
//===----------------------------------------------------------------------===//
#include "CPU/KernelPlan.h"
#include "CPU/MatrixPermission.h"
#include "KernelFills.h"
#include "KernelLoops.h"
#include "PassTarget.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_VECTORIZEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

class Vectorize : public impl::VectorizePassBase<Vectorize> {
  using VectorizePassBase::VectorizePassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    emitAll(rewriter, *target);
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
      emit(rewriter, op, initialValues.lookup(op), target);
    }
    for (Operation *fill : absorbed)
      rewriter.eraseOp(fill);
  }

  /// Replaces `op` by loops; `initial` is what its outputs hold before, where that is known.
  void emit(IRRewriter &rewriter, linalg::LinalgOp op, ArrayRef<Value> initial,
            const TargetDescription &target) {
    rewriter.setInsertionPoint(op);
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    if (!generic)
      generic = *linalg::generalizeNamedOp(rewriter, op);
    generic = simplifyLoops(rewriter, generic);
    rewriter.setInsertionPoint(generic);
    KernelPlan plan = planKernel(generic, target);
    if (!plan.matrix) {
      emitPlanned(rewriter, generic, plan, initial, target);
    } else {
      // The system may refuse the matrix unit: the same sums then on vectors.
      TargetDescription vectors = target;
      vectors.hasMatrixUnit = false;
      Value isAllowed = LLVM::CallOp::create(rewriter, generic.getLoc(),
                                             matrixPermission(getOperation()), ValueRange())
                            .getResult();
      auto choice =
          scf::IfOp::create(rewriter, generic.getLoc(), isAllowed, /*withElseRegion=*/true);
      for (const auto &[block, unit] :
           {std::pair(choice.thenBlock(), target), std::pair(choice.elseBlock(), vectors)}) {
        rewriter.setInsertionPointToStart(block);
        emitPlanned(rewriter, generic, planKernel(generic, unit), initial, unit);
      }
    }
    rewriter.eraseOp(generic);
  }

  void emitPlanned(IRRewriter &rewriter, linalg::GenericOp generic, const KernelPlan &plan,
                   ArrayRef<Value> initial, const TargetDescription &target) {
    OpBuilder::InsertPoint here = rewriter.saveInsertionPoint();
    if (!plan.outerReductions.empty())
      for (auto [value, output] : llvm::zip_equal(initial, generic.getOutputs()))
        if (value)
          emit(rewriter, linalg::FillOp::create(rewriter, generic.getLoc(), value, output),
               {Value()}, target);
    rewriter.restoreInsertionPoint(here);
    // Threads that share the loop around it have enough to do.
    bool isInPart = generic->getParentOfType<scf::ParallelOp>() != nullptr;
    emitKernel(rewriter, generic, plan, initial, isInPart ? 0 : grain);
  }
};

} // namespace
} // namespace nnc
