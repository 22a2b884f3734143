//===- FusionBlocks.cpp - How many iterations a group does at a time --------===//
//
// Loops are cut from the outermost one until what the members touch in a block stays in the cache; the last of them
// may do several iterations at a time.
//
//===----------------------------------------------------------------------===//
#include "FusionGroup.h"

#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {

/// Iterations of the loops around those that sums go along: threads share no others.
constexpr double kFewestAround = 4;

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
  if (!candidates->isCache())
    return false;
  for (auto [number, member] : llvm::enumerate(inOrder))
    for (const BufferAccess &access : member->accesses)
      if (access.root == root &&
          (access.isWrite ||
           llvm::is_contained(access.viewLoops, shared[numCut - 1].loops[number])))
        return false;
  return blockBytes(root) > candidates->nearBytes() / 4;
}

/// What should stay near while the members take their turns.
double FusionGroup::bytesAtOnce() const {
  double bytes = 0;
  for (Value root : roots())
    if (candidates->isCache() ? !isReadAgain(root) : isTemporary(root))
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
/// Those that memory behind no cache is moved in.
constexpr int64_t kSector = 8;

/// The fewest iterations at a time that do not tear the rows of buffers into pieces of a few lines of the cache.
int64_t FusionGroup::leastBlock(const SharedLoop &loop) const {
  int64_t least = 1;
  for (auto [number, member] : llvm::enumerate(inOrder))
    for (const BufferAccess &access : member->accesses)
      if (goesAlongRows(access, loop.loops[number]))
        least = std::max(least, !candidates->isCache() ? kSector
                                : isFarMatrix(access.root) && !candidates->isLocal(access.root)
                                    ? kRow
                                    : kLine);
  return least;
}

bool FusionGroup::isFarMatrix(Value root) const {
  ArrayRef<int64_t> shape = cast<MemRefType>(root.getType()).getShape();
  bool isVector = llvm::count_if(shape, [](int64_t size) { return size != 1; }) <= 1;
  return !isVector && wholeBytes(root) > candidates->nearBytes();
}

/// What takes about twice as long to move, since blocks have short pieces of its rows.
double FusionGroup::tornBytes() const {
  if (!candidates->isCache())
    return 0;
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
  bool isCache = candidates->isCache();
  double fewestBlocks = isCache ? 16 : 256;
  int64_t fewestIterations = isCache ? 64 : 16;
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
  // A tile of rows is enough for a block of threads, and one iteration that has others inside.
  constexpr int64_t kTile = 64;
  if (!isCache)
    loop.block = numCut < shared.size() ? least : std::max(least, std::min(kTile, loop.block));
  while (countBlocks() < fewestBlocks && loop.block / 2 >= std::max(least, fewestIterations))
    loop.block /= 2;
  // Blocks that are all of one size need no second kernel.
  for (int64_t block = loop.block; 2 * block > loop.block && block >= least; --block)
    if (size % block == 0) {
      loop.block = block;
      break;
    }
  return countBlocks() > 1;
}

} // namespace nnc
