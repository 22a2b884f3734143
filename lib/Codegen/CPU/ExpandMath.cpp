// codegen-expand-math: math dialect ops become arith and math.fma.
//
// One rewrite per op, on scalars and on vectors of any rank; the algorithms are in VectorMath*.cpp.
// Half-precision operands are extended to f32 and the result truncated. Ops for which the targets
// have an instruction (absf, copysign, floor, ceil, trunc, roundeven, sqrt, fma) stay: the LLVM
// lowering makes intrinsics of them.
#include "VectorMath.h"
#include "nnc/Codegen/MathExpansions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nnc {

#define GEN_PASS_DEF_EXPANDMATHPASS
#include "nnc/Codegen/Passes.h.inc"

/// Applies `function` in f32 at least.
static Value build(vm::Val (*function)(vm::Val), OpBuilder &builder, Location loc, Value value) {
  vm::Val x(builder, loc, value);
  Type element = x.elementType();
  if (element.getIntOrFloatBitWidth() >= 32)
    return function(x);
  return vm::convert(function(vm::convert(x, builder.getF32Type())), element);
}

#define NNC_MATH_BUILDER(NAME, FUNCTION)                                                           \
  Value NAME(OpBuilder &builder, Location loc, Value x) {                                          \
    return build(vm::FUNCTION, builder, loc, x);                                                   \
  }
NNC_MATH_BUILDER(buildExp, exp)
NNC_MATH_BUILDER(buildExp2, exp2)
NNC_MATH_BUILDER(buildExpm1, expm1)
NNC_MATH_BUILDER(buildLog, log)
NNC_MATH_BUILDER(buildLog1p, log1p)
NNC_MATH_BUILDER(buildTanh, tanh)
NNC_MATH_BUILDER(buildSigmoid, sigmoid)
#undef NNC_MATH_BUILDER

namespace {
using UnaryBuilder = Value (*)(OpBuilder &, Location, Value);

template <typename Op, UnaryBuilder function> struct ExpandUnary : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, function(rewriter, op.getLoc(), op.getOperand()));
    return success();
  }
};

struct ExpandMath : impl::ExpandMathPassBase<ExpandMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathExpansionPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void populateMathExpansionPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandUnary<math::ExpOp, buildExp>, ExpandUnary<math::Exp2Op, buildExp2>,
               ExpandUnary<math::ExpM1Op, buildExpm1>, ExpandUnary<math::LogOp, buildLog>,
               ExpandUnary<math::Log1pOp, buildLog1p>, ExpandUnary<math::TanhOp, buildTanh>>(
      patterns.getContext());
}

} // namespace nnc
