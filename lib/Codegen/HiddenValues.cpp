//===- HiddenValues.cpp - What is computed where a mask is false ----------===//
#include "HiddenValues.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace nnc {
namespace {

Hidden ofConstant(Value value) {
  if (matchPattern(value, m_AnyZeroFloat()) || matchPattern(value, m_Zero()))
    return Hidden::Zero;
  return matchPattern(value, m_NegInfFloat()) ? Hidden::NegativeInfinity : Hidden::Unknown;
}

} // namespace

HiddenValues::HiddenValues(linalg::GenericOp generic, function_ref<Hidden(OpOperand &)> known)
    : op(generic) {
  for (OpOperand &operand : op->getOpOperands())
    values[op.getMatchingBlockArgument(&operand)] = known(operand);
}

Hidden HiddenValues::of(Value value) {
  auto [place, isNew] = values.try_emplace(value, Hidden::Unknown);
  if (!isNew)
    return place->second;
  Hidden found = ofConstant(value);
  Operation *inner = value.getDefiningOp();
  if (found == Hidden::Unknown && inner && inner->getBlock() == op.getBody())
    found = evaluate(inner);
  return values[value] = found;
}

Hidden HiddenValues::evaluate(Operation *inner) {
  auto both = [&](Hidden hidden) {
    return llvm::all_of(inner->getOperands(), [&](Value value) { return of(value) == hidden; });
  };
  auto any = [&](Hidden hidden) {
    return llvm::any_of(inner->getOperands(), [&](Value value) { return of(value) == hidden; });
  };
  constexpr Hidden kZero = Hidden::Zero, kLow = Hidden::NegativeInfinity;
  return TypeSwitch<Operation *, Hidden>(inner)
      .Case<arith::MulFOp, arith::MulIOp, arith::AndIOp>(
          [&](auto) { return any(kZero) ? kZero : Hidden::Unknown; })
      .Case<arith::AddFOp>([&](auto) {
        return any(kLow) ? kLow : both(kZero) ? kZero : Hidden::Unknown;
      })
      .Case<arith::SubFOp>([&](arith::SubFOp difference) {
        if (of(difference.getRhs()) == kLow)
          return Hidden::Unknown;
        return of(difference.getLhs()) == kLow ? kLow : both(kZero) ? kZero : Hidden::Unknown;
      })
      .Case<arith::DivFOp>([&](arith::DivFOp quotient) {
        return of(quotient.getLhs()) == kZero ? kZero : Hidden::Unknown;
      })
      .Case<arith::NegFOp, arith::ExtFOp, arith::TruncFOp, arith::ExtUIOp, arith::ExtSIOp,
            arith::TruncIOp, arith::UIToFPOp, arith::SIToFPOp>(
          [&](auto) { return both(kZero) ? kZero : Hidden::Unknown; })
      .Case<math::ExpOp>([&](auto) { return both(kLow) ? kZero : Hidden::Unknown; })
      .Case<arith::CmpIOp>([&](arith::CmpIOp comparison) {
        bool isFalse = comparison.getPredicate() == arith::CmpIPredicate::ne && both(kZero);
        return isFalse ? kZero : Hidden::Unknown;
      })
      .Case<arith::SelectOp>([&](arith::SelectOp select) {
        return of(select.getCondition()) == kZero ? of(select.getFalseValue()) : Hidden::Unknown;
      })
      .Default([](Operation *) { return Hidden::Unknown; });
}

Hidden HiddenValues::written(unsigned index) {
  return of(op.getBody()->getTerminator()->getOperand(index));
}

bool HiddenValues::isKept(unsigned index) {
  Value held = op.getRegionOutputArgs()[index];
  Operation *last = op.getBody()->getTerminator()->getOperand(index).getDefiningOp();
  if (!last || !llvm::is_contained(last->getOperands(), held))
    return false;
  Hidden neutral = Hidden::Zero;
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(last))
    neutral = Hidden::NegativeInfinity;
  else if (!isa<arith::AddFOp>(last))
    return false;
  Value other = last->getOperand(last->getOperand(0) == held ? 1 : 0);
  return other != held && of(other) == neutral;
}

} // namespace nnc
