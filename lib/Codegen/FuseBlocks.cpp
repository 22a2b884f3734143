//===- FuseBlocks.cpp - Matrices that fit the memory of a block of threads -===//
//
// What attention makes of its queries and keys, a matrix of positions by positions for each head, would be written to
// far memory and read again by each operation. The groups are those that go in turns on the CPU; what the turns leave
// for each other lies in shared memory, and a block of threads takes a turn.
//
//   in     linalg.generic on buffers
//   out    some of them in scf.parallel loops, the iterations of which are blocks
//
//===----------------------------------------------------------------------===//
#include "FusionGroupEmitter.h"
#include "FusionGrowth.h"
#include "GPU/Contraction.h"
#include "SharedMemory.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSEBLOCKSPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// Whether `op` is no product of matrices, or of one of many: the factor that all turns share would be read again for
/// the few rows of each.
bool isOfBatch(linalg::GenericOp op) {
  std::optional<Contraction> contraction = findContraction(op);
  return !contraction || !contraction->batch.empty();
}

/// What a block of `root` takes in a turn; none if that is not known.
std::optional<int64_t> countBlockBytes(const FusionGroup &group, Value root) {
  auto type = cast<MemRefType>(root.getType());
  for (auto [number, member] : llvm::enumerate(group.members()))
    for (const BufferAccess &access : member->accesses) {
      if (access.root != root || !access.isWrite)
        continue;
      int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
      for (auto [size, loop] : llvm::zip_equal(type.getShape(), access.loops)) {
        std::optional<unsigned> shared = group.sharedLoopOf(number, loop);
        int64_t here = !shared ? size
                       : *shared + 1 == group.sharedLoops().size()
                           ? group.sharedLoops().back().block
                           : 1;
        if (ShapedType::isDynamic(here))
          return std::nullopt;
        bytes *= here;
      }
      return bytes;
    }
  return std::nullopt;
}

class FuseBlocks : public impl::FuseBlocksPassBase<FuseBlocks> {
  using FuseBlocksPassBase::FuseBlocksPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (Block *block : prepareBlocks(rewriter, getOperation())) {
      bool isAny = false;
      while (fuseSome(rewriter, *block))
        isAny = true;
      if (isAny)
        eraseUnreadMasks(rewriter, *block);
    }
  }

  bool fuseSome(IRRewriter &rewriter, Block &block) {
    int64_t most = sharedBytes - kScratchBytes, usual = usualSharedBytes(sharedBytes);
    FusionCandidates few(block, usual, isOfBatch, /*isCache=*/false),
        many(block, most, isOfBatch, /*isCache=*/false);
    DenseSet<Operation *> tried;
    for (Value seed : few.largestFirst())
      for (const FusionMember *first : few.membersWith(seed)) {
        if (!tried.insert(first->op).second)
          continue;
        std::optional<FusionGroup> group = growFit(few, *first),
                                   larger =
                                       most > usual ? growFit(many, seed, first->op) : std::nullopt;
        // One that leaves no block beside it on its multiprocessor has to spare more.
        constexpr double kMuch = 1.05;
        if (larger && (!group || larger->savedBytes() > kMuch * group->savedBytes()))
          group = larger;
        if (!group)
          continue;
        remarkDone(group->members().back()->location(), "fuse-blocks") << remark::add(
            "{0} operations in turns of a block of threads", group->members().size());
        FusionGroupEmitter(rewriter, *group, /*numParts=*/0, std::nullopt).replace();
        return true;
      }
    return false;
  }

private:
  /// The group that grows from `first`, if it is worth a kernel.
  static std::optional<FusionGroup> growFit(const FusionCandidates &candidates,
                                            const FusionMember &first) {
    FusionGroup group = growGroup(candidates, first);
    return isFit(candidates, group) ? std::optional(group) : std::nullopt;
  }
  static std::optional<FusionGroup> growFit(const FusionCandidates &candidates, Value seed,
                                            Operation *first) {
    for (const FusionMember *member : candidates.membersWith(seed))
      if (member->op == first)
        return growFit(candidates, *member);
    return std::nullopt;
  }
  static bool isFit(const FusionCandidates &candidates, const FusionGroup &group);
};

/// Whether two products meet in a matrix of which a block has its rows in shared memory, and there are enough turns.
bool FuseBlocks::isFit(const FusionCandidates &candidates, const FusionGroup &group) {
  constexpr double kFewestTurns = 64;
  if (!group.isWorthwhile() || group.countTurns() < kFewestTurns)
    return false;
  double bytes = 0;
  bool doMeet = false;
  for (Value root : group.roots()) {
    if (!group.isTemporary(root))
      continue;
    std::optional<int64_t> here = countBlockBytes(group, root);
    if (!here)
      return false;
    bytes += double(*here);
    bool isOfProduct = llvm::any_of(group.members(), [&](const FusionMember *member) {
      return findContraction(member->op) &&
             llvm::any_of(member->accesses,
                          [&](const BufferAccess &access) { return access.root == root; });
    });
    doMeet |= isOfProduct && wholeBytes(root) > candidates.nearBytes();
  }
  auto numProducts = llvm::count_if(
      group.members(), [](const FusionMember *member) { return findContraction(member->op); });
  return doMeet && numProducts > 1 && bytes <= candidates.nearBytes();
}

} // namespace
} // namespace nnc
