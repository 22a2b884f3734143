//===- Vectorize.cpp - Emit loops and vectors for linalg on buffers -------===//
//
// Prepares each operation for the kernel emitter: one kind of operation (linalg.generic), loops
// that walk the same memory merged, an operand that lies the wrong way round packed once, and the
// fill before a reduction turned into its initial value.
//
//===----------------------------------------------------------------------===//
#include "BufferPlaces.h"
#include "CPU/KernelPlan.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_VECTORIZEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

bool mayTouch(Operation *op, Value root) {
  if (op->getNumRegions() != 0 && !isa<linalg::LinalgOp>(op))
    return true;
  return !isPure(op) && llvm::any_of(op->getOperands(), [&](Value operand) {
    return isa<BaseMemRefType>(operand.getType()) && rootBuffer(operand) == root;
  });
}

/// The fill that decides what `output` holds when `op` starts, if `op` overwrites all of it and
/// nothing reads it in between.
linalg::FillOp findFill(linalg::LinalgOp op, OpOperand &output) {
  if (!op.getMatchingIndexingMap(&output).isProjectedPermutation(/*allowZeroInResults=*/true))
    return nullptr;
  Value buffer = output.get(), root = rootBuffer(buffer);
  for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(before);
    if (fill && fill.output() == buffer)
      return fill;
    if (mayTouch(before, root))
      break;
  }
  return nullptr;
}

linalg::GenericOp copyBuffer(OpBuilder &builder, Location loc, Value source, Value target,
                             AffineMap sourceMap) {
  unsigned rank = sourceMap.getNumDims();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, builder.getContext());
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, source, target,
                                   ArrayRef<AffineMap>{sourceMap, identity}, parallel,
                                   [](OpBuilder &body, Location bodyLoc, ValueRange arguments) {
                                     linalg::YieldOp::create(body, bodyLoc, arguments[0]);
                                   });
}

/// Reads inputs that are repeated along an axis of size one without that axis.
void dropUnitAxes(IRRewriter &rewriter, linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  rewriter.setInsertionPoint(op);
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap &map = maps[input->getOperandNumber()];
    SmallVector<AffineExpr> kept;
    SmallVector<int64_t> shape;
    auto type = dyn_cast<MemRefType>(input->get().getType());
    for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
      if (map.getResult(axis) == rewriter.getAffineConstantExpr(0) && type.getDimSize(axis) == 1)
        continue;
      kept.push_back(map.getResult(axis));
      shape.push_back(type.getDimSize(axis));
    }
    if (kept.size() == map.getNumResults())
      continue;
    FailureOr<Value> reduced =
        memref::SubViewOp::rankReduceIfNeeded(rewriter, op.getLoc(), input->get(), shape);
    if (failed(reduced))
      continue;
    input->set(*reduced);
    map = AffineMap::get(map.getNumDims(), 0, kept, rewriter.getContext());
  }
  op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
}

/// Whether loops `dim` and `dim + 1` are one walk through the memory of each operand.
bool walkTogether(linalg::GenericOp op, unsigned dim) {
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation())
      return false;
    if (!map.isFunctionOfDim(dim) && !map.isFunctionOfDim(dim + 1))
      continue;
    auto first = map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    auto second = map.getResultPosition(getAffineDimExpr(dim + 1, map.getContext()));
    if (!first || !second || *second != *first + 1)
      return false;
    SmallVector<ReassociationIndices> groups;
    for (int64_t i = 0; i < map.getNumResults(); ++i)
      if (i == *second)
        groups.back().push_back(i);
      else
        groups.push_back({i});
    auto type = cast<MemRefType>(operand.get().getType());
    if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
      return false;
  }
  return true;
}

/// Merges neighbouring loops where all operands allow it: a matrix becomes one long row.
linalg::GenericOp mergeLoops(IRRewriter &rewriter, linalg::GenericOp op) {
  if (op.hasIndexSemantics() || op.getNumLoops() < 2)
    return op;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<ReassociationIndices> groups = {{0}};
  bool merges = false;
  for (unsigned dim = 1; dim < op.getNumLoops(); ++dim) {
    if (kinds[dim] == kinds[dim - 1] && walkTogether(op, dim - 1)) {
      groups.back().push_back(dim);
      merges = true;
    } else {
      groups.push_back({dim});
    }
  }
  if (!merges)
    return op;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> merged = linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(merged))
    return op;
  rewriter.eraseOp(op);
  return cast<linalg::GenericOp>(merged->collapsedOp);
}

/// Copies an input that the kernel would gather again and again so that the vector dimension is
/// contiguous. Worth it where some parallel loop reads the same elements anew.
linalg::GenericOp packInputs(IRRewriter &rewriter, linalg::GenericOp op, const KernelPlan &plan) {
  if (!plan.vectorDim || plan.reducesLanes || op.getNumReductionLoops() == 0)
    return op;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<Value> inputs = llvm::to_vector(op.getInputs());
  bool packs = false;
  rewriter.setInsertionPoint(op);
  for (OpOperand *input : op.getDpsInputOperands()) {
    unsigned position = input->getOperandNumber();
    AffineMap map = maps[position];
    if (classifyAccess(map, input->get().getType(), *plan.vectorDim) != Access::Strided ||
        !map.isProjectedPermutation() || !isReused(op, map, *plan.vectorDim))
      continue;
    SmallVector<unsigned> dims;
    for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
      if (dim != *plan.vectorDim && map.isFunctionOfDim(dim))
        dims.push_back(dim);
    // In the packed buffer the operation's own loop order, the vector dimension last.
    dims.push_back(*plan.vectorDim);
    SmallVector<AffineExpr> packedExprs, sourceExprs(map.getNumResults());
    SmallVector<int64_t> shape;
    SmallVector<Value> dynamicSizes;
    auto type = cast<MemRefType>(input->get().getType());
    for (auto [place, dim] : llvm::enumerate(dims)) {
      unsigned source = *map.getResultPosition(rewriter.getAffineDimExpr(dim));
      packedExprs.push_back(rewriter.getAffineDimExpr(dim));
      sourceExprs[source] = rewriter.getAffineDimExpr(place);
      shape.push_back(type.getDimSize(source));
      if (type.isDynamicDim(source))
        dynamicSizes.push_back(memref::DimOp::create(rewriter, op.getLoc(), input->get(), source));
    }
    Value packed = memref::AllocOp::create(
        rewriter, op.getLoc(), MemRefType::get(shape, type.getElementType()), dynamicSizes);
    AffineMap sourceMap = AffineMap::get(dims.size(), 0, sourceExprs, rewriter.getContext());
    copyBuffer(rewriter, op.getLoc(), input->get(), packed, sourceMap);
    inputs[position] = packed;
    maps[position] = AffineMap::get(op.getNumLoops(), 0, packedExprs, rewriter.getContext());
    packs = true;
  }
  if (!packs)
    return op;
  auto packedOp = linalg::GenericOp::create(rewriter, op.getLoc(), inputs, op.getOutputs(), maps,
                                            op.getIteratorTypesArray());
  packedOp.getRegion().takeBody(op.getRegion());
  rewriter.eraseOp(op);
  return packedOp;
}

class Vectorize : public impl::VectorizePassBase<Vectorize> {
  using VectorizePassBase::VectorizePassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = TargetDescription::forCpu(cpu);
    if (!target) {
      getOperation().emitError("unknown processor '") << cpu << "'";
      return signalPassFailure();
    }
    IRRewriter rewriter(&getContext());
    prepare(rewriter, *target);
    emitAll(rewriter, *target);
    getOperation().walk([](arith::ArithFastMathInterface op) {
      arith::FastMathFlagsAttr flags = op.getFastMathFlagsAttr();
      if (!flags)
        return;
      auto contract = arith::FastMathFlags::contract | flags.getValue();
      op->setAttr(op.getFastMathAttrName(),
                  arith::FastMathFlagsAttr::get(op->getContext(), contract));
    });
  }

  void prepare(IRRewriter &rewriter, const TargetDescription &target) {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp op) { copies.push_back(op); });
    for (memref::CopyOp op : copies) {
      rewriter.setInsertionPoint(op);
      unsigned rank = cast<MemRefType>(op.getSource().getType()).getRank();
      if (op.getSource() != op.getTarget())
        copyBuffer(rewriter, op.getLoc(), op.getSource(), op.getTarget(),
                   rewriter.getMultiDimIdentityMap(rank));
      rewriter.eraseOp(op);
    }
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (isa<linalg::FillOp>(op))
        continue;
      rewriter.setInsertionPoint(op);
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic)
        generic = *linalg::generalizeNamedOp(rewriter, op);
      dropUnitAxes(rewriter, generic);
      packInputs(rewriter, generic, planKernel(generic, target));
    }
  }

  void emitAll(IRRewriter &rewriter, const TargetDescription &target) {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    // A fill that a later operation starts from is no loop of its own.
    llvm::SmallSetVector<Operation *, 8> absorbed;
    DenseMap<Operation *, SmallVector<Value>> initialValues;
    for (linalg::LinalgOp op : ops) {
      SmallVector<Value> &initial = initialValues[op];
      for (OpOperand &output : op.getDpsInitsMutable()) {
        linalg::FillOp fill = isa<linalg::FillOp>(op) ? nullptr : findFill(op, output);
        initial.push_back(fill ? fill.value() : Value());
        if (fill)
          absorbed.insert(fill);
      }
    }
    for (linalg::LinalgOp op : ops) {
      if (absorbed.contains(op))
        continue;
      SmallVector<Value> initial = initialValues.lookup(op);
      rewriter.setInsertionPoint(op);
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic)
        generic = *linalg::generalizeNamedOp(rewriter, op);
      generic = mergeLoops(rewriter, generic);
      rewriter.setInsertionPoint(generic);
      emitKernel(rewriter, generic, planKernel(generic, target), initial, grain);
      rewriter.eraseOp(generic);
    }
    for (Operation *fill : absorbed)
      rewriter.eraseOp(fill);
  }
};

} // namespace
} // namespace nnc
