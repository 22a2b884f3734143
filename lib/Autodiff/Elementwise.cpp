//===- Elementwise.cpp - Derivatives of elementwise ops -------------------===//
//
// The derivative of every elementwise op on one page. x, y are the operands, then comes the result
// (y of a unary op, z of a binary one), then its cotangent d. The result appears in a rule where
// that saves computing it again.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

//===-- y = f(x) ----------------------------------------------------------===//

static Expr gradient(NegOp, Expr x, Expr y, Expr d) { return -d; }
static Expr gradient(AbsOp, Expr x, Expr y, Expr d) { return d * sign(x); }
static Expr gradient(SignOp, Expr x, Expr y, Expr d) { return zero(); }
static Expr gradient(SquareOp, Expr x, Expr y, Expr d) { return d * (2 * x); }
// y, as the op that reads it needs it for its own gradient.
static Expr gradient(ReluOp, Expr x, Expr y, Expr d) { return where(greater(y, 0), d, 0); }
static Expr gradient(ExpOp, Expr x, Expr y, Expr d) { return d * y; }
static Expr gradient(Expm1Op, Expr x, Expr y, Expr d) { return d * (y + 1); }
static Expr gradient(LogOp, Expr x, Expr y, Expr d) { return d / x; }
static Expr gradient(Log1pOp, Expr x, Expr y, Expr d) { return d / (x + 1); }
static Expr gradient(SqrtOp, Expr x, Expr y, Expr d) { return d / (2 * y); }
static Expr gradient(RsqrtOp, Expr x, Expr y, Expr d) { return d * (-0.5 * (y / x)); }
static Expr gradient(ReciprocalOp, Expr x, Expr y, Expr d) { return -(d * square(y)); }
static Expr gradient(SinOp, Expr x, Expr y, Expr d) { return d * cos(x); }
static Expr gradient(CosOp, Expr x, Expr y, Expr d) { return -(d * sin(x)); }
static Expr gradient(TanhOp, Expr x, Expr y, Expr d) { return d * (1 - square(y)); }
static Expr gradient(SigmoidOp, Expr x, Expr y, Expr d) { return d * (y * (1 - y)); }
static Expr gradient(SoftplusOp, Expr x, Expr y, Expr d) { return d * sigmoid(x); }
static Expr gradient(ErfOp, Expr x, Expr y, Expr d) {
  constexpr double twoOverRootPi = 1.12837916709551257390;
  return d * (twoOverRootPi * exp(-square(x)));
}
static Expr gradient(FloorOp, Expr x, Expr y, Expr d) { return zero(); }
static Expr gradient(CeilOp, Expr x, Expr y, Expr d) { return zero(); }
static Expr gradient(RoundOp, Expr x, Expr y, Expr d) { return zero(); }
static Expr gradient(CastOp, Expr x, Expr y, Expr d) { return cast(d, x.elementType()); }

//===-- z = f(x, y) -------------------------------------------------------===//

static Exprs<2> gradient(AddOp, Expr x, Expr y, Expr z, Expr d) { return {d, d}; }
static Exprs<2> gradient(SubOp, Expr x, Expr y, Expr z, Expr d) { return {d, -d}; }
static Exprs<2> gradient(MulOp, Expr x, Expr y, Expr z, Expr d) { return {d * y, d * x}; }
static Exprs<2> gradient(DivOp, Expr x, Expr y, Expr z, Expr d) {
  Expr dx = d / y;
  return {dx, -(dx * z)};
}
static Exprs<2> gradient(FloorDivideOp, Expr x, Expr y, Expr z, Expr d) { return {}; }
static Exprs<2> gradient(ModOp, Expr x, Expr y, Expr z, Expr d) {
  return {d, -(d * floorDivide(x, y))};
}

/// Whether `y` is a constant without a zero.
static bool isNonzeroConstant(Expr y) {
  DenseElementsAttr elements;
  return matchPattern(y.value, m_Constant(&elements)) &&
         llvm::none_of(elements.getValues<APFloat>(), [](const APFloat &e) { return e.isZero(); });
}
/// x^0 is 1 everywhere, so its derivative is 0 where y x^(y-1) would be 0 times infinity. With
/// respect to y, the derivative at x = 0 is 0.
static Exprs<2> gradient(PowOp, Expr x, Expr y, Expr z, Expr d) {
  Expr slope = y * pow(x, y - 1);
  if (!isNonzeroConstant(y))
    slope = where(equal(y, 0), 0, slope);
  return {d * slope, d * (z * log(where(equal(x, 0), 1, x)))};
}

/// The share of d that the operand gets: all of it if it `wins`, half on a tie.
static Expr share(Expr wins, Expr ties, Expr d) { return where(ties, 0.5 * d, where(wins, d, 0)); }
static Exprs<2> gradient(MaximumOp, Expr x, Expr y, Expr z, Expr d) {
  return {share(greater(x, y), equal(x, y), d), share(less(x, y), equal(x, y), d)};
}
static Exprs<2> gradient(MinimumOp, Expr x, Expr y, Expr z, Expr d) {
  return {share(less(x, y), equal(x, y), d), share(greater(x, y), equal(x, y), d)};
}

static Exprs<3> gradient(WhereOp, Expr condition, Expr x, Expr y, Expr z, Expr d) {
  return {zero(), where(condition, d, 0), where(condition, 0, d)};
}

void registerElementwiseGradients(MLIRContext *context) {
  registerRules<NegOp, AbsOp, SignOp, SquareOp, ReluOp, ExpOp, Expm1Op, LogOp, Log1pOp, SqrtOp,
                RsqrtOp, ReciprocalOp, SinOp, CosOp, TanhOp, SigmoidOp, SoftplusOp, ErfOp, FloorOp,
                CeilOp, RoundOp, CastOp, AddOp, SubOp, MulOp, DivOp, FloorDivideOp, ModOp, PowOp,
                MaximumOp, MinimumOp, WhereOp>(context);
}

} // namespace nnc
