//===- FusionGroup.h - Operations that can share their outer loops -*- C++ -*-===//
//
// Operations that meet in memory only where they are at the same iteration of some of their loops can take
// turns at every block of these iterations, and what one leaves for the next is still in a near cache.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_FUSIONGROUP_H
#define NNC_LIB_CODEGEN_FUSIONGROUP_H

#include "BandMask.h"
#include "BufferEffects.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include "llvm/ADT/SetVector.h"

#include <list>
#include <vector>

namespace nnc {

/// The length of an axis and the bytes of all, with what symbolic sizes typically are.
int64_t sizeOf(mlir::Value buffer, unsigned axis);
double wholeBytes(mlir::Value buffer);
bool isParallel(mlir::linalg::GenericOp op, unsigned loop);
/// Whether `op` reads elements of an input for several results, so that it may want that packed.
bool isContraction(mlir::linalg::GenericOp op);
/// Whether the body of `op` asks where it is along `loop`.
bool usesIndex(mlir::linalg::GenericOp op, unsigned loop);

/// An operand of an operation, by the buffer that it is a view of.
struct BufferAccess {
  mlir::OpOperand *operand;
  mlir::Value root;
  bool isWrite;
  /// For each axis of the operand, the loop that walks it.
  llvm::SmallVector<std::optional<unsigned>> viewLoops;
  /// For each axis of the buffer, the loop that walks it, alone and from end to end.
  llvm::SmallVector<std::optional<unsigned>> loops;
  /// Whether its axes are those of the buffer, but for some of size one.
  bool hasOwnAxes;
};

/// An operation that could be in a group, with the fills that its outputs start from.
struct FusionMember {
  mlir::linalg::GenericOp op;
  llvm::SmallVector<mlir::linalg::FillOp> fills;
  llvm::SmallVector<BufferAccess> accesses;
  /// Where it is among the operations of its block.
  unsigned position;

  mlir::Location location() const { return op->getLoc(); }
  bool writes(mlir::Value root) const;
};

/// The operations of a block.
class FusionCandidates {
public:
  /// How far apart members may be: what lies between them moves, and keeps memory for longer.
  static constexpr unsigned kMostSteps = 64;

  /// `nearBytes` stay in a cache from one operation to the next.
  FusionCandidates(mlir::Block &block, int64_t nearBytes)
      : FusionCandidates(
            block, nearBytes, [](mlir::linalg::GenericOp) { return true; },
            /*isCache=*/true) {}
  /// `nearBytes` are a cache, or memory where temporaries are put, behind which there is a cache for all else.
  /// Operations that are not wanted are no members.
  FusionCandidates(mlir::Block &block, int64_t nearBytes,
                   llvm::function_ref<bool(mlir::linalg::GenericOp)> isWanted, bool isCache);

  struct Step {
    mlir::Operation *op;
    BufferEffects effects;
  };
  const std::vector<Step> &steps() const { return allSteps; }
  /// The members that have this buffer as an operand, in order.
  llvm::ArrayRef<const FusionMember *> membersWith(mlir::Value root) const;
  /// What wrote `root` last before the step at `position`; null if that is no member, or wrote a part.
  const FusionMember *lastWriter(mlir::Value root, unsigned position) const;
  /// `op` as a member; null if it is none.
  const FusionMember *memberOf(mlir::Operation *op) const { return byOp.lookup(op); }
  /// Buffers of several operations that do not stay in the cache as a whole.
  llvm::SmallVector<mlir::Value> largestFirst() const;
  /// Whether nothing but these operations touches `root`.
  bool isOnlyTouchedBy(mlir::Value root, llvm::ArrayRef<const FusionMember *> members) const;
  /// The mask that `root` holds, if that is all that is written to it.
  const BandMask *maskIn(mlir::Value root) const;
  /// Whether all that touches `root` could be in one group.
  bool isLocal(mlir::Value root) const;
  /// Keeps groups out of what lies between these positions.
  void take(unsigned first, unsigned last) { taken.push_back({first, last}); }
  bool isTaken(unsigned first, unsigned last) const;
  double nearBytes() const { return near; }
  /// Whether all that is touched goes through what is near.
  bool isCache() const { return nearIsCache; }

private:
  void findMasks(mlir::Block &block);

  double near;
  bool nearIsCache;
  llvm::SmallVector<std::pair<unsigned, unsigned>> taken;
  std::vector<Step> allSteps;
  std::list<FusionMember> allMembers;
  llvm::DenseMap<mlir::Value, BandMask> masks;
  llvm::DenseMap<mlir::Operation *, const FusionMember *> byOp;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<const FusionMember *>> byRoot;
};

/// Loops, one of each member, at whose iterations the members take turns. Some members may sum over theirs.
struct SharedLoop {
  llvm::SmallVector<unsigned> loops;
  /// Of iterations; dynamic where it is not known.
  int64_t size;
  /// Iterations at a time.
  int64_t block;
};

class FusionGroup {
public:
  FusionGroup(const FusionCandidates &all, const FusionMember &first);

  /// The group with one more; none if they could not share loops, or nothing would be gained by it.
  std::optional<FusionGroup> with(const FusionMember &member, bool mustGain = true) const;

  /// In program order.
  llvm::ArrayRef<const FusionMember *> members() const { return inOrder; }
  bool contains(mlir::Operation *op) const;
  /// What lies between the members, and has to move behind them when they are brought together where the last one
  /// is; none if they cannot be. The rest stays before them.
  std::optional<llvm::SmallVector<mlir::Operation *>> othersBehind() const;
  /// Those that are cut into blocks, from the outermost one; only the last has blocks of several iterations.
  llvm::ArrayRef<SharedLoop> sharedLoops() const {
    return llvm::ArrayRef(shared).take_front(numCut);
  }
  /// Bytes that are not moved between the core and far memory.
  double savedBytes() const { return saved; }
  double countBlocks() const;
  /// How many ranges of blocks threads may take.
  double countTurns() const;
  /// Whether it spares a good part of what its members move, even where blocks have short pieces of long rows.
  bool isWorthwhile() const;
  /// Whether each block has a part of `root` of its own, which nobody needs afterwards.
  bool isTemporary(mlir::Value root) const;
  /// The buffers that the members have as operands.
  llvm::SetVector<mlir::Value> roots() const;
  bool isWritten(mlir::Value root) const;
  const BandMask *maskIn(mlir::Value root) const { return candidates->maskIn(root); }
  /// Whether inputs of contractions are packed later.
  bool isPacked() const { return candidates->isCache(); }
  /// Makes the loop over the rows of a mask the last one that is cut, in blocks of a part of the rows; false if there is
  /// none, or it cannot be.
  bool cutMaskedRows();
  /// Whether member `number` adds what each block of the last of these loops has to its sums.
  bool isAccumulated(unsigned number) const;
  /// Whether the blocks of the last loop have to come one after the other.
  bool isAnyAccumulated() const;
  /// Which of the shared loops `loop` of member `number` is.
  std::optional<unsigned> sharedLoopOf(unsigned number, std::optional<unsigned> loop) const;

private:
  bool findSharedLoops(const FusionMember &member, unsigned place);
  std::optional<unsigned> maskedLoop() const;
  double countAround() const;
  bool canGather() const;
  bool accumulates(const SharedLoop &loop) const;
  bool moveSummedLoops();
  bool chooseBlocks();
  bool chooseLastBlock();
  int64_t leastBlock(const SharedLoop &loop) const;
  bool isFarMatrix(mlir::Value root) const;
  double blockBytes(mlir::Value root) const;
  bool isReadAgain(mlir::Value root) const;
  bool isSummedInBlocks(mlir::Value root) const;
  double bytesAtOnce() const;
  void countSavedBytes();
  double tornBytes() const;

  const FusionCandidates *candidates;
  llvm::SmallVector<const FusionMember *> inOrder;
  /// All that the members have in common. The first ones are cut.
  llvm::SmallVector<SharedLoop> shared;
  unsigned numCut = 0;
  double saved = 0, moved = 0;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_FUSIONGROUP_H
