//===- KernelPlanBlocks.cpp - What of a kernel stays near, and its parts --===//
#include "KernelBody.h"
#include "KernelCost.h"
#include "KernelPlanner.h"
#include "nnc/IR/TypicalSize.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {

/// The memory that the inputs take if the loops run as long as `extent` says.
double KernelPlanner::inputBytes(function_ref<double(unsigned)> extent) {
  double bytes = 0;
  for (OpOperand *input : repeatedInputs(op)) {
    double count = getElementTypeOrSelf(input->get().getType()).isInteger(8) ? 1 : 4;
    for (unsigned dim = 0; dim < sizes.size(); ++dim)
      if (op.getMatchingIndexingMap(input).isFunctionOfDim(dim))
        count *= extent(dim);
    bytes += count;
  }
  return bytes;
}

/// Each tile goes through all that is reduced. Where that is more than a second-level cache holds, the next
/// tile would fetch all of it again from farther away.
void KernelPlanner::chooseOuterReductions(KernelPlan &plan) {
  const double kNear =
      plan.matrix ? 1 << 20 : std::max<int64_t>(384 << 10, target.secondCacheBytes * 3 / 8);
  if (!plan.vectorDim || plan.reducesLanes)
    return;
  auto sizeOf = [&](unsigned dim) { return double(typicalSize(sizes[dim])); };
  auto inTile = [&](unsigned dim) -> double {
    if (isReduction(dim))
      return llvm::is_contained(plan.outerReductions, dim) ? 1 : sizeOf(dim);
    if (dim == plan.vectorDim)
      return plan.columns * plan.lanes;
    return plan.rowDim == dim ? plan.rows : 1;
  };
  if (inputBytes(inTile) <= kNear)
    return;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  if (plan.matrix) { // It takes its words in the tile.
    llvm::erase(reductions, plan.matrix->wordDim);
    reductions.push_back(plan.matrix->wordDim);
  }
  for (unsigned dim : reductions) {
    plan.outerReductions.push_back(dim);
    double bytes = inputBytes(inTile);
    if (bytes > kNear / 2)
      continue;
    // As many at once as fit, all blocks alike.
    double blocks = std::ceil(sizeOf(dim) / std::floor(kNear / 2 / bytes));
    plan.reductionBlock = std::ceil(sizeOf(dim) / blocks);
    if (plan.matrix && plan.matrix->wordDim == dim)
      plan.reductionBlock = llvm::alignTo(plan.reductionBlock, plan.matrix->words);
    return;
  }
}

/// The memory that `input` takes, where windows overlap once.
double KernelPlanner::footprint(OpOperand *input) {
  Type element = getElementTypeOrSelf(input->get().getType());
  double bytes = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() / 8.0 : 8;
  for (AffineExpr axis : op.getMatchingIndexingMap(input).getResults()) {
    double extent = 1;
    for (unsigned dim = 0; dim < sizes.size(); ++dim) {
      AffineExpr here = getAffineDimExpr(dim, op.getContext());
      AffineExpr moved = axis.replace(here, here + 1) - axis;
      auto step = dyn_cast<AffineConstantExpr>(simplifyAffineExpr(moved, sizes.size(), 0));
      if (step)
        extent += std::abs(double(step.getValue())) * double(typicalSize(sizes[dim]) - 1);
    }
    bytes *= extent;
  }
  return bytes;
}

/// Parts of the rows each go through all of the other factor. Where the sum is long and the result small, as in
/// a gradient by weights, less comes from afar if all of the result is gone through for a block of the sum. That is
/// worth most where what comes from afar comes in short pieces, which no processor guesses.
void KernelPlanner::blockLongSum(KernelPlan &plan) {
  constexpr double kWorthIt = 0.5, kFewestSteps = 64;
  const double kNear = double(target.secondCacheBytes) / 2;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  if (!plan.vectorDim || !plan.rowDim || plan.reducesLanes || plan.slides || plan.matrix ||
      plan.words || reductions.empty())
    return;
  auto sizeOf = [&](unsigned dim) { return double(typicalSize(sizes[dim])); };
  auto [rowLoop, unit] = findRowLoop(plan);
  int64_t rows = countNearRows(plan, rowLoop, unit);
  double inputs = 0, now = 0;
  bool isShort = false;
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (!llvm::all_of(reductions, [&](unsigned dim) { return map.isFunctionOfDim(dim); }))
      return;
    double bytes = footprint(input), times = 1;
    if (rows != 0 && !map.isFunctionOfDim(rowLoop)) {
      times = std::ceil(sizeOf(rowLoop) / double(rows));
      isShort |= hasFarSteps(op, input);
    }
    inputs += bytes;
    now += bytes * times;
  }
  KernelPlan blocked = plan;
  blocked.outerReductions.clear();
  double numBlocks = 1, steps = 1;
  for (unsigned dim : reductions)
    steps *= sizeOf(dim);
  for (unsigned dim : reductions) {
    blocked.outerReductions.push_back(dim);
    double most = std::floor(kNear / (inputs / (numBlocks * sizeOf(dim))));
    double count = most < 1 ? sizeOf(dim) : std::ceil(sizeOf(dim) / most);
    blocked.reductionBlock = std::ceil(sizeOf(dim) / count);
    numBlocks *= count;
    if (most >= 1)
      break;
  }
  double then = inputs + 2 * footprint(op.getDpsInitOperand(0)) * numBlocks;
  if (then < (isShort ? 1 : kWorthIt) * now && steps >= kFewestSteps * numBlocks)
    plan = blocked;
}

/// Parts by rows that all threads may share are no fewer.
constexpr int64_t kFewestParts = 8;

/// The loop over tiles of rows, and how many of its iterations a tile takes: that of the rows, or one over
/// panels of as many rows as a tile has.
std::pair<unsigned, unsigned> KernelPlanner::findRowLoop(const KernelPlan &plan) {
  if (sizes[*plan.rowDim] == plan.rows)
    for (OpOperand *input : repeatedInputs(op)) {
      AffineMap map = op.getMatchingIndexingMap(input);
      if (!map.isFunctionOfDim(*plan.rowDim) || map.isFunctionOfDim(*plan.vectorDim) ||
          !map.isProjectedPermutation() || access(*input, *plan.rowDim) != Access::Contiguous)
        continue;
      for (unsigned dim = 0; dim < sizes.size(); ++dim)
        if (map.isFunctionOfDim(dim) && !isReduction(dim) && dim != plan.rowDim)
          return {dim, plan.blockDim == dim ? plan.blocks : 1};
    }
  return {*plan.rowDim, plan.rows};
}

/// How many iterations of the loop over tiles of rows read what a second-level cache holds while the columns go
/// by, each of which reads it again; 0 if that is all of them, or nothing reads it again.
int64_t KernelPlanner::countNearRows(const KernelPlan &plan, unsigned rowLoop, unsigned unit) {
  constexpr double kNear = 512 << 10;
  constexpr int64_t kFewestReads = 4;
  int64_t size = sizes[rowLoop];
  if (ShapedType::isDynamic(size))
    return 0;
  auto inBlock = [&](unsigned dim) {
    bool isOuter = llvm::is_contained(plan.outerReductions, dim);
    bool isBlock = isOuter && dim == plan.outerReductions.back();
    return isOuter ? double(isBlock ? plan.reductionBlock : 1) : double(typicalSize(sizes[dim]));
  };
  double bytes = 0, reads = 1;
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (!isReduction(dim) && dim != rowLoop && dim != plan.rowDim)
      reads *= double(typicalSize(sizes[dim]));
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    Type element = getElementTypeOrSelf(input->get().getType());
    if (!map.isFunctionOfDim(rowLoop) || !element.isIntOrFloat())
      continue;
    double count = element.getIntOrFloatBitWidth() / 8.0;
    for (unsigned dim = 0; dim < sizes.size(); ++dim) {
      if (!map.isFunctionOfDim(dim) || dim == rowLoop)
        continue;
      if (!isReduction(dim) && dim != plan.rowDim) // It does not stay while that loop runs.
        return 0;
      count *= inBlock(dim);
    }
    bytes += count;
  }
  if (bytes * double(size) <= 2 * kNear || reads < double(kFewestReads * plan.columns * plan.lanes))
    return 0;
  // The matrix unit is done with a block sooner than its columns come from a far cache.
  int64_t parts = plan.matrix ? kFewestParts / 2 : kFewestParts,
          rows = std::min(int64_t(kNear / bytes), llvm::divideCeilSigned(size, parts));
  // Somewhat more, for parts that go by fours.
  int64_t count = llvm::divideCeilSigned(size, std::max<int64_t>(rows, 1));
  if (count >= kFewestParts)
    rows = llvm::divideCeilSigned(size, llvm::alignDown(count, 4));
  return std::max<int64_t>(llvm::alignDown(rows, unit), unit);
}

/// The outermost loop that has enough units for many threads, else the outermost whose size is
/// known when it runs, else the one with the most units.
void KernelPlanner::chooseParts(KernelPlan &plan) {
  constexpr int64_t kEnough = 16, kUnknown = kEnough - 1;
  // In the order of the loops: columns and rows are innermost.
  SmallVector<std::pair<unsigned, unsigned>> units;
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (!isReduction(dim) && plan.vectorDim != dim && plan.rowDim != dim)
      units.push_back({dim, plan.blockDim == dim ? plan.blocks : 1});
  if (plan.vectorDim && !plan.reducesLanes)
    units.push_back({*plan.vectorDim, plan.columns * plan.lanes});
  if (plan.rowDim)
    units.push_back({*plan.rowDim, plan.rows});
  // Two parts never write the same element.
  auto isWritten = [&](unsigned dim) {
    return llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &output) {
      return op.getMatchingIndexingMap(&output).isFunctionOfDim(dim);
    });
  };
  int64_t most = 1;
  for (auto [dim, unit] : units) {
    if (!isWritten(dim))
      continue;
    bool isKnown = !ShapedType::isDynamic(sizes[dim]);
    int64_t count =
        isKnown ? std::min(kEnough, llvm::divideCeilSigned(sizes[dim], unit)) : kUnknown;
    if (count <= most)
      continue;
    most = count;
    plan.partDim = dim;
    plan.partUnit = unit;
  }
  if (plan.rowDim && plan.vectorDim && !plan.reducesLanes) {
    auto [rowLoop, unit] = findRowLoop(plan);
    int64_t rows = isWritten(rowLoop) ? countNearRows(plan, rowLoop, unit) : 0;
    plan.partsAreBlocks = rows != 0;
    // Each part goes through all blocks of the sum once more.
    if (rows == 0 && plan.partDim == rowLoop && !plan.outerReductions.empty() &&
        !ShapedType::isDynamic(sizes[rowLoop]))
      rows = llvm::alignTo(llvm::divideCeilSigned(sizes[rowLoop], kFewestParts), unit);
    if (rows != 0) {
      plan.partDim = rowLoop;
      plan.partUnit = rows;
    }
  }
  // Sums of products, which share what they load, take an instruction for each; what does not waits for memory.
  constexpr unsigned kMemory = 4;
  plan.cost = plan.matrix || plan.words ? 1 : bodyCost();
  if (op.getNumReductionLoops() == 0 || plan.rows == 1)
    plan.cost += kMemory * op->getNumOperands();
  else if (plan.reducesLanes)
    plan.cost += kMemory * repeatedInputs(op).size();
}

} // namespace nnc
