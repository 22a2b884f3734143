//===- PendingFactors.cpp - Sums that go on while what they are made of changes -===//
#include "PendingFactors.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace nnc {

PendingFactors::PendingFactors(linalg::GenericOp generic,
                               function_ref<PendingOperand(OpOperand &)> known)
    : op(generic) {
  for (OpOperand &operand : op->getOpOperands()) {
    PendingOperand what = known(operand);
    Value argument = op.getMatchingBlockArgument(&operand);
    if (what.runningMaximum)
      maxima[argument] = what.runningMaximum;
    if (what.runningSum)
      sums[argument] = what.runningSum;
    bool isKnown = !what.runningMaximum && !what.runningSum;
    values[argument] = isKnown ? std::optional(what.pending) : std::nullopt;
  }
}

std::optional<Pending> PendingFactors::of(Value value) {
  auto known = values.find(value);
  if (known != values.end())
    return known->second;
  Operation *inner = value.getDefiningOp();
  std::optional<Pending> found =
      inner && inner->getBlock() == op.getBody() ? evaluate(inner) : Pending();
  return values[value] = found;
}

static bool isZero(Value value) { return matchPattern(value, m_AnyZeroFloat()); }

/// What is pending of both; none if they differ.
static std::optional<Pending> join(const std::optional<Pending> &left,
                                   const std::optional<Pending> &right) {
  if (!left || !right || left->maximum != right->maximum || left->divisors != right->divisors)
    return std::nullopt;
  Pending joined = *left;
  joined.hasZeros |= right->hasZeros;
  return joined;
}

std::optional<Pending> PendingFactors::evaluate(Operation *inner) {
  auto complete = [](const std::optional<Pending> &value) { return value && value->isComplete(); };
  // Sums and choices of a value and 0.
  auto either = [&](Value left, Value right) -> std::optional<Pending> {
    if (!isZero(left) && !isZero(right))
      return join(of(left), of(right));
    std::optional<Pending> other = of(isZero(left) ? right : left);
    if (other)
      other->hasZeros = true;
    return other;
  };
  return TypeSwitch<Operation *, std::optional<Pending>>(inner)
      .Case<math::ExpOp>([&](math::ExpOp exponential) -> std::optional<Pending> {
        auto difference = exponential.getOperand().getDefiningOp<arith::SubFOp>();
        Value maximum = difference ? maxima.lookup(difference.getRhs()) : Value();
        if (!maximum)
          return complete(of(exponential.getOperand())) ? std::optional(Pending()) : std::nullopt;
        if (!complete(of(difference.getLhs())))
          return std::nullopt;
        return Pending{maximum, {}};
      })
      .Case<arith::DivFOp>([&](arith::DivFOp quotient) -> std::optional<Pending> {
        std::optional<Pending> found = of(quotient.getLhs());
        if (Value divisor = sums.lookup(quotient.getRhs()); divisor && found)
          found->divisors.push_back(divisor);
        else if (!complete(of(quotient.getRhs())))
          return std::nullopt;
        return found;
      })
      .Case<arith::MulFOp>([&](arith::MulFOp product) -> std::optional<Pending> {
        std::optional<Pending> left = of(product.getLhs()), right = of(product.getRhs());
        if (complete(right))
          return left;
        return complete(left) ? right : std::nullopt;
      })
      .Case<arith::AddFOp, arith::SubFOp>(
          [&](auto sum) { return either(sum.getLhs(), sum.getRhs()); })
      .Case<arith::SelectOp>([&](arith::SelectOp select) -> std::optional<Pending> {
        if (!complete(of(select.getCondition())))
          return std::nullopt;
        return either(select.getTrueValue(), select.getFalseValue());
      })
      .Case<arith::NegFOp, arith::ExtFOp, arith::TruncFOp>(
          [&](auto same) { return of(same.getOperand()); })
      .Default([&](Operation *other) -> std::optional<Pending> {
        bool areComplete = llvm::all_of(other->getOperands(),
                                        [&](Value operand) { return complete(of(operand)); });
        return areComplete ? std::optional(Pending()) : std::nullopt;
      });
}

std::optional<Pending> PendingFactors::written(unsigned index) {
  if (op.getNumReductionLoops() == 0)
    return of(op.getBody()->getTerminator()->getOperand(index));
  SmallVector<Operation *> combiners;
  Value term = matchReduction(op.getRegionOutputArgs(), index, combiners);
  std::optional<Pending> pending = term && combiners.size() == 1 ? of(term) : std::nullopt;
  if (pending && !pending->isComplete() && !isa<arith::AddFOp>(combiners.front()))
    return std::nullopt;
  return pending;
}

bool dropPendingDivisions(linalg::GenericOp op, function_ref<bool(OpOperand &)> isRunning) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isRunning(operand))
      continue;
    for (Operation *user :
         llvm::make_early_inc_range(op.getMatchingBlockArgument(&operand).getUsers()))
      if (auto quotient = dyn_cast<arith::DivFOp>(user)) {
        quotient.replaceAllUsesWith(quotient.getLhs());
        quotient.erase();
      }
  }
  return llvm::all_of(llvm::enumerate(op.getBody()->getTerminator()->getOperands()),
                      [&](auto yielded) {
                        auto argument = dyn_cast<BlockArgument>(yielded.value());
                        OpOperand *output = op.getDpsInitOperand(yielded.index());
                        return argument && argument.getOwner() == op.getBody() &&
                               op->getOperand(argument.getArgNumber()) == output->get() &&
                               op.getIndexingMapsArray()[argument.getArgNumber()] ==
                                   op.getMatchingIndexingMap(output);
                      });
}

} // namespace nnc
