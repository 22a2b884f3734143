//===- AssignLayouts.cpp - Choose the order of axes in temporaries --------===//
//
// A temporary need not lie in memory as its axes are written. Where a contraction wants an axis last that is
// not, a convolution its channels, that axis is moved to the end in its result and in all temporaries that
// share loops over the axis with it: what is added to it, its activation, its derivatives. They move together
// or not at all, whichever takes less time by the estimates of KernelCost.
//
// What is reshaped across the axis, and what the caller provides, stays.
//
//===----------------------------------------------------------------------===//
#include "CPU/KernelCost.h"
#include "KernelLoops.h"
#include "PassTarget.h"
#include "PermuteBuffer.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_ASSIGNLAYOUTSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Whether `op` is like a product of matrices: two inputs are summed over, each again and again.
bool isContraction(linalg::GenericOp op) {
  unsigned factors = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    bool isReduced = false;
    for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray()))
      isReduced |= kind == utils::IteratorType::reduction && map.isFunctionOfDim(dim);
    factors += isReduced && isReused(op, map, op.getNumLoops());
  }
  return factors >= 2 && op.getNumDpsInits() == 1;
}

/// Temporaries that share loops over an axis, each with that axis.
using Group = llvm::MapVector<Operation *, int64_t>;

class Assigner {
public:
  Assigner(func::FuncOp func, const TargetDescription &description)
      : function(func), target(description), rewriter(func.getContext()) {}

  void run();

private:
  bool moveSome();
  std::optional<BufferAxis> findSeed(linalg::GenericOp op);
  Group collectGroup(BufferAxis seed);
  llvm::SetVector<Operation *> usersOf(const Group &group);
  double costOf(const llvm::SetVector<Operation *> &ops);
  memref::AllocOp moveAxis(memref::AllocOp alloc, int64_t from, int64_t to);

  func::FuncOp function;
  const TargetDescription &target;
  IRRewriter rewriter;
  llvm::DenseSet<Operation *> assigned;
};

/// The axis of a temporary that the vectors of contraction `op` would rather go along than its last one, or as well.
std::optional<BufferAxis> Assigner::findSeed(linalg::GenericOp op) {
  if (!isContraction(op))
    return std::nullopt;
  OpOperand *output = op.getDpsInitOperand(0);
  AffineMap map = op.getMatchingIndexingMap(output);
  constexpr double kAsWell = 1.1;
  std::optional<BufferAxis> best;
  double least = std::numeric_limits<double>::max();
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      continue;
    bool isLast = axis + 1 == map.getNumResults();
    double cost = elementCost(op, dim.getPosition(), target) * (isLast ? kAsWell : 1);
    if (cost < least) {
      least = cost;
      best = findAxis(output->get(), axis);
    }
  }
  if (!best || best->rank() < 3 || best->axis == best->rank() - 1 ||
      assigned.contains(best->alloc) || !canMove(*best))
    return std::nullopt;
  return best;
}

Group Assigner::collectGroup(BufferAxis seed) {
  Group group;
  SmallVector<BufferAxis> worklist = {seed};
  auto take = [&](BufferAxis next) {
    if (next.rank() >= 3 && !assigned.contains(next.alloc) && canMove(next) &&
        group.insert({next.alloc, next.axis}).second)
      worklist.push_back(next);
  };
  group.insert({seed.alloc, seed.axis});
  while (!worklist.empty()) {
    forEachUse(worklist.pop_back_val(), [&](OpOperand &use, int64_t axis) {
      auto op = dyn_cast<linalg::GenericOp>(use.getOwner());
      if (!op || isContraction(op))
        return;
      AffineExpr loop = op.getMatchingIndexingMap(&use).getResult(axis);
      if (!isa<AffineDimExpr>(loop))
        return;
      for (OpOperand &other : op->getOpOperands()) {
        auto place = op.getMatchingIndexingMap(&other).getResultPosition(loop);
        if (std::optional<BufferAxis> next = place ? findAxis(other.get(), *place) : std::nullopt)
          take(*next);
      }
    });
  }
  return group;
}

/// The operations that use the group.
llvm::SetVector<Operation *> Assigner::usersOf(const Group &group) {
  llvm::SetVector<Operation *> users;
  for (auto [alloc, axis] : group)
    forEachUse({cast<memref::AllocOp>(alloc), axis}, [&](OpOperand &use, int64_t) {
      if (isa<linalg::GenericOp>(use.getOwner()))
        users.insert(use.getOwner());
    });
  return users;
}

double Assigner::costOf(const llvm::SetVector<Operation *> &ops) {
  double cost = 0;
  for (Operation *op : ops)
    cost += kernelCost(cast<linalg::GenericOp>(op), target);
  return cost;
}

/// Makes axis `from` of a temporary its axis `to`.
memref::AllocOp Assigner::moveAxis(memref::AllocOp alloc, int64_t from, int64_t to) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(alloc.getType().getRank()));
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return permuteBuffer(rewriter, alloc, order);
}

/// Moves what gains by it as the others lie; whether there was any.
bool Assigner::moveSome() {
  bool movesAny = false;
  // Each group is tried once.
  llvm::DenseSet<Operation *> stayed;
  SmallVector<linalg::GenericOp> ops;
  function.walk([&](linalg::GenericOp op) { ops.push_back(op); });
  for (linalg::GenericOp op : ops) {
    std::optional<BufferAxis> seed = findSeed(op);
    if (!seed || stayed.contains(seed->alloc))
      continue;
    Group group = collectGroup(*seed);
    llvm::SetVector<Operation *> users = usersOf(group);
    double before = costOf(users);
    SmallVector<memref::AllocOp> moved;
    for (auto [alloc, axis] : group) {
      auto buffer = cast<memref::AllocOp>(alloc);
      stayed.erase(alloc);
      moved.push_back(moveAxis(buffer, axis, buffer.getType().getRank() - 1));
    }
    if (costOf(users) >= before) {
      for (auto [buffer, was] : llvm::zip_equal(moved, group))
        stayed.insert(moveAxis(buffer, buffer.getType().getRank() - 1, was.second));
      continue;
    }
    remarkDone(op.getLoc(), "assign-layouts") << remark::add(
        "{0} temporaries lie with the axis last along which vectors are fullest", moved.size());
    assigned.insert_range(moved);
    movesAny = true;
  }
  return movesAny;
}

void Assigner::run() {
  // What gained nothing may do so with others moved.
  while (moveSome())
    ;
}

class AssignLayouts : public impl::AssignLayoutsPassBase<AssignLayouts> {
  using AssignLayoutsPassBase::AssignLayoutsPassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    generalizeKernels(rewriter, getOperation());
    Assigner(getOperation(), *target).run();
  }
};

} // namespace
} // namespace nnc
