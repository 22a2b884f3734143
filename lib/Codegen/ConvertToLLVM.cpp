//===- ConvertToLLVM.cpp - The LLVM dialect, in one conversion ------------===//
//
// All dialects at once, but for loops: each conversion of its own would visit every operation again, and pass what
// it has done to the next one through casts.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_CONVERTTOLLVMPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Writes vector operations that LLVM has nothing like with those that it has: masks, slices, vectors of
/// several axes.
LogicalResult lowerVectors(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  vector::populateVectorToVectorCanonicalizationPatterns(patterns);
  vector::populateVectorBitCastLoweringPatterns(patterns);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  vector::populateVectorContractLoweringPatterns(patterns,
                                                 vector::VectorContractLowering::OuterProduct);
  vector::populateVectorMaskOpLoweringPatterns(patterns);
  vector::populateVectorShapeCastLoweringPatterns(patterns);
  vector::populateVectorTransposeLoweringPatterns(patterns,
                                                  vector::VectorTransposeLowering::EltWise);
  vector::populateVectorTransferLoweringPatterns(patterns, /*maxTransferRank=*/1);
  vector::populateVectorMaskMaterializationPatterns(patterns, /*force32BitVectorIndices=*/false);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  vector::populateVectorStepLoweringPatterns(patterns);
  vector::populateVectorRankReducingFMAPattern(patterns);
  vector::populateVectorGatherLoweringPatterns(patterns);
  vector::populateVectorFromElementsUnrollPatterns(patterns);
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<vector::VectorDialect>(op->getDialect()))
      ops.push_back(op);
  });
  return applyOpPatternsGreedily(ops, std::move(patterns));
}

/// Reads what was written into a buffer's descriptor from where it came from. Most of the code is descriptors
/// before, and nearly nothing after.
void forwardDescriptors(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<LLVM::InsertValueOp, LLVM::ExtractValueOp, LLVM::ConstantOp, LLVM::PoisonOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    SmallVector<OpFoldResult> folded;
    if (isa<LLVM::ExtractValueOp>(op) && succeeded(op->fold(folded)) && !folded.empty())
      if (auto value = dyn_cast<Value>(folded.front()))
        op->getResult(0).replaceAllUsesWith(value);
  }
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty())
      op->erase();
}

class ConvertToLLVM : public impl::ConvertToLLVMPassBase<ConvertToLLVM> {
  void runOnOperation() override {
    if (failed(lowerVectors(getOperation())))
      return signalPassFailure();
    LLVMTypeConverter types(&getContext());
    RewritePatternSet patterns(&getContext());
    populateAffineToStdConversionPatterns(patterns);
    cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    arith::populateArithToLLVMConversionPatterns(types, patterns);
    populateMathToLLVMConversionPatterns(types, patterns);
    populateVectorToLLVMConversionPatterns(types, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(types, patterns);
    populateFuncToLLVMConversionPatterns(types, patterns);
    ub::populateUBToLLVMConversionPatterns(types, patterns);
    LLVMConversionTarget target(getContext());
    // Those of the interfaces in C stand between a buffer and its numbers.
    target.addLegalOp<ModuleOp, UnrealizedConversionCastOp, gpu::GPUModuleOp>();
    // Kernels are converted for the GPU by then.
    target.markOpRecursivelyLegal<gpu::GPUModuleOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    SmallVector<UnrealizedConversionCastOp> casts;
    getOperation().walk([&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
    reconcileUnrealizedCasts(casts);
    forwardDescriptors(getOperation());
  }
};

} // namespace
} // namespace nnc
