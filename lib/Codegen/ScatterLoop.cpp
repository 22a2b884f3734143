//===- ScatterLoop.cpp - Loops that write where data says -----------------===//
#include "ScatterLoop.h"

#include "BufferPlaces.h"
#include "GPU/Launch.h"
#include "GPU/OperationBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

/// The only operation in a loop that writes, and the slice that it changes.
struct Scatter {
  linalg::GenericOp op;
  memref::SubViewOp slice;
  /// Axes of the buffer on which the slice is one place, which the loop decides; the others are all in it.
  SmallVector<unsigned> placed, whole;
};

/// The operation in `loop` that writes, if there is no more than one.
linalg::GenericOp findWriter(scf::ForOp loop) {
  linalg::GenericOp writer;
  WalkResult result = loop.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto inner = dyn_cast<scf::ForOp>(op))
      return inner.getNumResults() == 0 ? WalkResult::advance() : WalkResult::interrupt();
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      if (writer)
        return WalkResult::interrupt();
      writer = generic;
      return WalkResult::skip();
    }
    return isPure(op) || isa<memref::LoadOp>(op) || op->hasTrait<OpTrait::IsTerminator>()
               ? WalkResult::advance()
               : WalkResult::interrupt();
  });
  return result.wasInterrupted() ? nullptr : writer;
}

/// Whether each axis is in the slice as a whole or is one place, as `scatter` then says.
bool sortAxes(Scatter &scatter) {
  auto type = cast<MemRefType>(scatter.slice.getSource().getType());
  llvm::SmallBitVector dropped = scatter.slice.getDroppedDims();
  for (unsigned axis = 0; axis < type.getRank(); ++axis) {
    std::optional<int64_t> offset = getConstantIntValue(scatter.slice.getMixedOffsets()[axis]),
                           size = getConstantIntValue(scatter.slice.getMixedSizes()[axis]);
    if (getConstantIntValue(scatter.slice.getMixedStrides()[axis]) != 1)
      return false;
    if (dropped[axis])
      scatter.placed.push_back(axis);
    else if (offset == 0 && size == type.getDimSize(axis))
      scatter.whole.push_back(axis);
    else
      return false;
  }
  return true;
}

std::optional<Scatter> findScatter(scf::ForOp loop) {
  linalg::GenericOp op = findWriter(loop);
  if (!op || op.getNumReductionLoops() != 0 || op.getNumDpsInits() != 1)
    return std::nullopt;
  Value output = op.getDpsInits()[0];
  Scatter scatter{op, output.getDefiningOp<memref::SubViewOp>(), {}, {}};
  if (!scatter.slice || !loop.isDefinedOutsideOfLoop(scatter.slice.getSource()) ||
      !cast<MemRefType>(scatter.slice.getSource().getType()).hasStaticShape() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isPermutation() || !sortAxes(scatter))
    return std::nullopt;
  // Nothing else of the buffer is read.
  Value root = rootBuffer(output);
  bool readsOutput = llvm::any_of(op.getDpsInputs(), [&](Value input) {
    return isa<MemRefType>(input.getType()) && rootBuffer(input) == root;
  });
  loop.walk([&](memref::LoadOp load) { readsOutput |= rootBuffer(load.getMemRef()) == root; });
  return readsOutput ? std::nullopt : std::optional(scatter);
}

/// How often the innermost loop around `op` runs; where it is not known, often.
int64_t countTrips(Operation *op, scf::ForOp outermost) {
  constexpr int64_t kMany = 256;
  int64_t count = 1;
  for (auto loop = op->getParentOfType<scf::ForOp>();; loop = loop->getParentOfType<scf::ForOp>()) {
    std::optional<APInt> trips = loop.getStaticTripCount();
    count *= trips ? trips->getSExtValue() : kMany;
    if (loop == outermost)
      return count;
  }
}

} // namespace

bool mapScatterLoop(scf::ForOp loop) {
  /// Turns that threads look at in a few milliseconds.
  constexpr int64_t kMostTurns = int64_t(1) << 32;
  std::optional<Scatter> scatter = findScatter(loop);
  if (!scatter)
    return false;
  auto type = cast<MemRefType>(scatter->slice.getSource().getType());
  int64_t total = type.getNumElements();
  if (total * countTrips(scatter->op, loop) > kMostTurns)
    return false;

  OpBuilder b(loop);
  Location loc = loop.getLoc();
  gpu::LaunchOp launch =
      launchThreads(b, loc, constantIndex(b, loc, llvm::divideCeil(total, kBlockSize)), kBlockSize);
  Value first =
      arith::MulIOp::create(b, loc, launch.getBlockIds().x, constantIndex(b, loc, kBlockSize));
  Value number = arith::AddIOp::create(b, loc, first, launch.getThreadIds().x);
  Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number,
                                       constantIndex(b, loc, total));
  auto choice = scf::IfOp::create(b, loc, exists, /*withElseRegion=*/false);
  b.setInsertionPointToStart(choice.thenBlock());
  SmallVector<Value> element(type.getRank());
  for (int64_t axis = type.getRank() - 1; axis >= 0; --axis) {
    Value size = constantIndex(b, loc, type.getDimSize(axis));
    element[axis] = b.createOrFold<arith::RemUIOp>(loc, number, size);
    number = b.createOrFold<arith::DivUIOp>(loc, number, size);
  }
  loop->moveBefore(choice.thenBlock()->getTerminator());

  linalg::GenericOp op = scatter->op;
  b.setInsertionPoint(op);
  Value isTurn = arith::ConstantIntOp::create(b, loc, 1, 1);
  for (unsigned axis : scatter->placed) {
    Value place = getValueOrCreateConstantIndexOp(b, loc, scatter->slice.getMixedOffsets()[axis]);
    isTurn = arith::AndIOp::create(
        b, loc, isTurn,
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, place, element[axis]));
  }
  auto turn = scf::IfOp::create(b, loc, isTurn, /*withElseRegion=*/false);
  b.setInsertionPointToStart(turn.thenBlock());
  OperationBody body(b, op);
  SmallVector<Value> indices(op.getNumLoops());
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (auto [axis, expr] : llvm::zip_equal(scatter->whole, map.getResults()))
    indices[cast<AffineDimExpr>(expr).getPosition()] = element[axis];
  body.computeInOrder(b, indices);
  op.erase();
  return true;
}

} // namespace nnc
