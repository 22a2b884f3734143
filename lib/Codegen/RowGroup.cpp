//===- RowGroup.cpp - Operations on the same rows -------------------------===//
#include "RowGroup.h"

#include "BufferPlaces.h"
#include "GPU/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
namespace {

/// Whether the first loops of `op` are these many over rows, and parallel, and there is nothing else that it sums for
/// than a row.
bool hasRows(linalg::GenericOp op, unsigned numRowLoops) {
  if (op.getNumLoops() < numRowLoops || op.getNumLoops() == 0)
    return false;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  return llvm::all_of(
             ArrayRef(kinds).take_front(numRowLoops),
             [](utils::IteratorType kind) { return kind == utils::IteratorType::parallel; }) &&
         (op.getNumReductionLoops() == 0 || op.getNumParallelLoops() == numRowLoops) &&
         !findContraction(op);
}

/// Whether `operand` lies row after row, and its own row is all that an iteration touches.
bool staysInRow(linalg::GenericOp op, OpOperand &operand, unsigned numRowLoops) {
  auto type = cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  if (!type.getLayout().isIdentity() || map.getNumResults() < numRowLoops)
    return false;
  for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
    AffineExpr expr = map.getResult(axis);
    if (axis < numRowLoops ? expr != getAffineDimExpr(axis, map.getContext()) ||
                                 type.getDimSize(axis) != sizes[axis]
                           : llvm::any_of(
                                 llvm::seq(numRowLoops),
                                 [&](unsigned loop) { return expr.isFunctionOfDim(loop); }))
      return false;
  }
  return true;
}

/// Whether all that any of `ops` writes is touched by all of them only in its row.
bool stayInRows(ArrayRef<linalg::GenericOp> ops, unsigned numRowLoops) {
  llvm::SmallDenseSet<Value> written;
  for (linalg::GenericOp op : ops)
    for (Value output : op.getDpsInits())
      written.insert(rootBuffer(output));
  return llvm::all_of(ops, [&](linalg::GenericOp op) {
    for (OpOperand &operand : op->getOpOperands())
      if (isa<MemRefType>(operand.get().getType()) && written.contains(rootBuffer(operand.get())) &&
          !staysInRow(op, operand, numRowLoops))
        return false;
    WalkResult reads = op->walk([&](memref::LoadOp load) {
      return written.contains(rootBuffer(load.getMemRef())) ? WalkResult::interrupt()
                                                            : WalkResult::advance();
    });
    return !reads.wasInterrupted();
  });
}

bool touch(ArrayRef<linalg::GenericOp> ops, Value buffer) {
  return llvm::any_of(ops, [&](linalg::GenericOp op) {
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      return isa<MemRefType>(operand.getType()) && rootBuffer(operand) == rootBuffer(buffer);
    });
  });
}

/// Whether two operations have as many rows.
bool haveSameRows(linalg::GenericOp left, linalg::GenericOp right, unsigned numRowLoops) {
  auto rows = [&](linalg::GenericOp op) {
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    sizes.resize(numRowLoops);
    return sizes;
  };
  // What is open may still differ, unless they share a buffer whose rows these are.
  if (rows(left) != rows(right))
    return false;
  if (!llvm::is_contained(rows(left), ShapedType::kDynamic))
    return true;
  return llvm::any_of(left.getDpsInits(), [&](Value output) {
    return llvm::any_of(right->getOperands(), [&](Value operand) {
      return isa<MemRefType>(operand.getType()) && rootBuffer(operand) == rootBuffer(output);
    });
  });
}

} // namespace

std::optional<RowGroup> findRowGroup(linalg::GenericOp op) {
  /// Terms of a row that are too many for a warp.
  constexpr int64_t kManyTerms = 1024;
  ReductionShape shape = chooseReductionShape(op);
  RowGroup group{{op}, op.getNumParallelLoops(), shape};
  if (!shape.termsFirst || shape.results == 1 || !hasRows(op, group.numRowLoops) ||
      group.numRowLoops == 0)
    return std::nullopt;
  int64_t terms = 1;
  for (int64_t size : ArrayRef(op.getStaticLoopRanges()).drop_front(group.numRowLoops))
    terms = ShapedType::isDynamic(size) ? kManyTerms : terms * size;
  if (terms > kManyTerms)
    group.shape = {1, kBlockSize, true};
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    // The group is where its last operation is.
    if (auto fill = dyn_cast<linalg::FillOp>(next); fill && !touch(group.ops, fill.output()))
      continue;
    if (isPure(next) || isa<memref::AllocOp>(next))
      continue;
    auto candidate = dyn_cast<linalg::GenericOp>(next);
    if (!candidate || !hasRows(candidate, group.numRowLoops) ||
        (candidate.getNumReductionLoops() != 0 && !chooseReductionShape(candidate).termsFirst) ||
        llvm::none_of(group.ops, [&](linalg::GenericOp member) {
          return haveSameRows(member, candidate, group.numRowLoops);
        }))
      break;
    group.ops.push_back(candidate);
    if (stayInRows(group.ops, group.numRowLoops))
      continue;
    group.ops.pop_back();
    break;
  }
  return group.ops.size() > 1 ? std::optional(group) : std::nullopt;
}

void emitRowElements(OpBuilder &b, const OperationBody &body, const RowGroup &group,
                     gpu::LaunchOp launch) {
  Location loc = body.operation().getLoc();
  SmallVector<unsigned> loops = llvm::to_vector(llvm::seq(body.operation().getNumLoops()));
  ArrayRef<unsigned> rows = ArrayRef(loops).take_front(group.numRowLoops),
                     inner = ArrayRef(loops).drop_front(group.numRowLoops);
  RowShare share = findShare(b, loc, group.shape, launch, multiply(b, loc, body.sizesOf(rows)));
  Value count = arith::SelectOp::create(b, loc, share.exists, multiply(b, loc, body.sizesOf(inner)),
                                        constantIndex(b, loc, 0));
  auto loop =
      scf::ForOp::create(b, loc, share.term, count, constantIndex(b, loc, group.shape.terms));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> indices(loops.size());
  body.locate(b, share.number, rows, indices);
  body.locate(b, loop.getInductionVar(), inner, indices);
  body.computeInOrder(b, indices);
}

} // namespace nnc
