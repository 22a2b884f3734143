//===- WidenInputs.cpp - Factors of f16 and bf16 as they are computed with -===//
#include "WidenInputs.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "KernelCost.h"
#include "KernelLoops.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {

Type widenedType(linalg::GenericOp op, OpOperand *input) {
  BlockArgument argument = op.getMatchingBlockArgument(input);
  Type wide;
  for (Operation *user : argument.getUsers()) {
    if (!isa<arith::ExtFOp>(user) || (wide && wide != user->getResult(0).getType()))
      return Type();
    wide = user->getResult(0).getType();
  }
  return isa<MemRefType>(input->get().getType()) ? wide : Type();
}

void readWide(IRRewriter &rewriter, linalg::GenericOp op) {
  for (OpOperand *input : op.getDpsInputOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(input);
    Type element = getElementTypeOrSelf(input->get().getType());
    if (argument.getType() == element)
      continue;
    argument.setType(element);
    for (Operation *user : llvm::make_early_inc_range(argument.getUsers()))
      rewriter.replaceOp(user, argument);
  }
}

void widenInputs(IRRewriter &rewriter, linalg::GenericOp op, unsigned vectorDim) {
  constexpr double kReads = 64;
  Location loc = op.getLoc();
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    Type wide = widenedType(op, input);
    bool readsAll = llvm::none_of(map.getResults(), llvm::IsaPred<AffineConstantExpr>);
    if (!wide || !readsAll || map.isFunctionOfDim(vectorDim) || countReads(op, map) < kReads)
      continue;
    rewriter.setInsertionPoint(op);
    SmallVector<int64_t> order =
        llvm::to_vector(llvm::seq<int64_t>(cast<MemRefType>(input->get().getType()).getRank()));
    Value copy = allocateInOrder(rewriter, loc, input->get(), order, wide);
    AffineMap identity = rewriter.getMultiDimIdentityMap(order.size());
    simplifyLoops(rewriter, copyBuffer(rewriter, loc, input->get(), copy, identity, identity));
    input->set(copy);
    remarkDone(loc, "prepare-kernels") << remark::add(
        "input {0} is widened once, not each time that it is read", input->getOperandNumber());
  }
  readWide(rewriter, op);
}

} // namespace nnc
