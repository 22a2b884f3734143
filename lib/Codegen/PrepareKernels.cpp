//===- PrepareKernels.cpp - One kind of operation for the kernel emitter --===//
//
// Whatever computes on buffers becomes a linalg.generic: copies, too. An operand that lies the wrong way
// round is packed once, a result that does is computed the other way round and turned at the end, and
// axes of size one go.
//
//===----------------------------------------------------------------------===//
#include "BufferPlaces.h"
#include "CPU/KernelPlan.h"
#include "KernelFills.h"
#include "PassTarget.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_PREPAREKERNELSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

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
    SmallVector<int64_t> order;
    for (auto [place, dim] : llvm::enumerate(dims)) {
      unsigned source = *map.getResultPosition(rewriter.getAffineDimExpr(dim));
      packedExprs.push_back(rewriter.getAffineDimExpr(dim));
      sourceExprs[source] = rewriter.getAffineDimExpr(place);
      order.push_back(source);
    }
    Value packed = allocateInOrder(rewriter, op.getLoc(), input->get(), order);
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

/// How much of the vectors' lanes a loop of `size` fills.
double laneUse(int64_t size, int64_t lanes) {
  if (ShapedType::isDynamic(size) || size == 0)
    return 1;
  return double(size) / double(llvm::divideCeil(size, lanes) * lanes);
}

/// A dimension that fills vectors far better than the one that the result lies along, or spares adding
/// up lanes; its input must be one that can be packed.
std::optional<unsigned> findFullerDim(linalg::GenericOp op, const KernelPlan &plan,
                                      const TargetDescription &target) {
  constexpr double kWorthTurning = 1.3, kUseOfReducedLanes = 0.5;
  auto type = dyn_cast<MemRefType>(op.getDpsInits().front().getType());
  if (!plan.vectorDim || op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1 || !type ||
      !type.getElementType().isFloat())
    return std::nullopt;
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!output.isProjectedPermutation())
    return std::nullopt;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  int64_t lanes = target.lanes(type.getElementTypeBitWidth());
  std::optional<unsigned> best;
  double least = plan.reducesLanes ? kUseOfReducedLanes
                                   : laneUse(sizes[*plan.vectorDim], lanes) * kWorthTurning;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (dim == *plan.vectorDim || !output.isFunctionOfDim(dim) || ShapedType::isDynamic(sizes[dim]))
      continue;
    bool packs = llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *input) {
      AffineMap map = op.getMatchingIndexingMap(input);
      Access access = classifyAccess(map, input->get().getType(), dim);
      return access != Access::Strided || (map.isProjectedPermutation() && isReused(op, map, dim));
    });
    if (packs && laneUse(sizes[dim], lanes) >= least) {
      best = dim;
      least = laneUse(sizes[dim], lanes);
    }
  }
  return best;
}

/// Computes into a buffer in which a dimension that fills the vectors lies last, and copies that to its
/// place: a convolution of many filters on small images, the derivative of small kernels. Only what
/// overwrites its output.
void turnOutput(IRRewriter &rewriter, linalg::GenericOp op, const TargetDescription &target) {
  std::optional<unsigned> dim = findFullerDim(op, planKernel(op, target), target);
  linalg::FillOp fill = dim ? findFill(op, *op.getDpsInitOperand(0)) : nullptr;
  if (!fill)
    return;
  Location loc = op.getLoc();
  OpOperand &output = *op.getDpsInitOperand(0);
  AffineMap map = op.getMatchingIndexingMap(&output);
  int64_t last = *map.getResultPosition(rewriter.getAffineDimExpr(*dim));
  // turned[..., i_last] = output[i]
  SmallVector<int64_t> order;
  for (int64_t axis = 0; axis < map.getNumResults(); ++axis)
    if (axis != last)
      order.push_back(axis);
  order.push_back(last);
  AffineMap turn = AffineMap::getPermutationMap(order, rewriter.getContext());
  rewriter.setInsertionPoint(op);
  Value turned = allocateInOrder(rewriter, loc, output.get(), order);
  linalg::FillOp::create(rewriter, loc, fill.value(), turned);
  rewriter.setInsertionPointAfter(op);
  copyBuffer(rewriter, loc, turned, output.get(), turn);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[output.getOperandNumber()] = turn.compose(map);
  op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
  output.set(turned);
  rewriter.eraseOp(fill);
}

class PrepareKernels : public impl::PrepareKernelsPassBase<PrepareKernels> {
  using PrepareKernelsPassBase::PrepareKernelsPassBase;

  void runOnOperation() override {
    std::optional<TargetDescription> target = findPassTarget(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    writeCopies(rewriter);
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
      turnOutput(rewriter, generic, *target);
      packInputs(rewriter, generic, planKernel(generic, *target));
    }
  }

  void writeCopies(IRRewriter &rewriter) {
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
  }
};

} // namespace
} // namespace nnc
