//===- ScanCanonicalization.cpp - Loops without what they do not need -----===//
//
// A scan loses the values that no result depends on, reads directly what is the same in every
// iteration, and names each value once. Gradients of loops lean on this: their rule asks for
// everything that might be needed.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Expression.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

//===-- Values that nothing depends on ------------------------------------===//

namespace {
/// What the used results of a scan depend on.
class Liveness {
public:
  explicit Liveness(ScanOp scan) : scan(scan), body(&scan.getBody().front()) {
    for (OpResult result : scan->getResults())
      if (!result.use_empty())
        visit(scan.getYield().getValues()[result.getResultNumber()]);
    for (Operation &op : body->without_terminator())
      if (!isMemoryEffectFree(&op))
        visitOperands(&op);
    while (!pending.empty())
      step(pending.pop_back_val());
  }

  bool isArgumentLive(Value argument) const { return live.contains(argument); }
  /// Whether the yielded value of that number is needed.
  bool isYieldLive(unsigned index) const {
    return !scan.getResult(index).use_empty() ||
           (index < numCarried() && isArgumentLive(body->getArgument(1 + index)));
  }

private:
  unsigned numCarried() const { return ScanOp(scan).getNumCarried(); }

  void visit(Value value) {
    if (live.insert(value).second)
      pending.push_back(value);
  }

  void visitOperands(Operation *op) {
    op->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        visit(operand);
    });
  }

  void step(Value value) {
    if (Operation *op = value.getDefiningOp()) {
      if (op->getBlock() == body)
        visitOperands(op);
      return;
    }
    auto argument = cast<BlockArgument>(value);
    unsigned number = argument.getArgNumber();
    if (argument.getOwner() == body && number >= 1 && number <= numCarried())
      visit(ScanOp(scan).getYield().getValues()[number - 1]);
  }

  mutable ScanOp scan;
  Block *body;
  llvm::DenseSet<Value> live;
  SmallVector<Value> pending;
};

/// Removes carried values, sequences and collected results that no used result depends on.
struct RemoveUnused : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp scan, PatternRewriter &rewriter) const override {
    Liveness liveness(scan);
    unsigned numCarried = scan.getNumCarried();
    Block &body = scan.getBody().front();
    SmallVector<Value> inits, sequences, yielded;
    SmallVector<OpResult> kept;
    llvm::BitVector unusedArguments(body.getNumArguments());
    for (auto [index, value] : llvm::enumerate(scan.getYield().getValues())) {
      if (liveness.isYieldLive(index)) {
        yielded.push_back(value);
        kept.push_back(scan->getResult(index));
        if (index < numCarried)
          inits.push_back(scan.getInits()[index]);
      } else if (index < numCarried) {
        unusedArguments.set(1 + index);
      }
    }
    for (auto [sequence, slice] : llvm::zip_equal(scan.getSequences(), scan.getSliceArguments())) {
      if (liveness.isArgumentLive(slice))
        sequences.push_back(sequence);
      else
        unusedArguments.set(slice.getArgNumber());
    }
    if (kept.size() == scan.getNumResults() && sequences.size() == scan.getSequences().size())
      return failure();
    if (kept.empty())
      return failure(); // dead as a whole

    YieldOp yield = scan.getYield();
    rewriter.modifyOpInPlace(yield, [&] { yield.getValuesMutable().assign(yielded); });
    eraseUnusedOps(body, rewriter);
    rewriter.modifyOpInPlace(scan, [&] { body.eraseArguments(unusedArguments); });
    SmallVector<Type> types = llvm::map_to_vector(kept, [](OpResult r) { return r.getType(); });
    auto smaller = ScanOp::create(rewriter, scan.getLoc(), scan.getCount(), scan.getReverse(),
                                  inits, sequences, types);
    rewriter.eraseBlock(&smaller.getBody().front());
    rewriter.inlineRegionBefore(scan.getBody(), smaller.getBody(), smaller.getBody().end());
    for (auto [from, to] : llvm::zip_equal(kept, smaller.getResults()))
      rewriter.replaceAllUsesWith(from, to);
    rewriter.eraseOp(scan);
    return success();
  }

  static void eraseUnusedOps(Block &block, PatternRewriter &rewriter) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        rewriter.eraseOp(&op);
  }
};

//===-- Values that are the same in every iteration -----------------------===//

/// A carried value that an iteration hands on as it got it is the initial one throughout.
struct ForwardInvariantCarried : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp scan, PatternRewriter &rewriter) const override {
    bool changed = false;
    for (unsigned index = 0; index < scan.getNumCarried(); ++index) {
      Value carried = scan.getCarriedArguments()[index], init = scan.getInits()[index];
      if (scan.getYield().getValues()[index] != carried || !hasOtherUses(scan, index))
        continue;
      rewriter.replaceAllUsesWith(scan.getResult(index), init);
      rewriter.replaceUsesWithIf(carried, init, [&](OpOperand &use) {
        return use.getOwner() != scan.getYield() || use.getOperandNumber() != index;
      });
      changed = true;
    }
    return success(changed);
  }

  /// Whether the value is used but by its own yield.
  static bool hasOtherUses(ScanOp scan, unsigned index) {
    return !scan.getResult(index).use_empty() || !scan.getCarriedArguments()[index].hasOneUse();
  }
};

/// What is collected from outside of the body is one value repeated.
struct BroadcastInvariantCollected : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp scan, PatternRewriter &rewriter) const override {
    bool changed = false;
    Place place{rewriter, getUnnamedLoc(scan)};
    for (unsigned index = scan.getNumCarried(); index < scan.getNumResults(); ++index) {
      Value collected = scan.getYield().getValues()[index], result = scan.getResult(index);
      bool isInside = scan.getBody().isAncestor(collected.getParentRegion());
      if (isInside || result.use_empty())
        continue;
      Expr repeated = broadcastTo({&place, collected}, getShape(result));
      rewriter.replaceAllUsesWith(result, repeated.value);
      changed = true;
    }
    return success(changed);
  }
};

/// The slices of a value repeated along the first axis are that value.
struct ReadInvariantSlice : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp scan, PatternRewriter &rewriter) const override {
    bool changed = false;
    for (auto [sequence, slice] : llvm::zip_equal(scan.getSequences(), scan.getSliceArguments())) {
      if (slice.use_empty())
        continue;
      Value one = sliceOf(sequence, getShape(slice), rewriter);
      if (!one)
        continue;
      rewriter.replaceAllUsesWith(slice, one);
      changed = true;
    }
    return success(changed);
  }

  /// A slice of `sequence`, null if they may differ.
  static Value sliceOf(Value sequence, ArrayRef<Dim> shape, PatternRewriter &rewriter) {
    Operation *op = sequence.getDefiningOp();
    if (!op)
      return {};
    Place place{rewriter, getUnnamedLoc(op)};
    if (auto full = dyn_cast<FullOp>(op))
      return nnc::create<FullOp>(rewriter, place.loc, {},
                                 {rewriter.getNamedAttr("shape", toAttr(op->getContext(), shape)),
                                  rewriter.getNamedAttr("value", full.getValueAttr()),
                                  rewriter.getNamedAttr("dtype", full.getDtypeAttr())});
    auto broadcast = dyn_cast<BroadcastToOp>(op);
    if (!broadcast || getShape(broadcast.getX()).size() > shape.size())
      return {};
    return broadcastTo({&place, broadcast.getX()}, shape).value;
  }
};

//===-- Values that are there twice ---------------------------------------===//

/// A sequence that is read twice is read once; a value that is collected twice is collected once.
struct MergeEqual : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp scan, PatternRewriter &rewriter) const override {
    ValueRange collected = scan.getYield().getValues().drop_front(scan.getNumCarried());
    ValueRange results = scan.getResults().drop_front(scan.getNumCarried());
    auto slices = llvm::to_vector_of<Value>(scan.getSliceArguments());
    bool changed = merge(scan.getSequences(), slices, rewriter);
    changed |= merge(collected, results, rewriter);
    return success(changed);
  }

  /// Where two of `keys` are equal, uses of the second of `values` become uses of the first.
  static bool merge(ValueRange keys, ValueRange values, PatternRewriter &rewriter) {
    llvm::DenseMap<Value, Value> first;
    bool changed = false;
    for (auto [key, value] : llvm::zip_equal(keys, values)) {
      auto [found, isNew] = first.try_emplace(key, value);
      if (isNew || value.use_empty())
        continue;
      rewriter.replaceAllUsesWith(value, found->second);
      changed = true;
    }
    return changed;
  }
};
} // namespace

void ScanOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<RemoveUnused, ForwardInvariantCarried, BroadcastInvariantCollected,
               ReadInvariantSlice, MergeEqual>(context);
}
