//===- KernelCost.cpp - What an operation takes, roughly ------------------===//
#include "KernelCost.h"

#include "nnc/IR/TypicalSize.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
namespace {

bool isParallel(linalg::GenericOp op, unsigned dim) {
  return op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel;
}

/// How many iterations the loops that `choose` picks have together.
double countIterations(linalg::GenericOp op, function_ref<bool(unsigned)> choose) {
  double count = 1;
  for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges()))
    if (choose(dim))
      count *= double(typicalSize(size));
  return count;
}

double countResults(linalg::GenericOp op) {
  return countIterations(op, [&](unsigned dim) { return isParallel(op, dim); });
}

unsigned resultLanes(linalg::GenericOp op, const TargetDescription &target) {
  Type type = getElementTypeOrSelf(op.getDpsInits().front().getType());
  return target.lanes(type.isIntOrFloat() ? std::max(type.getIntOrFloatBitWidth(), 32u) : 64u);
}

/// How much of the vectors a loop of `size` fills.
double laneUse(int64_t size, unsigned lanes) {
  if (ShapedType::isDynamic(size) || size == 0)
    return 1;
  return double(size) / double(llvm::divideCeil(size, lanes) * lanes);
}

} // namespace

double countReads(linalg::GenericOp op, AffineMap map) {
  return countIterations(
      op, [&](unsigned dim) { return isParallel(op, dim) && !map.isFunctionOfDim(dim); });
}

bool isGathered(linalg::GenericOp op, OpOperand *input, unsigned dim) {
  return classifyAccess(op.getMatchingIndexingMap(input), input->get().getType(), dim) ==
         Access::Strided;
}

bool hasLongRows(linalg::GenericOp op, OpOperand *input, unsigned dim) {
  constexpr int64_t kLongBytes = 1024;
  Type type = getElementTypeOrSelf(input->get().getType());
  int64_t size = op.getStaticLoopRanges()[dim];
  return type.isIntOrFloat() && !ShapedType::isDynamic(size) &&
         size * type.getIntOrFloatBitWidth() / 8 >= kLongBytes;
}

bool isPacked(linalg::GenericOp op, OpOperand *input, unsigned dim, bool isFree) {
  // A copy of a matrix from memory takes as long as about 24 reads of it by a tile.
  constexpr double kReads = 256, kSteps = 64;
  AffineMap map = op.getMatchingIndexingMap(input);
  if (!isa<MemRefType>(input->get().getType()) || !map.isFunctionOfDim(dim) ||
      !map.isProjectedPermutation() || !isReused(op, map, dim))
    return false;
  if (isFree || isGathered(op, input, dim))
    return true;
  double steps = countIterations(
      op, [&](unsigned loop) { return !isParallel(op, loop) && map.isFunctionOfDim(loop); });
  return countReads(op, map) >= kReads && steps >= kSteps && hasLongRows(op, input, dim);
}

bool isPackedByRows(linalg::GenericOp op, OpOperand *input, const KernelPlan &plan) {
  constexpr double kReads = 256, kSteps = 64;
  constexpr int64_t kFarBytes = 1024, kMostRest = 16;
  constexpr unsigned kFewestRows = 4;
  AffineMap map = op.getMatchingIndexingMap(input);
  Type type = getElementTypeOrSelf(input->get().getType());
  if (!plan.rowDim || plan.matrix || plan.rows < kFewestRows || !type.isFloat() ||
      !map.isFunctionOfDim(*plan.rowDim) || map.isFunctionOfDim(*plan.vectorDim) ||
      !map.isProjectedPermutation())
    return false;
  // The rest is a small operation of its own, that reads the other factor again.
  int64_t size = op.getStaticLoopRanges()[*plan.rowDim];
  if (ShapedType::isDynamic(size) || size == plan.rows || kMostRest * (size % plan.rows) > size)
    return false;
  auto isSummed = [&](unsigned loop) { return !isParallel(op, loop) && map.isFunctionOfDim(loop); };
  auto isFar = [&](unsigned loop) {
    std::optional<int64_t> step = findStep(map, input->get().getType(), loop);
    return step && std::abs(*step) * type.getIntOrFloatBitWidth() / 8 >= kFarBytes;
  };
  bool liesFarApart = isFar(*plan.rowDim);
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    liesFarApart |= isSummed(loop) && isFar(loop);
  return liesFarApart && countReads(op, map) >= kReads && countIterations(op, isSummed) >= kSteps;
}

double elementCost(linalg::GenericOp op, unsigned dim, const TargetDescription &target) {
  constexpr double kAddingLanes = 2, kSharedGather = 2, kPack = 1;
  unsigned lanes = resultLanes(op, target);
  bool addsLanes = !isParallel(op, dim);
  double vector = addsLanes ? kAddingLanes : 1, packed = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (!addsLanes && isPacked(op, input, dim))
      packed += countIterations(op, [&](unsigned loop) { return map.isFunctionOfDim(loop); });
    else if (isGathered(op, input, dim))
      vector += findPattern(map, input->get().getType(), dim, lanes)
                    ? kSharedGather
                    : std::max(kSharedGather, lanes / countReads(op, map));
  }
  double terms = countIterations(op, [&](unsigned loop) { return !isParallel(op, loop); });
  double use = laneUse(op.getStaticLoopRanges()[dim], lanes);
  return terms * vector / (use * lanes) + packed * kPack / countResults(op);
}

std::optional<unsigned> findBetterDim(linalg::GenericOp op, const KernelPlan &plan,
                                      const TargetDescription &target) {
  constexpr double kWorthIt = 0.95;
  auto type = dyn_cast<MemRefType>(op.getDpsInits().front().getType());
  if (!plan.vectorDim || op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1 || !type ||
      !type.getElementType().isFloat())
    return std::nullopt;
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!output.isProjectedPermutation())
    return std::nullopt;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  std::optional<unsigned> best;
  double least = elementCost(op, *plan.vectorDim, target) * kWorthIt - kTurnCost;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (dim == *plan.vectorDim || !output.isFunctionOfDim(dim) || ShapedType::isDynamic(sizes[dim]))
      continue;
    bool gathers = llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
      return isGathered(op, input, dim) && !isPacked(op, input, dim);
    });
    double cost = elementCost(op, dim, target);
    if (!gathers && cost <= least) {
      best = dim;
      least = cost;
    }
  }
  return best;
}

double kernelCost(linalg::GenericOp op, const TargetDescription &target) {
  constexpr double kScalar = 4, kTurned = 5;
  KernelPlan plan = planKernel(op, target);
  double results = countResults(op);
  if (!plan.vectorDim)
    return countIterations(op, [](unsigned) { return true; }) * kScalar;
  if (op.getNumReductionLoops() != 0) {
    std::optional<unsigned> better = findBetterDim(op, plan, target);
    return results * (better ? elementCost(op, *better, target) + kTurnCost
                             : elementCost(op, *plan.vectorDim, target));
  }
  unsigned lanes = resultLanes(op, target);
  double vector = 0;
  for (OpOperand &operand : op->getOpOperands())
    if (!isGathered(op, &operand, *plan.vectorDim))
      vector += 1;
    else
      vector += plan.turnsInputs ? kTurned : lanes;
  return results * vector / (laneUse(op.getStaticLoopRanges()[*plan.vectorDim], lanes) * lanes);
}

} // namespace nnc
