//===- PackSteps.cpp - Every other element, one after the other -----------===//
//
//   x[c, 2 p, 2 q]     copy[c, p, q]     which is a row of pixels for each channel, and packs like any other
//
//===----------------------------------------------------------------------===//
#include "PackSteps.h"

#include "BufferPlaces.h"
#include "CPU/KernelCost.h"
#include "KernelLoops.h"
#include "PackInput.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {
namespace {

/// The elements that `map` reads, step * loop along each axis.
struct Steps {
  AffineMap loops;
  SmallVector<int64_t> steps;
};

} // namespace

/// None if each element is used, or an axis is no single loop.
static std::optional<Steps> matchSteps(AffineMap map) {
  Steps result;
  SmallVector<AffineExpr> loops;
  for (AffineExpr expr : map.getResults()) {
    auto product = dyn_cast<AffineBinaryOpExpr>(expr);
    auto step = product && product.getKind() == AffineExprKind::Mul
                    ? dyn_cast<AffineConstantExpr>(product.getRHS())
                    : AffineConstantExpr();
    loops.push_back(step ? product.getLHS() : expr);
    result.steps.push_back(step ? step.getValue() : 1);
  }
  result.loops = AffineMap::get(map.getNumDims(), 0, loops, map.getContext());
  bool hasSteps = llvm::any_of(result.steps, [](int64_t step) { return step > 1; });
  return hasSteps && result.loops.isProjectedPermutation() ? std::optional(result) : std::nullopt;
}

/// A view of these elements of `source`; none where it is not known how many they are.
static Value takeSteps(OpBuilder &b, linalg::GenericOp op, Value source, const Steps &steps) {
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, op.getLoc(), source), strides;
  for (auto [axis, step] : llvm::enumerate(steps.steps)) {
    strides.push_back(b.getIndexAttr(step));
    int64_t size = op.getStaticLoopRanges()[steps.loops.getDimPosition(axis)];
    if (step != 1 && ShapedType::isDynamic(size))
      return Value();
    if (step != 1)
      sizes[axis] = b.getIndexAttr(size);
  }
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  return memref::SubViewOp::create(b, op.getLoc(), source, offsets, sizes, strides);
}

void packSteps(IRRewriter &rewriter, linalg::GenericOp op) {
  constexpr double kFewestReads = 32;
  if (op.getNumReductionLoops() == 0)
    return;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap &map = maps[input->getOperandNumber()];
    std::optional<Steps> steps = matchSteps(map);
    if (!steps || countReads(op, map) < kFewestReads || changesShape(input->get()))
      continue;
    rewriter.setInsertionPoint(findPackingPlace(op, input->get()));
    Value view = takeSteps(rewriter, op, input->get(), *steps);
    if (!view)
      continue;
    remarkDone(op.getLoc(), "prepare-kernels") << remark::add(
        "input {0} is packed: it is read again and again, of some axis not every element",
        input->getOperandNumber());
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(map.getNumResults()));
    Value dense = allocateInOrder(rewriter, op.getLoc(), view, order);
    AffineMap identity = rewriter.getMultiDimIdentityMap(order.size());
    simplifyLoops(rewriter, copyBuffer(rewriter, op.getLoc(), view, dense, identity, identity));
    input->set(dense);
    map = steps->loops;
  }
  op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
}

} // namespace nnc
