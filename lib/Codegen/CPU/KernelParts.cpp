//===- KernelParts.cpp - Cut a large kernel into parts --------------------===//
//
//   work  = product of the extents x instructions a vector / lanes
//   parts = work / grain, from 1 to the number of units and to kMaxParts, or about as many that threads share evenly
//   scf.parallel (%begin) = (0) to (%extent) step (units / parts, rounded up, x unit)
//
// With unknown extents this is arithmetic that runs before the kernel, and a small kernel is one
// part.
//
//===----------------------------------------------------------------------===//
#include "KernelParts.h"
#include "ParallelMarks.h"
#include "SizeArithmetic.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
namespace {

/// Threads share parts evenly enough from a few times their number on; more parts are of no use.
constexpr int64_t kMaxParts = 256;

/// A number of parts, one more than `wanted` or up to half fewer, of which two and four threads have the least to wait
/// for.
int64_t countEvenParts(int64_t units, int64_t wanted) {
  if (wanted == 1 || units == 0)
    return 1;
  auto partsOf = [&](int64_t each) { return llvm::divideCeilSigned(units, each); };
  auto longest = [&](int64_t each) {
    return each *
           (llvm::divideCeilSigned(partsOf(each), 2) + llvm::divideCeilSigned(partsOf(each), 4));
  };
  int64_t best = llvm::divideCeilSigned(units, wanted);
  for (int64_t count = wanted + 1; 2 * count >= wanted; --count)
    if (int64_t each = llvm::divideCeilSigned(units, count); longest(each) < longest(best))
      best = each;
  return partsOf(best);
}

/// Numbers of units along the dimension that is cut, and of parts.
std::pair<OpFoldResult, OpFoldResult> divide(SizeArithmetic &sizes, const KernelPlan &plan,
                                             ArrayRef<OpFoldResult> extents, int64_t grain) {
  OpFoldResult work = sizes.constant(plan.cost);
  for (OpFoldResult size : extents)
    work = sizes.multiply(work, size);
  OpFoldResult units = sizes.divideUp(extents[*plan.partDim], sizes.constant(plan.partUnit));
  OpFoldResult grains =
      sizes.divide(work, sizes.multiply(sizes.constant(grain), sizes.constant(plan.lanes)));
  OpFoldResult parts =
      sizes.atLeast(sizes.atMost(sizes.atMost(grains, units), sizes.constant(kMaxParts)), 1);
  std::optional<int64_t> knownUnits = getConstantIntValue(units),
                         knownParts = getConstantIntValue(parts);
  if (knownUnits && knownParts)
    parts = sizes.constant(countEvenParts(*knownUnits, *knownParts));
  return {units, parts};
}

} // namespace

int64_t countParts(MLIRContext *context, const KernelPlan &plan, ArrayRef<int64_t> extents,
                   int64_t grain) {
  if (!plan.partDim || grain == 0)
    return 1;
  OpBuilder builder(context);
  SizeArithmetic sizes(builder, builder.getUnknownLoc());
  SmallVector<OpFoldResult> known;
  for (int64_t size : extents)
    known.push_back(sizes.constant(size));
  return *getConstantIntValue(divide(sizes, plan, known, grain).second);
}

std::optional<KernelPart> emitParts(OpBuilder &b, Location loc, const KernelPlan &plan,
                                    ArrayRef<Value> extents, int64_t grain) {
  if (!plan.partDim || grain == 0)
    return std::nullopt;
  SizeArithmetic sizes(b, loc);
  SmallVector<OpFoldResult> known;
  for (Value size : extents)
    known.push_back(getAsOpFoldResult(size));
  OpFoldResult extent = known[*plan.partDim];
  auto [units, parts] = divide(sizes, plan, known, grain);
  if (getConstantIntValue(parts) == 1)
    return std::nullopt;
  // An empty kernel has no units, and yet a step.
  OpFoldResult step =
      sizes.multiply(sizes.atLeast(sizes.divideUp(units, parts), 1), sizes.constant(plan.partUnit));
  Value upper = sizes.materialize(extent), stepValue = sizes.materialize(step);
  auto loop =
      scf::ParallelOp::create(b, loc, sizes.materialize(sizes.constant(0)), upper, stepValue);
  b.setInsertionPointToStart(loop.getBody());
  Value begin = loop.getInductionVars().front();
  Value end = arith::AddIOp::create(b, loc, begin, stepValue);
  end = arith::MinUIOp::create(b, loc, end, upper);
  if (!plan.partsAreBlocks)
    markInLoop(end, kRangeEndAttr);
  return KernelPart{begin, end};
}

} // namespace nnc
