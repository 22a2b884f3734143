//===- WordProduct.cpp - Sums of products of short factors, in words ------===//
#include "WordProduct.h"

#include "KernelBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nnc {
namespace {

constexpr int64_t kWordBits = 32;
constexpr uint32_t kHighHalf = 0xffff0000;

int64_t bitsOf(ShortKind kind) { return kWordBits / countInWord(kind); }

/// A factor that the body of an operation reads.
struct ShortFactor {
  OpOperand *input = nullptr;
  ShortKind kind = ShortKind::BFloat16;
  bool isMoved = false;
};

/// What takes off from a number of `kind` what it has been moved by.
int64_t moveBack(ShortKind kind) { return isSigned(kind) ? 128 : -128; }

/// The input of `op` that is `value`, if that is a buffer.
OpOperand *inputOf(linalg::GenericOp op, Value value) {
  auto argument = dyn_cast_or_null<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= op.getNumDpsInputs())
    return nullptr;
  OpOperand &operand = op->getOpOperand(argument.getArgNumber());
  return isa<MemRefType>(operand.get().getType()) ? &operand : nullptr;
}

/// The short input that `value` is, in the type in which it is multiplied.
std::optional<ShortFactor> widenedInput(linalg::GenericOp op, Value value) {
  Operation *extend = value.getDefiningOp();
  if (!isa_and_present<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(extend))
    return std::nullopt;
  Type from = extend->getOperand(0).getType(), to = value.getType();
  ShortFactor factor{inputOf(op, extend->getOperand(0))};
  if (from.isBF16() && to.isF32())
    factor.kind = ShortKind::BFloat16;
  else if (from.isInteger(8) && to.isInteger(kWordBits))
    factor.kind = isa<arith::ExtSIOp>(extend) ? ShortKind::Int8 : ShortKind::UInt8;
  else if (from.isInteger(16) && to.isInteger(kWordBits) && isa<arith::ExtSIOp>(extend))
    factor.kind = ShortKind::Int16;
  else
    return std::nullopt;
  return factor.input ? std::optional(factor) : std::nullopt;
}

/// The operand that `op` moves bits of by `amount`, or `value` itself for 0.
Value unshifted(Value value, int64_t amount) {
  if (amount == 0)
    return value;
  auto shift = value.getDefiningOp<arith::ShLIOp>();
  APInt constant;
  bool matches =
      shift && matchPattern(shift.getRhs(), m_ConstantInt(&constant)) && constant == amount;
  return matches ? shift.getLhs() : Value();
}

/// The same, or with what it has been moved by taken off.
std::optional<ShortFactor> movedInput(linalg::GenericOp op, Value value) {
  auto add = value.getDefiningOp<arith::AddIOp>();
  APInt amount;
  if (!add || !matchPattern(add.getRhs(), m_ConstantInt(&amount)))
    return widenedInput(op, value);
  std::optional<ShortFactor> factor = widenedInput(op, add.getLhs());
  if (!factor || countInWord(factor->kind) != 4 || amount.getSExtValue() != moveBack(factor->kind))
    return std::nullopt;
  factor->isMoved = true;
  return factor;
}

/// The words whose factor number `index` is `value`.
std::optional<ShortFactor> wordOf(linalg::GenericOp op, Value value, int64_t index) {
  Operation *source = value.getDefiningOp();
  APInt constant;
  if (auto cast = dyn_cast_if_present<arith::BitcastOp>(source)) {
    Value word = index == 0 ? unshifted(cast.getIn(), kWordBits / 2) : Value();
    auto high = cast.getIn().getDefiningOp<arith::AndIOp>();
    if (index == 1 && high && matchPattern(high.getRhs(), m_ConstantInt(&constant)) &&
        constant == kHighHalf)
      word = high.getLhs();
    ShortFactor factor{inputOf(op, word)};
    return factor.input && cast.getType().isF32() ? std::optional(factor) : std::nullopt;
  }
  if (!isa_and_present<arith::ShRSIOp, arith::ShRUIOp>(source) ||
      !matchPattern(source->getOperand(1), m_ConstantInt(&constant)))
    return std::nullopt;
  bool hasSign = isa<arith::ShRSIOp>(source);
  for (ShortKind kind : {ShortKind::Int8, ShortKind::UInt8, ShortKind::Int16}) {
    if (hasSign != isSigned(kind) || constant != kWordBits - bitsOf(kind))
      continue;
    Value word = unshifted(source->getOperand(0), kWordBits - bitsOf(kind) * (index + 1));
    ShortFactor factor{inputOf(op, word), kind};
    if (factor.input)
      return factor;
  }
  return std::nullopt;
}

/// Factor number `index` of a word.
Value readFactor(OpBuilder &b, Location loc, Value word, int64_t index, ShortKind kind) {
  auto integer = [&](int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, kWordBits).getResult();
  };
  int64_t above = kWordBits - bitsOf(kind) * (index + 1);
  if (kind == ShortKind::BFloat16) {
    Value bits = index == 0 ? arith::ShLIOp::create(b, loc, word, integer(above)).getResult()
                            : arith::AndIOp::create(b, loc, word, integer(int32_t(kHighHalf)));
    return arith::BitcastOp::create(b, loc, b.getF32Type(), bits);
  }
  Value upper = above == 0 ? word : arith::ShLIOp::create(b, loc, word, integer(above)).getResult();
  Value amount = integer(kWordBits - bitsOf(kind));
  if (isSigned(kind))
    return arith::ShRSIOp::create(b, loc, upper, amount);
  return arith::ShRUIOp::create(b, loc, upper, amount);
}

/// How many inputs each iteration reads; others tell the sizes of windows.
int64_t countRead(linalg::GenericOp op) {
  return llvm::count_if(repeatedInputs(op), [&](OpOperand *input) {
    return !op.getMatchingBlockArgument(input).use_empty();
  });
}

bool isSum(Operation *op) { return isa_and_present<arith::AddFOp, arith::AddIOp>(op); }
bool isProduct(Operation *op) { return isa_and_present<arith::MulFOp, arith::MulIOp>(op); }

/// What the only sum of `op` adds to what it was.
std::pair<Operation *, Value> addedTerm(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0 || countAccumulators(op) != 1)
    return {};
  Operation *add = op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  BlockArgument old = op.getRegionOutputArgs().front();
  if (!isSum(add) || !old.hasOneUse() || add->getOperand(0) != old ||
      old.getType().getIntOrFloatBitWidth() != kWordBits)
    return {};
  return {add, add->getOperand(1)};
}

} // namespace

int64_t countInWord(ShortKind kind) {
  return kind == ShortKind::Int8 || kind == ShortKind::UInt8 ? 4 : 2;
}

std::optional<ShortProduct> matchShortProduct(linalg::GenericOp op) {
  auto [sum, term] = addedTerm(op);
  Operation *product = sum ? term.getDefiningOp() : nullptr;
  if (!isProduct(product) || !product->hasOneUse() || countRead(op) != 2)
    return std::nullopt;
  std::optional<ShortFactor> left = widenedInput(op, product->getOperand(0)),
                             right = widenedInput(op, product->getOperand(1));
  if (!left || !right || left->input == right->input)
    return std::nullopt;
  return ShortProduct{left->input, right->input, left->kind, right->kind, sum};
}

std::optional<WordProduct> matchWordProduct(linalg::GenericOp op) {
  auto [sum, term] = addedTerm(op);
  if (!sum)
    return std::nullopt;
  // The products of a word, the last one first.
  SmallVector<Operation *, 4> products;
  Operation *rest = term.getDefiningOp();
  for (; isSum(rest); rest = rest->getOperand(0).getDefiningOp())
    products.push_back(rest->getOperand(1).getDefiningOp());
  products.push_back(rest);
  int64_t count = products.size();
  if (!llvm::all_of(products, isProduct) || countRead(op) != count + 1)
    return std::nullopt;
  WordProduct result;
  for (auto [index, product] : llvm::enumerate(llvm::reverse(products))) {
    std::optional<ShortFactor> left = movedInput(op, product->getOperand(0)),
                               right = wordOf(op, product->getOperand(1), int64_t(index));
    if (!left || !right || countInWord(right->kind) != count || countInWord(left->kind) != count)
      return std::nullopt;
    if (index == 0) {
      result.right = right->input;
      result.leftKind = left->kind;
      result.rightKind = right->kind;
      result.isLeftMoved = left->isMoved;
    } else if (right->input != result.right || right->kind != result.rightKind ||
               left->kind != result.leftKind || left->isMoved != result.isLeftMoved ||
               left->input->get() != result.left.front()->get()) {
      return std::nullopt;
    }
    result.left.push_back(left->input);
  }
  return result;
}

Value addWordProduct(OpBuilder &b, Location loc, ValueRange left, ShortKind leftKind,
                     bool isLeftMoved, Value right, ShortKind rightKind, Value old) {
  bool isFloat = leftKind == ShortKind::BFloat16;
  auto widen = [&](Value number) -> Value {
    if (isFloat)
      return arith::ExtFOp::create(b, loc, b.getF32Type(), number);
    if (isSigned(leftKind))
      return arith::ExtSIOp::create(b, loc, b.getI32Type(), number);
    return arith::ExtUIOp::create(b, loc, b.getI32Type(), number);
  };
  auto multiply = [&](Value x, Value y) -> Value {
    if (isFloat)
      return arith::MulFOp::create(b, loc, x, y);
    return arith::MulIOp::create(b, loc, x, y);
  };
  auto add = [&](Value x, Value y) -> Value {
    if (isFloat)
      return arith::AddFOp::create(b, loc, x, y);
    return arith::AddIOp::create(b, loc, x, y);
  };
  Value sum;
  for (auto [index, number] : llvm::enumerate(left)) {
    Value factor = readFactor(b, loc, right, int64_t(index), rightKind);
    Value wide = widen(number);
    if (isLeftMoved)
      wide = add(wide, arith::ConstantIntOp::create(b, loc, moveBack(leftKind), kWordBits));
    Value product = multiply(wide, factor);
    sum = sum ? add(sum, product) : product;
  }
  return add(old, sum);
}

Value makeWord(OpBuilder &b, Location loc, ValueRange numbers, ShortKind kind, ShortKind packed) {
  Type bits = b.getIntegerType(bitsOf(packed)), word = b.getI32Type();
  Value result;
  for (auto [index, number] : llvm::enumerate(numbers)) {
    Value part = number;
    if (kind == ShortKind::BFloat16)
      part = arith::BitcastOp::create(b, loc, bits, number);
    else if (kind != packed)
      part = isSigned(kind) ? arith::ExtSIOp::create(b, loc, bits, number).getResult()
                            : arith::ExtUIOp::create(b, loc, bits, number);
    part = arith::ExtUIOp::create(b, loc, word, part);
    if (index != 0) {
      Value place =
          arith::ConstantIntOp::create(b, loc, int64_t(index) * bitsOf(packed), kWordBits);
      part = arith::ShLIOp::create(b, loc, part, place);
    }
    result = result ? arith::OrIOp::create(b, loc, result, part).getResult() : part;
  }
  return result;
}

} // namespace nnc
