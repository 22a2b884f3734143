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
#include "KernelCost.h"
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
  std::optional<BufferAxis> findSeed(linalg::GenericOp op);
  Group collectGroup(BufferAxis seed);
  double costOf(const Group &group);
  Group moveAxes(const Group &group,
                 function_ref<std::pair<int64_t, int64_t>(int64_t, int64_t)> how);

  func::FuncOp function;
  const TargetDescription &target;
  IRRewriter rewriter;
  llvm::DenseSet<Operation *> assigned;
};

/// The axis of a temporary that the vectors of contraction `op` would rather go along than its last one.
std::optional<BufferAxis> Assigner::findSeed(linalg::GenericOp op) {
  if (!isContraction(op))
    return std::nullopt;
  OpOperand *output = op.getDpsInitOperand(0);
  AffineMap map = op.getMatchingIndexingMap(output);
  std::optional<BufferAxis> best;
  double least = std::numeric_limits<double>::max();
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      continue;
    double cost = elementCost(op, dim.getPosition(), target);
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

/// What all operations take that use the group.
double Assigner::costOf(const Group &group) {
  llvm::SetVector<Operation *> users;
  for (auto [alloc, axis] : group)
    forEachUse({cast<memref::AllocOp>(alloc), axis},
               [&](OpOperand &use, int64_t) { users.insert(use.getOwner()); });
  double cost = 0;
  for (Operation *user : users)
    if (auto op = dyn_cast<linalg::GenericOp>(user))
      cost += kernelCost(op, target);
  return cost;
}

/// Moves an axis of every temporary: `how` says which, and where to, given its number and the rank.
Group Assigner::moveAxes(const Group &group,
                         function_ref<std::pair<int64_t, int64_t>(int64_t, int64_t)> how) {
  Group moved;
  for (auto [op, axis] : group) {
    auto alloc = cast<memref::AllocOp>(op);
    int64_t rank = alloc.getType().getRank();
    auto [from, to] = how(axis, rank);
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < rank; ++i)
      if (i != from)
        order.push_back(i);
    order.insert(order.begin() + to, from);
    moved.insert({permuteBuffer(rewriter, alloc, order), to});
  }
  return moved;
}

void Assigner::run() {
  SmallVector<linalg::GenericOp> ops;
  function.walk([&](linalg::GenericOp op) { ops.push_back(op); });
  for (linalg::GenericOp op : ops) {
    std::optional<BufferAxis> seed = findSeed(op);
    if (!seed)
      continue;
    Group group = collectGroup(*seed);
    double before = costOf(group);
    Group moved =
        moveAxes(group, [](int64_t axis, int64_t rank) { return std::pair(axis, rank - 1); });
    double after = costOf(moved);
    if (after < before) {
      remarkDone(op.getLoc(), "assign-layouts") << remark::add(
          "{0} temporaries lie with the axis last along which vectors are fullest", moved.size());
    } else {
      // Back to where they came from.
      Group back;
      for (auto [now, was] : llvm::zip_equal(moved, group))
        back.insert({now.first, was.second});
      moved = moveAxes(back, [](int64_t axis, int64_t rank) { return std::pair(rank - 1, axis); });
    }
    for (auto [alloc, axis] : moved)
      assigned.insert(alloc);
  }
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
