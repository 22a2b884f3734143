//===- FuseTiles.cpp - Matrices that are nowhere as a whole ---------------===//
//
// What attention does with its matrix of weights, forwards and backwards, in kernels of which each block goes along
// rows or columns of it, tile by tile. Each kernel makes the tiles that it needs from what they are made of; that is
// some products more, and nothing of the size of the matrix in memory.
//
//   in     linalg.generic on buffers
//   out    some of them in scf.parallel loops, the iterations of which are blocks
//
//===----------------------------------------------------------------------===//
#include "FusionGrowth.h"
#include "GPU/Contraction.h"
#include "SharedMemory.h"
#include "TileGroupEmitter.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSETILESPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// The groups of a block of the program that can be written together.
class TilePlan {
public:
  explicit TilePlan(const FusionCandidates &all) : candidates(all) {
    findGroups();
    do
      findGone();
    while (dropUnfit());
  }

  ArrayRef<TileGroup> groups() const { return found; }
  /// Whether anything that stays reads what is summed in `root`.
  bool isNeeded(Value root, const TileGroup &group) const;
  /// What the groups are in place of, and all that only they need, the last one first.
  SmallVector<const FusionMember *> replaced() const;

private:
  void findGroups();
  void findGone();
  bool dropUnfit();
  bool canWait(const TileGroup &group) const;
  bool isFit(const TileGroup &group) const;
  bool isReadBehind(Value root, const FusionMember &writer) const;
  bool isGone(Operation *op) const;
  const TileGroup *groupWithSum(const FusionMember *member) const;
  bool isLeafThere(Value leaf, const TileMember &reader, const TileGroup &group) const;

  const FusionCandidates &candidates;
  std::vector<TileGroup> found;
  DenseSet<Operation *> gone;
};

void TilePlan::findGroups() {
  /// Blocks that are too few for a GPU.
  constexpr double kFewestTurns = 64;
  for (const FusionCandidates::Step &step : candidates.steps()) {
    const FusionMember *member = candidates.memberOf(step.op);
    std::optional<TileGroup> group = member ? TileGroup::find(candidates, *member) : std::nullopt;
    if (!group || !group->isOfProducts() || group->countTurns() < kFewestTurns)
      continue;
    bool isAdded = false;
    for (TileGroup &known : llvm::reverse(found))
      if (std::optional<TileGroup> both = known.with(*group); both && canWait(*both)) {
        known = *both;
        isAdded = true;
        break;
      }
    if (!isAdded)
      found.push_back(*group);
  }
  llvm::sort(found, [](const TileGroup &left, const TileGroup &right) {
    return left.last().position < right.last().position;
  });
}

/// Whether nothing but what makes tiles needs the sums of `group` before its last member, where it is written, nor
/// overwrites what it reads.
bool TilePlan::canWait(const TileGroup &group) const {
  unsigned place = group.last().position;
  auto makesTile = [&](Operation *op) {
    const FusionMember *other = candidates.memberOf(op);
    return other &&
           llvm::any_of(group.tiles(), [&](auto &tile) { return other->writes(tile.first); });
  };
  for (const TileMember &member : group.members()) {
    SmallVector<Value> leaves = group.leavesOf(member);
    for (unsigned position = member.member->position; position < place; ++position) {
      const FusionCandidates::Step &step = candidates.steps()[position];
      if (llvm::any_of(leaves, [&](Value leaf) { return step.effects.mayWrite(leaf); }))
        return false;
      if (position == member.member->position || !member.isSum || makesTile(step.op))
        continue;
      for (const BufferAccess &access : member.member->accesses)
        if (access.isWrite && step.effects.mayTouch(access.root))
          return false;
    }
  }
  return true;
}

bool TilePlan::isGone(Operation *op) const {
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return llvm::any_of(gone, [&](Operation *other) {
      return llvm::is_contained(candidates.memberOf(other)->fills, fill);
    });
  return gone.contains(op);
}

/// Whether what stays touches what `writer` leaves in `root`.
bool TilePlan::isReadBehind(Value root, const FusionMember &writer) const {
  Block *block = writer.op->getBlock();
  if (!root.getDefiningOp<memref::AllocOp>() || root.getParentBlock() != block)
    return true;
  SmallVector<Value> views = {root};
  while (!views.empty())
    for (Operation *user : views.pop_back_val().getUsers()) {
      if (isPure(user)) {
        llvm::append_range(views, user->getResults());
        continue;
      }
      Operation *place = block->findAncestorOpInBlock(*user);
      if (!place || (writer.op->isBeforeInBlock(place) && !isGone(place)))
        return true;
    }
  return false;
}

bool TilePlan::isNeeded(Value root, const TileGroup &group) const {
  return llvm::any_of(group.members(),
                      [&](const TileMember &member) {
                        return member.isSum && member.member->writes(root) &&
                               isReadBehind(root, *member.member);
                      }) ||
         llvm::any_of(found, [&](const TileGroup &other) {
           return &other != &group && llvm::any_of(other.members(), [&](const TileMember &member) {
             return llvm::is_contained(other.leavesOf(member), root);
           });
         });
}

/// Finds what nobody needs once the groups are written.
void TilePlan::findGone() {
  gone.clear();
  std::vector<const FusionMember *> pulled;
  for (const TileGroup &group : found)
    for (const TileMember &member : group.members())
      if (member.isSum)
        gone.insert(member.member->op);
      else
        pulled.push_back(member.member);
  llvm::sort(pulled, [](const FusionMember *left, const FusionMember *right) {
    return left->position > right->position;
  });
  for (const FusionMember *member : pulled)
    if (llvm::none_of(member->accesses, [&](const BufferAccess &access) {
          return access.isWrite && isReadBehind(access.root, *member);
        }))
      gone.insert(member->op);
}

/// The group that has `member` as one of its sums.
const TileGroup *TilePlan::groupWithSum(const FusionMember *member) const {
  for (const TileGroup &group : found)
    for (const TileMember &other : group.members())
      if (other.isSum && other.member == member)
        return &group;
  return nullptr;
}

/// Whether what `reader` reads from `leaf` has been written where `group` is.
bool TilePlan::isLeafThere(Value leaf, const TileMember &reader, const TileGroup &group) const {
  unsigned place = group.last().position;
  if (const FusionMember *writer = candidates.lastWriter(leaf, reader.member->position)) {
    const TileGroup *other = groupWithSum(writer);
    if (other ? other->last().position >= place : gone.contains(writer->op))
      return false;
  }
  return true;
}

bool TilePlan::isFit(const TileGroup &group) const {
  unsigned place = group.last().position;
  if (!canWait(group))
    return false;
  for (const TileMember &member : group.members()) {
    // What is made again for a group should not be made for others as well.
    if (!member.isSum && findContraction(member.member->op) && !gone.contains(member.member->op))
      return false;
    for (Value leaf : group.leavesOf(member))
      if (!isLeafThere(leaf, member, group))
        return false;
    for (unsigned position = member.member->position + 1; member.isSum && position < place;
         ++position) {
      const FusionCandidates::Step &step = candidates.steps()[position];
      for (const BufferAccess &access : member.member->accesses)
        if (access.isWrite && step.effects.mayTouch(access.root) && !isGone(step.op))
          return false;
    }
  }
  return true;
}

/// Drops a group that cannot be written, or need not; whether there was one.
bool TilePlan::dropUnfit() {
  for (auto group = found.begin(); group != found.end(); ++group)
    if (!isFit(*group)) {
      found.erase(group);
      return true;
    }
  return false;
}

SmallVector<const FusionMember *> TilePlan::replaced() const {
  SmallVector<const FusionMember *> members;
  for (const FusionCandidates::Step &step : llvm::reverse(candidates.steps()))
    if (gone.contains(step.op))
      members.push_back(candidates.memberOf(step.op));
  return members;
}

class FuseTiles : public impl::FuseTilesPassBase<FuseTiles> {
  using FuseTilesPassBase::FuseTilesPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (Block *block : prepareBlocks(rewriter, getOperation()))
      fuse(rewriter, *block);
  }

  void fuse(IRRewriter &rewriter, Block &block) {
    FusionCandidates candidates(
        block, usualSharedBytes(sharedBytes), [](linalg::GenericOp) { return true; },
        /*isCache=*/false);
    TilePlan plan(candidates);
    if (plan.groups().empty())
      return;
    for (const TileGroup &group : plan.groups()) {
      remarkDone(group.last().location(), "fuse-tiles")
          << remark::add("{0} operations on tiles of {1} x {2}", group.members().size(),
                         group.blockOf(group.anchor()), group.blockOf(group.stream()));
      TileGroupEmitter(rewriter, group).emit([&](Value sum) { return plan.isNeeded(sum, group); });
    }
    for (const FusionMember *member : plan.replaced()) {
      for (linalg::FillOp fill : member->fills)
        rewriter.eraseOp(fill);
      rewriter.eraseOp(member->op);
    }
    eraseUnreadMasks(rewriter, block);
  }
};

} // namespace
} // namespace nnc
