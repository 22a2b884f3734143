//===- ExpandKernelMath.cpp - Mathematical functions of kernels -----------===//
//
// The expansions are those of the CPU. What is left has an instruction, and becomes the intrinsic of it: the
// conversion to NVVM would make calls of NVIDIA's library of any op of the math dialect.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/Codegen/MathExpansions.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_EXPANDKERNELMATHPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

template <typename Op> struct UseIntrinsic : OpRewritePattern<Op> {
  UseIntrinsic(MLIRContext *context, StringRef intrinsic)
      : OpRewritePattern<Op>(context), name(StringAttr::get(context, intrinsic)) {}

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto call =
        LLVM::CallIntrinsicOp::create(rewriter, op.getLoc(), op.getType(), name, op->getOperands());
    rewriter.replaceOp(op, call.getResults());
    return success();
  }
  StringAttr name;
};

class ExpandKernelMath : public impl::ExpandKernelMathPassBase<ExpandKernelMath> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    populateMathExpansionPatterns(patterns);
    patterns.add<UseIntrinsic<math::AbsFOp>>(context, "llvm.fabs");
    patterns.add<UseIntrinsic<math::CeilOp>>(context, "llvm.ceil");
    patterns.add<UseIntrinsic<math::CopySignOp>>(context, "llvm.copysign");
    patterns.add<UseIntrinsic<math::FloorOp>>(context, "llvm.floor");
    patterns.add<UseIntrinsic<math::FmaOp>>(context, "llvm.fma");
    patterns.add<UseIntrinsic<math::RoundEvenOp>>(context, "llvm.roundeven");
    patterns.add<UseIntrinsic<math::SqrtOp>>(context, "llvm.sqrt");
    patterns.add<UseIntrinsic<math::TruncOp>>(context, "llvm.trunc");
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace nnc
