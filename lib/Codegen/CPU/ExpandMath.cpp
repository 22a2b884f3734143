// codegen-expand-math: math dialect ops become arith and math.fma.
//
// One rewrite per op, on scalars and on vectors of any rank; the algorithms are in VectorMath*.cpp.
// Half-precision operands are extended to f32 and the result truncated. Ops for which the targets
// have an instruction (absf, copysign, floor, ceil, trunc, roundeven, sqrt, fma) stay: the LLVM
// lowering makes intrinsics of them. Where the processor has no fused multiply-add, or does not know f16 or bf16,
// these are written in steps, too.
#include "VectorMath.h"
#include "nnc/Codegen/MathExpansions.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/Codegen/Target.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace nnc {

#define GEN_PASS_DEF_EXPANDMATHPASS
#include "nnc/Codegen/Passes.h.inc"

/// Applies a function in f32 at least.
template <typename Function>
static Value build(Function function, OpBuilder &builder, Location loc, Value value) {
  vm::Val x(builder, loc, value);
  Type element = x.elementType();
  if (element.getIntOrFloatBitWidth() >= 32)
    return function(x);
  return vm::convert(function(vm::convert(x, builder.getF32Type())), element);
}

/// The number that all elements of a value are, if that is known.
static std::optional<double> constantNumber(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  if (auto splat = dyn_cast<SplatElementsAttr>(attribute))
    attribute = splat.getSplatValue<Attribute>();
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return number.getValueAsDouble();
  if (auto number = dyn_cast<IntegerAttr>(attribute))
    return number.getValue().getSExtValue();
  return std::nullopt;
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
NNC_MATH_BUILDER(buildErf, erf)
NNC_MATH_BUILDER(buildSin, sin)
NNC_MATH_BUILDER(buildCos, cos)
NNC_MATH_BUILDER(buildRsqrt, rsqrt)
NNC_MATH_BUILDER(buildRound, round)
#undef NNC_MATH_BUILDER

Value buildPow(OpBuilder &builder, Location loc, Value x, Value y) {
  std::optional<double> number = constantNumber(y);
  auto power = [&](vm::Val base) -> vm::Val {
    if (number)
      if (std::optional<vm::Val> product = vm::powConstant(base, *number))
        return *product;
    vm::Val exponent = base.with(y);
    if (exponent.elementType() != base.elementType())
      exponent = vm::convert(exponent, base.elementType());
    return vm::pow(base, exponent);
  };
  return build(power, builder, loc, x);
}

Value buildPowInteger(OpBuilder &builder, Location loc, Value x, Value n) {
  std::optional<double> number = constantNumber(n);
  auto power = [&](vm::Val base) -> vm::Val {
    if (number)
      if (std::optional<vm::Val> product = vm::powConstant(base, *number))
        return *product;
    return vm::powInteger(base, base.with(n));
  };
  return build(power, builder, loc, x);
}

Value buildIntegerPow(OpBuilder &builder, Location loc, Value x, Value n) {
  vm::Val base(builder, loc, x);
  std::optional<double> number = constantNumber(n);
  if (number && *number >= 0)
    if (std::optional<vm::Val> product = vm::powConstant(base, *number))
      return *product;
  return vm::ipow(base, base.with(n));
}

namespace {
using UnaryBuilder = Value (*)(OpBuilder &, Location, Value);

template <typename Op, UnaryBuilder function> struct ExpandUnary : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, function(rewriter, op.getLoc(), op.getOperand()));
    return success();
  }
};

using BinaryBuilder = Value (*)(OpBuilder &, Location, Value, Value);

template <typename Op, BinaryBuilder function> struct ExpandBinary : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, function(rewriter, op.getLoc(), op.getLhs(), op.getRhs()));
    return success();
  }
};

bool isConstant(Value value) {
  if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    value = broadcast.getSource();
  return matchPattern(value, m_Constant());
}

struct ExpandFma : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FmaOp op, PatternRewriter &rewriter) const override {
    auto val = [&](Value value) { return vm::Val(rewriter, op.getLoc(), value); };
    vm::Val a = val(op.getA()), b = val(op.getB()), c = val(op.getC());
    rewriter.replaceOp(op, Value(isConstant(c) ? a * b + c : vm::fmaBySteps(a, b, c)));
    return success();
  }
};

struct ExpandHalfExtension : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    vm::Val x(rewriter, op.getLoc(), op.getIn());
    Type to = getElementTypeOrSelf(op.getType());
    if (!x.elementType().isF16())
      return failure();
    vm::Val single = vm::halfToSingle(x);
    rewriter.replaceOp(op, Value(to.isF32() ? single : vm::convert(single, to)));
    return success();
  }
};

struct ExpandTruncation : OpRewritePattern<arith::TruncFOp> {
  ExpandTruncation(MLIRContext *context, const TargetDescription &description)
      : OpRewritePattern(context), target(description) {}
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    vm::Val x(rewriter, op.getLoc(), op.getIn());
    Type to = getElementTypeOrSelf(op.getType());
    if (!x.elementType().isF32() || (to.isF16() ? target.convertsF16 : target.convertsBf16))
      return failure();
    rewriter.replaceOp(op, Value(to.isF16() ? vm::singleToHalf(x) : vm::singleToBrain(x)));
    return success();
  }
  const TargetDescription &target;
};

/// With the instruction of AVX-512 that multiplies by a power of two.
struct ExpandExpScaled : OpRewritePattern<math::ExpOp> {
  ExpandExpScaled(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || type.getRank() != 1 ||
        !(type.getElementType().isF32() || type.getElementType().isF64()))
      return failure();
    int64_t lanes = type.getNumElements(), bits = lanes * type.getElementTypeBitWidth();
    if (bits != 128 && bits != 256 && bits != 512)
      return failure();
    std::string name = "llvm.x86.avx512.mask.scalef." +
                       std::string(type.getElementType().isF32() ? "ps." : "pd.") +
                       std::to_string(bits);
    Location loc = op.getLoc();
    auto constant = [&](unsigned width, int64_t value) -> Value {
      return arith::ConstantOp::create(
          rewriter, loc, rewriter.getIntegerAttr(rewriter.getIntegerType(width), value));
    };
    auto scaleBy = [&](vm::Val p, vm::Val n, vm::Val isZero) {
      // Lanes that are left out are 0, and take no time for it.
      Value lanesMask =
          LLVM::BitcastOp::create(rewriter, loc, rewriter.getIntegerType(lanes), Value(!isZero));
      if (lanes < 8)
        lanesMask = arith::ExtUIOp::create(rewriter, loc, rewriter.getI8Type(), lanesMask);
      SmallVector<Value> arguments = {p, n, p.lit(0.0), lanesMask};
      if (bits == 512)
        arguments.push_back(constant(32, 4)); // the rounding that is set
      return p.with(LLVM::CallIntrinsicOp::create(rewriter, loc, type, rewriter.getStringAttr(name),
                                                  arguments)
                        .getResults());
    };
    vm::Val result = vm::expScaled(vm::Val(rewriter, loc, op.getOperand()), scaleBy);
    rewriter.replaceOp(op, Value(result));
    return success();
  }
};

struct ExpandMath : impl::ExpandMathPassBase<ExpandMath> {
  using ExpandMathPassBase::ExpandMathPassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = TargetDescription::forCpu(cpu);
    if (!target) {
      getOperation()->emitError("unknown processor '") << cpu << "'";
      return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    populateMathExpansionPatterns(patterns);
    if (target->vectorBytes == 64)
      patterns.add<ExpandExpScaled>(&getContext());
    if (!target->hasFma)
      patterns.add<ExpandFma>(&getContext());
    if (!target->convertsF16)
      patterns.add<ExpandHalfExtension>(&getContext());
    patterns.add<ExpandTruncation>(&getContext(), *target);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void populateMathExpansionPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandUnary<math::ExpOp, buildExp>, ExpandUnary<math::Exp2Op, buildExp2>,
               ExpandUnary<math::ExpM1Op, buildExpm1>, ExpandUnary<math::LogOp, buildLog>,
               ExpandUnary<math::Log1pOp, buildLog1p>, ExpandUnary<math::TanhOp, buildTanh>,
               ExpandUnary<math::ErfOp, buildErf>, ExpandUnary<math::SinOp, buildSin>,
               ExpandUnary<math::CosOp, buildCos>, ExpandUnary<math::RsqrtOp, buildRsqrt>,
               ExpandUnary<math::RoundOp, buildRound>, ExpandBinary<math::PowFOp, buildPow>,
               ExpandBinary<math::FPowIOp, buildPowInteger>,
               ExpandBinary<math::IPowIOp, buildIntegerPow>>(patterns.getContext());
}

} // namespace nnc
