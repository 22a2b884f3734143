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
                                       int64_t numParts)
    : b(rewriter), group(members), loc(group.members().back()->location()), parts(numParts),
      sizes(rewriter, loc) {
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

/// `view` of `root`, with `block` in its place.
Value FusionGroupEmitter::rebuildView(Value view, Value root, Value block) {
  if (view == root)
    return block;
  Operation *op = view.getDefiningOp();
  Value source = rebuildView(op->getOperand(0), root, block);
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op))
    return memref::CollapseShapeOp::create(b, loc, source, collapse.getReassociationIndices());
  auto expand = cast<memref::ExpandShapeOp>(op);
  SmallVector<Size> sourceSizes = memref::getMixedSizes(b, loc, source), extents;
  SmallVector<int64_t> shape;
  for (auto [axis, axes] : llvm::enumerate(expand.getReassociationIndices())) {
    bool isTaken = false;
    for (int64_t part : axes) {
      bool takesAll =
          !isTaken && (expand.getResultType().getDimSize(part) != 1 || part == axes.back());
      isTaken |= takesAll;
      extents.push_back(takesAll ? sourceSizes[axis] : b.getIndexAttr(1));
      shape.push_back(getConstantIntValue(extents.back()).value_or(ShapedType::kDynamic));
    }
  }
  return memref::ExpandShapeOp::create(b, loc, shape, source, expand.getReassociationIndices(),
                                       extents);
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
    return rebuildView(operand.get(), root, block);
  }
  SmallVector<LoopRange> taken;
  for (auto [loop, range] : llvm::zip_equal(group.sharedLoops(), ranges))
    taken.push_back({loop.loops[number], range.offset, range.extent});
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
    for (linalg::FillOp fill : member->fills) {
      unsigned output = llvm::find(op.getOutputs(), fill.output()) - op.getOutputs().begin();
      linalg::FillOp::create(b, fill.getLoc(), fill.value(),
                             operands[op.getNumDpsInputs() + output]);
    }
    Operation *part = b.clone(*op);
    part->setOperands(operands);
  }
}

SizeArithmetic::Size FusionGroupEmitter::countIterations(const SharedLoop &loop) {
  return loopExtent(b, group.members().front()->op, loop.loops.front());
}

/// Blocks [begin, end), counted along all loops.
void FusionGroupEmitter::emitBlocks(Value begin, Value end, Size lastCount,
                                    function_ref<Range(Value)> lastRange) {
  auto loop = scf::ForOp::create(b, loc, begin, end, sizes.materialize(sizes.constant(1)));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  ArrayRef<SharedLoop> loops = group.sharedLoops();
  Ranges ranges(loops.size());
  Size number = loop.getInductionVar();
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

/// The blocks whose places along the last loop are `lastCount` ranges of up to `lastExtent` iterations.
void FusionGroupEmitter::emitLoops(Size lastCount, int64_t lastExtent,
                                   function_ref<Range(Value)> lastRange) {
  Size total = lastCount;
  for (const SharedLoop &loop : group.sharedLoops().drop_back())
    total = sizes.multiply(total, countIterations(loop));
  Value zero = sizes.materialize(sizes.constant(0)), one = sizes.materialize(sizes.constant(1));
  OpBuilder::InsertionGuard guard(b);
  blocks.clear();
  if (parts == 1) {
    allocateTemporaries(lastExtent);
    return emitBlocks(zero, sizes.materialize(total), lastCount, lastRange);
  }
  // Each part has as many blocks in a row, the last ones perhaps fewer.
  Value share = sizes.materialize(sizes.divideUp(total, sizes.constant(parts)));
  Value totalValue = sizes.materialize(total);
  auto loop = scf::ParallelOp::create(b, loc, zero, sizes.materialize(sizes.constant(parts)), one);
  b.setInsertionPointToStart(loop.getBody());
  Size begin = sizes.atMost(sizes.multiply(loop.getInductionVars().front(), share), totalValue),
       end = sizes.atMost(sizes.add(begin, share), totalValue);
  allocateTemporaries(lastExtent);
  emitBlocks(sizes.materialize(begin), sizes.materialize(end), lastCount, lastRange);
}

void FusionGroupEmitter::replace() {
  const SharedLoop &last = group.sharedLoops().back();
  Size size = countIterations(last), block = sizes.constant(last.block);
  auto offsetOf = [&](Value number) { return sizes.multiply(number, block); };
  if (last.block == 1) {
    emitLoops(size, 1, [&](Value number) { return Range{number, block}; });
  } else if (std::optional<int64_t> known = getConstantIntValue(size)) {
    int64_t whole = *known / last.block, rest = *known % last.block;
    emitLoops(sizes.constant(whole), last.block,
              [&](Value number) { return Range{offsetOf(number), block}; });
    if (rest != 0)
      emitLoops(sizes.constant(1), rest, [&](Value) {
        return Range{sizes.constant(whole * last.block), sizes.constant(rest)};
      });
  } else {
    emitLoops(sizes.divideUp(size, block), last.block, [&](Value number) {
      Size offset = offsetOf(number);
      return Range{offset, sizes.atMost(sizes.subtract(size, offset), block)};
    });
  }
  for (const FusionMember *member : group.members()) {
    for (linalg::FillOp fill : member->fills)
      b.eraseOp(fill);
    b.eraseOp(member->op);
  }
}

} // namespace nnc
