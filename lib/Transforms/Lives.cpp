//===- Lives.cpp - When the values of a block live ------------------------===//
#include "Lives.h"

#include "nnc/IR/NN.h"
#include "nnc/IR/OpTable.h"
#include "nnc/IR/TypicalSize.h"

using namespace mlir;

namespace nnc {

int64_t elementsOf(Value value) {
  int64_t count = 1;
  for (const Dim &dim : getShape(value))
    count *= std::max<int64_t>(typicalSize(dim), 1);
  return count;
}

StringRef familyOf(Operation *op) {
  if (!isa_and_nonnull<nn::NNDialect>(op->getDialect()))
    return StringRef();
  const OpInfo *info = lookupOp(op->getName().stripDialect());
  return info ? StringRef(info->family) : StringRef();
}

bool isElementwise(Operation *op) { return familyOf(op) == "Elementwise"; }

bool isView(Operation *op) {
  return isa<nn::ReshapeOp, nn::ExpandDimsOp, nn::SqueezeOp, nn::BroadcastToOp, nn::TransposeOp,
             nn::WindowsOp, nn::SliceOp, nn::StopGradientOp, nn::FullOp, nn::ConstantOp,
             nn::IotaOp>(op);
}

SmallVector<Block *> stepBlocks(func::FuncOp function) {
  SmallVector<Block *> blocks = {&function.getBody().front()};
  function.walk([&](nn::ScanOp scan) { blocks.push_back(&scan.getBody().front()); });
  return blocks;
}

int64_t Sizes::bytesOf(Value value) {
  auto [place, isNew] = bytes.try_emplace(value.getType());
  if (isNew) {
    unsigned bits = getElementType(value).getIntOrFloatBitWidth();
    place->second = elementsOf(value) * std::max<int64_t>(bits / 8, 1);
  }
  return place->second;
}

/// All but views, and what the only op that reads it takes in.
static bool needsMemory(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isa<RankedTensorType>(value.getType()) || isView(op))
    return false;
  if (!value.hasOneUse() || !isElementwise(op))
    return true;
  Operation *user = *value.user_begin();
  return user->hasAttr(nn::againAttr) || (!isElementwise(user) && familyOf(user) != "Reduction");
}

Lives::Lives(Block &measuredBlock, Sizes &sizes) : block(measuredBlock) {
  for (Operation &op : block) {
    positions[&op] = ops.size();
    ops.push_back(&op);
  }
  for (Operation *op : llvm::reverse(ops))
    for (Value result : op->getResults()) {
      if (needsMemory(result))
        inMemory.insert(result);
      ends[result] = findEnd(result);
    }
  findPeak(sizes);
}

unsigned Lives::findEnd(Value value) const {
  unsigned end = positions.lookup(value.getDefiningOp());
  for (Operation *user : value.getUsers()) {
    Operation *ancestor = block.findAncestorOpInBlock(*user);
    end = std::max(end, positions.lookup(ancestor));
    for (Value result : ancestor->getResults())
      if (ancestor == user && !hasMemory(result))
        end = std::max(end, ends.lookup(result));
  }
  return end;
}

void Lives::findPeak(Sizes &sizes) {
  std::vector<int64_t> changes(ops.size() + 1);
  for (Value value : inMemory) {
    changes[positions.lookup(value.getDefiningOp())] += sizes.bytesOf(value);
    changes[ends.lookup(value) + 1] -= sizes.bytesOf(value);
  }
  int64_t now = 0;
  for (unsigned position = 0; position < ops.size(); ++position) {
    now += changes[position];
    if (now > peakBytes) {
      peakBytes = now;
      peak = position;
    }
  }
}

} // namespace nnc
