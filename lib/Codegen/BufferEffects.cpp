//===- BufferEffects.cpp - What an operation does to memory ---------------===//
#include "BufferEffects.h"

#include "BufferPlaces.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace nnc {

void BufferEffects::add(Operation *op) {
  if (isPure(op) || isa<memref::AllocOp>(op))
    return;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    for (Value input : linalgOp.getDpsInputs())
      if (isa<BaseMemRefType>(input.getType()))
        reads.insert(rootBuffer(input));
    for (Value output : linalgOp.getDpsInits()) {
      reads.insert(rootBuffer(output));
      writes.insert(rootBuffer(output));
    }
    // The body of an operation may read where it likes.
    op->walk([&](memref::LoadOp load) { reads.insert(rootBuffer(load.getMemRef())); });
    return;
  }
  if (auto load = dyn_cast<memref::LoadOp>(op))
    reads.insert(rootBuffer(load.getMemRef()));
  else
    touchesAll = true;
}

void BufferEffects::addDeclared(Operation *root) {
  root->walk([&](Operation *op) {
    if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
        op->hasTrait<OpTrait::IsTerminator>() ||
        isa<gpu::LaunchOp, gpu::BarrierOp, memref::AllocOp>(op) || isPure(op))
      return;
    SmallVector<MemoryEffects::EffectInstance> effects;
    auto known = dyn_cast<MemoryEffectOpInterface>(op);
    if (known)
      known.getEffects(effects);
    touchesAll |= !known;
    for (const MemoryEffects::EffectInstance &effect : effects)
      if (Value buffer = effect.getValue(); !buffer)
        touchesAll = true;
      else if (isa<MemoryEffects::Read>(effect.getEffect()))
        reads.insert(rootBuffer(buffer));
      else if (isa<MemoryEffects::Write>(effect.getEffect()))
        writes.insert(rootBuffer(buffer));
  });
}

void BufferEffects::add(const BufferEffects &other) {
  reads.insert(other.reads.begin(), other.reads.end());
  writes.insert(other.writes.begin(), other.writes.end());
  touchesAll |= other.touchesAll;
}

bool BufferEffects::conflictsWith(const BufferEffects &other) const {
  if (empty() || other.empty())
    return false;
  auto isIn = [](const auto &set) { return [&](Value root) { return set.contains(root); }; };
  return touchesAll || other.touchesAll || llvm::any_of(writes, isIn(other.reads)) ||
         llvm::any_of(writes, isIn(other.writes)) || llvm::any_of(other.writes, isIn(reads));
}

bool areWriters(Value root, function_ref<bool(Operation *)> isExpected) {
  SmallVector<Value> views = {root};
  while (!views.empty())
    for (OpOperand &use : views.pop_back_val().getUses()) {
      auto op = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
      if (isPure(use.getOwner()))
        llvm::append_range(views, use.getOwner()->getResults());
      else if (!(op && op.isDpsInput(&use)) && !isExpected(use.getOwner()))
        return false;
    }
  return true;
}

} // namespace nnc
