//===- FusionGroup.cpp - Operations that can share their outer loops --------===//
#include "FusionGroup.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "ConcreteSizes.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

/// Whether `op` can do some iterations of this loop at a time. Those of a sum add to what the others left.
bool canCut(linalg::GenericOp op, unsigned loop) {
  return !usesIndex(op, loop) && (isParallel(op, loop) || !hasEpilogue(op));
}

} // namespace

int64_t sizeOf(Value buffer, unsigned axis) {
  return typicalSize(cast<MemRefType>(buffer.getType()).getDimSize(axis));
}

double wholeBytes(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  double bytes = double(elementBytes(type));
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    bytes *= double(sizeOf(buffer, axis));
  return bytes;
}

bool isContraction(linalg::GenericOp op) {
  return op.getNumReductionLoops() != 0 &&
         llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
           AffineMap map = op.getMatchingIndexingMap(input);
           for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
             if (kind == utils::IteratorType::parallel && !map.isFunctionOfDim(loop))
               return true;
           return false;
         });
}

bool usesIndex(linalg::GenericOp op, unsigned loop) {
  return llvm::any_of(op.getBody()->getOps<linalg::IndexOp>(),
                      [&](linalg::IndexOp index) { return index.getDim() == loop; });
}

bool isParallel(linalg::GenericOp op, unsigned loop) {
  return op.getIteratorTypesArray()[loop] == utils::IteratorType::parallel;
}

SmallVector<Value> FusionCandidates::largestFirst() const {
  llvm::SetVector<Value> seeds;
  for (const FusionMember &member : allMembers)
    for (const BufferAccess &access : member.accesses)
      if (wholeBytes(access.root) > near && membersWith(access.root).size() > 1)
        seeds.insert(access.root);
  // Of several as large as each other, the first.
  SmallVector<std::pair<double, size_t>> order;
  for (auto [index, seed] : llvm::enumerate(seeds))
    order.push_back({-wholeBytes(seed), index});
  llvm::sort(order);
  return llvm::map_to_vector(order, [&](auto &entry) { return seeds[entry.second]; });
}

FusionGroup::FusionGroup(const FusionCandidates &all, const FusionMember &first)
    : candidates(&all), inOrder({&first}) {
  linalg::GenericOp op = first.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    if (sizes[loop] != 1 && canCut(op, loop))
      shared.push_back({{loop}, sizes[loop], 0});
}

std::optional<FusionGroup> FusionGroup::with(const FusionMember &member, bool mustGain) const {
  FusionGroup grown = *this;
  auto place = llvm::find_if(
      grown.inOrder, [&](const FusionMember *other) { return other->position > member.position; });
  unsigned number = place - grown.inOrder.begin();
  if (!grown.findSharedLoops(member, number))
    return std::nullopt;
  grown.inOrder.insert(place, &member);
  // To leave out what a mask hides spares more than any one buffer.
  if (!grown.canGather() || (maskedLoop() && !grown.maskedLoop()))
    return std::nullopt;
  if (!grown.chooseBlocks() && (!grown.moveSummedLoops() || !grown.chooseBlocks()))
    return std::nullopt;
  grown.countSavedBytes();
  return !mustGain || grown.saved > saved ? std::optional(grown) : std::nullopt;
}

/// Keeps the shared loops that `member`, which is to be the one at `place`, has, too: where it and another meet
/// in memory, they do so at the same iteration only.
bool FusionGroup::findSharedLoops(const FusionMember &member, unsigned place) {
  linalg::GenericOp op = member.op;
  auto findLoop = [&](const SharedLoop &loop) -> std::optional<unsigned> {
    std::optional<unsigned> found;
    for (auto [number, other] : llvm::enumerate(inOrder))
      for (const BufferAccess &theirs : other->accesses)
        for (const BufferAccess &ours : member.accesses) {
          if (theirs.root != ours.root || (!theirs.isWrite && !ours.isWrite))
            continue;
          auto axis = llvm::find(theirs.loops, std::optional(loop.loops[number]));
          if (axis == theirs.loops.end())
            return std::nullopt;
          std::optional<unsigned> here = ours.loops[axis - theirs.loops.begin()];
          if (!here || (found && found != here))
            return std::nullopt;
          found = here;
        }
    return found && canCut(op, *found) ? found : std::nullopt;
  };
  SmallVector<SharedLoop> kept;
  for (SharedLoop &loop : shared)
    if (std::optional<unsigned> found = findLoop(loop)) {
      kept.push_back(loop);
      kept.back().loops.insert(kept.back().loops.begin() + place, *found);
    }
  shared = kept;
  return !shared.empty();
}

/// Whether `op` is a member or a fill of one.
bool FusionGroup::contains(Operation *op) const {
  return llvm::any_of(inOrder, [&](const FusionMember *member) {
    return member->op == op || llvm::is_contained(member->fills, op);
  });
}

std::optional<SmallVector<Operation *>> FusionGroup::othersBehind() const {
  BufferEffects gathered, behind;
  SmallVector<Operation *> others;
  for (unsigned position = inOrder.front()->position; position <= inOrder.back()->position;
       ++position) {
    const FusionCandidates::Step &step = candidates->steps()[position];
    if (contains(step.op)) {
      if (step.effects.conflictsWith(behind))
        return std::nullopt;
      gathered.add(step.effects);
    } else if (step.effects.conflictsWith(gathered) || step.effects.conflictsWith(behind)) {
      // A member might want its result.
      if (step.op->getNumResults() != 0)
        return std::nullopt;
      behind.add(step.effects);
      others.push_back(step.op);
    }
  }
  return others;
}

bool FusionGroup::canGather() const {
  unsigned first = inOrder.front()->position, last = inOrder.back()->position;
  return last - first <= FusionCandidates::kMostSteps && !candidates->isTaken(first, last) &&
         othersBehind();
}

std::optional<unsigned> FusionGroup::sharedLoopOf(unsigned number,
                                                  std::optional<unsigned> loop) const {
  for (auto [index, candidate] : llvm::enumerate(sharedLoops()))
    if (loop && candidate.loops[number] == *loop)
      return index;
  return std::nullopt;
}

llvm::SetVector<Value> FusionGroup::roots() const {
  llvm::SetVector<Value> found;
  for (const FusionMember *member : inOrder)
    for (const BufferAccess &access : member->accesses)
      found.insert(access.root);
  return found;
}

bool FusionGroup::isWritten(Value root) const {
  return llvm::any_of(inOrder, [&](const FusionMember *member) { return member->writes(root); });
}

bool FusionGroup::isTemporary(Value root) const {
  if (isSummedInBlocks(root))
    return false;
  for (const FusionMember *member : inOrder)
    for (const BufferAccess &access : member->accesses)
      if (access.root == root && !access.hasOwnAxes)
        return false;
  return root.getDefiningOp<memref::AllocOp>() && isWritten(root) &&
         candidates->isOnlyTouchedBy(root, inOrder);
}

//===----------------------------------------------------------------------===//
// What is spared
//===----------------------------------------------------------------------===//

/// Whether the sums of `member` in `root` start from a fill.
static bool fillsFirst(const FusionMember &member, Value root) {
  return llvm::any_of(member.fills, [&](linalg::FillOp fill) {
    return rootBuffer(linalg::FillOp(fill).output()) == root;
  });
}

/// Whether a member adds to `root` in each block.
bool FusionGroup::isSummedInBlocks(Value root) const {
  for (auto [number, member] : llvm::enumerate(inOrder))
    if (member->writes(root) && isAccumulated(number))
      return true;
  return false;
}

/// What is near when it is needed again, less what each block brings along.
void FusionGroup::countSavedBytes() {
  // What moves behind the group finds less of what was computed before in the cache.
  saved = -double(othersBehind()->size()) * candidates->nearBytes() / 4;
  moved = 0;
  for (Value root : roots()) {
    double whole = wholeBytes(root);
    if (isReadAgain(root))
      saved -= blockBytes(root) * countBlocks();
    if (whole <= candidates->nearBytes())
      continue;
    if (isSummedInBlocks(root)) {
      // The zeros that its sums start from are a pass of their own.
      saved -= whole;
      continue;
    }
    unsigned times = 0, fewest = isWritten(root) && !isTemporary(root);
    for (const FusionMember *member : inOrder) {
      bool reads = false, writes = false;
      for (const BufferAccess &access : member->accesses)
        if (access.root == root) {
          writes |= access.isWrite;
          reads |= linalg::GenericOp(member->op).payloadUsesValueFromOperand(access.operand);
        }
      // What it holds before the first member has to come from far.
      fewest += times == 0 && reads && !fillsFirst(*member, root);
      times += unsigned(reads) + unsigned(writes);
    }
    moved += whole * times;
    saved += whole * (times - fewest);
  }
}

bool FusionGroup::isWorthwhile() const {
  constexpr double kFewest = 0.25;
  return inOrder.size() > 1 && saved - 2 * tornBytes() >= kFewest * moved;
}

} // namespace nnc
