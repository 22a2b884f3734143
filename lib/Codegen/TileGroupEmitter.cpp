//===- TileGroupEmitter.cpp - What is done with a matrix, as a loop over tiles -===//
//
//   parallel for each block of the anchor, of each of the batch
//     memory for a tile of each matrix, and for the block's part of each sum
//     for each block of the stream
//       each member, on the tile
//     what the sums still lack, on their way to where they belong
//
//===----------------------------------------------------------------------===//
#include "TileGroupEmitter.h"

#include "CutLoop.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {

//===-- Places ------------------------------------------------------------===//

SizeArithmetic::Size TileGroupEmitter::countPlaces(unsigned dim) {
  for (const TileMember &member : group.members())
    for (auto [loop, along] : llvm::enumerate(member.dims))
      if (along == std::optional(dim))
        return loopExtent(b, member.member->op, loop);
  llvm_unreachable("a member goes along each dimension");
}

/// What the block from `offset` on has.
TileGroupEmitter::Range TileGroupEmitter::cut(unsigned dim, Size offset) {
  int64_t size = group.sizes()[dim], block = group.blockOf(dim);
  if (!ShapedType::isDynamic(size) && size % block == 0)
    return {offset, sizes.constant(block)};
  return {offset, sizes.atMost(sizes.subtract(countPlaces(dim), offset), sizes.constant(block))};
}

Value TileGroupEmitter::begin(unsigned dim) { return sizes.materialize(ranges[dim].offset); }

/// `place` and so much more, or 0 if that is less.
SizeArithmetic::Size TileGroupEmitter::move(Size place, int64_t more) {
  if (more >= 0)
    return sizes.add(place, sizes.constant(more));
  Value distance = sizes.materialize(sizes.constant(-more));
  Value moved = arith::SubIOp::create(b, loc, sizes.materialize(place), distance);
  return arith::MaxSIOp::create(b, loc, moved, sizes.materialize(sizes.constant(0))).getResult();
}

/// Where along the stream the first row of the block begins to see anything: a multiple of the tile's length.
SizeArithmetic::Size TileGroupEmitter::beginOfStream(const std::optional<Band> &band) {
  if (!band || !band->from)
    return sizes.constant(0);
  Size tile = sizes.constant(group.blockOf(group.stream()));
  return sizes.multiply(sizes.divide(move(ranges[group.anchor()].offset, *band->from), tile), tile);
}

/// Where the last row ceases to.
SizeArithmetic::Size TileGroupEmitter::endOfStream(const std::optional<Band> &band) {
  Size all = countPlaces(group.stream());
  if (!band || !band->until)
    return all;
  const Range &anchor = ranges[group.anchor()];
  return sizes.atMost(move(sizes.add(anchor.offset, anchor.extent), *band->until - 1), all);
}

//===-- Memory ------------------------------------------------------------===//

void TileGroupEmitter::allocate() {
  auto allocateLike = [&](Value root) -> Value {
    Type element = cast<MemRefType>(root.getType()).getElementType();
    return memref::AllocOp::create(b, loc, MemRefType::get(group.blockShape(root), element));
  };
  for (auto &[root, axes] : group.tiles())
    blocks[root] = allocateLike(root);
  for (auto &[root, axes] : group.sums()) {
    blocks[root] = allocateLike(root);
    if (group.isRunningMaximum(root))
      maxima[root] = {allocateLike(root), allocateLike(root), allocateLike(root)};
  }
}

void TileGroupEmitter::startSums() {
  for (const TileMember &member : group.members())
    for (linalg::FillOp fill : member.isSum ? member.member->fills : ArrayRef<linalg::FillOp>())
      for (const BufferAccess &access : member.member->accesses)
        if (access.isWrite && access.operand->get() == fill.output())
          linalg::FillOp::create(b, fill.getLoc(), fill.value(), blocks.lookup(access.root));
}

/// What the present iterations have of memory of the block.
Value TileGroupEmitter::takeUsed(Value block, const TileGroup::Axes &axes) {
  SmallVector<LoopRange> used;
  for (auto [axis, dim] : llvm::enumerate(axes))
    if (dim && !getConstantIntValue(ranges[*dim].extent))
      used.push_back({unsigned(axis), b.getIndexAttr(0), ranges[*dim].extent});
  return takeRanges(b, loc, block, b.getMultiDimIdentityMap(axes.size()), used);
}

/// What the block has of an operand of a member.
Value TileGroupEmitter::take(const TileMember &member, OpOperand &operand) {
  linalg::GenericOp op = member.member->op;
  const BufferAccess *access =
      llvm::find_if(member.member->accesses,
                    [&](const BufferAccess &candidate) { return candidate.operand == &operand; });
  if (access == member.member->accesses.end())
    return operand.get();
  Value root = access->root;
  auto near = [&](Value block, const TileGroup::Axes &axes) {
    return rebuildView(b, loc, operand.get(), root, takeUsed(block, axes));
  };
  if (auto tile = group.tiles().find(root); tile != group.tiles().end())
    return near(blocks.lookup(root), tile->second);
  bool isRunning = group.isSumRead(root, member), isMaximum = group.isRunningMaximum(root);
  if (isRunning || access->isWrite)
    return near(!isMaximum  ? blocks.lookup(root)
                : isRunning ? maxima.lookup(root).shift
                            : maxima.lookup(root).ofTile,
                group.sums().find(root)->second);
  SmallVector<LoopRange> taken;
  for (auto [loop, dim] : llvm::enumerate(member.dims))
    if (dim)
      taken.push_back({unsigned(loop), ranges[*dim].offset, ranges[*dim].extent});
  return takeRanges(b, loc, operand.get(), op.getMatchingIndexingMap(&operand), taken);
}

//===-- Members -----------------------------------------------------------===//

/// Has the body ask where it is in the whole.
void TileGroupEmitter::shiftIndices(linalg::GenericOp part, const TileMember &member) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<linalg::IndexOp> indices(part.getBody()->getOps<linalg::IndexOp>());
  for (linalg::IndexOp index : indices) {
    std::optional<unsigned> dim = member.dims[index.getDim()];
    if (!dim)
      continue;
    b.setInsertionPointAfter(index);
    auto place = arith::AddIOp::create(b, loc, index, begin(*dim));
    index.getResult().replaceAllUsesExcept(place, place);
  }
}

void TileGroupEmitter::emitMember(const TileMember &member) {
  linalg::GenericOp op = member.member->op;
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    // Results in one place are recognised by that.
    auto isSame = [&](OpOperand &other) {
      return other.get() == operand.get() && op.isDpsInit(&other) == op.isDpsInit(&operand) &&
             op.getMatchingIndexingMap(&other) == op.getMatchingIndexingMap(&operand);
    };
    unsigned known = llvm::find_if(op->getOpOperands(), isSame)->getOperandNumber();
    operands.push_back(known < operands.size() ? operands[known] : take(member, operand));
  }
  Value maximum;
  for (linalg::FillOp fill : member.member->fills) {
    unsigned output = llvm::find(op.getOutputs(), fill.output()) - op.getOutputs().begin();
    for (const BufferAccess &access : member.member->accesses)
      if (access.operand == op.getDpsInitOperand(output) && group.isRunningMaximum(access.root))
        maximum = access.root;
    // Other sums go on from tile to tile.
    if (!member.isSum || maximum)
      linalg::FillOp::create(b, fill.getLoc(), fill.value(),
                             operands[op.getNumDpsInputs() + output]);
  }
  auto part = cast<linalg::GenericOp>(b.clone(*op));
  part->setOperands(operands);
  shiftIndices(part, member);
  bool doesNothing = dropPendingDivisions(part, [&](OpOperand &operand) {
    const BufferAccess &access =
        *llvm::find_if(member.member->accesses, [&](const BufferAccess &candidate) {
          return candidate.operand->getOperandNumber() == operand.getOperandNumber();
        });
    return !access.isWrite && group.isSumRead(access.root, member);
  });
  if (doesNothing)
    return b.eraseOp(part);
  for (const BufferAccess &access : llvm::reverse(member.member->accesses))
    if (const BandMask *mask = group.maskOf(member, access))
      mask->replaceInput(b, part, access.operand->getOperandNumber(), [&](unsigned axis) -> Value {
        unsigned loop = *access.loops[axis];
        Value place = linalg::IndexOp::create(b, loc, loop);
        if (std::optional<unsigned> dim = member.dims[loop])
          place = arith::AddIOp::create(b, loc, place, begin(*dim));
        return arith::IndexCastOp::create(b, loc, b.getI32Type(), place);
      });
  if (maximum)
    growMaximum(maximum);
}

//===-- Sums --------------------------------------------------------------===//

/// Where what `root` has for a place lies, for the axes of `of`.
AffineMap TileGroupEmitter::along(Value root, Value of) {
  auto axesOf = [&](Value buffer) { return group.sums().find(buffer)->second; };
  TileGroup::Axes there = axesOf(of);
  SmallVector<AffineExpr> places;
  for (std::optional<unsigned> dim : axesOf(root))
    places.push_back(dim ? b.getAffineDimExpr(llvm::find(there, dim) - there.begin())
                         : b.getAffineConstantExpr(0));
  return AffineMap::get(there.size(), 0, places, b.getContext());
}

/// Takes the maximum of the tile into that of all tiles so far, and what was summed until now to the new one.
void TileGroupEmitter::growMaximum(Value root) {
  const TileGroup::Axes &axes = group.sums().find(root)->second;
  auto used = [&](Value block) { return takeUsed(block, axes); };
  const Maximum &maximum = maxima.lookup(root);
  SmallVector<Value> outputs = {used(blocks.lookup(root)), used(maximum.shift),
                                used(maximum.scale)};
  SmallVector<AffineMap> maps(4, b.getMultiDimIdentityMap(axes.size()));
  SmallVector<utils::IteratorType> parallel(axes.size(), utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, loc, used(maximum.ofTile), outputs, maps, parallel,
      [&](OpBuilder &body, Location, ValueRange arguments) {
        auto type = cast<FloatType>(arguments[0].getType());
        auto constant = [&](const APFloat &value) -> Value {
          return arith::ConstantOp::create(body, loc, body.getFloatAttr(type, value));
        };
        const llvm::fltSemantics &semantics = type.getFloatSemantics();
        Value lowest = constant(APFloat::getInf(semantics, /*Negative=*/true));
        Value larger = arith::MaximumFOp::create(body, loc, arguments[1], arguments[0]);
        // A row that has seen nothing yet has no exponentials but 0.
        Value isLowest =
            arith::CmpFOp::create(body, loc, arith::CmpFPredicate::OEQ, larger, lowest);
        Value shift = arith::SelectOp::create(body, loc, isLowest,
                                              constant(APFloat::getZero(semantics)), larger);
        Value scale =
            math::ExpOp::create(body, loc, arith::SubFOp::create(body, loc, arguments[1], shift));
        linalg::YieldOp::create(body, loc, ValueRange{larger, shift, scale});
      });
  for (auto &[sum, sumAxes] : group.sums())
    if (group.pendingOf(sum).maximum == root)
      rescale(sum, root);
}

void TileGroupEmitter::rescale(Value root, Value maximum) {
  const TileGroup::Axes &axes = group.sums().find(root)->second;
  SmallVector<AffineMap> maps = {along(maximum, root), b.getMultiDimIdentityMap(axes.size())};
  SmallVector<utils::IteratorType> parallel(axes.size(), utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, loc, takeUsed(maxima.lookup(maximum).scale, group.sums().find(maximum)->second),
      takeUsed(blocks.lookup(root), axes), maps, parallel,
      [&](OpBuilder &body, Location, ValueRange arguments) {
        Value scaled = arith::MulFOp::create(body, loc, arguments[1], arguments[0]);
        linalg::YieldOp::create(body, loc, scaled);
      });
}

/// Divides the sums in `root` by what they are still to be divided by, and stores them.
void TileGroupEmitter::finish(Value root) {
  const TileGroup::Axes &axes = group.sums().find(root)->second;
  const Pending &pending = group.pendingOf(root);
  SmallVector<Value> inputs = {takeUsed(blocks.lookup(root), axes)};
  AffineMap all = b.getMultiDimIdentityMap(axes.size());
  SmallVector<AffineMap> maps = {all};
  for (Value divisor : pending.divisors) {
    inputs.push_back(takeUsed(blocks.lookup(divisor), group.sums().find(divisor)->second));
    maps.push_back(along(divisor, root));
  }
  maps.push_back(all);
  SmallVector<LoopRange> here;
  for (auto [axis, dim] : llvm::enumerate(axes))
    if (dim)
      here.push_back({unsigned(axis), ranges[*dim].offset, ranges[*dim].extent});
  SmallVector<utils::IteratorType> parallel(axes.size(), utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, loc, inputs, takeRanges(b, loc, root, all, here), maps, parallel,
      [&](OpBuilder &body, Location, ValueRange arguments) {
        Value sum = arguments[0], result = sum;
        for (size_t i = 0; i < pending.divisors.size(); ++i)
          result = arith::DivFOp::create(body, loc, result, arguments[1 + i]);
        if (pending.hasZeros && !pending.divisors.empty()) {
          // Where all terms are 0, the divisor may be 0, too.
          Value zero = arith::ConstantOp::create(body, loc, body.getZeroAttr(sum.getType()));
          Value isZero = arith::CmpFOp::create(body, loc, arith::CmpFPredicate::OEQ, sum, zero);
          result = arith::SelectOp::create(body, loc, isZero, sum, result);
        }
        linalg::YieldOp::create(body, loc, result);
      });
}

void TileGroupEmitter::emit(function_ref<bool(Value)> isNeeded) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(group.last().op);
  unsigned anchor = group.anchor(), stream = group.stream();
  SmallVector<Size> counts;
  Size total = sizes.constant(1);
  for (unsigned dim = 0; dim < stream; ++dim) {
    counts.push_back(countPlaces(dim));
    if (dim == anchor)
      counts.back() = sizes.divideUp(counts.back(), sizes.constant(group.blockOf(dim)));
    total = sizes.multiply(total, counts.back());
  }
  Value zero = sizes.materialize(sizes.constant(0)), one = sizes.materialize(sizes.constant(1));
  auto parallel = scf::ParallelOp::create(b, loc, zero, sizes.materialize(total), one);
  b.setInsertionPointToStart(parallel.getBody());
  Size number = parallel.getInductionVars().front();
  std::optional<Band> band = group.findBand();
  bool doLastSeeMost = band && band->until && !band->from;
  ranges.resize(stream + 1);
  for (unsigned dim = stream; dim-- > 0;) {
    Size here = dim == 0 ? number : sizes.remainder(number, counts[dim]);
    number = dim == 0 ? number : sizes.divide(number, counts[dim]);
    // What takes longest begins first.
    if (dim == anchor && doLastSeeMost)
      here = sizes.subtract(sizes.subtract(counts[dim], sizes.constant(1)), here);
    ranges[dim] = dim == anchor ? cut(dim, sizes.multiply(here, sizes.constant(group.blockOf(dim))))
                                : Range{here, sizes.constant(1)};
  }
  allocate();
  startSums();
  auto loop = scf::ForOp::create(b, loc, sizes.materialize(beginOfStream(band)),
                                 sizes.materialize(endOfStream(band)),
                                 sizes.materialize(sizes.constant(group.blockOf(stream))));
  b.setInsertionPointToStart(loop.getBody());
  ranges[stream] = cut(stream, loop.getInductionVar());
  for (const TileMember &member : group.members())
    emitMember(member);
  b.setInsertionPointAfter(loop);
  for (auto &[root, axes] : group.sums())
    if (isNeeded(root))
      finish(root);
}

} // namespace nnc
