//===- WidenInputs.cpp - Short factors as they are computed with ----------===//
#include "WidenInputs.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "CPU/KernelCost.h"
#include "KernelLoops.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {

Conversion findWidening(linalg::GenericOp op, OpOperand *input) {
  Operation *first = nullptr;
  for (Operation *user : op.getMatchingBlockArgument(input).getUsers()) {
    if (!isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(user) ||
        (first && (user->getName() != first->getName() ||
                   user->getResultTypes() != first->getResultTypes())))
      return {};
    first = user;
  }
  if (!first || !isa<MemRefType>(input->get().getType()))
    return {};
  using Kind = Conversion::Kind;
  return {first->getResult(0).getType(),
          isa<arith::ExtUIOp>(first) ? Kind::Unsigned : Kind::Signed};
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

void convertInput(IRRewriter &rewriter, linalg::GenericOp op, OpOperand &input,
                  Conversion conversion) {
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  SmallVector<int64_t> order =
      llvm::to_vector(llvm::seq<int64_t>(cast<MemRefType>(input.get().getType()).getRank()));
  Value copy = allocateInOrder(rewriter, loc, input.get(), order, conversion.type);
  AffineMap identity = rewriter.getMultiDimIdentityMap(order.size());
  simplifyLoops(rewriter,
                copyBuffer(rewriter, loc, input.get(), copy, identity, identity, conversion));
  input.set(copy);
}

void widenInputs(IRRewriter &rewriter, linalg::GenericOp op, unsigned vectorDim) {
  constexpr double kReads = 64;
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    Conversion conversion = findWidening(op, input);
    bool readsAll = llvm::none_of(map.getResults(), llvm::IsaPred<AffineConstantExpr>);
    if (!conversion || !readsAll || map.isFunctionOfDim(vectorDim) || countReads(op, map) < kReads)
      continue;
    convertInput(rewriter, op, *input, conversion);
    remarkDone(op.getLoc(), "prepare-kernels") << remark::add(
        "input {0} is widened once, not each time that it is read", input->getOperandNumber());
  }
  readWide(rewriter, op);
}

} // namespace nnc
