//===- Recompute.cpp - Compute values again instead of keeping them -------===//
//
// What a forward pass leaves for the backward pass fills the memory of a step. A value that is cheap to
// compute from what is there anyway is computed a second time, right before its late uses.
//
// One value after the other: the one with the least work for a byte among those that live where most
// lives. Operands of what is computed again go through a stop_gradient with the attribute nn.again, which
// later passes do not look through; otherwise they would find both computations to be the same.
//
//===----------------------------------------------------------------------===//
#include "Lives.h"
#include "nnc/IR/NN.h"
#include "nnc/IR/TypicalSize.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_RECOMPUTEPASS
#include "nnc/Transforms/Passes.h.inc"

namespace {

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

bool isDear(Operation *op) {
  return isa<nn::ExpOp, nn::Expm1Op, nn::LogOp, nn::Log1pOp, nn::SqrtOp, nn::RsqrtOp,
             nn::ReciprocalOp, nn::SinOp, nn::CosOp, nn::TanhOp, nn::SigmoidOp, nn::SoftplusOp,
             nn::ErfOp, nn::DivOp, nn::FloorDivideOp, nn::ModOp, nn::PowOp>(op);
}

/// Whether `op` multiplies many matrices by as many others. They stay near, so that it is as fast as multiplications
/// and additions at once, on whole vectors, can be: four times as fast as additions to what is in memory.
bool isOfMatrices(Operation *op) {
  auto product = dyn_cast<nn::MatmulOp>(op);
  return product && getShape(product.getX()).size() > 2 && getShape(product.getY()).size() > 2;
}

/// The work of computing `op` again, in additions; none if that is never done.
std::optional<double> costOf(Operation *op) {
  StringRef family = familyOf(op);
  if (op->getNumResults() != 1 || op->getNumRegions() != 0 || family.empty() ||
      family == "Control" || family == "Order")
    return std::nullopt;
  double elements = double(elementsOf(op->getResult(0)));
  if (isView(op))
    return 0;
  if (family == "Elementwise")
    return elements * (isDear(op) ? 16 : 1);
  if (family == "Reduction")
    return 2 * double(elementsOf(op->getOperand(0)));
  if (family == "Random")
    return elements * 40;
  if (family == "Shape")
    return isa<nn::ScatterAddOp>(op) ? std::nullopt : std::optional(elements * 2);
  if (auto product = dyn_cast<nn::MatmulOp>(op))
    return (isOfMatrices(op) ? 0.5 : 2.0) * elements *
           double(typicalSize(getShape(product.getX()).back()));
  if (op->getNumOperands() != 2 || (family != "Linear" && !isa<nn::ConvolutionOp>(op)))
    return std::nullopt;
  // As many products for an element as the second operand has numbers for a column or filter.
  Shape shape = getShape(op->getOperand(1));
  if (shape.empty())
    return std::nullopt;
  double columns = double(
      std::max<int64_t>(typicalSize(isa<nn::ConvolutionOp>(op) ? shape.front() : shape.back()), 1));
  return 2 * elements * double(elementsOf(op->getOperand(1))) / columns;
}

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

/// How to compute a value again at one place.
struct Plan {
  Value value;
  /// Where: before the first late use.
  Operation *place = nullptr;
  /// What is computed again, in order.
  llvm::SetVector<Operation *> ops;
  /// What that reads and lives on for it, too.
  llvm::SmallPtrSet<Value, 4> kept;
  double cost = 0;
  int64_t saved = 0;
  /// What it reads besides, and the bytes of all it reads.
  llvm::SmallPtrSet<Value, 8> inputs;
  int64_t read = 0;
  bool hasMatrices = false;

  double ratio() const { return cost / double(saved); }
  /// How many times as much work is allowed. A matrix of much more than its factors, as attention's, spares the way to
  /// far memory and back, too.
  static constexpr double kMostAllowance = 16;
  double allowance() const { return hasMatrices && 3 * read <= 2 * saved ? kMostAllowance : 1; }
};

class Recomputer {
public:
  Recomputer(Block &measuredBlock, double allowedRatio, int64_t allowedBytes, int64_t &nextNumber)
      : block(measuredBlock), maxRatio(allowedRatio), budget(allowedBytes), number(nextNumber) {}

  void run() {
    for (unsigned round = 0, most = block.getOperations().size(); round < most; ++round) {
      Lives lives(block, sizes);
      if (lives.peakBytes <= budget)
        return;
      std::optional<Plan> best = choose(lives);
      if (!best)
        return;
      apply(*best, lives);
    }
  }

private:
  std::optional<Plan> choose(const Lives &lives) {
    std::optional<Plan> best;
    for (Operation *op : ArrayRef(lives.ops).take_front(lives.peak))
      for (Value value : op->getResults()) {
        if (!lives.hasMemory(value) || lives.endOf(value) <= lives.peak || again.contains(value))
          continue;
        std::optional<Plan> plan = planFor(value, lives);
        if (plan && plan->ratio() <= maxRatio * plan->allowance() &&
            (!best || plan->ratio() < best->ratio()))
          best = std::move(plan);
      }
    return best;
  }

  std::optional<Plan> planFor(Value value, const Lives &lives) {
    Plan plan;
    plan.value = value;
    plan.saved = sizes.bytesOf(value);
    plan.place = firstLateUse(value, lives);
    if (!plan.place || !add(value, plan, lives) || plan.saved <= 0)
      return std::nullopt;
    return plan;
  }

  /// The first use after the peak, of the value or of what needs no memory and is computed from it.
  Operation *firstLateUse(Value value, const Lives &lives) {
    Operation *first = nullptr;
    auto consider = [&](Operation *op) {
      if (op && (!first || op->isBeforeInBlock(first)))
        first = op;
    };
    for (Operation *user : value.getUsers()) {
      Operation *ancestor = block.findAncestorOpInBlock(*user);
      if (lives.positionOf(user) > lives.peak)
        consider(ancestor);
      else if (ancestor == user)
        for (Value result : user->getResults())
          if (!lives.hasMemory(result) && lives.endOf(result) > lives.peak)
            consider(firstLateUse(result, lives));
    }
    return first && first->hasTrait<OpTrait::IsTerminator>() ? nullptr : first;
  }

  /// Reads `operand` for `plan` if it lives, or the little that it takes may.
  bool read(Value operand, Plan &plan, const Lives &lives) {
    int64_t bytes = sizes.bytesOf(operand);
    if (lives.isInBlock(operand)) {
      if (!lives.hasMemory(operand))
        return false;
      bool isThere = lives.endOf(operand) > lives.peak;
      if (!isThere && bytes * 8 > sizes.bytesOf(plan.value))
        return false;
      if (!isThere && plan.kept.insert(operand).second)
        plan.saved -= bytes;
    }
    if (plan.inputs.insert(operand).second)
      plan.read += bytes;
    return true;
  }

  /// Adds what computes `value`; false if that cannot be done again.
  bool add(Value value, Plan &plan, const Lives &lives) {
    Operation *op = value.getDefiningOp();
    std::optional<double> cost = costOf(op);
    if (!cost)
      return false;
    plan.cost += *cost;
    if (plan.cost > maxRatio * Plan::kMostAllowance * double(sizes.bytesOf(plan.value)))
      return false;
    plan.hasMatrices |= isOfMatrices(op);
    for (Value operand : op->getOperands())
      if (!plan.ops.contains(operand.getDefiningOp()) && !read(operand, plan, lives) &&
          !add(operand, plan, lives))
        return false;
    plan.ops.insert(op);
    return true;
  }

  //===-- The change ------------------------------------------------------===//

  void apply(const Plan &plan, const Lives &lives) {
    OpBuilder builder(plan.place);
    IRMapping mapping;
    auto wall = builder.getNamedAttr(nn::againAttr, builder.getI64IntegerAttr(number++));
    for (Operation *op : plan.ops) {
      for (Value operand : op->getOperands())
        if (!mapping.contains(operand) && !isConstant(operand)) {
          Operation *same = createInferred(builder, operand.getLoc(),
                                           nn::StopGradientOp::getOperationName(), operand);
          same->setAttr(wall.getName(), wall.getValue());
          mapping.map(operand, same->getResult(0));
        }
      Operation *copy = builder.clone(*op, mapping);
      again.insert(copy->getResult(0));
    }
    replaceLateUses(plan.value, mapping, plan.place, lives);
  }

  static bool isConstant(Value value) {
    return isa_and_nonnull<nn::ConstantOp>(value.getDefiningOp());
  }

  void replaceLateUses(Value value, IRMapping &mapping, Operation *place, const Lives &lives) {
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
      Operation *user = use.getOwner(), *ancestor = block.findAncestorOpInBlock(*user);
      if (ancestor == place || !ancestor->isBeforeInBlock(place)) {
        if (!isWall(user))
          use.set(mapping.lookup(value));
        continue;
      }
      if (ancestor != user || user->getNumResults() != 1 || lives.hasMemory(user->getResult(0)) ||
          lives.endOf(user->getResult(0)) <= lives.peak || mapping.contains(user->getResult(0)))
        continue;
      OpBuilder builder(place);
      builder.clone(*user, mapping);
      replaceLateUses(user->getResult(0), mapping, place, lives);
    }
  }

  /// Whether `op` was made for the computation itself.
  bool isWall(Operation *op) const {
    auto attr = op->getAttrOfType<IntegerAttr>(nn::againAttr);
    return attr && attr.getInt() == number - 1;
  }

  Block &block;
  Sizes sizes;
  double maxRatio;
  int64_t budget;
  int64_t &number;
  llvm::SmallPtrSet<Value, 32> again;
};

class Recompute : public impl::RecomputePassBase<Recompute> {
  using RecomputePassBase::RecomputePassBase;

  void runOnOperation() override {
    int64_t number = 0;
    for (Block *block : stepBlocks(getOperation()))
      Recomputer(*block, ratio, budget, number).run();
  }
};

} // namespace
} // namespace nnc
