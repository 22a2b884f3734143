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
#include "KernelLoops.h"
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
    generalizeKernels(rewriter, getOperation());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (isa<func::FuncOp, scf::ForOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks) {
      bool isAny = false;
      while (fuseSome(rewriter, *block))
        isAny = true;
      if (isAny)
        eraseUnreadMasks(rewriter, *block);
    }
  }

  bool fuseSome(IRRewriter &rewriter, Block &block) {
    FusionCandidates candidates(block, sharedBytes, isOfBatch, /*isCache=*/false);
    DenseSet<const FusionMember *> tried;
    for (Value seed : candidates.largestFirst())
      for (const FusionMember *first : candidates.membersWith(seed)) {
        if (!tried.insert(first).second)
          continue;
        FusionGroup group = growGroup(candidates, *first);
        if (!isFit(group))
          continue;
        remarkDone(group.members().back()->location(), "fuse-blocks")
            << remark::add("{0} operations in turns of a block of threads", group.members().size());
        FusionGroupEmitter(rewriter, group, /*numParts=*/0, std::nullopt).replace();
        return true;
      }
    return false;
  }

  /// Whether two products meet in a matrix of which a block has its rows in shared memory, and there are enough turns.
  bool isFit(const FusionGroup &group) {
    constexpr double kFewestTurns = 64;
    if (!group.isWorthwhile() || group.countTurns() < kFewestTurns)
      return false;
    int64_t bytes = 0;
    bool doMeet = false;
    for (Value root : group.roots()) {
      if (!group.isTemporary(root))
        continue;
      std::optional<int64_t> here = countBlockBytes(group, root);
      if (!here)
        return false;
      bytes += *here;
      unsigned products = llvm::count_if(group.members(), [&](const FusionMember *member) {
        return findContraction(member->op) &&
               llvm::any_of(member->accesses,
                            [&](const BufferAccess &access) { return access.root == root; });
      });
      doMeet |= products != 0 && wholeBytes(root) > double(sharedBytes);
    }
    auto numProducts = llvm::count_if(
        group.members(), [](const FusionMember *member) { return findContraction(member->op); });
    return doMeet && numProducts > 1 && bytes <= sharedBytes;
  }
};

} // namespace
} // namespace nnc
