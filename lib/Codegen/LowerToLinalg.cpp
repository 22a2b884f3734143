//===- LowerToLinalg.cpp - From nn to linalg on plain tensors -------------===//
//
// Collects the patterns of the op families and runs them on one function. What comes out has no nn
// op, no names in types, and no element type that only nn knows.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_LOWERTOLINALGPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

class LowerToLinalg : public impl::LowerToLinalgPassBase<LowerToLinalg> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration())
      return;
    Lowering lowering(function);
    RewritePatternSet patterns(&getContext());
    populateElementwiseLowering(patterns, lowering);
    populateDivisionLowering(patterns, lowering);
    populateReductionLowering(patterns, lowering);
    populateLinearLowering(patterns, lowering);
    populateWindowLowering(patterns, lowering);
    populateEinsumLowering(patterns, lowering);
    populateOrderLowering(patterns, lowering);
    populateShapeLowering(patterns, lowering);
    populateIndexingLowering(patterns, lowering);
    populateCreationLowering(patterns, lowering);
    populateRandomLowering(patterns, lowering);
    populateControlLowering(patterns, lowering);
    if (failed(checkAllKnown(patterns)) || failed(lowering.prepare()))
      return signalPassFailure();

    ConversionTarget target(getContext());
    target.addIllegalDialect<nn::NNDialect>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(function, target, std::move(patterns))))
      return signalPassFailure();
    SmallVector<UnrealizedConversionCastOp> casts, left;
    function.walk([&](UnrealizedConversionCastOp op) { casts.push_back(op); });
    reconcileUnrealizedCasts(casts, &left);
    for (UnrealizedConversionCastOp op : left) {
      op.emitError("expected plain tensors only, found ") << op.getResult(0).getType();
      signalPassFailure();
    }
  }

  /// Every nn op has a pattern; the others are gone after earlier passes.
  LogicalResult checkAllKnown(const RewritePatternSet &patterns) {
    llvm::StringSet<> known = {nn::YieldOp::getOperationName()};
    for (const auto &pattern : const_cast<RewritePatternSet &>(patterns).getNativePatterns())
      if (std::optional<OperationName> root = pattern->getRootKind())
        known.insert(root->getStringRef());
    bool isFirst = true;
    getOperation().walk([&](Operation *op) {
      bool isUnknown = isa_and_nonnull<nn::NNDialect>(op->getDialect()) &&
                       !known.contains(op->getName().getStringRef());
      if (isUnknown && isFirst)
        op->emitError("'") << op->getName().stripDialect()
                           << "' has no lowering to linalg: expected it to be decomposed before";
      isFirst &= !isUnknown;
    });
    return success(isFirst);
  }
};

} // namespace
} // namespace nnc
