//===- FusionGrowth.cpp - Which operations share their outer loops --------===//
#include "FusionGrowth.h"

#include "KernelLoops.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {

SmallVector<Block *> prepareBlocks(IRRewriter &rewriter, func::FuncOp function) {
  generalizeKernels(rewriter, function);
  SmallVector<Block *> blocks;
  function.walk([&](Block *block) {
    // The blocks of threads of a GPU are what they are to be.
    if (isa<func::FuncOp, scf::ForOp>(block->getParentOp()) &&
        !block->getParentOp()->getParentOfType<scf::ParallelOp>())
      blocks.push_back(block);
  });
  return blocks;
}

/// Operations that meet the group in memory, the nearest first.
static SmallVector<const FusionMember *> findNeighbours(const FusionCandidates &candidates,
                                                        const FusionGroup &group) {
  unsigned first = group.members().front()->position, last = group.members().back()->position;
  auto distance = [&](const FusionMember *member) {
    unsigned position = member->position;
    return position < first ? first - position : position > last ? position - last : 0;
  };
  llvm::SetVector<const FusionMember *> found;
  for (Value root : group.roots())
    for (const FusionMember *member : candidates.membersWith(root))
      if ((group.isWritten(root) || member->writes(root)) &&
          distance(member) <= FusionCandidates::kMostSteps && !group.contains(member->op))
        found.insert(member);
  SmallVector<const FusionMember *> neighbours = found.takeVector();
  llvm::sort(neighbours, [&](const FusionMember *left, const FusionMember *right) {
    return std::pair(distance(left), left->position) < std::pair(distance(right), right->position);
  });
  return neighbours;
}

/// `group` with the one more that it gains most by, or with two, where that one needs another.
static std::optional<FusionGroup> growOnce(const FusionCandidates &candidates,
                                           const FusionGroup &group) {
  SmallVector<const FusionMember *> neighbours = findNeighbours(candidates, group);
  std::optional<FusionGroup> best;
  for (const FusionMember *member : neighbours)
    if (std::optional<FusionGroup> grown = group.with(*member);
        grown && (!best || grown->savedBytes() > best->savedBytes()))
      best = grown;
  if (best)
    return best;
  for (const FusionMember *member : neighbours)
    if (std::optional<FusionGroup> grown = group.with(*member, /*mustGain=*/false))
      for (const FusionMember *next : findNeighbours(candidates, *grown))
        if (std::optional<FusionGroup> both = grown->with(*next);
            both && both->savedBytes() > group.savedBytes())
          return both;
  return std::nullopt;
}

FusionGroup growGroup(const FusionCandidates &candidates, const FusionMember &first) {
  FusionGroup group(candidates, first);
  while (std::optional<FusionGroup> grown = growOnce(candidates, group))
    group = *grown;
  return group;
}

/// Members compare where they are with each other instead of reading these.
void eraseUnreadMasks(IRRewriter &rewriter, Block &block) {
  for (auto op : llvm::make_early_inc_range(block.getOps<linalg::GenericOp>())) {
    if (!BandMask::match(op))
      continue;
    auto alloc = op.getOutputs().front().getDefiningOp<memref::AllocOp>();
    if (alloc)
      for (Operation *view : llvm::make_early_inc_range(alloc->getUsers()))
        if (isOpTriviallyDead(view))
          rewriter.eraseOp(view);
    if (!alloc || !alloc->hasOneUse())
      continue;
    rewriter.eraseOp(op);
    rewriter.eraseOp(alloc);
  }
}

} // namespace nnc
