//===- BindingTime.cpp - What of a function is known early ----------------===//
//
// Every buffer of known size is taken for early at first; those that cannot be are struck out until no
// more are.
//
//===----------------------------------------------------------------------===//
#include "BindingTime.h"

#include "BufferPlaces.h"
#include "ConcreteSizes.h"
#include "LoopCost.h"
#include "nnc/IR/NN.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nnc {

/// A part of a call that is spared is worth memory from this many operations an element on, and this many
/// times the memory of what it is made of otherwise.
constexpr int64_t kWorthwhileCost = 8, kWorthwhileGrowth = 2;

static int64_t bytesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return type.getNumElements() * elementBytes(type);
}

static bool isView(Operation *op) {
  return op->getNumResults() == 1 && isa<MemRefType>(op->getResult(0).getType()) && isPure(op);
}

static void collectUsers(Value buffer, SmallVectorImpl<Operation *> &users) {
  for (Operation *user : buffer.getUsers()) {
    if (isView(user))
      collectUsers(user->getResult(0), users);
    else if (!isa<memref::DeallocOp>(user))
      users.push_back(user);
  }
}

/// Whether an output of `op` lies in `buffer`.
static bool writes(linalg::LinalgOp op, Value buffer) {
  return llvm::any_of(op.getDpsInits(), [&](Value init) { return rootBuffer(init) == buffer; });
}

/// Whether the body of `op` reads memory at most.
static bool onlyReads(linalg::LinalgOp op) {
  return !op->walk([](Operation *inner) {
              bool harmless = isa<linalg::LinalgOp, memref::LoadOp>(inner) || isPure(inner) ||
                              inner->hasTrait<OpTrait::IsTerminator>();
              return harmless ? WalkResult::advance() : WalkResult::interrupt();
            }).wasInterrupted();
}

/// Parameters and states that `function` does not update.
static SmallVector<BlockArgument> findEarlyArguments(func::FuncOp function) {
  SmallVector<BlockArgument> found;
  for (BlockArgument argument : function.getArguments()) {
    unsigned position = argument.getArgNumber();
    auto role = function.getArgAttrOfType<StringAttr>(position, nn::roleAttr);
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (role && (role == "param" || role == "state") && type && type.hasStaticShape() &&
        function.getArgAttr(position, kBufferAttr) && !function.getArgAttr(position, kUpdatedAttr))
      found.push_back(argument);
  }
  return found;
}

BindingTimes::BindingTimes(func::FuncOp function) : arguments(findEarlyArguments(function)) {
  for (BlockArgument argument : arguments) {
    early.insert(argument);
    collectUsers(argument, users[argument]);
  }
  SmallVector<memref::AllocOp> candidates;
  function.walk([&](memref::AllocOp alloc) {
    if (!alloc.getType().hasStaticShape())
      return;
    candidates.push_back(alloc);
    early.insert(alloc);
    collectUsers(alloc, users[alloc]);
  });
  for (bool changed = true; changed;) {
    changed = false;
    for (memref::AllocOp alloc : candidates) {
      SmallVector<linalg::LinalgOp> writers;
      if (!early.contains(alloc))
        continue;
      bool isPossible = canBeEarly(alloc, writers);
      if (isPossible && (!isReadLate(alloc) || saves(alloc, writers)))
        continue;
      if (isPossible)
        repeated.push_back(writers.back());
      changed = early.erase(alloc);
    }
  }
  llvm::copy_if(candidates, std::back_inserter(buffers),
                [&](memref::AllocOp alloc) { return early.contains(alloc); });
  function.walk([&](linalg::LinalgOp op) {
    if (isEarly(op))
      operations.push_back(op);
  });
}

bool BindingTimes::isEarly(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op || isa<memref::AllocOp>(op))
    return early.contains(value);
  return isa<memref::GetGlobalOp>(op) ||
         (op->getNumRegions() == 0 && isPure(op) &&
          llvm::all_of(op->getOperands(), [&](Value operand) { return isEarly(operand); }));
}

bool BindingTimes::isEarly(linalg::LinalgOp op) const {
  llvm::SetVector<Value> used(op->getOperands().begin(), op->getOperands().end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  bool readsEarly = llvm::all_of(used, [&](Value value) {
    auto type = dyn_cast<MemRefType>(value.getType());
    return (!type || type.hasStaticShape()) && isEarly(value);
  });
  bool writesOwn = llvm::all_of(op.getDpsInits(), [&](Value init) {
    auto alloc = rootBuffer(init).getDefiningOp<memref::AllocOp>();
    return alloc && alloc->getBlock() == op->getBlock();
  });
  return readsEarly && writesOwn && onlyReads(op);
}

bool BindingTimes::canBeEarly(memref::AllocOp alloc,
                              SmallVectorImpl<linalg::LinalgOp> &writers) const {
  SmallVector<Operation *> lateReaders;
  Operation *lastWrite = nullptr;
  for (Operation *user : users.at(alloc)) {
    auto op = dyn_cast<linalg::LinalgOp>(user);
    bool isEarlyUser = op && isEarly(op);
    if (op && writes(op, alloc)) {
      if (!isEarlyUser)
        return false;
      writers.push_back(op);
      if (!lastWrite || lastWrite->isBeforeInBlock(op))
        lastWrite = op;
    } else if (!op && !isa<memref::LoadOp, memref::DimOp>(user)) {
      return false;
    } else if (!isEarlyUser) {
      lateReaders.push_back(user);
    }
  }
  if (writers.empty())
    return false;
  for (Operation *reader : lateReaders) {
    Operation *ancestor = alloc->getBlock()->findAncestorOpInBlock(*reader);
    if (!ancestor || !lastWrite->isBeforeInBlock(ancestor))
      return false;
  }
  return true;
}

/// Whether to keep `alloc` is better than to compute it in each call.
bool BindingTimes::saves(memref::AllocOp alloc, ArrayRef<linalg::LinalgOp> writers) const {
  llvm::SetVector<Value> sources;
  int64_t cost = 0, read = 0;
  for (linalg::LinalgOp op : writers) {
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    if (!generic)
      continue;
    int64_t iterations = 1;
    for (int64_t size : generic.getStaticLoopRanges())
      iterations *= size;
    cost += bodyCost(generic) * iterations;
    for (Value input : generic.getInputs())
      if (sources.insert(rootBuffer(input)))
        read += bytesOf(rootBuffer(input));
  }
  return bytesOf(alloc) <= kWorthwhileGrowth * read ||
         cost >= kWorthwhileCost * alloc.getType().getNumElements();
}

bool BindingTimes::isReadLate(Value buffer) const {
  return llvm::any_of(users.at(buffer), [&](Operation *user) {
    auto op = dyn_cast<linalg::LinalgOp>(user);
    return !op || !isEarly(op);
  });
}

} // namespace nnc
