//===- ComputeEarly.cpp - Compute in the forward pass what is kept --------===//
//
// The backward pass multiplies a gradient by what it computes from several values of the forward pass, which are
// kept for it. That is computed while they are there, and kept instead: the derivative of an activation, not
// all that it is made of.
//
//   g * a + g * b = g * (a + b)     which rounds differently, and overflows where a + b does
//
//===----------------------------------------------------------------------===//
#include "Lives.h"
#include "nnc/IR/Expression.h"
#include "nnc/IR/GradientLocation.h"
#include "nnc/IR/NN.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_COMPUTEEARLYPASS
#include "nnc/Transforms/Passes.h.inc"

namespace {

/// What of the backward pass is made of values of the forward pass alone.
class EarlyValues {
public:
  explicit EarlyValues(Block &block) : lives(block, sizes) {
    auto first = llvm::find_if(lives.ops, [](Operation *op) {
      return isGradient(op->getLoc()) && !op->hasTrait<OpTrait::ConstantLike>();
    });
    border = first - lives.ops.begin();
    for (Operation *op : lateOps())
      if ((isElementwise(op) || isView(op)) && op->getNumResults() == 1 &&
          llvm::all_of(op->getOperands(), [&](Value operand) { return isEarly(operand); }))
        early.insert(op->getResult(0));
  }

  bool isEarly(Value value) const { return !isLate(value) || early.contains(value); }
  bool isLate(Operation *op) const { return lives.positionOf(op) >= border; }
  /// Whether the backward pass computes `value`.
  bool isLate(Value value) const { return lives.isInBlock(value) && isLate(value.getDefiningOp()); }
  /// The backward pass: all from the first op on that comes of differentiation.
  ArrayRef<Operation *> lateOps() const { return ArrayRef(lives.ops).drop_front(border); }

  Sizes sizes;
  Lives lives;

private:
  unsigned border;
  DenseSet<Value> early;
};

//===----------------------------------------------------------------------===//
// A gradient out of a sum
//===----------------------------------------------------------------------===//

/// One late value times early ones.
struct Product {
  Value late;
  SmallVector<Value> early;
  bool isNegative = false;
};

bool multiply(Product &product, Value value, const EarlyValues &values) {
  if (values.isEarly(value)) {
    product.early.push_back(value);
    return true;
  }
  Operation *op = value.getDefiningOp();
  if (isa<nn::MulOp, nn::NegOp>(op) && value.hasOneUse()) {
    product.isNegative ^= isa<nn::NegOp>(op);
    return llvm::all_of(op->getOperands(),
                        [&](Value operand) { return multiply(product, operand, values); });
  }
  return !std::exchange(product.late, value);
}

Expr earlyFactor(const Product &product, const Place &place) {
  if (product.early.empty())
    return scalar(place(product.late), product.isNegative ? -1 : 1);
  Expr result = place(product.early.front());
  for (Value value : llvm::drop_begin(product.early))
    result = result * place(value);
  return product.isNegative ? -result : result;
}

/// Takes what both terms of `op`, a sum or a difference, have in common out of it.
void takeOut(Operation *op, const EarlyValues &values) {
  Value result = op->getResult(0);
  Product left, right;
  if (!isa<FloatType>(getElementType(result)) || values.isEarly(result) ||
      !multiply(left, op->getOperand(0), values) || !multiply(right, op->getOperand(1), values) ||
      !left.late || left.late != right.late || left.late.getType() != result.getType() ||
      (left.early.empty() && right.early.empty()))
    return;
  OpBuilder builder(op);
  Place place{builder, op->getLoc()};
  Expr first = earlyFactor(left, place), second = earlyFactor(right, place);
  Expr factor = isa<nn::AddOp>(op) ? first + second : first - second;
  result.replaceAllUsesWith((place(left.late) * factor).value);
}

/// A sum of three terms is two sums, and what becomes of the inner one is a term of the outer one.
void takeOutAll(Block &block) {
  EarlyValues values(block);
  for (Operation *op : values.lateOps())
    if (isa<nn::AddOp, nn::SubOp>(op))
      takeOut(op, values);
  for (Operation *op : llvm::reverse(values.lateOps()))
    if (isOpTriviallyDead(op))
      op->erase();
}

//===----------------------------------------------------------------------===//
// Computed early
//===----------------------------------------------------------------------===//

/// Operations of the backward pass that belong together: none reads what is not early.
class Group {
public:
  Group(Operation *start, const EarlyValues &values) : values(values) {
    SmallVector<Operation *> open = {start};
    while (!open.empty()) {
      Operation *op = open.pop_back_val();
      if (!ops.insert(op))
        continue;
      for (Value operand : op->getOperands())
        if (isMovable(operand.getDefiningOp(), values))
          open.push_back(operand.getDefiningOp());
      for (Operation *user : op->getUsers())
        if (isMovable(user, values))
          open.push_back(user);
    }
  }

  static bool isMovable(Operation *op, const EarlyValues &values) {
    return op && op->getNumResults() == 1 && values.isLate(op->getResult(0)) &&
           values.isEarly(op->getResult(0)) && !op->hasTrait<OpTrait::ConstantLike>();
  }

  ArrayRef<Operation *> operations() const { return ops.getArrayRef(); }

  /// The bytes that need not be kept for the backward pass if it is computed before, less those that must then.
  int64_t countSaved(Sizes &sizes) const {
    int64_t saved = 0;
    llvm::SmallPtrSet<Value, 8> read;
    for (Operation *op : ops) {
      bool isReadOutside =
          llvm::any_of(op->getUsers(), [&](Operation *user) { return !ops.contains(user); });
      if (isReadOutside)
        saved -= sizes.bytesOf(op->getResult(0));
      for (Value operand : op->getOperands())
        collectKept(operand, read);
    }
    for (Value value : read)
      if (!isNeededBesides(value))
        saved += sizes.bytesOf(value);
    return saved;
  }

  /// Whether anything but arithmetic on elements happens from where all is known that is read to the first use.
  bool isKeptForLong() const {
    Operation *place = findPlace(), *firstUse = nullptr;
    for (Operation *op : ops)
      for (Operation *user : op->getUsers())
        if (!ops.contains(user) &&
            (!firstUse || values.lives.positionOf(user) < values.lives.positionOf(firstUse)))
          firstUse = user;
    if (!place || !firstUse)
      return false;
    ArrayRef<Operation *> between = ArrayRef(values.lives.ops)
                                        .take_front(values.lives.positionOf(firstUse))
                                        .drop_front(values.lives.positionOf(place));
    return llvm::any_of(between, [](Operation *op) {
      return !isElementwise(op) && !isView(op) && familyOf(op) != "Reduction";
    });
  }

  /// Moves all to where the last value that they read is known.
  void moveEarly() const {
    Operation *place = findPlace();
    SmallVector<Operation *> inOrder;
    for (Operation *op : values.lateOps())
      if (ops.contains(op))
        inOrder.push_back(op);
    for (Operation *op : inOrder) {
      op->moveAfter(place);
      place = op;
    }
    for (Operation *op : inOrder)
      buildWall(op);
  }

private:
  /// What computes the last value that is read; null if there is none.
  Operation *findPlace() const {
    Operation *place = nullptr;
    for (Operation *op : ops)
      for (Value operand : op->getOperands()) {
        Operation *definition = operand.getDefiningOp();
        if (values.lives.isInBlock(operand) && !ops.contains(definition) &&
            !definition->hasTrait<OpTrait::ConstantLike>() &&
            (!place || place->isBeforeInBlock(definition)))
          place = definition;
      }
    return place;
  }

  /// Lets the backward pass read the result of `op` from memory, which it would compute itself otherwise.
  void buildWall(Operation *op) const {
    Value result = op->getResult(0);
    auto isOutside = [&](OpOperand &use) { return !ops.contains(use.getOwner()); };
    if (llvm::none_of(result.getUses(), isOutside))
      return;
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    Operation *wall =
        createInferred(builder, op->getLoc(), nn::StopGradientOp::getOperationName(), result);
    wall->setAttr(nn::againAttr, builder.getI64IntegerAttr(-1));
    result.replaceUsesWithIf(wall->getResult(0), [&](OpOperand &use) {
      return use.getOwner() != wall && isOutside(use);
    });
  }

  /// What is in memory of what `value` is read from.
  void collectKept(Value value, llvm::SmallPtrSetImpl<Value> &kept) const {
    if (!values.lives.isInBlock(value) || values.isLate(value))
      return;
    if (values.lives.hasMemory(value)) {
      kept.insert(value);
      return;
    }
    for (Value operand : value.getDefiningOp()->getOperands())
      collectKept(operand, kept);
  }

  /// Whether others in the backward pass read `value`, or what is a view of it.
  bool isNeededBesides(Value value) const {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      if (ops.contains(user))
        return false;
      if (values.isLate(user))
        return true;
      return user->getBlock() == value.getDefiningOp()->getBlock() &&
             llvm::any_of(user->getResults(), [&](Value result) {
               return !values.lives.hasMemory(result) && isNeededBesides(result);
             });
    });
  }

  const EarlyValues &values;
  llvm::SetVector<Operation *> ops;
};

void computeEarly(Block &block) {
  takeOutAll(block);
  EarlyValues values(block);
  llvm::SmallPtrSet<Operation *, 16> seen;
  for (Operation *op : values.lateOps()) {
    if (seen.contains(op) || !Group::isMovable(op, values))
      continue;
    Group group(op, values);
    seen.insert_range(group.operations());
    if (group.isKeptForLong() && group.countSaved(values.sizes) > 0)
      group.moveEarly();
  }
}

class ComputeEarly : public impl::ComputeEarlyPassBase<ComputeEarly> {
  void runOnOperation() override {
    for (Block *block : stepBlocks(getOperation()))
      computeEarly(*block);
  }
};

} // namespace
} // namespace nnc
