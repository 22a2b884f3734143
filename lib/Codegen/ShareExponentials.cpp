//===- ShareExponentials.cpp - One exponential for x and for -x -----------===//
//
// A logistic loss and its derivative compute sigmoid(x), sigmoid(-x) and log1p(e^-|x|), each from an
// exponential of its own. With e = e^-|x| and r = 1 / (1 + e), which never overflow, one of the sigmoids is r,
// and the other e r.
//
//   in     linalg.generic on tensors, fused
//   out    the same, with fewer exponentials and divisions in their bodies
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_SHAREEXPONENTIALSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// What `value` is, or is the negative of.
std::pair<Value, bool> withoutSign(Value value) {
  bool isNegative = false;
  while (auto negation = value.getDefiningOp<arith::NegFOp>()) {
    value = negation.getOperand();
    isNegative = !isNegative;
  }
  return {value, isNegative};
}

bool isOne(Value value) { return matchPattern(value, m_OneFloat()); }

/// The exponential that `quotient`, 1 / (1 + e^y), divides by.
math::ExpOp matchSigmoid(arith::DivFOp quotient) {
  auto sum = quotient.getRhs().getDefiningOp<arith::AddFOp>();
  if (!sum || !isOne(quotient.getLhs()))
    return nullptr;
  Value term = isOne(sum.getLhs()) ? sum.getRhs() : isOne(sum.getRhs()) ? sum.getLhs() : Value();
  return term ? term.getDefiningOp<math::ExpOp>() : nullptr;
}

/// What a body computes of one x.
struct Uses {
  SmallVector<arith::DivFOp> sigmoids;
  /// Those of -|x|.
  SmallVector<math::ExpOp> ofMagnitude;
  /// Which signs of x the exponentials are of, those of -|x| being a third one.
  llvm::SmallSet<int, 3> kinds;
};

class ShareExponentials : public impl::ShareExponentialsPassBase<ShareExponentials> {
  void runOnOperation() override {
    getOperation().walk([](linalg::GenericOp op) {
      llvm::MapVector<Value, Uses> byArgument;
      for (Operation &inner : *op.getBody())
        collect(inner, byArgument);
      for (auto &[x, uses] : byArgument)
        if (uses.kinds.size() > 1)
          share(x, uses);
    });
  }

  static void collect(Operation &inner, llvm::MapVector<Value, Uses> &byArgument) {
    if (auto quotient = dyn_cast<arith::DivFOp>(inner))
      if (math::ExpOp exponential = matchSigmoid(quotient)) {
        auto [x, isNegative] = withoutSign(exponential.getOperand());
        Uses &uses = byArgument[x];
        uses.sigmoids.push_back(quotient);
        uses.kinds.insert(isNegative ? -1 : 1);
      }
    auto exponential = dyn_cast<math::ExpOp>(inner);
    auto [y, isNegative] =
        exponential ? withoutSign(exponential.getOperand()) : std::pair(Value(), false);
    auto magnitude = isNegative ? y.getDefiningOp<math::AbsFOp>() : math::AbsFOp();
    if (magnitude) {
      Uses &uses = byArgument[withoutSign(magnitude.getOperand()).first];
      uses.ofMagnitude.push_back(exponential);
      uses.kinds.insert(0);
    }
  }

  static void share(Value x, Uses &uses) {
    OpBuilder b(x.getContext());
    b.setInsertionPointAfterValue(x);
    Operation *user = uses.sigmoids.empty() ? uses.ofMagnitude.front() : uses.sigmoids.front();
    Location loc = user->getLoc();
    auto number = [&](double value) -> Value {
      return arith::ConstantOp::create(b, loc, b.getFloatAttr(x.getType(), value));
    };
    Value magnitude = math::AbsFOp::create(b, loc, x);
    Value e = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, magnitude));
    for (math::ExpOp exponential : uses.ofMagnitude)
      exponential.replaceAllUsesWith(e);
    if (uses.sigmoids.empty())
      return;
    Value one = number(1);
    Value larger = arith::DivFOp::create(b, loc, one, arith::AddFOp::create(b, loc, e, one));
    Value smaller = arith::MulFOp::create(b, loc, e, larger);
    Value isNegative = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, number(0));
    for (arith::DivFOp sigmoid : uses.sigmoids) {
      bool isOfNegative = !withoutSign(matchSigmoid(sigmoid).getOperand()).second;
      Value ifNegative = isOfNegative ? larger : smaller,
            otherwise = isOfNegative ? smaller : larger;
      sigmoid.replaceAllUsesWith(
          arith::SelectOp::create(b, loc, isNegative, ifNegative, otherwise).getResult());
    }
  }
};

} // namespace
} // namespace nnc
