//===- KernelFills.cpp - What an operation's outputs hold before ----------===//
#include "KernelFills.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"

using namespace mlir;

namespace nnc {

static bool mayTouch(Operation *op, Value root) {
  if (op->getNumRegions() != 0 && !isa<linalg::LinalgOp>(op))
    return true;
  return !isPure(op) && llvm::any_of(op->getOperands(), [&](Value operand) {
    return isa<BaseMemRefType>(operand.getType()) && rootBuffer(operand) == root;
  });
}

linalg::FillOp findFill(linalg::LinalgOp op, OpOperand &output) {
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  if (generic && isEpilogue(generic, output.getOperandNumber() - op.getNumDpsInputs()))
    return nullptr;
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

} // namespace nnc
