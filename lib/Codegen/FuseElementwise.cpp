//===- FuseElementwise.cpp - Fuse elementwise computations ----------------===//
//
// One pass over memory instead of several: a linalg.generic that only maps elements is merged into
// the operation that reads it. What decides is the cost: nothing dear is computed twice, and the
// inner loop of a contraction gets no extra work.
//
//===----------------------------------------------------------------------===//
#include "LoopCost.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSEELEMENTWISEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// Whether `consumer` reads each element of `operand` about once: the place is a function of all its
/// loops, and where it is a quotient, of the remainder, too.
bool readsOnce(linalg::GenericOp consumer, OpOperand *operand) {
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  llvm::SmallBitVector used(consumer.getNumLoops());
  llvm::SmallDenseMap<AffineExpr, int> quotients;
  for (AffineExpr expr : map.getResults()) {
    for (unsigned dim = 0; dim < consumer.getNumLoops(); ++dim)
      if (expr.isFunctionOfDim(dim))
        used.set(dim);
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (binary && binary.getKind() == AffineExprKind::FloorDiv)
      ++quotients[binary.getLHS()];
    if (binary && binary.getKind() == AffineExprKind::Mod)
      --quotients[binary.getLHS()];
  }
  SmallVector<int64_t> ranges = consumer.getStaticLoopRanges();
  for (unsigned dim = 0; dim < consumer.getNumLoops(); ++dim)
    if (!used.test(dim) && ranges[dim] != 1)
      return false;
  return llvm::all_of(quotients, [](auto &entry) { return entry.second <= 0; });
}

/// Whether `op` only widens its elements.
bool onlyWidens(linalg::GenericOp op) {
  Operation &first = op.getBody()->front();
  return isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(first) &&
         first.getNextNode() == op.getBody()->getTerminator();
}

/// Whether `producer` only widens the factor that `operand` is in products of `consumer`: it is packed in its wide
/// type, or multiplied in the short one.
bool widensFactor(linalg::GenericOp producer, linalg::GenericOp consumer, OpOperand *operand) {
  return onlyWidens(producer) && llvm::all_of(consumer.getMatchingBlockArgument(operand).getUsers(),
                                              llvm::IsaPred<arith::MulFOp, arith::MulIOp>);
}

/// Whether `op` only widens a factor of products, and nothing reads the result but these and other sums.
bool widensForSums(linalg::GenericOp op) {
  if (!onlyWidens(op))
    return false;
  bool hasProduct = false;
  for (OpOperand &use : op->getUses()) {
    auto consumer = dyn_cast<linalg::GenericOp>(use.getOwner());
    if (!consumer || consumer.getNumReductionLoops() == 0)
      return false;
    hasProduct |= widensFactor(op, consumer, &use);
  }
  return hasProduct;
}

/// Why `consumer` does not compute `producer`, which it reads by `operand`, itself, whoever else reads it;
/// null if it can.
const char *reasonAgainstAlone(linalg::GenericOp producer, linalg::GenericOp consumer,
                               OpOperand *operand) {
  for (OpOperand &init : producer.getDpsInitsMutable())
    if (producer.payloadUsesValueFromOperand(&init))
      return "what accumulates must happen once";
  unsigned cost = bodyCost(producer);
  if (cost == 0 || widensFactor(producer, consumer, operand))
    return nullptr;
  if (widensForSums(consumer))
    return "it is multiplied as short as it is";
  if (!readsOnce(consumer, operand) && consumer.getNumReductionLoops() != 0)
    return "the inner loop would compute its elements again and again";
  if (!readsOnce(consumer, operand))
    return cost <= 2 ? nullptr : "each element would be computed several times";
  if (bodyCost(consumer) + cost > kMostBodyCost)
    return "the loop would need more registers than there are";
  return nullptr;
}

/// Whether the operation that reads `use` could compute it itself.
bool canTakeIn(OpOperand &use) {
  auto producer = use.get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(use.getOwner());
  return isa<tensor::DimOp>(use.getOwner()) ||
         (consumer && producer->getBlock() == consumer->getBlock() &&
          !reasonAgainstAlone(producer, consumer, &use));
}

/// Why `producer` stays apart from `consumer`, which reads it by `operand`; null if it does not.
const char *reasonAgainst(linalg::GenericOp producer, linalg::GenericOp consumer,
                          OpOperand *operand) {
  if (const char *reason = reasonAgainstAlone(producer, consumer, operand))
    return reason;
  unsigned cost = bodyCost(producer);
  if (cost == 0 || producer->hasOneUse())
    return nullptr;
  if (cost > 6)
    return "others read it, too, and loading it is cheaper than computing it again";
  return llvm::all_of(producer->getUses(), canTakeIn)
             ? nullptr
             : "others need it in memory, and it is read from there";
}

/// The two operations between which `operand` is, if they could be one.
std::optional<std::pair<linalg::GenericOp, linalg::GenericOp>> findPair(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || producer->getBlock() != consumer->getBlock())
    return std::nullopt;
  return std::pair(producer, consumer);
}

void explainFused(OpOperand *operand) {
  remarkDone(operand->get().getLoc(), "fuse-elementwise")
      << "merged into the loop of " << lineText(operand->getOwner()->getLoc());
}

bool shouldFuse(OpOperand *operand) {
  auto pair = findPair(operand);
  return pair && !reasonAgainst(pair->first, pair->second, operand);
}

bool fuseAndTell(OpOperand *operand) {
  if (!shouldFuse(operand))
    return false;
  explainFused(operand);
  return true;
}

/// Whether a reshape merges only axes along which all operands of `op` have an axis, as `map` has
/// for the one that is reshaped: it is a number of matrices that they are products of then, whatever the reshape is.
template <typename ReshapeOp>
bool mergesBatches(linalg::GenericOp op, AffineMap map, ReshapeOp reshape) {
  auto goesAlongAll = [&](AffineExpr expr) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    return loop &&
           op.getIteratorTypesArray()[loop.getPosition()] == utils::IteratorType::parallel &&
           llvm::all_of(op.getIndexingMapsArray(), [&](AffineMap other) {
             return other.isProjectedPermutation() && other.isFunctionOfDim(loop.getPosition());
           });
  };
  if (op.getNumDpsInputs() < 2)
    return false;
  for (auto [expr, axes] : llvm::zip_equal(map.getResults(), reshape.getReassociationIndices()))
    if (axes.size() > 1 && !goesAlongAll(expr))
      return false;
  return true;
}

/// Whether an operation may have the axes that a reshape around it merges: it lies then with what it could be
/// fused with, or share loops with, and the reshape, a view, behind it.
bool isExpandable(OpOperand *operand) {
  auto isElementwise = [](Operation *op) {
    auto generic = dyn_cast_if_present<linalg::GenericOp>(op);
    return generic && generic.getNumReductionLoops() == 0 && !generic.hasIndexSemantics();
  };
  Operation *producer = operand->get().getDefiningOp(), *consumer = operand->getOwner();
  if (isElementwise(consumer) || isElementwise(producer))
    return true;
  if (auto generic = dyn_cast<linalg::GenericOp>(consumer))
    if (auto reshape = dyn_cast_if_present<tensor::CollapseShapeOp>(producer))
      return mergesBatches(generic, generic.getMatchingIndexingMap(operand), reshape);
  if (auto generic = dyn_cast_if_present<linalg::GenericOp>(producer))
    if (auto reshape = dyn_cast<tensor::ExpandShapeOp>(consumer))
      return mergesBatches(
          generic, generic.getIndexingMapMatchingResult(cast<OpResult>(operand->get())), reshape);
  return false;
}

/// `op` with one more input, which tells the sizes of the loops that reduce: a fused producer that
/// goes over windows would no longer. None if they are not known now.
linalg::GenericOp withReducedSizes(IRRewriter &rewriter, linalg::GenericOp op) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges(), shape;
  SmallVector<AffineExpr> exprs;
  SmallVector<unsigned> reduced;
  op.getReductionDims(reduced);
  for (unsigned dim : reduced) {
    if (ShapedType::isDynamic(sizes[dim]))
      return nullptr;
    shape.push_back(sizes[dim]);
    exprs.push_back(rewriter.getAffineDimExpr(dim));
  }
  rewriter.setInsertionPoint(op);
  Type elementType = getElementTypeOrSelf(op.getOutputs().front().getType());
  Value teller = tensor::EmptyOp::create(rewriter, op.getLoc(), shape, elementType);
  unsigned position = op.getNumDpsInputs();
  SmallVector<Value> inputs = llvm::to_vector(op.getInputs());
  inputs.push_back(teller);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps.insert(maps.begin() + position,
              AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext()));
  auto copy = linalg::GenericOp::create(rewriter, op.getLoc(), op->getResultTypes(), inputs,
                                        op.getOutputs(), maps, op.getIteratorTypesArray());
  rewriter.cloneRegionBefore(op.getRegion(), copy.getRegion(), copy.getRegion().end());
  copy.getBody()->insertArgument(position, elementType, op.getLoc());
  return copy;
}

/// Fuses into reductions what would take the sizes of their loops away.
void fuseWindows(func::FuncOp function) {
  SmallVector<linalg::GenericOp> reductions;
  function.walk([&](linalg::GenericOp op) {
    if (op.getNumReductionLoops() != 0)
      reductions.push_back(op);
  });
  IRRewriter rewriter(function.getContext());
  for (linalg::GenericOp op : reductions)
    for (unsigned input = 0; input < op.getNumDpsInputs(); ++input) {
      OpOperand *operand = op.getDpsInputOperand(input);
      if (linalg::areElementwiseOpsFusable(operand) || !shouldFuse(operand))
        continue;
      linalg::GenericOp copy = withReducedSizes(rewriter, op);
      if (!copy)
        break;
      OpOperand *copied = copy.getDpsInputOperand(input);
      if (!linalg::areElementwiseOpsFusable(copied)) {
        rewriter.eraseOp(copy);
        continue;
      }
      explainFused(copied);
      rewriter.replaceOp(op, copy);
      if (auto fused = linalg::fuseElementwiseOps(rewriter, copied); succeeded(fused))
        for (Value result : copy.getResults())
          rewriter.replaceAllUsesWith(result, fused->replacements.lookup(result));
      rewriter.eraseOp(copy);
      break;
    }
}

/// p / n * n + p % n, the place of an element in its window and of that window, is p.
AffineExpr joinQuotient(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return expr;
  AffineExpr left = joinQuotient(binary.getLHS()), right = joinQuotient(binary.getRHS());
  if (expr.getKind() == AffineExprKind::Add)
    for (auto [product, rest] : {std::pair(left, right), std::pair(right, left)}) {
      auto remainder = dyn_cast<AffineBinaryOpExpr>(rest);
      if (remainder && remainder.getKind() == AffineExprKind::Mod &&
          product == remainder.getLHS().floorDiv(remainder.getRHS()) * remainder.getRHS())
        return remainder.getLHS();
    }
  return getAffineBinaryOpExpr(expr.getKind(), left, right);
}

void joinQuotients(func::FuncOp function) {
  function.walk([](linalg::GenericOp op) {
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    for (AffineMap &map : maps) {
      SmallVector<AffineExpr> exprs = llvm::map_to_vector(map.getResults(), joinQuotient);
      map = AffineMap::get(map.getNumDims(), map.getNumSymbols(), exprs, op.getContext());
    }
    op.setIndexingMapsAttr(OpBuilder(op).getAffineMapArrayAttr(maps));
  });
}

/// Widens a tensor with its border of zeros instead of the tensor within it: what multiplies it can do so, too.
struct WidenWithBorder : OpRewritePattern<tensor::InsertSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::InsertSliceOp op,
                                PatternRewriter &rewriter) const override {
    auto widening = op.getSource().getDefiningOp<linalg::GenericOp>();
    auto fill = op.getDest().getDefiningOp<linalg::FillOp>();
    if (!widening || !fill || !onlyWidens(widening) || widening.getNumDpsInputs() != 1 ||
        !llvm::all_of(widening.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isIdentity(); }) ||
        (!matchPattern(fill.value(), m_Zero()) && !matchPattern(fill.value(), m_PosZeroFloat())))
      return failure();
    Location loc = op.getLoc();
    Value narrow = widening.getInputs().front();
    Type element = getElementTypeOrSelf(narrow.getType());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, op.getDest());
    Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(element));
    Value empty = tensor::EmptyOp::create(rewriter, loc, sizes, element);
    Value zeros = linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0);
    Value bordered =
        tensor::InsertSliceOp::create(rewriter, loc, narrow, zeros, op.getMixedOffsets(),
                                      op.getMixedSizes(), op.getMixedStrides());
    Value wide = tensor::EmptyOp::create(rewriter, loc, sizes, getElementTypeOrSelf(op.getType()));
    AffineMap identity = rewriter.getMultiDimIdentityMap(sizes.size());
    SmallVector<utils::IteratorType> parallel(sizes.size(), utils::IteratorType::parallel);
    auto widened =
        linalg::GenericOp::create(rewriter, widening.getLoc(), wide.getType(), bordered, wide,
                                  ArrayRef<AffineMap>{identity, identity}, parallel);
    rewriter.cloneRegionBefore(widening.getRegion(), widened.getRegion(),
                               widened.getRegion().end());
    rewriter.replaceOp(op, widened);
    return success();
  }
};

class FuseElementwise : public impl::FuseElementwisePassBase<FuseElementwise> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, fuseAndTell);
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, isExpandable);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    patterns.add<WidenWithBorder>(context);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::populateFoldTensorEmptyPatterns(patterns);
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
    context->getLoadedDialect<linalg::LinalgDialect>()->getCanonicalizationPatterns(patterns);
    // Top down, so that a producer is complete before its consumers take it in.
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    fuseWindows(getOperation());
    joinQuotients(getOperation());
    // What is read twice now is read once.
    RewritePatternSet cleaning(context);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(cleaning);
    if (failed(applyPatternsGreedily(getOperation(), std::move(cleaning))))
      return signalPassFailure();
    getOperation().walk([](linalg::GenericOp op) {
      for (OpOperand *operand : op.getDpsInputOperands())
        explainApart(operand);
    });
  }

  static void explainApart(OpOperand *operand) {
    auto pair = findPair(operand);
    const char *reason = pair ? reasonAgainst(pair->first, pair->second, operand) : nullptr;
    // That a reduction stays what it is needs no words.
    if (reason && pair->first.getNumReductionLoops() == 0)
      remarkLeft(pair->first.getLoc(), "fuse-elementwise")
          << "a loop apart from that of " << lineText(pair->second.getLoc()) << ": " << reason;
  }
};

} // namespace
} // namespace nnc
