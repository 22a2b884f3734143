//===- FusionGroup.cpp - Operations that can share their outer loops --------===//
#include "FusionGroup.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "ConcreteSizes.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
namespace {

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

/// Whether `op` can do some iterations of this loop at a time. Those of a sum add to what the others left.
bool canCut(linalg::GenericOp op, unsigned loop) {
  return !usesIndex(op, loop) && (isParallel(op, loop) || !hasEpilogue(op));
}

/// Threads that have sums of their own.
constexpr double kFewestAround = 4;

} // namespace

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
// Blocks
//===----------------------------------------------------------------------===//

/// The most that any member reads or writes of `root` in one block.
double FusionGroup::blockBytes(Value root) const {
  double most = 0;
  for (auto [number, member] : llvm::enumerate(inOrder))
    for (const BufferAccess &access : member->accesses) {
      if (access.root != root)
        continue;
      double bytes = wholeBytes(access.operand->get());
      for (auto [axis, loop] : llvm::enumerate(access.viewLoops))
        if (std::optional<unsigned> index = sharedLoopOf(number, loop))
          bytes *= double(shared[*index].block) / double(sizeOf(access.operand->get(), axis));
      most = std::max(most, bytes);
    }
  return most;
}

/// Whether so much of `root` is the same for one block and the next that it comes from far memory for each of them.
bool FusionGroup::isReadAgain(Value root) const {
  for (auto [number, member] : llvm::enumerate(inOrder))
    for (const BufferAccess &access : member->accesses)
      if (access.root == root &&
          (access.isWrite ||
           llvm::is_contained(access.viewLoops, shared[numCut - 1].loops[number])))
        return false;
  return blockBytes(root) > candidates->nearBytes() / 4;
}

/// What should stay in the cache while the members take their turns.
double FusionGroup::bytesAtOnce() const {
  double bytes = 0;
  for (Value root : roots())
    if (!isReadAgain(root))
      bytes += blockBytes(root);
  return bytes;
}

double FusionGroup::countBlocks() const {
  double count = 1;
  for (const SharedLoop &loop : sharedLoops())
    count *= std::ceil(double(typicalSize(loop.size)) / double(loop.block));
  return count;
}

double FusionGroup::countTurns() const {
  return isAnyAccumulated() ? countAround() : countBlocks();
}

/// Whether loop `loop` of a member goes along the rows of the buffer that it accesses.
static bool goesAlongRows(const BufferAccess &access, unsigned loop) {
  ArrayRef<int64_t> shape = cast<MemRefType>(access.root.getType()).getShape();
  size_t axis = shape.size();
  while (axis != 0 && shape[axis - 1] == 1)
    --axis;
  return axis != 0 && access.loops[axis - 1] == std::optional(loop);
}

/// Pieces of rows are whole lines of a cache; and those of a matrix in far memory are of several, unless blocks
/// have rows of their own.
constexpr int64_t kLine = 16, kRow = 512;

/// The fewest iterations at a time that do not tear the rows of buffers into pieces of a few lines of the cache.
int64_t FusionGroup::leastBlock(const SharedLoop &loop) const {
  int64_t least = 1;
  for (auto [number, member] : llvm::enumerate(inOrder))
    for (const BufferAccess &access : member->accesses)
      if (goesAlongRows(access, loop.loops[number]))
        least = std::max(
            least, isFarMatrix(access.root) && !candidates->isLocal(access.root) ? kRow : kLine);
  return least;
}

bool FusionGroup::isFarMatrix(Value root) const {
  ArrayRef<int64_t> shape = cast<MemRefType>(root.getType()).getShape();
  bool isVector = llvm::count_if(shape, [](int64_t size) { return size != 1; }) <= 1;
  return !isVector && wholeBytes(root) > candidates->nearBytes();
}

/// What takes about twice as long to move, since blocks have short pieces of its rows.
double FusionGroup::tornBytes() const {
  llvm::SetVector<Value> torn;
  for (const SharedLoop &loop : sharedLoops())
    for (auto [number, member] : llvm::enumerate(inOrder))
      for (const BufferAccess &access : member->accesses)
        if (loop.block < kRow && goesAlongRows(access, loop.loops[number]) &&
            isFarMatrix(access.root) && !isTemporary(access.root))
          torn.insert(access.root);
  double bytes = 0;
  for (Value root : torn)
    bytes += wholeBytes(root);
  return bytes;
}

bool FusionGroup::accumulates(const SharedLoop &loop) const {
  return llvm::any_of(llvm::zip_equal(inOrder, loop.loops), [](auto pair) {
    return !isParallel(std::get<0>(pair)->op, std::get<1>(pair));
  });
}

bool FusionGroup::isAccumulated(unsigned number) const {
  return !isParallel(inOrder[number]->op, shared[numCut - 1].loops[number]);
}

bool FusionGroup::isAnyAccumulated() const { return accumulates(shared[numCut - 1]); }

/// Which of the shared loops goes along the rows of a mask.
std::optional<unsigned> FusionGroup::maskedLoop() const {
  for (auto [number, member] : llvm::enumerate(inOrder))
    for (const BufferAccess &access : member->accesses)
      if (const BandMask *mask = maskIn(access.root))
        for (auto [index, loop] : llvm::enumerate(shared))
          for (unsigned axis : mask->axes())
            if (access.loops[axis] == std::optional(loop.loops[number]))
              return index;
  return std::nullopt;
}

bool FusionGroup::cutMaskedRows() {
  constexpr int64_t kParts = 4, kFewestRows = 16;
  std::optional<unsigned> row = maskedLoop();
  if (!row || *row + 1 < numCut || *row > numCut || ShapedType::isDynamic(shared[*row].size))
    return false;
  FusionGroup cut = *this;
  SharedLoop &loop = cut.shared[*row];
  int64_t part = int64_t(llvm::divideCeil(loop.size, kParts));
  if (*row == numCut) {
    cut.shared[numCut - 1].block = 1;
    cut.numCut = *row + 1;
    loop.block = part;
  }
  loop.block = std::min(loop.block, part);
  if (loop.block < kFewestRows || (cut.accumulates(loop) && cut.countAround() < kFewestAround) ||
      cut.tornBytes() > tornBytes() + saved / 4)
    return false;
  *this = cut;
  return true;
}

/// How many iterations the loops around the last one have.
double FusionGroup::countAround() const {
  double count = 1;
  for (const SharedLoop &loop : sharedLoops().drop_back())
    count *= double(typicalSize(loop.size));
  return count;
}

/// Brings the loops that sums go along behind the others, if they are not there.
bool FusionGroup::moveSummedLoops() {
  SmallVector<SharedLoop> parallel, summed;
  for (const SharedLoop &loop : shared)
    (accumulates(loop) ? summed : parallel).push_back(loop);
  bool areThere = llvm::all_of(ArrayRef(shared).take_front(parallel.size()),
                               [&](const SharedLoop &loop) { return !accumulates(loop); });
  llvm::append_range(parallel, summed);
  shared = parallel;
  return !areThere;
}

/// Cuts as few of the loops, from the outermost one, as will do for a block to stay in the cache. Where sums go on
/// from block to block, threads share the loops around.
bool FusionGroup::chooseBlocks() {
  for (numCut = 1; numCut <= shared.size(); ++numCut) {
    SharedLoop &last = shared[numCut - 1];
    bool isLast = accumulates(last);
    if (isLast && countAround() < kFewestAround)
      return false;
    last.block = leastBlock(last);
    if (bytesAtOnce() <= candidates->nearBytes())
      return chooseLastBlock();
    if (isLast || last.block != 1)
      return false;
  }
  return false;
}

/// As many iterations of the last loop at a time as stay in the cache, but blocks enough for some threads.
bool FusionGroup::chooseLastBlock() {
  constexpr double kFewestBlocks = 16;
  constexpr int64_t kFewestIterations = 64;
  SharedLoop &loop = shared[numCut - 1];
  // What is packed is of one size in all blocks.
  if (ShapedType::isDynamic(loop.size) &&
      llvm::any_of(inOrder, [](const FusionMember *member) { return isContraction(member->op); }))
    return loop.block == 1;
  int64_t size = typicalSize(loop.size), least = loop.block;
  double bytes = bytesAtOnce();
  loop.block = 2 * least;
  double more = (bytesAtOnce() - bytes) / double(least);
  int64_t most = more == 0 ? size : least + int64_t((candidates->nearBytes() - bytes) / more);
  loop.block = std::max(least, std::min(most, size));
  while (countBlocks() < kFewestBlocks && loop.block / 2 >= std::max(least, kFewestIterations))
    loop.block /= 2;
  // Blocks that are all of one size need no second kernel.
  for (int64_t block = loop.block; 2 * block > loop.block && block >= least; --block)
    if (size % block == 0) {
      loop.block = block;
      break;
    }
  return countBlocks() > 1;
}

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
