//===- FusionGroupEmitter.cpp - A group of operations as one loop -----------===//
//
//   parallel for each part
//     memory for a block of every temporary
//     for each block of the part
//       each member, on what the block has of its operands
//
//===----------------------------------------------------------------------===//
#include "FusionGroupEmitter.h"

#include "CutLoop.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <map>

using namespace mlir;

namespace nnc {

FusionGroupEmitter::FusionGroupEmitter(IRRewriter &rewriter, const FusionGroup &members,
                                       int64_t numParts,
                                       const std::optional<VisibleColumns> &visibleColumns)
    : b(rewriter), group(members), loc(group.members().back()->location()), parts(numParts),
      visible(visibleColumns), sizes(rewriter, loc) {
  Operation *last = group.members().back()->op;
  SmallVector<Operation *> behind = *group.othersBehind();
  for (Operation *op : behind) {
    b.moveOpAfter(op, last);
    last = op;
  }
  b.setInsertionPoint(group.members().back()->op);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// For each axis of `root`, which is written, the shared loop that walks it.
SmallVector<std::optional<unsigned>> FusionGroupEmitter::sharedAxes(Value root) {
  SmallVector<std::optional<unsigned>> axes;
  for (auto [number, member] : llvm::enumerate(group.members()))
    for (const BufferAccess &access : member->accesses)
      if (access.root == root && access.isWrite && axes.empty())
        for (std::optional<unsigned> loop : access.loops)
          axes.push_back(group.sharedLoopOf(number, loop));
  return axes;
}

void FusionGroupEmitter::allocateTemporaries(int64_t lastExtent) {
  for (Value root : group.roots()) {
    if (!group.isTemporary(root))
      continue;
    auto alloc = root.getDefiningOp<memref::AllocOp>();
    SmallVector<int64_t> shape;
    SmallVector<Value> dynamicSizes;
    auto nextDynamic = alloc.getDynamicSizes().begin();
    for (auto [axis, shared] : llvm::enumerate(sharedAxes(root))) {
      int64_t size = alloc.getType().getDimSize(axis);
      Value dynamic = ShapedType::isDynamic(size) ? *nextDynamic++ : Value();
      if (shared)
        size = *shared + 1 == group.sharedLoops().size() ? lastExtent : 1;
      else if (visible && visible->matrices.contains(root) &&
               visible->matrices.lookup(root).column == axis)
        size = columns.second - columns.first;
      else if (dynamic)
        dynamicSizes.push_back(dynamic);
      shape.push_back(size);
    }
    blocks[root] = memref::AllocOp::create(
        b, loc, MemRefType::get(shape, alloc.getType().getElementType()), dynamicSizes);
  }
}

/// What the iterations have of a block, that of the last ones being smaller.
Value FusionGroupEmitter::takeUsed(Value block, ArrayRef<std::optional<unsigned>> axes,
                                   const Ranges &ranges) {
  SmallVector<LoopRange> used;
  for (auto [axis, shared] : llvm::enumerate(axes))
    if (shared)
      used.push_back({unsigned(axis), b.getIndexAttr(0), ranges[*shared].extent});
  return takeRanges(b, loc, block, b.getMultiDimIdentityMap(axes.size()), used);
}

/// What the block has of an operand of member `number`.
Value FusionGroupEmitter::takeBlock(unsigned number, OpOperand &operand, const Ranges &ranges) {
  const FusionMember &member = *group.members()[number];
  auto access = llvm::find_if(member.accesses, [&](const BufferAccess &candidate) {
    return candidate.operand == &operand;
  });
  if (access == member.accesses.end())
    return operand.get();
  Value root = access->root;
  if (Value block = blocks.lookup(root)) {
    if (!getConstantIntValue(ranges.back().extent))
      block = takeUsed(block, sharedAxes(root), ranges);
    return rebuildView(b, loc, operand.get(), root, block);
  }
  SmallVector<LoopRange> taken;
  for (auto [loop, range] : llvm::zip_equal(group.sharedLoops(), ranges))
    taken.push_back({loop.loops[number], range.offset, range.extent});
  if (visible && visible->loops[number])
    taken.push_back({*visible->loops[number], b.getIndexAttr(columns.first),
                     b.getIndexAttr(columns.second - columns.first)});
  linalg::GenericOp op = member.op;
  return takeRanges(b, loc, operand.get(), op.getMatchingIndexingMap(&operand), taken);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void FusionGroupEmitter::emitMembers(const Ranges &ranges) {
  for (auto [number, member] : llvm::enumerate(group.members())) {
    linalg::GenericOp op = member->op;
    SmallVector<Value> operands;
    for (OpOperand &operand : op->getOpOperands()) {
      // Results in one place are recognised by that.
      auto isSame = [&](OpOperand &other) {
        return other.get() == operand.get() &&
               op.getMatchingIndexingMap(&other) == op.getMatchingIndexingMap(&operand);
      };
      unsigned known = llvm::find_if(op->getOpOperands(), isSame)->getOperandNumber();
      operands.push_back(known < operands.size() ? operands[known]
                                                 : takeBlock(number, operand, ranges));
    }
    // Sums that go on from block to block start before all of them.
    for (linalg::FillOp fill :
         group.isAccumulated(number) ? ArrayRef<linalg::FillOp>() : member->fills) {
      unsigned output = llvm::find(op.getOutputs(), fill.output()) - op.getOutputs().begin();
      linalg::FillOp::create(b, fill.getLoc(), fill.value(),
                             operands[op.getNumDpsInputs() + output]);
    }
    auto part = cast<linalg::GenericOp>(b.clone(*op));
    part->setOperands(operands);
    compareInsteadOfMasks(part, number, ranges);
  }
}

/// Where along `loop` of the whole of member `number` an iteration of its part is, as i32.
Value FusionGroupEmitter::placeOf(unsigned number, unsigned loop, const Ranges &ranges) {
  Size begin = sizes.constant(0);
  if (std::optional<unsigned> shared = group.sharedLoopOf(number, loop))
    begin = ranges[*shared].offset;
  else if (visible && visible->loops[number] == loop)
    begin = sizes.constant(columns.first);
  Value index = linalg::IndexOp::create(b, loc, loop);
  Value place = arith::AddIOp::create(b, loc, index, sizes.materialize(begin));
  return arith::IndexCastOp::create(b, loc, b.getI32Type(), place);
}

/// Where `part` is tells what it would read from a mask around the diagonal.
void FusionGroupEmitter::compareInsteadOfMasks(linalg::GenericOp part, unsigned number,
                                               const Ranges &ranges) {
  // Loops of a contraction are cut where it is packed, and its body would no longer know where it is.
  if (group.isPacked() && isContraction(part))
    return;
  for (const BufferAccess &access : llvm::reverse(group.members()[number]->accesses)) {
    const BandMask *mask = group.maskIn(access.root);
    auto loopOf = [&](unsigned axis) { return access.loops[axis]; };
    if (mask && !access.isWrite && llvm::all_of(mask->axes(), loopOf))
      mask->replaceInput(b, part, access.operand->getOperandNumber(),
                         [&](unsigned axis) { return placeOf(number, *loopOf(axis), ranges); });
  }
}

SizeArithmetic::Size FusionGroupEmitter::countIterations(const SharedLoop &loop) {
  return loopExtent(b, group.members().front()->op, loop.loops.front());
}

/// How many iterations the loops around the last one have.
SizeArithmetic::Size FusionGroupEmitter::countAround() {
  Size count = sizes.constant(1);
  for (const SharedLoop &loop : group.sharedLoops().drop_back())
    count = sizes.multiply(count, countIterations(loop));
  return count;
}

/// Block `number`, counted along all loops.
void FusionGroupEmitter::emitBlock(Size number, Size lastCount,
                                   function_ref<Range(Value)> lastRange) {
  ArrayRef<SharedLoop> loops = group.sharedLoops();
  Ranges ranges(loops.size());
  for (unsigned index = loops.size(); index-- > 0;) {
    bool isLast = index + 1 == loops.size();
    Size count = isLast ? lastCount : countIterations(loops[index]);
    Size here = index == 0 ? number : sizes.remainder(number, count);
    if (index != 0)
      number = sizes.divide(number, count);
    ranges[index] = isLast ? lastRange(sizes.materialize(here)) : Range{here, sizes.constant(1)};
  }
  emitMembers(ranges);
}

/// Blocks [begin, end).
void FusionGroupEmitter::emitBlocks(Value begin, Value end, Size lastCount,
                                    function_ref<Range(Value)> lastRange) {
  auto loop = scf::ForOp::create(b, loc, begin, end, sizes.materialize(sizes.constant(1)));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emitBlock(loop.getInductionVar(), lastCount, lastRange);
}

/// The blocks whose places along the last loop are `lastCount` ranges of up to `lastExtent` iterations.
void FusionGroupEmitter::emitLoops(Size lastCount, int64_t lastExtent,
                                   function_ref<Range(Value)> lastRange) {
  Size total = sizes.multiply(lastCount, countAround());
  Value zero = sizes.materialize(sizes.constant(0)), one = sizes.materialize(sizes.constant(1));
  OpBuilder::InsertionGuard guard(b);
  blocks.clear();
  if (parts == 1) {
    allocateTemporaries(lastExtent);
    return emitBlocks(zero, sizes.materialize(total), lastCount, lastRange);
  }
  // Each part has as many blocks in a row, the last ones perhaps fewer; all those that add to the same sums.
  Size inTurn = group.isAnyAccumulated() ? lastCount : sizes.constant(1);
  Size turns = group.isAnyAccumulated() ? countAround() : total;
  Size numParts = parts == 0 ? turns : sizes.constant(parts);
  Value share = sizes.materialize(
      parts == 0 ? inTurn : sizes.multiply(sizes.divideUp(turns, numParts), inTurn));
  Value totalValue = sizes.materialize(total);
  auto loop = scf::ParallelOp::create(b, loc, zero, sizes.materialize(numParts), one);
  b.setInsertionPointToStart(loop.getBody());
  if (parts == 0 && !group.isAnyAccumulated()) {
    allocateTemporaries(lastExtent);
    return emitBlock(loop.getInductionVars().front(), lastCount, lastRange);
  }
  Size begin = sizes.atMost(sizes.multiply(loop.getInductionVars().front(), share), totalValue),
       end = sizes.atMost(sizes.add(begin, share), totalValue);
  allocateTemporaries(lastExtent);
  emitBlocks(sizes.materialize(begin), sizes.materialize(end), lastCount, lastRange);
}

/// Rows [begin, end), in blocks, the last of which may be smaller.
void FusionGroupEmitter::emitRows(int64_t begin, int64_t end) {
  int64_t block = group.sharedLoops().back().block, whole = (end - begin) / block,
          last = begin + whole * block;
  if (whole != 0)
    emitLoops(sizes.constant(whole), block, [&](Value number) {
      Size offset = sizes.multiply(number, sizes.constant(block));
      return Range{sizes.add(offset, sizes.constant(begin)), sizes.constant(block)};
    });
  if (last != end)
    emitLoops(sizes.constant(1), end - last,
              [&](Value) { return Range{sizes.constant(last), sizes.constant(end - last)}; });
}

/// Some of the rows after the other, and what they see of the columns.
void FusionGroupEmitter::emitBands() {
  constexpr int64_t kMostBands = 8;
  int64_t rows = visible->numRows, block = group.sharedLoops().back().block;
  int64_t numBlocks = int64_t(llvm::divideCeil(rows, block)),
          numBands = std::min(kMostBands, numBlocks);
  for (int64_t band = 0; band < numBands; ++band) {
    int64_t begin = numBlocks * band / numBands * block,
            end = std::min(rows, numBlocks * (band + 1) / numBands * block);
    columns = visible->of(begin, end);
    clearHidden(begin, end);
    emitRows(begin, end);
  }
}

/// Writes zeros where these rows see nothing.
void FusionGroupEmitter::clearHidden(int64_t begin, int64_t end) {
  std::pair<int64_t, int64_t> hidden[] = {{0, columns.first},
                                          {columns.second, visible->numColumns}};
  for (Value root : visible->cleared) {
    Type type = cast<MemRefType>(root.getType()).getElementType();
    auto [row, column] = visible->matrices.lookup(root);
    for (auto [from, until] : hidden) {
      if (from == until)
        continue;
      Value rows = takeSlice(b, loc, root, row, begin, end - begin);
      Value part = takeSlice(b, loc, rows, column, from, until - from);
      Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
      linalg::FillOp::create(b, loc, zero, part);
    }
  }
}

void FusionGroupEmitter::emitAll() {
  const SharedLoop &last = group.sharedLoops().back();
  Size size = countIterations(last), block = sizes.constant(last.block);
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return emitRows(0, *known);
  if (last.block == 1)
    return emitLoops(size, 1, [&](Value number) { return Range{number, block}; });
  emitLoops(sizes.divideUp(size, block), last.block, [&](Value number) {
    Size offset = sizes.multiply(number, block);
    return Range{offset, sizes.atMost(sizes.subtract(size, offset), block)};
  });
}

std::pair<Operation *, Operation *> FusionGroupEmitter::replace() {
  Operation *end = group.members().back()->op, *before = end->getPrevNode();
  if (visible)
    emitBands();
  else
    emitAll();
  std::pair<Operation *, Operation *> written = {
      before ? before->getNextNode() : &end->getBlock()->front(), end->getPrevNode()};
  for (auto [number, member] : llvm::enumerate(group.members())) {
    if (!group.isAccumulated(number))
      for (linalg::FillOp fill : member->fills)
        b.eraseOp(fill);
    b.eraseOp(member->op);
  }
  return written;
}

} // namespace nnc
