//===- FusionCandidates.cpp - The operations of a block and their buffers --===//
#include "BufferPlaces.h"
#include "FusionGroup.h"
#include "KernelFills.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

using AxisLoops = SmallVector<std::optional<unsigned>>;

bool isUnit(Value buffer, int64_t axis) {
  return cast<MemRefType>(buffer.getType()).getDimSize(axis) == 1;
}

/// The axis of `buffer` among these that is not of size one, if there is one only.
std::optional<int64_t> findOnlyAxis(Value buffer, ArrayRef<int64_t> axes) {
  std::optional<int64_t> only;
  for (int64_t axis : axes) {
    if (isUnit(buffer, axis))
      continue;
    if (only)
      return std::nullopt;
    only = axis;
  }
  return only;
}

/// What walks the axes of the source of `view`, whose own axes are walked by `loops`. `hasOwnAxes` is cleared where
/// the two have other axes, but for some of size one.
AxisLoops loopsOfSource(Operation *view, const AxisLoops &loops, bool &hasOwnAxes) {
  auto hasAxes = [](Value buffer, ArrayRef<int64_t> axes) {
    return llvm::any_of(axes, [&](int64_t axis) { return !isUnit(buffer, axis); });
  };
  Value source = view->getOperand(0), result = view->getResult(0);
  AxisLoops found(cast<MemRefType>(source.getType()).getRank());
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(view)) {
    for (auto [axis, group] : llvm::enumerate(expand.getReassociationIndices()))
      if (std::optional<int64_t> only = findOnlyAxis(result, group))
        found[axis] = loops[*only];
      else
        hasOwnAxes &= !hasAxes(result, group);
  } else if (auto collapse = dyn_cast<memref::CollapseShapeOp>(view)) {
    for (auto [axis, group] : llvm::enumerate(collapse.getReassociationIndices()))
      if (std::optional<int64_t> only = findOnlyAxis(source, group))
        found[*only] = loops[axis];
      else
        hasOwnAxes &= !hasAxes(source, group);
  } else {
    hasOwnAxes = false;
  }
  return found;
}

BufferAccess makeAccess(linalg::GenericOp op, OpOperand &operand) {
  AxisLoops viewLoops;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    viewLoops.push_back(loop ? std::optional(loop.getPosition()) : std::nullopt);
  }
  Value root = rootBuffer(operand.get());
  AxisLoops loops = viewLoops;
  bool hasOwnAxes = true;
  for (Value view = operand.get(); view != root; view = view.getDefiningOp()->getOperand(0))
    loops = loopsOfSource(view.getDefiningOp(), loops, hasOwnAxes);
  return {&operand, root, op.isDpsInit(&operand), viewLoops, loops, hasOwnAxes};
}

/// Whether all that `op` touches are its operands, each of which it walks along its axes.
bool isPlain(linalg::GenericOp op) {
  auto isArithmetic = [](Operation &inner) { return isPure(&inner) && inner.getNumRegions() == 0; };
  return op.getNumParallelLoops() != 0 &&
         llvm::all_of(op.getBody()->without_terminator(), isArithmetic) &&
         llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) {
           return map.isProjectedPermutation(/*allowZeroInResults=*/true);
         });
}

} // namespace

FusionCandidates::FusionCandidates(Block &block, int64_t nearBytes,
                                   function_ref<bool(linalg::GenericOp)> isWanted, bool isCache)
    : near(double(nearBytes)), nearIsCache(isCache) {
  for (Operation &op : block) {
    BufferEffects effects(&op);
    if (effects.empty())
      continue;
    if (auto generic = dyn_cast<linalg::GenericOp>(op);
        generic && isPlain(generic) && isWanted(generic)) {
      FusionMember &member = allMembers.emplace_back();
      member.op = generic;
      byOp[generic] = &member;
      member.position = allSteps.size();
      for (OpOperand &operand : generic->getOpOperands())
        if (isa<MemRefType>(operand.get().getType()))
          member.accesses.push_back(makeAccess(generic, operand));
      for (OpOperand &output : generic.getDpsInitsMutable())
        if (generic.payloadUsesValueFromOperand(&output))
          if (linalg::FillOp fill = findFill(generic, output))
            member.fills.push_back(fill);
      for (const BufferAccess &access : member.accesses) {
        SmallVector<const FusionMember *> &known = byRoot[access.root];
        if (known.empty() || known.back() != &member)
          known.push_back(&member);
      }
    }
    allSteps.push_back({&op, std::move(effects)});
  }
  findMasks(block);
}

void FusionCandidates::findMasks(Block &block) {
  for (auto generic : block.getOps<linalg::GenericOp>())
    if (std::optional<BandMask> mask = BandMask::match(generic)) {
      Value root = generic.getOutputs().front();
      auto isWriter = [&](Operation *op) { return op == generic; };
      if (root.getDefiningOp<memref::AllocOp>() && areWriters(root, isWriter))
        masks.try_emplace(root, *mask);
    }
}

const BandMask *FusionCandidates::maskIn(Value root) const {
  auto mask = masks.find(root);
  return mask == masks.end() ? nullptr : &mask->second;
}

bool FusionMember::writes(Value root) const {
  return llvm::any_of(
      accesses, [&](const BufferAccess &access) { return access.root == root && access.isWrite; });
}

bool FusionCandidates::isTaken(unsigned first, unsigned last) const {
  return llvm::any_of(taken,
                      [&](auto range) { return range.first <= last && first <= range.second; });
}

ArrayRef<const FusionMember *> FusionCandidates::membersWith(Value root) const {
  auto place = byRoot.find(root);
  return place == byRoot.end() ? ArrayRef<const FusionMember *>() : place->second;
}

const FusionMember *FusionCandidates::lastWriter(Value root, unsigned position) const {
  while (position-- > 0) {
    const Step &step = allSteps[position];
    if (!step.effects.mayWrite(root))
      continue;
    const FusionMember *member = memberOf(step.op);
    for (const BufferAccess &access :
         member ? ArrayRef(member->accesses) : ArrayRef<BufferAccess>())
      if (access.root == root && access.isWrite && access.hasOwnAxes &&
          llvm::all_of(llvm::enumerate(access.loops),
                       [&](auto axis) { return axis.value() || isUnit(root, axis.index()); }))
        return member;
    return nullptr;
  }
  return nullptr;
}

bool FusionCandidates::isOnlyTouchedBy(Value root, ArrayRef<const FusionMember *> members) const {
  SmallVector<Value> views = {root};
  while (!views.empty())
    for (Operation *user : views.pop_back_val().getUsers()) {
      bool isKnown = llvm::any_of(members, [&](const FusionMember *member) {
        return member->op == user || llvm::is_contained(member->fills, user);
      });
      if (!isKnown && !isPure(user))
        return false;
      if (isPure(user))
        llvm::append_range(views, user->getResults());
    }
  return true;
}

bool FusionCandidates::isLocal(Value root) const {
  ArrayRef<const FusionMember *> members = membersWith(root);
  return root.getDefiningOp<memref::AllocOp>() && !members.empty() &&
         members.back()->position - members.front()->position <= kMostSteps &&
         isOnlyTouchedBy(root, members);
}

} // namespace nnc
