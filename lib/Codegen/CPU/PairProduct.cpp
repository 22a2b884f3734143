//===- PairProduct.cpp - A sum of products of bf16, two at a time ---------===//
#include "PairProduct.h"

#include "KernelBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nnc {
namespace {

constexpr uint32_t kHalfBits = 16, kHighHalf = 0xffff0000;

/// The input of `op` that is `value`, if it is of bf16 or, as pairs, of i32.
OpOperand *inputOf(linalg::GenericOp op, Value value) {
  auto argument = dyn_cast_or_null<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= op.getNumDpsInputs())
    return nullptr;
  OpOperand &operand = op->getOpOperand(argument.getArgNumber());
  return isa<MemRefType>(operand.get().getType()) ? &operand : nullptr;
}

OpOperand *widenedInput(linalg::GenericOp op, Value value) {
  auto extend = value.getDefiningOp<arith::ExtFOp>();
  return extend && extend.getType().isF32() && extend.getIn().getType().isBF16()
             ? inputOf(op, extend.getIn())
             : nullptr;
}

/// The pairs that `value` is the low or the high half of.
OpOperand *halfOf(linalg::GenericOp op, Value value, bool isHigh) {
  auto cast = value.getDefiningOp<arith::BitcastOp>();
  Operation *half = cast && cast.getType().isF32() ? cast.getIn().getDefiningOp() : nullptr;
  bool isOfKind =
      isHigh ? isa_and_present<arith::AndIOp>(half) : isa_and_present<arith::ShLIOp>(half);
  APInt constant;
  bool matches = isOfKind && matchPattern(half->getOperand(1), m_ConstantInt(&constant)) &&
                 constant == (isHigh ? kHighHalf : kHalfBits);
  return matches ? inputOf(op, half->getOperand(0)) : nullptr;
}

/// How many inputs each iteration reads; others tell the sizes of windows.
int64_t countRead(linalg::GenericOp op) {
  return llvm::count_if(repeatedInputs(op), [&](OpOperand *input) {
    return !op.getMatchingBlockArgument(input).use_empty();
  });
}

/// What the only sum of `op` adds to what it was.
std::pair<arith::AddFOp, Value> addedTerm(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0 || countAccumulators(op) != 1)
    return {};
  auto add = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  BlockArgument old = op.getRegionOutputArgs().front();
  if (!add || !add.getType().isF32() || !old.hasOneUse() || add.getLhs() != old)
    return {};
  return {add, add.getRhs()};
}

} // namespace

std::optional<ShortProduct> matchShortProduct(linalg::GenericOp op) {
  auto [sum, term] = addedTerm(op);
  auto product = sum ? term.getDefiningOp<arith::MulFOp>() : nullptr;
  if (!product || !product->hasOneUse() || countRead(op) != 2)
    return std::nullopt;
  OpOperand *left = widenedInput(op, product.getLhs()), *right = widenedInput(op, product.getRhs());
  if (!left || !right || left == right)
    return std::nullopt;
  return ShortProduct{left, right, sum};
}

std::optional<PairProduct> matchPairProduct(linalg::GenericOp op) {
  auto [sum, term] = addedTerm(op);
  auto both = sum ? term.getDefiningOp<arith::AddFOp>() : nullptr;
  auto low = both ? both.getLhs().getDefiningOp<arith::MulFOp>() : nullptr;
  auto high = both ? both.getRhs().getDefiningOp<arith::MulFOp>() : nullptr;
  if (!low || !high || countRead(op) != 3)
    return std::nullopt;
  PairProduct pair{widenedInput(op, low.getLhs()), widenedInput(op, high.getLhs()),
                   halfOf(op, low.getRhs(), /*isHigh=*/false)};
  if (!pair.first || !pair.second || !pair.right ||
      pair.right != halfOf(op, high.getRhs(), /*isHigh=*/true) ||
      pair.first->get() != pair.second->get())
    return std::nullopt;
  return pair;
}

Value addPairProduct(OpBuilder &b, Location loc, Value first, Value second, Value right,
                     Value old) {
  Type f32 = b.getF32Type();
  auto integer = [&](int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 32).getResult();
  };
  Value low = arith::ShLIOp::create(b, loc, right, integer(kHalfBits));
  Value high = arith::AndIOp::create(b, loc, right, integer(int32_t(kHighHalf)));
  auto product = [&](Value left, Value half) {
    return arith::MulFOp::create(b, loc, arith::ExtFOp::create(b, loc, f32, left),
                                 arith::BitcastOp::create(b, loc, f32, half))
        .getResult();
  };
  Value lowProduct = product(first, low), highProduct = product(second, high);
  Value both = arith::AddFOp::create(b, loc, lowProduct, highProduct);
  return arith::AddFOp::create(b, loc, old, both);
}

Value makePair(OpBuilder &b, Location loc, Value first, Value second) {
  auto bits = [&](Value number) -> Value {
    Value integer = arith::BitcastOp::create(b, loc, b.getI16Type(), number);
    return arith::ExtUIOp::create(b, loc, b.getI32Type(), integer);
  };
  Value low = bits(first);
  if (!second)
    return low;
  Value half = arith::ConstantIntOp::create(b, loc, kHalfBits, 32);
  return arith::OrIOp::create(b, loc, low, arith::ShLIOp::create(b, loc, bits(second), half));
}

} // namespace nnc
