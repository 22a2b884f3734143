//===- KernelEpilogue.cpp - What a kernel does with its results -----------===//
#include "KernelEpilogue.h"

#include "BufferEffects.h"
#include "BufferPlaces.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {

/// Whether `next` reads each element of `result` by itself, and writes where `op` does not read.
static bool followsEachResult(linalg::GenericOp op, linalg::GenericOp next, Value result) {
  if (next.getNumReductionLoops() != 0)
    return false;
  Value root = rootBuffer(result);
  bool reads = false;
  AffineMap map;
  for (OpOperand &operand : next->getOpOperands()) {
    if (rootBuffer(operand.get()) != root)
      continue;
    AffineMap here = next.getMatchingIndexingMap(&operand);
    if (operand.get() != result || !here.isPermutation() || (map && here != map))
      return false;
    map = here;
    reads |= next.isDpsInput(&operand) || next.payloadUsesValueFromOperand(&operand);
  }
  // Other blocks may still read what this one is to write.
  bool overwrites = llvm::any_of(next.getDpsInits(), [&](Value output) {
    return llvm::any_of(op.getDpsInputs(), [&](Value input) {
      return isa<MemRefType>(input.getType()) && rootBuffer(input) == rootBuffer(output);
    });
  });
  // Its body may read where it likes.
  bool readsElsewhere =
      !llvm::all_of(*next.getBody(), [](Operation &inner) { return isPure(&inner); });
  return reads && !overwrites && !readsElsewhere;
}

/// Whether anyone but these three, and the fill before the first, uses the buffer.
static bool isUsedElsewhere(Value result, linalg::GenericOp op, linalg::GenericOp next) {
  if (!result.getDefiningOp<memref::AllocOp>())
    return true;
  return llvm::any_of(result.getUsers(), [&](Operation *user) {
    return user != op && user != next && !isa<linalg::FillOp>(user);
  });
}

std::optional<Epilogue> findEpilogue(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return std::nullopt;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction && map.isFunctionOfDim(loop))
      return std::nullopt;
  Value result = op.getDpsInits()[0], root = rootBuffer(result);
  BufferEffects effects(op);
  for (Operation *between = op->getNextNode(); between; between = between->getNextNode()) {
    auto next = dyn_cast<linalg::GenericOp>(between);
    bool reads = next && llvm::any_of(next->getOperands(), [&](Value operand) {
                   return isa<MemRefType>(operand.getType()) && rootBuffer(operand) == root;
                 });
    if (reads) {
      if (!followsEachResult(op, next, result))
        return std::nullopt;
      bool replaces = llvm::is_contained(next.getDpsInits(), result);
      return Epilogue{next, !replaces && isUsedElsewhere(result, op, next)};
    }
    if (!isPure(between) && !isa<memref::AllocOp>(between) &&
        effects.conflictsWith(BufferEffects(between)))
      return std::nullopt;
  }
  return std::nullopt;
}

} // namespace nnc
