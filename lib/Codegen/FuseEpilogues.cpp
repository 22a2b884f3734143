//===- FuseEpilogues.cpp - Finish sums while they are in registers --------===//
//
// The reduction moves down to the operation that reads its sums, and takes that in. Both have the same
// loops but for those that sum, so what the reader does at an element of the sums is written in the
// reduction's loops.
//
//   in     linalg.generic on buffers, layouts assigned
//   out    the same, fewer of them; each element is computed by the same arithmetic as before
//
//===----------------------------------------------------------------------===//
#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "CPU/KernelCost.h"
#include "CPU/KernelPlan.h"
#include "KernelFills.h"
#include "KernelLoops.h"
#include "LoopCost.h"
#include "PassTarget.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

using Buffers = llvm::SmallPtrSet<Value, 8>;

Buffers rootsOf(ValueRange values) {
  Buffers roots;
  for (Value value : values)
    if (isa<BaseMemRefType>(value.getType()))
      roots.insert(rootBuffer(value));
  return roots;
}

/// A reduction and an operation further down that reads its sums.
class Epilogue {
public:
  Epilogue(linalg::GenericOp sum, linalg::GenericOp finish) : reduction(sum), reader(finish) {}

  /// Why the two stay apart; null if nothing is against it.
  const char *reasonAgainst();
  /// The two as one operation; null if the sum would be computed in another way then.
  linalg::GenericOp fuse(IRRewriter &rewriter, const TargetDescription &target);

private:
  bool canMoveDown();
  std::optional<unsigned> resultReadBy(OpOperand *operand);
  AffineMap toReaderLoops();

  linalg::GenericOp reduction, reader;
};

/// The output of the reduction that `operand` of the reader reads: the last one of that memory, what was made of
/// sums in their place.
std::optional<unsigned> Epilogue::resultReadBy(OpOperand *operand) {
  std::optional<unsigned> last;
  for (auto [index, output] : llvm::enumerate(reduction.getOutputs()))
    if (output == operand->get())
      last = index;
  return last;
}

/// From the loops of the reduction to those of the reader.
AffineMap Epilogue::toReaderLoops() {
  for (OpOperand *input : reader.getDpsInputOperands())
    if (std::optional<unsigned> index = resultReadBy(input)) {
      AffineMap map = reader.getMatchingIndexingMap(input);
      if (!map.isPermutation())
        return AffineMap();
      OpOperand *output = reduction.getDpsInitOperand(*index);
      return inversePermutation(map).compose(reduction.getMatchingIndexingMap(output));
    }
  return AffineMap();
}

/// How many elements `op` writes, roughly, but for those of these buffers.
double countWritten(linalg::LinalgOp op, const Buffers &except = {}) {
  double count = 0;
  for (Value output : op.getDpsInits()) {
    if (except.contains(rootBuffer(output)))
      continue;
    double elements = 1;
    for (int64_t size : cast<ShapedType>(output.getType()).getShape())
      elements *= double(typicalSize(size));
    count += elements;
  }
  return count;
}

/// Whether nothing between the two needs the sums, or changes what is summed, and it is little: what is
/// summed has to stay in memory for as long, the operands of a gradient up to the optimizer's step.
bool Epilogue::canMoveDown() {
  constexpr double kLittle = 0.25;
  double written = 0;
  Buffers read = rootsOf(reduction.getInputs()), sums = rootsOf(reduction.getOutputs()),
          results = rootsOf(reader.getOutputs());
  for (Operation *op = reduction->getNextNode(); op != reader; op = op->getNextNode()) {
    if (isPure(op) || isa<memref::AllocOp>(op))
      continue;
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (!linalgOp)
      return false;
    written += countWritten(linalgOp, results);
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<BaseMemRefType>(operand.get().getType()))
        continue;
      Value root = rootBuffer(operand.get());
      if (sums.contains(root) || (linalgOp.isDpsInit(&operand) && read.contains(root)))
        return false;
    }
    // A body that loads wherever it likes.
    if (llvm::any_of(op->getRegion(0).front(),
                     [](Operation &inner) { return isa<memref::LoadOp>(inner); }))
      return false;
  }
  return written <= kLittle * countWritten(reader);
}

const char *Epilogue::reasonAgainst() {
  AffineMap map = toReaderLoops();
  if (!map)
    return "it reads them in another order";
  for (Operation &inner : reader.getBody()->without_terminator())
    if (isa<linalg::IndexOp>(inner) || (!OpTrait::hasElementwiseMappableTraits(&inner) &&
                                        !inner.hasTrait<OpTrait::ConstantLike>()))
      return "it does more than arithmetic on elements";
  if (bodyCost(reader) > kMostBodyCost)
    return "it is too long";
  Buffers summed = rootsOf(reduction.getInputs()), sums = rootsOf(reduction.getOutputs());
  for (OpOperand &operand : reader->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    AffineMap here = reader.getMatchingIndexingMap(&operand).compose(map);
    Value root = rootBuffer(operand.get());
    std::optional<unsigned> result = resultReadBy(&operand);
    if (sums.contains(root) &&
        (!result || here != reduction.getMatchingIndexingMap(reduction.getDpsInitOperand(*result))))
      return "it reads them in two ways";
    if (reader.isDpsInit(&operand) &&
        (summed.contains(root) || reader.payloadUsesValueFromOperand(&operand)))
      return "it writes what the sums are made of";
  }
  return canMoveDown() ? nullptr : "what lies between the two is too much, or needs them";
}

linalg::GenericOp Epilogue::fuse(IRRewriter &rewriter, const TargetDescription &target) {
  AffineMap map = toReaderLoops();
  SmallVector<Value> inputs = llvm::to_vector(reduction.getInputs()),
                     outputs = llvm::to_vector(reduction.getOutputs());
  SmallVector<AffineMap> maps, outputMaps;
  for (OpOperand *input : reduction.getDpsInputOperands())
    maps.push_back(reduction.getMatchingIndexingMap(input));
  for (OpOperand &output : reduction.getDpsInitsMutable())
    outputMaps.push_back(reduction.getMatchingIndexingMap(&output));
  for (OpOperand &operand : reader->getOpOperands()) {
    AffineMap here = reader.getMatchingIndexingMap(&operand).compose(map);
    if (reader.isDpsInit(&operand)) {
      outputs.push_back(operand.get());
      outputMaps.push_back(here);
    } else if (!resultReadBy(&operand)) {
      inputs.push_back(operand.get());
      maps.push_back(here);
    }
  }
  llvm::append_range(maps, outputMaps);
  rewriter.setInsertionPoint(reader);
  auto fused = linalg::GenericOp::create(
      rewriter, rewriter.getFusedLoc({reduction.getLoc(), reader.getLoc()}), inputs, outputs, maps,
      reduction.getIteratorTypesArray(), [&](OpBuilder &b, Location loc, ValueRange arguments) {
        IRMapping mapping;
        SmallVector<Value> results;
        auto cloneBody = [&](linalg::GenericOp op) {
          for (Operation &inner : op.getBody()->without_terminator())
            b.clone(inner, mapping);
          for (Value value : op.getBody()->getTerminator()->getOperands())
            results.push_back(mapping.lookupOrDefault(value));
        };
        unsigned next = 0;
        for (OpOperand *input : reduction.getDpsInputOperands())
          mapping.map(reduction.getMatchingBlockArgument(input), arguments[next++]);
        for (auto [index, argument] : llvm::enumerate(reduction.getRegionOutputArgs()))
          mapping.map(argument, arguments[inputs.size() + index]);
        cloneBody(reduction);
        for (OpOperand *input : reader.getDpsInputOperands()) {
          std::optional<unsigned> result = resultReadBy(input);
          mapping.map(reader.getMatchingBlockArgument(input),
                      result ? results[*result] : arguments[next++]);
        }
        cloneBody(reader);
        linalg::YieldOp::create(b, loc, results);
      });
  KernelPlan before = planKernel(reduction, target), after = planKernel(fused, target);
  bool gathers = llvm::any_of(fused->getOpOperands(), [&](OpOperand &operand) {
    return operand.getOperandNumber() >= reduction.getNumDpsInputs() &&
           isGathered(fused, &operand, *before.vectorDim);
  });
  if (before.vectorDim != after.vectorDim || gathers) {
    rewriter.eraseOp(fused);
    return nullptr;
  }
  rewriter.eraseOp(reader);
  rewriter.eraseOp(reduction);
  return fused;
}

class FuseEpilogues : public impl::FuseEpiloguesPassBase<FuseEpilogues> {
  using FuseEpiloguesPassBase::FuseEpiloguesPassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    generalizeKernels(rewriter, getOperation());
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    for (linalg::GenericOp reader : ops)
      if (reader.getNumReductionLoops() == 0)
        takeIn(rewriter, reader, *target);
  }

  void takeIn(IRRewriter &rewriter, linalg::GenericOp reader, const TargetDescription &target) {
    linalg::GenericOp reduction = findReduction(reader, target);
    if (!reduction)
      return;
    Location loc = reader.getLoc();
    std::string line = lineText(reduction.getLoc());
    Epilogue epilogue(reduction, reader);
    const char *reason = epilogue.reasonAgainst();
    linalg::GenericOp fused = reason ? nullptr : epilogue.fuse(rewriter, target);
    if (!fused) {
      remarkLeft(loc, "fuse-epilogues")
          << "not computed with the sums of " << line << ": "
          << (reason ? reason : "vectors along their rows would gather what it reads");
      return;
    }
    remarkDone(loc, "fuse-epilogues")
        << "computed on the sums of " << line << " while they are in registers";
    dropSums(rewriter, dropUnread(rewriter, fused));
  }

  /// The last reduction before `reader` in its block whose sums it reads, each once if there is such a one, and
  /// of which vectors go along the results.
  linalg::GenericOp findReduction(linalg::GenericOp reader, const TargetDescription &target) {
    linalg::GenericOp last;
    for (Operation *op = reader->getPrevNode(); op; op = op->getPrevNode()) {
      auto reduction = dyn_cast<linalg::GenericOp>(op);
      if (!reduction || reduction.getNumReductionLoops() == 0 ||
          !llvm::any_of(reduction.getOutputs(), [&](Value output) {
            return llvm::is_contained(reader.getInputs(), output);
          }))
        continue;
      KernelPlan plan = planKernel(reduction, target);
      if (!plan.vectorDim || plan.reducesLanes || findBetterDim(reduction, plan, target))
        continue;
      if (llvm::any_of(reader.getDpsInputOperands(), [&](OpOperand *input) {
            return llvm::is_contained(reduction.getOutputs(), input->get()) &&
                   reader.getMatchingIndexingMap(input).isPermutation();
          }))
        return reduction;
      last = last ? last : reduction;
    }
    return last;
  }

  /// `op` without what it makes of its sums and only an operation read that it has taken in since.
  static linalg::GenericOp dropUnread(IRRewriter &rewriter, linalg::GenericOp op) {
    linalg::FillOp fill = findFill(op, *op.getDpsInitOperand(0));
    auto isRead = [&](Value output) {
      auto alloc = output.getDefiningOp<memref::AllocOp>();
      return !alloc || !llvm::all_of(alloc->getUsers(),
                                     [&](Operation *user) { return user == op || user == fill; });
    };
    llvm::BitVector unread(op.getNumDpsInits());
    for (auto [index, output] : llvm::enumerate(op.getOutputs()))
      if (index != 0 && !isRead(output) && op.getRegionOutputArgs()[index].use_empty())
        unread.set(index);
    if (unread.none() || unread.count() + 1 == unread.size())
      return op;
    SmallVector<Value> outputs;
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    maps.resize(op.getNumDpsInputs());
    for (OpOperand &output : op.getDpsInitsMutable())
      if (!unread[output.getOperandNumber() - op.getNumDpsInputs()]) {
        outputs.push_back(output.get());
        maps.push_back(op.getMatchingIndexingMap(&output));
      }
    rewriter.setInsertionPoint(op);
    auto kept = linalg::GenericOp::create(rewriter, op.getLoc(), op.getInputs(), outputs, maps,
                                          op.getIteratorTypesArray());
    llvm::BitVector arguments(op.getNumDpsInputs());
    for (unsigned index = 0; index < unread.size(); ++index)
      arguments.resize(arguments.size() + 1, unread[index]);
    op.getBody()->getTerminator()->eraseOperands(unread);
    op.getBody()->eraseArguments(arguments);
    kept.getRegion().takeBody(op.getRegion());
    kept->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    SmallVector<Value> all = llvm::to_vector(op.getOutputs());
    rewriter.eraseOp(op);
    for (Value output : all)
      if (auto alloc = output.getDefiningOp<memref::AllocOp>(); alloc && alloc->use_empty())
        rewriter.eraseOp(alloc);
    return kept;
  }

  /// Accumulates where the result goes, if nobody else reads the sums and they are of its type.
  static void dropSums(IRRewriter &rewriter, linalg::GenericOp op) {
    OpOperand &sums = *op.getDpsInitOperand(0);
    auto alloc = sums.get().getDefiningOp<memref::AllocOp>();
    linalg::FillOp fill = findFill(op, sums);
    auto isOwn = [&](Operation *user) { return user == op || user == fill; };
    if (!alloc || !fill || countAccumulators(op) != 1 || !llvm::all_of(alloc->getUsers(), isOwn))
      return;
    op->setAttr(kUnreadSums, rewriter.getUnitAttr());
    Buffers read = rootsOf(op.getInputs());
    for (unsigned index = 1; index < op.getNumDpsInits(); ++index) {
      OpOperand &made = *op.getDpsInitOperand(index);
      if (getElementTypeOrSelf(made.get()) != getElementTypeOrSelf(sums.get()) ||
          read.contains(rootBuffer(made.get())))
        continue;
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      maps[sums.getOperandNumber()] = maps[made.getOperandNumber()];
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
      rewriter.moveOpBefore(fill, op);
      fill.getDpsInitsMutable()[0].set(made.get());
      sums.set(made.get());
      if (alloc->use_empty())
        rewriter.eraseOp(alloc);
      return;
    }
  }
};

} // namespace
} // namespace nnc
