//===- FuseLoops.cpp - Operations that take turns at blocks of memory -----===//
//
// From the largest temporary down: what computes it and what reads it become one loop if they meet at the same
// iterations, and so does whatever else spares more memory then.
//
//   in     linalg.generic on buffers, epilogues fused
//   out    some of them in loops, on views; each element is computed by the same operation as before
//
//===----------------------------------------------------------------------===//
#include "CPU/KernelCost.h"
#include "FusionGroupEmitter.h"
#include "FusionGrowth.h"
#include "PassTarget.h"
#include "VisibleColumns.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSELOOPSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

class FuseLoops : public impl::FuseLoopsPassBase<FuseLoops> {
  using FuseLoopsPassBase::FuseLoopsPassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    for (Block *block : prepareBlocks(rewriter, getOperation())) {
      matrices.clear();
      while (fuseSome(rewriter, *block, *target))
        ;
      eraseUnreadMasks(rewriter, *block);
    }
  }

  /// Makes groups around the largest buffers that have one; whether there were any.
  bool fuseSome(IRRewriter &rewriter, Block &block, const TargetDescription &target) {
    FusionCandidates candidates(block, nearBytes);
    SmallVector<FusionGroup> groups;
    DenseSet<const FusionMember *> tried;
    for (Value seed : candidates.largestFirst())
      for (const FusionMember *first : candidates.membersWith(seed)) {
        if (!tried.insert(first).second || candidates.isTaken(first->position, first->position))
          continue;
        FusionGroup group = growGroup(candidates, *first);
        if (!group.isWorthwhile())
          continue;
        candidates.take(group.members().front()->position, group.members().back()->position);
        groups.push_back(group);
      }
    llvm::sort(groups, [](const FusionGroup &left, const FusionGroup &right) {
      return left.members().front()->position < right.members().front()->position;
    });
    for (FusionGroup &group : groups)
      emit(rewriter, group, target);
    return !groups.empty();
  }

  void emit(IRRewriter &rewriter, FusionGroup &group, const TargetDescription &target) {
    std::optional<VisibleColumns> visible;
    FusionGroup cut = group;
    if (cut.cutMaskedRows() && (visible = findVisibleColumns(cut, matrices)))
      group = cut;
    explain(group, visible.has_value());
    auto [first, last] =
        FusionGroupEmitter(rewriter, group, countParts(group, target), visible).replace();
    if (visible)
      for (Value root : visible->cleared) {
        auto [row, column] = visible->matrices.lookup(root);
        matrices[root] = {row, column, visible->band, first, last};
      }
  }

  int64_t countParts(const FusionGroup &group, const TargetDescription &target) {
    // Each has memory of its own, so that more are not free.
    constexpr double kMostParts = 16;
    double cycles = 0;
    for (const FusionMember *member : group.members())
      cycles += kernelCost(member->op, target);
    if (grain == 0 || cycles < 2.0 * double(grain))
      return 1;
    bool isKnown = llvm::none_of(group.sharedLoops(), [](const SharedLoop &loop) {
      return ShapedType::isDynamic(loop.size);
    });
    return int64_t(isKnown ? std::min(kMostParts, group.countTurns()) : kMostParts);
  }

  static void explain(const FusionGroup &group, bool leavesOut) {
    std::string lines;
    for (const FusionMember *member : group.members().drop_back())
      lines += (lines.empty() ? "" : ", ") + lineText(member->location());
    remarkDone(group.members().back()->location(), "fuse-loops") << remark::add(
        "in turns with {0}, in about {1} blocks: {2:f1} MB are still in a cache when they are "
        "needed again{3}",
        lines, int64_t(group.countBlocks()), group.savedBytes() / 1e6,
        leavesOut ? "; most of what a mask hides is left out" : "");
  }

  /// Those of the present block that are 0 in part.
  BandMatrices matrices;
};

} // namespace
} // namespace nnc
