//===- KernelCost.cpp - What an operation takes, roughly ------------------===//
#include "KernelCost.h"

#include "nnc/IR/TypicalSize.h"

#include "llvm/Support/MathExtras.h"

#include <numeric>

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

/// How many elements an input has that lies as `map` says.
double countElements(linalg::GenericOp op, AffineMap map) {
  return countIterations(op, [&](unsigned dim) { return map.isFunctionOfDim(dim); });
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
  constexpr int64_t kLongBytes = 256;
  Type type = getElementTypeOrSelf(input->get().getType());
  int64_t size = op.getStaticLoopRanges()[dim];
  return type.isIntOrFloat() && !ShapedType::isDynamic(size) &&
         size * type.getIntOrFloatBitWidth() / 8 >= kLongBytes;
}

/// By how many bytes a step of loop `dim` moves `input`; none if that is not known.
static std::optional<int64_t> stepBytes(linalg::GenericOp op, OpOperand *input, unsigned dim) {
  Type type = getElementTypeOrSelf(input->get().getType());
  std::optional<int64_t> step =
      findStep(op.getMatchingIndexingMap(input), input->get().getType(), dim);
  if (!step || !type.isIntOrFloat())
    return std::nullopt;
  return std::abs(*step) * type.getIntOrFloatBitWidth() / 8;
}

/// The loop of a sum that moves `input` least, which goes on from one step of the sum to the next.
static std::optional<unsigned> nearestSum(linalg::GenericOp op, OpOperand *input) {
  std::optional<unsigned> best;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (!isParallel(op, dim) && stepBytes(op, input, dim).value_or(0) != 0 &&
        (!best || *stepBytes(op, input, dim) < *stepBytes(op, input, *best)))
      best = dim;
  return best;
}

/// Whether neighbours along `dim` lie so far apart that a few steps are on another page.
static bool liesFarApart(linalg::GenericOp op, OpOperand *input, std::optional<unsigned> dim) {
  constexpr int64_t kFarBytes = 512;
  return dim && stepBytes(op, input, *dim).value_or(0) >= kFarBytes;
}

bool hasFarSteps(linalg::GenericOp op, OpOperand *input) {
  return liesFarApart(op, input, nearestSum(op, input));
}

/// Whether what a tile reads of `input` in all steps of a sum does not stay in a second-level cache, since the
/// steps are such that they fall into few of its sets.
static bool evictsItself(linalg::GenericOp op, OpOperand *input) {
  constexpr int64_t kLineBytes = 64, kSets = 1024, kWays = 16;
  std::optional<unsigned> dim = nearestSum(op, input);
  if (!liesFarApart(op, input, dim))
    return false;
  int64_t step = *stepBytes(op, input, *dim);
  // Steps that are no whole lines reach all sets in the end.
  int64_t period = step % kLineBytes == 0 ? std::gcd(step / kLineBytes, kSets) : 1;
  return typicalSize(op.getStaticLoopRanges()[*dim]) > kWays * kSets / period;
}

/// How many iterations the sums have that move `input`.
static double countSteps(linalg::GenericOp op, AffineMap map) {
  return countIterations(
      op, [&](unsigned loop) { return !isParallel(op, loop) && map.isFunctionOfDim(loop); });
}

/// Sums of fewer steps are over before a copy pays.
constexpr double kSteps = 64;

/// Whether `reads` of each element pay for a copy that brings together what a tile reads of `input`, which lies
/// far apart.
static bool paysToGather(linalg::GenericOp op, OpOperand *input, double reads) {
  constexpr double kReads = 256, kReadsOfEvicted = 40;
  return countSteps(op, op.getMatchingIndexingMap(input)) >= kSteps &&
         (reads >= kReads || (reads >= kReadsOfEvicted && evictsItself(op, input)));
}

bool isPacked(linalg::GenericOp op, OpOperand *input, unsigned dim, bool isFree) {
  AffineMap map = op.getMatchingIndexingMap(input);
  if (!isa<MemRefType>(input->get().getType()) || !map.isFunctionOfDim(dim) ||
      !map.isProjectedPermutation() || !isReused(op, map, dim))
    return false;
  if (isFree || isGathered(op, input, dim))
    return true;
  return hasFarSteps(op, input) && paysToGather(op, input, countReads(op, map));
}

/// Whether a sum goes along `input` in short stretches, as along images of a few pixels, with a jump after each: a
/// processor that has begun to fetch what follows begins anew.
static bool jumpsOften(linalg::GenericOp op, OpOperand *input) {
  constexpr int64_t kLongBytes = 2048;
  SmallVector<std::pair<int64_t, int64_t>> sums;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (int64_t step = stepBytes(op, input, dim).value_or(0); step != 0 && !isParallel(op, dim))
      sums.push_back({step, typicalSize(op.getStaticLoopRanges()[dim])});
  llvm::sort(sums);
  int64_t stretch = sums.empty() ? 0 : sums.front().first;
  for (auto [step, size] : sums) {
    if (step > stretch)
      return stretch < kLongBytes;
    stretch = step * size;
  }
  return false;
}

/// The same where the steps of a sum lie on pages of their own: it pays soon if a second-level cache does not hold the
/// input.
static bool paysToLineUp(linalg::GenericOp op, OpOperand *input, double reads) {
  constexpr double kReadsOfFar = 16, kNearBytes = 1.5 * (1 << 20);
  AffineMap map = op.getMatchingIndexingMap(input);
  Type type = getElementTypeOrSelf(input->get().getType());
  double bytes = type.getIntOrFloatBitWidth() / 8.0 * countElements(op, map);
  return paysToGather(op, input, reads) ||
         (countSteps(op, map) >= kSteps && reads >= kReadsOfFar && bytes > kNearBytes);
}

/// Whether it pays to bring together what rows along `rowDim` read of `input` one number at a time. Rows along which
/// the sum goes on for long are read as fast from where they are, each line of a cache by steps one after the other.
static bool areRowsFar(linalg::GenericOp op, OpOperand *input, unsigned vectorDim, unsigned rowDim,
                       double times) {
  AffineMap map = op.getMatchingIndexingMap(input);
  if (!getElementTypeOrSelf(input->get().getType()).isIntOrFloat() ||
      !map.isFunctionOfDim(rowDim) || map.isFunctionOfDim(vectorDim) ||
      !map.isProjectedPermutation())
    return false;
  double reads = countReads(op, map) * times;
  if (hasFarSteps(op, input))
    return paysToLineUp(op, input, reads);
  return jumpsOften(op, input) && liesFarApart(op, input, rowDim) && paysToGather(op, input, reads);
}

bool isPackedByRows(linalg::GenericOp op, OpOperand *input, const KernelPlan &plan, double times) {
  constexpr int64_t kMostRest = 16;
  constexpr unsigned kFewestRows = 4;
  if (!plan.rowDim || plan.matrix || plan.rows < kFewestRows)
    return false;
  // The rest is a small operation of its own, that reads the other factor again.
  int64_t size = op.getStaticLoopRanges()[*plan.rowDim];
  return !ShapedType::isDynamic(size) && size != plan.rows &&
         kMostRest * (size % plan.rows) <= size &&
         areRowsFar(op, input, *plan.vectorDim, *plan.rowDim, times);
}

/// Whether rows, whichever loop they are along, read `input` so that it evicts itself, or from a copy.
static bool readsRowsFar(linalg::GenericOp op, OpOperand *input, unsigned vectorDim) {
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (isParallel(op, dim) && areRowsFar(op, input, vectorDim, dim, /*times=*/1))
      return evictsItself(op, input);
  return false;
}

/// Whether vectors along `dim`, next to each other in memory, mostly lie across two lines of a cache: rows begin
/// anywhere.
static bool straddlesLines(linalg::GenericOp op, OpOperand *operand, unsigned dim, unsigned lanes) {
  AffineMap map = op.getMatchingIndexingMap(operand);
  SmallVector<int64_t> strides;
  int64_t offset;
  auto type = dyn_cast<MemRefType>(operand->get().getType());
  if (!type || classifyAccess(map, type, dim) != Access::Contiguous ||
      failed(type.getStridesAndOffset(strides, offset)))
    return false;
  if (ShapedType::isDynamic(offset) || offset % lanes != 0)
    return true;
  for (unsigned other = 0; other < op.getNumLoops(); ++other)
    if (other != dim && op.getStaticLoopRanges()[other] != 1 &&
        findStep(map, type, other).value_or(1) % lanes != 0)
      return true;
  return false;
}

double elementCost(linalg::GenericOp op, unsigned dim, const TargetDescription &target) {
  constexpr double kAddingLanes = 2, kSharedGather = 2, kPack = 1, kStraddling = 1;
  unsigned lanes = resultLanes(op, target);
  bool addsLanes = !isParallel(op, dim);
  double vector = addsLanes ? kAddingLanes : 1, packed = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (!addsLanes && (isPacked(op, input, dim) || readsRowsFar(op, input, dim)))
      packed += countElements(op, map);
    else if (isGathered(op, input, dim))
      vector += findPattern(map, input->get().getType(), dim, lanes)
                    ? kSharedGather
                    : std::max(kSharedGather, lanes / countReads(op, map));
    else if (!isReused(op, map, dim) && straddlesLines(op, input, dim, lanes))
      vector += kStraddling;
  }
  double terms = countIterations(op, [&](unsigned loop) { return !isParallel(op, loop); });
  double use = laneUse(op.getStaticLoopRanges()[dim], lanes);
  double stored = straddlesLines(op, op.getDpsInitOperand(0), dim, lanes) ? kStraddling : 0;
  return (terms * vector + stored) / (use * lanes) + packed * kPack / countResults(op);
}

std::optional<unsigned> findBetterDim(linalg::GenericOp op, const KernelPlan &plan,
                                      const TargetDescription &target) {
  constexpr double kWorthIt = 0.95;
  auto type = dyn_cast<MemRefType>(op.getDpsInits().front().getType());
  if (!plan.vectorDim || op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1 || !type ||
      !type.getElementType().isIntOrFloat())
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
