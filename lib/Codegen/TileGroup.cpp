//===- TileGroup.cpp - What is done with a matrix tile by tile --------------===//
#include "TileGroup.h"

#include "GPU/Contraction.h"
#include "HiddenValues.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

/// Places of the anchor and of the stream that a tile has at most, as one of a product (GPU/Tile.h).
constexpr int64_t kTile = 64;

/// The loop that `op` sums along, if there is one only.
std::optional<unsigned> findSummedLoop(linalg::GenericOp op) {
  std::optional<unsigned> found;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  for (unsigned loop = 0; loop < sizes.size(); ++loop) {
    if (isParallel(op, loop) || sizes[loop] == 1)
      continue;
    if (found)
      return std::nullopt;
    found = loop;
  }
  return found;
}

bool startsFromFill(const FusionMember &member, OpOperand &output) {
  return llvm::any_of(member.fills, [&](linalg::FillOp fill) {
    return linalg::FillOp(fill).output() == output.get();
  });
}

/// Whether `member` needs what `access` held before it.
bool readsBefore(const FusionMember &member, const BufferAccess &access) {
  linalg::GenericOp op = member.op;
  return !access.isWrite || (op.payloadUsesValueFromOperand(access.operand) &&
                             !startsFromFill(member, *access.operand));
}

/// Whether one operation, of one of these kinds, combines what goes into an output.
template <typename... Kinds> bool isCombinedBy(linalg::GenericOp op, unsigned output) {
  SmallVector<Operation *> combiners;
  return matchReduction(op.getRegionOutputArgs(), output, combiners) && combiners.size() == 1 &&
         isa<Kinds...>(combiners.front());
}

/// The number of iterations of a tile along a dimension of this size.
int64_t chooseBlock(int64_t size, int64_t most) {
  if (ShapedType::isDynamic(size) || size > most) {
    // Tiles that are all of one size need no comparisons.
    for (int64_t block = most; !ShapedType::isDynamic(size) && 2 * block > most; --block)
      if (size % block == 0)
        return block;
    return most;
  }
  return size;
}

} // namespace

//===-- Growth ------------------------------------------------------------===//

TileGroup::Axes TileGroup::axesOf(const TileMember &member, const BufferAccess &access) const {
  return llvm::map_to_vector(access.loops, [&](std::optional<unsigned> loop) {
    return loop ? member.dims[*loop] : std::nullopt;
  });
}

bool TileGroup::isMatrix(const Axes &axes) const {
  return llvm::is_contained(axes, std::optional(anchor())) &&
         llvm::is_contained(axes, std::optional(stream()));
}

/// Whether all axes of `root` but those that are dimensions have known sizes.
static bool hasKnownAxes(Value root, const TileGroup::Axes &axes) {
  return llvm::all_of(
      llvm::zip_equal(cast<MemRefType>(root.getType()).getShape(), axes),
      [](auto pair) { return std::get<1>(pair) || !ShapedType::isDynamic(std::get<0>(pair)); });
}

/// Takes the dimensions from the matrix that `sum` reads.
bool TileGroup::startFrom(const FusionMember &sum) {
  linalg::GenericOp op = sum.op;
  std::optional<unsigned> summed = findSummedLoop(op);
  if (!summed)
    return false;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  // A mask may have no axis for the batch, and so is not the largest.
  const BufferAccess *matrix = nullptr;
  for (const BufferAccess &access : sum.accesses)
    if (!access.isWrite && llvm::is_contained(access.loops, summed) &&
        (!matrix || wholeBytes(access.root) > wholeBytes(matrix->root)))
      matrix = &access;
  if (!matrix || !matrix->hasOwnAxes || !matrix->root.getDefiningOp<memref::AllocOp>())
    return false;
  auto type = cast<MemRefType>(matrix->root.getType());
  double rowsBytes = double(kTile * type.getElementTypeBitWidth() / 8 * sizes[*summed]);
  if (!ShapedType::isDynamic(sizes[*summed]) && rowsBytes <= candidates->nearBytes())
    return false;
  SmallVector<unsigned> loops;
  for (auto [size, loop] : llvm::zip_equal(type.getShape(), matrix->loops)) {
    if (!loop && size != 1)
      return false;
    if (loop && *loop != *summed)
      loops.push_back(*loop);
  }
  if (loops.empty())
    return false;
  loops.push_back(*summed);
  TileMember member{&sum, SmallVector<std::optional<unsigned>>(sizes.size()), true};
  for (auto [dim, loop] : llvm::enumerate(loops)) {
    member.dims[loop] = dim;
    dimSizes.push_back(sizes[loop]);
  }
  inOrder.push_back(member);
  return true;
}

/// Adds what makes the tiles that `member` reads.
bool TileGroup::pullInputs(const TileMember &member) {
  for (const BufferAccess &access : member.member->accesses) {
    if (!readsBefore(*member.member, access) || maskOf(member, access))
      continue;
    Axes axes = axesOf(member, access);
    if (!access.root.getDefiningOp<memref::AllocOp>() || !isMatrix(axes))
      continue;
    const FusionMember *writer = candidates->lastWriter(access.root, member.member->position);
    if (!writer || !access.hasOwnAxes || !pull(*writer, access, axes))
      return false;
  }
  return true;
}

/// Adds `writer`, which makes `result` with these axes, and what it reads in turn.
bool TileGroup::pull(const FusionMember &writer, const BufferAccess &result, const Axes &axes) {
  auto known = tileAxes.find(result.root);
  if (known != tileAxes.end() && known->second != axes)
    return false;
  if (llvm::any_of(inOrder, [&](const TileMember &other) { return other.member == &writer; }))
    return true;
  linalg::GenericOp op = writer.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  TileMember member{&writer, SmallVector<std::optional<unsigned>>(sizes.size())};
  const BufferAccess *written = llvm::find_if(writer.accesses, [&](const BufferAccess &access) {
    return access.isWrite && access.root == result.root;
  });
  for (auto [loop, dim] : llvm::zip_equal(written->loops, axes)) {
    if (!dim)
      continue;
    if (!loop || member.dims[*loop] || !isParallel(op, *loop) || sizes[*loop] != dimSizes[*dim])
      return false;
    member.dims[*loop] = dim;
  }
  for (const BufferAccess &access : writer.accesses) {
    if (!access.isWrite)
      continue;
    Axes own = axesOf(member, access);
    bool isOwn = access.root.getDefiningOp<memref::AllocOp>() && access.hasOwnAxes &&
                 !sumAxes.count(access.root) && hasKnownAxes(access.root, own);
    for (std::optional<unsigned> dim : member.dims)
      isOwn &= !dim || llvm::is_contained(own, dim);
    auto [place, isNew] = tileAxes.insert({access.root, own});
    if (!isOwn || place->second != own)
      return false;
  }
  inOrder.push_back(member);
  return pullInputs(member);
}

std::optional<TileGroup> TileGroup::find(const FusionCandidates &candidates,
                                         const FusionMember &sum) {
  TileGroup group(candidates);
  if (!group.startFrom(sum))
    return std::nullopt;
  TileMember first = group.inOrder.front();
  for (const BufferAccess &access : sum.accesses) {
    if (!access.isWrite)
      continue;
    Axes axes = group.axesOf(first, access);
    bool isOwn = access.hasOwnAxes && startsFromFill(sum, *access.operand) &&
                 hasKnownAxes(access.root, axes);
    for (unsigned dim = 0; dim < group.stream(); ++dim)
      isOwn &= llvm::is_contained(axes, std::optional(dim));
    if (!isOwn || !group.sumAxes.insert({access.root, axes}).second)
      return std::nullopt;
  }
  if (!group.pullInputs(first) || !group.finish())
    return std::nullopt;
  return group;
}

std::optional<TileGroup> TileGroup::with(const TileGroup &other) const {
  TileGroup both = *this;
  if (both.dimSizes != other.dimSizes)
    return std::nullopt;
  bool doMeet = false;
  for (auto &[root, axes] : other.tileAxes) {
    auto [place, isNew] = both.tileAxes.insert({root, axes});
    doMeet |= !isNew;
    if (place->second != axes)
      return std::nullopt;
  }
  for (auto &[root, axes] : other.sumAxes)
    if (!both.sumAxes.insert({root, axes}).second)
      return std::nullopt;
  for (const TileMember &member : other.inOrder) {
    auto *known = llvm::find_if(
        both.inOrder, [&](const TileMember &mine) { return mine.member == member.member; });
    if (known == both.inOrder.end())
      both.inOrder.push_back(member);
    else if (known->dims != member.dims || known->isSum != member.isSum)
      return std::nullopt;
  }
  auto isTile = [&](auto &sum) { return both.tileAxes.contains(sum.first); };
  if (!doMeet || llvm::any_of(both.sumAxes, isTile) || !both.finish())
    return std::nullopt;
  return both;
}

bool TileGroup::finish() {
  llvm::sort(inOrder, [](const TileMember &left, const TileMember &right) {
    return left.member->position < right.member->position;
  });
  return followPending() && chooseBlocks();
}

//===-- What is known of it -----------------------------------------------===//

bool TileGroup::isSumRead(Value root, const TileMember &by) const {
  return sumAxes.count(root) && llvm::any_of(inOrder, [&](const TileMember &member) {
           return member.isSum && member.member != by.member &&
                  member.member == candidates->lastWriter(root, by.member->position);
         });
}

/// Whether what `sum` has for a place can be multiplied by what `factors` has for its row.
bool TileGroup::canMend(Value sum, Value factors) const {
  auto types = cast<MemRefType>(factors.getType());
  bool isOfRows =
      llvm::all_of(llvm::zip_equal(types.getShape(), sumAxes.find(factors)->second),
                   [](auto pair) { return std::get<1>(pair) || std::get<0>(pair) == 1; });
  return isOfRows && types.getElementType() == cast<MemRefType>(sum.getType()).getElementType();
}

/// Whether what members need of sums that are not complete can be mended.
bool TileGroup::followPending() {
  DenseMap<Value, Pending> ofTiles;
  DenseSet<Value> maxima, added;
  pending.clear();
  runningMaxima.clear();
  for (const TileMember &member : inOrder) {
    linalg::GenericOp op = member.member->op;
    PendingFactors factors(op, [&](OpOperand &operand) -> PendingOperand {
      const BufferAccess *access =
          llvm::find_if(member.member->accesses, [&](const BufferAccess &candidate) {
            return candidate.operand == &operand;
          });
      if (access == member.member->accesses.end())
        return {};
      Value root = access->root;
      if (isSumRead(root, member))
        return {{}, maxima.contains(root) ? root : Value(), maxima.contains(root) ? Value() : root};
      return {ofTiles.lookup(root), {}, {}};
    });
    for (const BufferAccess &access : member.member->accesses) {
      if (!access.isWrite)
        continue;
      unsigned output = access.operand->getOperandNumber() - op.getNumDpsInputs();
      std::optional<Pending> found = factors.written(output);
      if (!found)
        return false;
      for (Value divisor : found->divisors)
        if (!added.contains(divisor) || (member.isSum && !canMend(access.root, divisor)))
          return false;
      if (found->maximum && member.isSum && !canMend(access.root, found->maximum))
        return false;
      if (found->maximum)
        runningMaxima.insert(found->maximum);
      (member.isSum ? pending : ofTiles)[access.root] = *found;
      if (member.isSum && isCombinedBy<arith::MaximumFOp, arith::MaxNumFOp>(op, output))
        maxima.insert(access.root);
      if (member.isSum && isCombinedBy<arith::AddFOp>(op, output))
        added.insert(access.root);
    }
  }
  return true;
}

SmallVector<int64_t> TileGroup::blockShape(Value root) const {
  auto tile = tileAxes.find(root);
  const Axes &axes = tile != tileAxes.end() ? tile->second : sumAxes.find(root)->second;
  SmallVector<int64_t> shape;
  for (auto [size, dim] : llvm::zip_equal(cast<MemRefType>(root.getType()).getShape(), axes))
    shape.push_back(dim ? blockOf(*dim) : size);
  return shape;
}

/// As large tiles as there is memory for.
bool TileGroup::chooseBlocks() {
  auto countBytes = [&](Value root) {
    int64_t bytes = llvm::divideCeil(cast<MemRefType>(root.getType()).getElementTypeBitWidth(), 8);
    for (int64_t size : blockShape(root))
      bytes *= size;
    // The maximum of a tile, and what follows from it.
    return isRunningMaximum(root) ? 4 * bytes : bytes;
  };
  for (auto [most, mostStreamed] :
       {std::pair(kTile, kTile), std::pair(kTile, kTile / 2), std::pair(kTile / 2, kTile / 2)}) {
    blocks = {chooseBlock(dimSizes[anchor()], most), chooseBlock(dimSizes[stream()], mostStreamed)};
    double bytes = 0;
    for (auto &[root, axes] : tileAxes)
      bytes += double(countBytes(root));
    for (auto &[root, axes] : sumAxes)
      bytes += double(countBytes(root));
    if (bytes <= candidates->nearBytes())
      return true;
  }
  return false;
}

const BandMask *TileGroup::maskOf(const TileMember &member, const BufferAccess &access) const {
  const BandMask *mask = candidates->maskIn(access.root);
  bool isAlong = mask && !access.isWrite && llvm::all_of(mask->axes(), [&](unsigned axis) {
                   return access.loops[axis].has_value();
                 });
  return isAlong ? mask : nullptr;
}

std::optional<Band> TileGroup::findBand() const {
  std::optional<Band> band;
  auto bandOf = [&](const TileMember &member, const BufferAccess &access) -> std::optional<Band> {
    const BandMask *mask = maskOf(member, access);
    Axes axes = axesOf(member, access);
    for (unsigned axis : mask ? mask->axes() : ArrayRef<unsigned>())
      if (axes[axis] == std::optional(anchor()) && isMatrix(axes))
        return mask->bandOf(axis);
    return std::nullopt;
  };
  for (const TileMember &member : inOrder)
    for (const BufferAccess &access : member.member->accesses)
      if (!band)
        band = bandOf(member, access);
  if (!band)
    return std::nullopt;
  DenseMap<Value, Hidden> states;
  for (const TileMember &member : inOrder) {
    HiddenValues values(member.member->op, [&](OpOperand &operand) {
      for (const BufferAccess &access : member.member->accesses)
        if (access.operand == &operand)
          return bandOf(member, access) == band ? Hidden::Zero : states.lookup(access.root);
      return Hidden::Unknown;
    });
    linalg::GenericOp op = member.member->op;
    for (const BufferAccess &access : member.member->accesses) {
      if (!access.isWrite)
        continue;
      unsigned output = access.operand->getOperandNumber() - op.getNumDpsInputs();
      if (member.isSum && !values.isKept(output))
        return std::nullopt;
      // Sums are not known, but what is made of them may be.
      if (!member.isSum)
        states[access.root] =
            op.getNumReductionLoops() == 0 ? values.written(output) : Hidden::Unknown;
    }
  }
  return band;
}

double TileGroup::countTurns() const {
  double count = 1;
  for (unsigned dim = 0; dim < stream(); ++dim)
    count *= std::ceil(double(typicalSize(dimSizes[dim])) / double(blockOf(dim)));
  return count;
}

SmallVector<Value> TileGroup::leavesOf(const TileMember &member) const {
  SmallVector<Value> leaves;
  for (const BufferAccess &access : member.member->accesses)
    if (!access.isWrite && !tileAxes.count(access.root) && !isSumRead(access.root, member) &&
        !maskOf(member, access))
      leaves.push_back(access.root);
  return leaves;
}

bool TileGroup::isOfProducts() const {
  bool isMade = false;
  for (const TileMember &member : inOrder)
    if (std::optional<Contraction> product = findContraction(member.member->op)) {
      // A factor that all blocks share would be read again by each.
      if (product->batch.empty())
        return false;
      isMade |= !member.isSum;
    }
  return isMade;
}

} // namespace nnc
