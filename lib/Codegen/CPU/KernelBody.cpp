//===- KernelBody.cpp - What is computed in each iteration, and what at the end -===//
#include "KernelBody.h"

using namespace mlir;

namespace nnc {

unsigned countAccumulators(linalg::GenericOp op) {
  unsigned outputs = op.getNumDpsInits(), count = 0;
  if (op.getNumReductionLoops() == 0)
    return outputs;
  while (count < outputs && !op.getRegionOutputArgs()[count].use_empty())
    ++count;
  // Without a single sum there is nothing that an epilogue could be made of.
  return count == 0 ? outputs : count;
}

bool isEpilogue(linalg::GenericOp op, unsigned index) { return index >= countAccumulators(op); }

bool hasEpilogue(linalg::GenericOp op) { return countAccumulators(op) < op.getNumDpsInits(); }

bool areSumsUnread(linalg::GenericOp op, unsigned index) {
  if (isEpilogue(op, index) || !hasEpilogue(op))
    return false;
  OpOperand *sums = op.getDpsInitOperand(index);
  return op->hasAttr(kUnreadSums) || llvm::any_of(op.getDpsInitsMutable(), [&](OpOperand &made) {
           return &made != sums && made.get() == sums->get() &&
                  op.getMatchingIndexingMap(&made) == op.getMatchingIndexingMap(sums);
         });
}

/// The operations of the body that the accumulated outputs need.
static llvm::SmallPtrSet<Operation *, 16> collectRepeated(linalg::GenericOp op) {
  llvm::SmallPtrSet<Operation *, 16> repeated;
  SmallVector<Value> worklist = llvm::to_vector(
      op.getBody()->getTerminator()->getOperands().take_front(countAccumulators(op)));
  while (!worklist.empty()) {
    Operation *source = worklist.pop_back_val().getDefiningOp();
    if (!source || source->getBlock() != op.getBody() || !repeated.insert(source).second)
      continue;
    source->walk([&](Operation *inner) { llvm::append_range(worklist, inner->getOperands()); });
  }
  return repeated;
}

SmallVector<Operation *> repeatedBody(linalg::GenericOp op) {
  bool takesAll = !hasEpilogue(op);
  llvm::SmallPtrSet<Operation *, 16> repeated = collectRepeated(op);
  SmallVector<Operation *> body;
  for (Operation &inner : op.getBody()->without_terminator())
    if (takesAll || repeated.contains(&inner))
      body.push_back(&inner);
  return body;
}

SmallVector<Operation *> epilogueBody(linalg::GenericOp op) {
  SmallVector<Operation *> body;
  if (!hasEpilogue(op))
    return body;
  llvm::SmallPtrSet<Operation *, 16> repeated = collectRepeated(op);
  for (Operation &inner : op.getBody()->without_terminator())
    if (!repeated.contains(&inner))
      body.push_back(&inner);
  return body;
}

SmallVector<OpOperand *> repeatedInputs(linalg::GenericOp op) {
  SmallVector<OpOperand *> inputs = op.getDpsInputOperands();
  if (!hasEpilogue(op))
    return inputs;
  llvm::SmallPtrSet<Operation *, 16> repeated = collectRepeated(op);
  llvm::erase_if(inputs, [&](OpOperand *input) {
    return llvm::none_of(op.getMatchingBlockArgument(input).getUsers(), [&](Operation *user) {
      return repeated.contains(op.getBody()->findAncestorOpInBlock(*user));
    });
  });
  return inputs;
}

} // namespace nnc
