//===- Reduction.cpp - Sums that several threads share --------------------===//
//
// Thread y of Y takes terms y, y + Y, y + 2Y, … in order. A warp adds its sums in five steps by shuffles, in pairs
// whose distance halves; what warps have, or threads that sum beside each other, one thread adds in order, out
// of shared memory. So the order follows from the shape alone, and what the output held comes in last.
//
//===----------------------------------------------------------------------===//
#include "Reduction.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
namespace {

/// The operation that adds a term to the sum at `output`, if its order may change; else null.
Operation *findCombiner(linalg::GenericOp op, unsigned output) {
  SmallVector<Operation *> combiners;
  Value term = matchReduction(op.getRegionOutputArgs(), output, combiners);
  if (!term || combiners.size() != 1 || !arith::getNeutralElement(combiners.front()))
    return nullptr;
  return combiners.front();
}

Value combine(OpBuilder &b, Operation *combiner, Value left, Value right) {
  OperationState state(combiner->getLoc(), combiner->getName());
  state.addOperands({left, right});
  state.addTypes(left.getType());
  state.addAttributes(combiner->getAttrs());
  return b.create(state)->getResult(0);
}

/// How many iterations some loops have, if known.
int64_t countOf(linalg::GenericOp op, utils::IteratorType kind) {
  int64_t count = 1;
  for (auto [size, loop] : llvm::zip(op.getStaticLoopRanges(), op.getIteratorTypesArray())) {
    if (loop != kind)
      continue;
    if (ShapedType::isDynamic(size))
      return ShapedType::kDynamic;
    count *= size;
  }
  return count;
}

/// Whether terms of one result, not of neighbouring results, lie side by side in the largest input.
bool termsLieTogether(linalg::GenericOp op) {
  AffineMap largest;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!largest || map.getNumResults() > largest.getNumResults())
      largest = map;
  }
  if (!largest || largest.getNumResults() == 0)
    return true;
  AffineExpr last = largest.getResults().back();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (kinds[loop] == utils::IteratorType::reduction && last.isFunctionOfDim(loop))
      return true;
  return false;
}

/// The sums of one thread on their way to be those of all that share a result.
class Combination {
public:
  Combination(OpBuilder &builder, const OperationBody &operationBody, ReductionShape threads,
              gpu::LaunchOp kernel)
      : b(builder), body(operationBody), shape(threads), launch(kernel),
        loc(operationBody.operation().getLoc()), sums(operationBody.sums()) {
    for (unsigned output : sums)
      combiners.push_back(findCombiner(body.operation(), output));
  }

  SmallVector<Value> neutral();
  /// The share of terms `first`, `first` + terms, … below `count`.
  SmallVector<Value> sumTerms(Value first, Value count, MutableArrayRef<Value> indices);
  /// Adds the sums of the lanes of each warp, if these are terms of one result and all fit in registers.
  bool combineInWarp(SmallVector<Value> &partial);
  /// Leaves those of thread `term`, of all or of one in a warp, where the block sees them.
  void share(ValueRange partial, Value result, Value term, bool warpsAreDone);
  /// Adds up what is shared for `result`.
  SmallVector<Value> sumShared(Value result);
  /// Adds the sums to what they start from.
  void store(ValueRange partial, ArrayRef<Value> indices);

private:
  OpBuilder &b;
  const OperationBody &body;
  ReductionShape shape;
  gpu::LaunchOp launch;
  Location loc;
  SmallVector<unsigned> sums;
  SmallVector<Operation *> combiners;
  /// What threads share of each sum.
  SmallVector<Value> memory;
};

SmallVector<Value> Combination::neutral() {
  return llvm::map_to_vector(combiners, [&](Operation *combiner) -> Value {
    return arith::ConstantOp::create(b, loc, *arith::getNeutralElement(combiner));
  });
}

SmallVector<Value> Combination::sumTerms(Value first, Value count, MutableArrayRef<Value> indices) {
  Value step = constantIndex(b, loc, shape.terms);
  auto loop = scf::ForOp::create(b, loc, first, count, step, neutral());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body.locate(b, loop.getInductionVar(), body.reductionLoops(), indices);
  SmallVector<Value> next = body.compute(b, indices, loop.getRegionIterArgs());
  if (!next.empty())
    scf::YieldOp::create(b, loc, next);
  return llvm::to_vector_of<Value>(loop.getResults());
}

bool Combination::combineInWarp(SmallVector<Value> &partial) {
  bool fits = llvm::all_of(
      partial, [](Value value) { return value.getType().getIntOrFloatBitWidth() == 32; });
  if (!shape.termsFirst || shape.terms % kWarpSize != 0 || !fits)
    return false;
  for (int64_t distance = kWarpSize / 2; distance > 0; distance /= 2)
    for (auto [value, combiner] : llvm::zip_equal(partial, combiners)) {
      auto other =
          gpu::ShuffleOp::create(b, loc, value, distance, kWarpSize, gpu::ShuffleMode::XOR);
      value = combine(b, combiner, value, other.getShuffleResult());
    }
  return true;
}

void Combination::share(ValueRange partial, Value result, Value term, bool warpsAreDone) {
  int64_t groups = warpsAreDone ? shape.terms / kWarpSize : shape.terms;
  for (Value value : partial)
    memory.push_back(addSharedMemory(launch, {groups, shape.results}, value.getType()));
  auto leave = [&](OpBuilder &inner, Value group) {
    for (auto [value, place] : llvm::zip_equal(partial, memory))
      memref::StoreOp::create(inner, loc, value, place, ValueRange{group, result});
  };
  if (warpsAreDone) {
    // All lanes of a warp have its sum.
    Value width = constantIndex(b, loc, kWarpSize), zero = constantIndex(b, loc, 0);
    Value group = arith::DivUIOp::create(b, loc, term, width);
    Value lane = arith::RemUIOp::create(b, loc, term, width);
    Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lane, zero);
    scf::IfOp::create(b, loc, isFirst, [&](OpBuilder &inner, Location) {
      leave(inner, group);
      scf::YieldOp::create(inner, loc);
    });
  } else {
    leave(b, term);
  }
  gpu::BarrierOp::create(b, loc);
}

SmallVector<Value> Combination::sumShared(Value result) {
  auto read = [&](OpBuilder &inner, Value group) {
    return llvm::map_to_vector(memory, [&](Value place) -> Value {
      return memref::LoadOp::create(inner, loc, place, ValueRange{group, result});
    });
  };
  Value one = constantIndex(b, loc, 1);
  Value groups = constantIndex(b, loc, cast<MemRefType>(memory.front().getType()).getDimSize(0));
  auto loop = scf::ForOp::create(b, loc, one, groups, one, read(b, constantIndex(b, loc, 0)),
                                 [&](OpBuilder &inner, Location, Value group, ValueRange soFar) {
                                   SmallVector<Value> next;
                                   for (auto [sum, term, combiner] :
                                        llvm::zip_equal(soFar, read(inner, group), combiners))
                                     next.push_back(combine(inner, combiner, sum, term));
                                   scf::YieldOp::create(inner, loc, next);
                                 });
  return llvm::to_vector_of<Value>(loop.getResults());
}

void Combination::store(ValueRange partial, ArrayRef<Value> indices) {
  for (auto [output, value, combiner] : llvm::zip_equal(sums, partial, combiners)) {
    Value before = body.loadInitial(b, output, indices);
    body.storeResult(b, combine(b, combiner, before, value), output, indices);
  }
}

} // namespace

ReductionShape chooseReductionShape(linalg::GenericOp op) {
  /// Terms that one thread sums sooner than several do.
  constexpr int64_t kFewTerms = 16;
  /// Results that are too few for a warp each.
  constexpr int64_t kFewResults = 64;
  OpBuilder b(op);
  if (op.getNumReductionLoops() == 0)
    return {};
  int64_t terms = countOf(op, utils::IteratorType::reduction),
          results = countOf(op, utils::IteratorType::parallel);
  if (!ShapedType::isDynamic(terms) && terms <= kFewTerms)
    return {};
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (unsigned output = 0; output < op.getNumDpsInits(); ++output) {
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(output));
    bool isSum = true;
    for (auto [loop, kind] : llvm::enumerate(kinds))
      isSum &= kind == utils::IteratorType::parallel || !map.isFunctionOfDim(loop);
    if (isSum && !findCombiner(op, output))
      return {};
  }
  if (!ShapedType::isDynamic(results) && results <= kFewResults)
    return {1, kBlockSize, true};
  if (termsLieTogether(op))
    return {kBlockSize / kWarpSize, kWarpSize, true};
  return {kWarpSize, kBlockSize / kWarpSize, false};
}

RowShare findShare(OpBuilder &b, Location loc, ReductionShape shape, gpu::LaunchOp launch,
                   Value total) {
  Value thread = launch.getThreadIds().x;
  int64_t width = shape.termsFirst ? shape.terms : shape.results;
  Value fast = thread, slow = constantIndex(b, loc, 0);
  if (width != kBlockSize) {
    fast = arith::RemUIOp::create(b, loc, thread, constantIndex(b, loc, width));
    slow = arith::DivUIOp::create(b, loc, thread, constantIndex(b, loc, width));
  }
  RowShare share;
  share.term = shape.termsFirst ? fast : slow;
  share.result = shape.termsFirst ? slow : fast;
  Value first =
      arith::MulIOp::create(b, loc, launch.getBlockIds().x, constantIndex(b, loc, shape.results));
  share.number = arith::AddIOp::create(b, loc, first, share.result);
  share.exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, share.number, total);
  return share;
}

/// The share of a thread, which is `share`.
static void emitShare(OpBuilder &b, const OperationBody &body, ReductionShape shape,
                      gpu::LaunchOp launch, const RowShare &share) {
  linalg::GenericOp op = body.operation();
  Location loc = op.getLoc();
  Value zero = constantIndex(b, loc, 0);
  // A thread without a result goes along to the barriers, with no terms.
  Value count = multiply(b, loc, body.sizesOf(body.reductionLoops()));
  count = arith::SelectOp::create(b, loc, share.exists, count, zero);

  SmallVector<Value> indices(op.getNumLoops());
  body.locate(b, share.number, body.parallelLoops(), indices);
  Combination combination(b, body, shape, launch);
  SmallVector<Value> partial = combination.sumTerms(share.term, count, indices);
  bool warpsAreDone = combination.combineInWarp(partial);
  bool isShared = !partial.empty() && shape.terms > (warpsAreDone ? kWarpSize : 1);
  if (isShared)
    combination.share(partial, share.result, share.term, warpsAreDone);
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, share.term, zero);
  Value stores = arith::AndIOp::create(b, loc, share.exists, isFirst);
  auto choice = scf::IfOp::create(b, loc, stores, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  if (isShared)
    partial = combination.sumShared(share.result);
  combination.store(partial, indices);
}

void emitSharedReduction(OpBuilder &b, const OperationBody &body, ReductionShape shape,
                         gpu::LaunchOp launch) {
  Location loc = body.operation().getLoc();
  Value total = multiply(b, loc, body.sizesOf(body.parallelLoops()));
  emitShare(b, body, shape, launch, findShare(b, loc, shape, launch, total));
}

bool emitReductionByWarps(OpBuilder &b, const OperationBody &body, gpu::LaunchOp launch) {
  constexpr ReductionShape kWarps{kBlockSize / kWarpSize, kWarpSize, true};
  linalg::GenericOp op = body.operation();
  bool fits = llvm::all_of(body.sums(), [&](unsigned output) {
    return cast<MemRefType>(op.getDpsInits()[output].getType()).getElementTypeBitWidth() == 32;
  });
  if (!fits || chooseReductionShape(op).terms == 1 || !termsLieTogether(op))
    return false;
  Location loc = op.getLoc();
  Value thread = launch.getThreadIds().x, width = constantIndex(b, loc, kWarpSize);
  Value warp = arith::DivUIOp::create(b, loc, thread, width),
        lane = arith::RemUIOp::create(b, loc, thread, width);
  Value total = multiply(b, loc, body.sizesOf(body.parallelLoops()));
  auto loop = scf::ForOp::create(b, loc, warp, total, constantIndex(b, loc, kWarps.results));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value exists = arith::ConstantIntOp::create(b, loc, 1, 1);
  emitShare(b, body, kWarps, launch, {Value(), loop.getInductionVar(), exists, lane});
  return true;
}

} // namespace nnc
