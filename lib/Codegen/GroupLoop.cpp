//===- GroupLoop.cpp - A loop over parts of an operation ------------------===//
//
// One loop, whatever the number of dimensions that it is over, so that threads share all of its trips:
//
//   scf.parallel (%trip) = 0 to singles x groups
//     part (%trip / groups) of the single iterations, from (%trip % groups) x size on
//
//===----------------------------------------------------------------------===//
#include "GroupLoop.h"

#include "CPU/SizeArithmetic.h"
#include "CutLoop.h"
#include "KernelFills.h"
#include "KernelLoops.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {
using Size = SizeArithmetic::Size;

linalg::GenericOp loopOverGroups(IRRewriter &rewriter, linalg::GenericOp op,
                                 ArrayRef<unsigned> singles, unsigned dim, int64_t size,
                                 bool isParallel) {
  Location loc = op.getLoc();
  SmallVector<linalg::FillOp> fills;
  for (OpOperand &output : op.getDpsInitsMutable())
    fills.push_back(findFill(op, output));
  rewriter.setInsertionPoint(op);
  SizeArithmetic sizes(rewriter, loc);
  Size groups = sizes.divide(loopExtent(rewriter, op, dim), sizes.constant(size)), trips = groups;
  SmallVector<Size> extents;
  for (unsigned single : singles) {
    extents.push_back(loopExtent(rewriter, op, single));
    trips = sizes.multiply(trips, extents.back());
  }
  Value zero = sizes.materialize(sizes.constant(0)), one = sizes.materialize(sizes.constant(1)),
        end = sizes.materialize(trips);
  Value trip;
  if (isParallel) {
    auto loop = scf::ParallelOp::create(rewriter, loc, zero, end, one);
    trip = loop.getInductionVars().front();
    rewriter.setInsertionPointToStart(loop.getBody());
  } else {
    auto loop = scf::ForOp::create(rewriter, loc, zero, end, one);
    trip = loop.getInductionVar();
    rewriter.setInsertionPointToStart(loop.getBody());
  }
  Size left = singles.empty() ? Size(trip) : sizes.divide(trip, groups),
       group = singles.empty() ? Size(trip) : sizes.remainder(trip, groups);
  SmallVector<LoopRange> ranges = {
      {dim, sizes.multiply(group, sizes.constant(size)), sizes.constant(size)}};
  for (unsigned i = singles.size(); i-- > 0;) {
    ranges.push_back(
        {singles[i], i == 0 ? left : sizes.remainder(left, extents[i]), sizes.constant(1)});
    left = i == 0 ? left : sizes.divide(left, extents[i]);
  }
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(
        takeRanges(rewriter, loc, operand.get(), op.getMatchingIndexingMap(&operand), ranges));
  for (auto [index, fill] : llvm::enumerate(fills))
    if (fill)
      linalg::FillOp::create(rewriter, loc, fill.value(), operands[op.getNumDpsInputs() + index]);
  auto part = cast<linalg::GenericOp>(rewriter.clone(*op));
  part->setOperands(operands);
  rewriter.eraseOp(op);
  for (linalg::FillOp fill : fills)
    if (fill)
      rewriter.eraseOp(fill);
  return simplifyLoops(rewriter, part);
}

} // namespace nnc
