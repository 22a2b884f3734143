//===- Stabilize.cpp - Logarithms that neither overflow nor lose digits ---===//
//
// Each rule replaces a logarithm of something that may round to zero, to one or to infinity by the
// op that computes the same function for every argument.
//
//===----------------------------------------------------------------------===//
#include "Simplify.h"
#include "nnc/Transforms/Passes.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {
#define GEN_PASS_DEF_STABILIZEPASS
#include "nnc/Transforms/Passes.h.inc"

static Expr softplus(Expr x) { return apply<SoftplusOp>({x}); }

static Expr logOfSigmoid(LogOp op, const Place &place) { // log(sigmoid(x)) = -softplus(-x)
  auto sigmoid = op.getX().getDefiningOp<SigmoidOp>();
  return sigmoid ? -softplus(-place(sigmoid.getX())) : Expr();
}

static Expr logOfComplement(LogOp op, const Place &place) { // log(1 - sigmoid(x)) = -softplus(x)
  auto difference = op.getX().getDefiningOp<SubOp>();
  auto sigmoid = difference ? difference.getY().getDefiningOp<SigmoidOp>() : SigmoidOp();
  if (!sigmoid || getSplat(difference.getX()) != 1 || sigmoid.getType() != op.getType())
    return {};
  return -softplus(place(sigmoid.getX()));
}

static Expr logOfOnePlusExp(LogOp op, const Place &place) { // log(1 + e^x) = softplus(x)
  auto sum = op.getX().getDefiningOp<AddOp>();
  if (!sum)
    return {};
  for (auto [one, power] : {std::pair(sum.getX(), sum.getY()), std::pair(sum.getY(), sum.getX())})
    if (auto exp = power.getDefiningOp<ExpOp>())
      if (getSplat(one) == 1 && exp.getType() == op.getType())
        return softplus(place(exp.getX()));
  return {};
}

static Expr log1pOfExp(Log1pOp op, const Place &place) { // log1p(e^x) = softplus(x)
  auto exp = op.getX().getDefiningOp<ExpOp>();
  return exp ? softplus(place(exp.getX())) : Expr();
}

static Expr logOfSoftmax(LogOp op, const Place &place) { // log(softmax(x)) = log_softmax(x)
  auto softmax = op.getX().getDefiningOp<SoftmaxOp>();
  return softmax ? apply<LogSoftmaxOp>({place(softmax.getX())}, softmax->getAttrs()) : Expr();
}

static Expr logOfSumOfExp(LogOp op, const Place &place) { // log(sum(e^x)) = logsumexp(x)
  auto sum = op.getX().getDefiningOp<SumOp>();
  auto exp = sum ? sum.getX().getDefiningOp<ExpOp>() : ExpOp();
  return exp ? apply<LogsumexpOp>({place(exp.getX())}, sum->getAttrs()) : Expr();
}

namespace {
struct StabilizePass : impl::StabilizePassBase<StabilizePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    addRule(patterns, logOfSigmoid);
    addRule(patterns, logOfComplement);
    addRule(patterns, logOfOnePlusExp);
    addRule(patterns, log1pOfExp);
    addRule(patterns, logOfSoftmax);
    addRule(patterns, logOfSumOfExp);
    if (failed(applyRules(getOperation(), std::move(patterns), /*fold=*/false)))
      signalPassFailure();
  }
};
} // namespace

} // namespace nnc
