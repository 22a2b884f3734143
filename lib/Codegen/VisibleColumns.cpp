//===- VisibleColumns.cpp - The columns that a mask lets a group see ------===//
#include "VisibleColumns.h"

#include "CPU/KernelBody.h"
#include "HiddenValues.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

class Finder {
public:
  Finder(const FusionGroup &fused, const BandMatrices &matrices) : group(fused), known(matrices) {
    found.loops.resize(group.members().size());
  }

  std::optional<VisibleColumns> find();

private:
  using Axes = VisibleColumns::Axes;

  unsigned rowLoop(unsigned number) const { return group.sharedLoops().back().loops[number]; }
  bool findBand();
  bool spread();
  bool spreadTo(unsigned number);
  bool hasBand(Value root) const;
  bool isLeftOut();
  bool isLeftOut(unsigned number);
  Hidden hidden(const BufferAccess &access) const;
  std::optional<Axes> matrixAxes(unsigned number, const BufferAccess &access) const;

  const FusionGroup &group;
  const BandMatrices &known;
  VisibleColumns found;
  DenseMap<Value, Hidden> states;
};

std::optional<unsigned> axisOf(const BufferAccess &access, unsigned loop) {
  auto place = llvm::find(access.loops, std::optional(loop));
  if (place == access.loops.end())
    return std::nullopt;
  return unsigned(place - access.loops.begin());
}

/// Whether nothing but the members of `group` and what wrote it before writes to `root` up to the group.
bool isUntouched(Value root, const BandMatrix &matrix, const FusionGroup &group) {
  return areWriters(root, [&](Operation *writer) {
    Operation *place = matrix.first->getBlock()->findAncestorOpInBlock(*writer);
    if (!place)
      return false;
    bool isOwn = !place->isBeforeInBlock(matrix.first) && !matrix.last->isBeforeInBlock(place);
    return isOwn || !place->isBeforeInBlock(group.members().front()->op);
  });
}

/// Takes the band from a mask that a member reads.
bool Finder::findBand() {
  for (auto [number, member] : llvm::enumerate(group.members()))
    for (const BufferAccess &access : member->accesses) {
      const BandMask *mask = group.maskIn(access.root);
      if (!mask || access.isWrite)
        continue;
      std::optional<unsigned> row = axisOf(access, rowLoop(number));
      if (!row || !llvm::is_contained(mask->axes(), *row))
        continue;
      unsigned column = mask->axes()[mask->axes()[0] == *row ? 1 : 0];
      if (!access.loops[column])
        continue;
      ArrayRef<int64_t> shape = cast<MemRefType>(access.root.getType()).getShape();
      found.band = mask->bandOf(*row);
      found.numRows = shape[*row];
      found.numColumns = shape[column];
      found.loops[number] = access.loops[column];
      return !ShapedType::isDynamic(found.numRows) && !ShapedType::isDynamic(found.numColumns);
    }
  return false;
}

/// The axes along which member `number` goes with rows and with columns, if there are both.
std::optional<Finder::Axes> Finder::matrixAxes(unsigned number, const BufferAccess &access) const {
  if (!found.loops[number])
    return std::nullopt;
  std::optional<unsigned> row = axisOf(access, rowLoop(number)),
                          column = axisOf(access, *found.loops[number]);
  if (!row || !column)
    return std::nullopt;
  return Axes{*row, *column};
}

/// Finds the columns of member `number` by the matrices it shares with others; false where these disagree.
bool Finder::spreadTo(unsigned number) {
  for (const BufferAccess &access : group.members()[number]->accesses) {
    auto matrix = found.matrices.find(access.root);
    if (matrix == found.matrices.end())
      continue;
    auto [row, column] = matrix->second;
    std::optional<unsigned> loop = access.loops[column];
    if (access.loops[row] != std::optional(rowLoop(number)) || !loop ||
        (found.loops[number] && found.loops[number] != loop))
      return false;
    found.loops[number] = loop;
  }
  return true;
}

bool Finder::spread() {
  for (size_t before = ~size_t(0); before != found.matrices.size();) {
    before = found.matrices.size();
    for (auto [number, member] : llvm::enumerate(group.members())) {
      if (!spreadTo(number))
        return false;
      for (const BufferAccess &access : member->accesses)
        if (std::optional<Axes> axes = matrixAxes(number, access))
          found.matrices.insert({access.root, *axes});
    }
  }
  return true;
}

/// Whether `root` is 0 where it is hidden, before the group.
bool Finder::hasBand(Value root) const {
  auto matrix = known.find(root);
  if (matrix == known.end())
    return false;
  auto [row, column] = found.matrices.lookup(root);
  return matrix->second.rowAxis == row && matrix->second.columnAxis == column &&
         matrix->second.band == found.band && isUntouched(root, matrix->second, group);
}

Hidden Finder::hidden(const BufferAccess &access) const {
  if (const BandMask *mask = group.maskIn(access.root)) {
    auto [row, column] = found.matrices.lookup(access.root);
    return mask->bandOf(row) == found.band ? Hidden::Zero : Hidden::Unknown;
  }
  return states.lookup(access.root);
}

/// Whether what member `number` would do with the hidden columns is without effect, if it is so for those before it.
bool Finder::isLeftOut(unsigned number) {
  if (!found.loops[number])
    return true;
  linalg::GenericOp op = group.members()[number]->op;
  unsigned row = rowLoop(number), column = *found.loops[number];
  if (usesIndex(op, row) || usesIndex(op, column))
    return false;
  ArrayRef<BufferAccess> accesses = group.members()[number]->accesses;
  HiddenValues values(op, [&](OpOperand &operand) {
    const BufferAccess *access = llvm::find_if(
        accesses, [&](const BufferAccess &candidate) { return candidate.operand == &operand; });
    bool isMatrix = access != accesses.end() && matrixAxes(number, *access);
    return isMatrix ? hidden(*access) : Hidden::Unknown;
  });
  bool isSummed = !isParallel(op, row) || !isParallel(op, column);
  for (const BufferAccess &access : accesses) {
    if (!access.isWrite)
      continue;
    unsigned index = access.operand->getOperandNumber() - op.getNumDpsInputs();
    if (isSummed) {
      if (!isEpilogue(op, index) && !values.isKept(index))
        return false;
      continue;
    }
    if (!matrixAxes(number, access))
      return false;
    // Sums are not known, but what is made of them in the end may be.
    bool isFinal = op.getNumReductionLoops() == 0 || isEpilogue(op, index);
    states[access.root] = isFinal ? values.written(index) : Hidden::Unknown;
  }
  return true;
}

bool Finder::isLeftOut() {
  for (auto [root, axes] : found.matrices)
    if (hasBand(root))
      states[root] = Hidden::Zero;
  DenseMap<Value, Hidden> before = states;
  for (unsigned number = 0; number < group.members().size(); ++number)
    if (!isLeftOut(number))
      return false;
  for (auto [root, axes] : found.matrices) {
    if (!group.isWritten(root) || group.isTemporary(root))
      continue;
    if (states.lookup(root) != Hidden::Zero)
      return false;
    if (before.lookup(root) != Hidden::Zero)
      found.cleared.push_back(root);
  }
  return true;
}

std::optional<VisibleColumns> Finder::find() {
  if (!findBand() || !spread() || !isLeftOut())
    return std::nullopt;
  return found;
}

} // namespace

std::pair<int64_t, int64_t> VisibleColumns::of(int64_t begin, int64_t end) const {
  int64_t first = 0, last = numColumns;
  if (band.from)
    first = std::clamp<int64_t>(begin + *band.from, 0, numColumns - 1);
  if (band.until)
    last = std::clamp<int64_t>(end - 1 + *band.until, first + 1, numColumns);
  return {first, last};
}

std::optional<VisibleColumns> findVisibleColumns(const FusionGroup &group,
                                                 const BandMatrices &known) {
  return Finder(group, known).find();
}

} // namespace nnc
