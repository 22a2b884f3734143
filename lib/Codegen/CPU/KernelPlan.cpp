//===- KernelPlan.cpp - How one operation's loops run ---------------------===//
//
// How operands move along loops, and by that which loop goes along vectors.
//
//===----------------------------------------------------------------------===//
#include "KernelPlan.h"

#include "KernelBody.h"
#include "KernelCost.h"
#include "KernelPlanner.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {

std::optional<int64_t> findStep(AffineMap map, Type type, unsigned dim) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || !map.isFunctionOfDim(dim))
    return 0;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return std::nullopt;
  MLIRContext *context = map.getContext();
  AffineExpr here = getAffineDimExpr(dim, context);
  int64_t step = 0;
  for (auto [expr, stride] : llvm::zip(map.getResults(), strides)) {
    if (!expr.isFunctionOfDim(dim))
      continue;
    AffineExpr moved = expr.replace(here, here + 1) - expr;
    auto constant = dyn_cast<AffineConstantExpr>(
        simplifyAffineExpr(moved, map.getNumDims(), map.getNumSymbols()));
    if (!constant || ShapedType::isDynamic(stride))
      return std::nullopt;
    step += constant.getValue() * stride;
  }
  return step;
}

Access classifyAccess(AffineMap map, Type type, unsigned dim) {
  if (!isa<MemRefType>(type) || !map.isFunctionOfDim(dim))
    return Access::Uniform;
  return findStep(map, type, dim) == 1 ? Access::Contiguous : Access::Strided;
}

std::optional<LanePattern> findPattern(AffineMap map, Type type, unsigned dim, unsigned lanes) {
  constexpr int64_t kMostStep = 4;
  SmallVector<unsigned> moving;
  for (auto [axis, expr] : llvm::enumerate(map.getResults()))
    if (expr.isFunctionOfDim(dim))
      moving.push_back(axis);
  auto memref = dyn_cast<MemRefType>(type);
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!memref || moving.size() != 1 || failed(memref.getStridesAndOffset(strides, offset)) ||
      strides.back() != 1)
    return std::nullopt;
  // The rows of a matrix of few columns are one row: what lies between two of them is loaded anyway.
  LanePattern pattern{unsigned(strides.size() - 1)};
  std::optional<int64_t> step = findStep(map, type, dim);
  if (step && *step >= 2 && *step <= kMostStep && (*step == 2 || 2 * *step <= lanes)) {
    pattern.step = *step;
    return pattern;
  }
  if (pattern.axis != moving.front())
    return std::nullopt;
  auto quotient = dyn_cast<AffineBinaryOpExpr>(map.getResult(moving.front()));
  if (!quotient || quotient.getKind() != AffineExprKind::FloorDiv ||
      quotient.getLHS() != getAffineDimExpr(dim, map.getContext()))
    return std::nullopt;
  auto divisor = dyn_cast<AffineConstantExpr>(quotient.getRHS());
  // Vectors start at multiples of their length.
  if (!divisor || divisor.getValue() >= lanes || lanes % divisor.getValue() != 0)
    return std::nullopt;
  pattern.repeat = divisor.getValue();
  return pattern;
}

bool isReused(linalg::GenericOp op, AffineMap map, unsigned vectorDim) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (dim != vectorDim && sizes[dim] != 1 && !map.isFunctionOfDim(dim) &&
        op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel)
      return true;
  return false;
}

Operation *findCombiner(linalg::GenericOp op, unsigned index) {
  BlockArgument old = op.getRegionOutputArgs()[index];
  Operation *yield = op.getBody()->getTerminator();
  Operation *combiner = yield->getOperand(index).getDefiningOp();
  if (!combiner || !old.hasOneUse() || *old.user_begin() != combiner ||
      combiner->getNumOperands() != 2 || !arith::getNeutralElement(combiner))
    return nullptr;
  // Nothing else may look at partial results.
  SmallVector<Operation *> atEnd = epilogueBody(op);
  bool isSeen = llvm::any_of(combiner->getUses(), [&](OpOperand &use) {
    return use.getOwner() == yield
               ? use.getOperandNumber() != index && !isEpilogue(op, use.getOperandNumber())
               : !llvm::is_contained(atEnd, use.getOwner());
  });
  return isSeen ? nullptr : combiner;
}

bool wantsOtherSigns(IntegerProducts instruction, ShortKind left, ShortKind right) {
  return (instruction == IntegerProducts::MixedBytes && left == right) ||
         (instruction == IntegerProducts::LikeBytes && left != right);
}

int64_t wordsPerStep(int64_t count) {
  int64_t words = std::min(kMatrixWords, count);
  while (count % words != 0)
    --words;
  return words;
}

bool KernelPlanner::hasVectorBody() {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<linalg::IndexOp>(inner))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&inner) && !inner.hasTrait<OpTrait::ConstantLike>())
      return false;
  }
  return true;
}

/// The widest element decides how many lanes there are; bytes do not get more lanes than floats.
unsigned KernelPlanner::elementBits() {
  unsigned bits = 32;
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = getElementTypeOrSelf(operand.get().getType());
    bits = std::max(bits, type.isIndex() ? 64u : type.getIntOrFloatBitWidth());
  }
  return bits;
}

/// Whether what is left of a row can be loaded and stored in one go.
bool KernelPlanner::masksRest() {
  return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    return !type || target.canMask(type.getElementType());
  });
}

unsigned KernelPlanner::lanesOf(unsigned dim) {
  unsigned lanes = target.lanes(elementBits());
  if (ShapedType::isDynamic(sizes[dim]))
    return lanes;
  unsigned most =
      masksRest() ? llvm::PowerOf2Ceil(sizes[dim]) : llvm::bit_floor(unsigned(sizes[dim]));
  return std::min(lanes, std::max(most, 1u));
}

/// What loading costs if `dim` goes across lanes: 8 for each input that would have to be gathered, 1
/// where a shuffle does; those not counted that are worth packing first. None if it cannot.
std::optional<unsigned> KernelPlanner::loadCost(unsigned dim) {
  if (sizes[dim] == 1)
    return std::nullopt;
  for (auto [index, output] : llvm::enumerate(op.getDpsInitsMutable())) {
    if (isReduction(dim) ? !findCombiner(op, index) : access(output, dim) != Access::Contiguous)
      return std::nullopt;
  }
  unsigned cost = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    bool packs = !isReduction(dim) && op.getNumReductionLoops() != 0 &&
                 isReused(op, op.getMatchingIndexingMap(input), dim);
    if (access(*input, dim) != Access::Strided || packs)
      continue;
    bool isShuffled =
        findPattern(op.getMatchingIndexingMap(input), input->get().getType(), dim, lanesOf(dim))
            .has_value();
    cost += isShuffled ? 1 : 8;
  }
  return cost;
}

/// A parallel dimension where nothing is gathered; else a reduction such; else what gathers least.
std::optional<unsigned> KernelPlanner::chooseVectorDim() {
  std::optional<unsigned> best;
  auto score = [&](unsigned dim) {
    bool tiny = !ShapedType::isDynamic(sizes[dim]) && sizes[dim] < 4;
    return *loadCost(dim) + tiny * 4 + isReduction(dim) * 2;
  };
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (loadCost(dim) && (!best || score(dim) <= score(*best)))
      best = dim;
  return best && !isReduction(*best) ? fullerReduction(*best).value_or(*best) : best;
}

/// A long sum along which nothing is gathered and whose vectors are so much fuller than those along `dim` that it
/// pays to add up their lanes: that over the pixels of an image, for a gradient of a kernel of few weights.
std::optional<unsigned> KernelPlanner::fullerReduction(unsigned dim) {
  constexpr double kFewestTerms = 1024;
  double terms = 1, least = elementCost(op, dim, target);
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    terms *= isReduction(loop) ? double(typicalSize(sizes[loop])) : 1;
  std::optional<unsigned> best;
  for (unsigned loop = 0; loop < sizes.size(); ++loop) {
    if (!isReduction(loop) || loadCost(loop) != 0 || terms < kFewestTerms)
      continue;
    double cost = elementCost(op, loop, target);
    if (cost < least) {
      best = loop;
      least = cost;
    }
  }
  return best;
}

void KernelPlanner::takeGivenTile(KernelPlan &plan) {
  auto given = op->getAttrOfType<DenseI64ArrayAttr>(kTileAttr);
  if (!given || given.size() != 3 || !canChooseTile(op, plan))
    return;
  auto within = [&](int64_t count, unsigned dim, int64_t unit) {
    int64_t size = sizes[dim];
    int64_t most = ShapedType::isDynamic(size) ? count : std::max<int64_t>(1, size / unit);
    return unsigned(std::clamp<int64_t>(count, 1, most));
  };
  plan.rows = within(given[0], *plan.rowDim, 1);
  plan.columns = within(given[1], *plan.vectorDim, plan.lanes);
  if (!plan.outerReductions.empty() && given[2] > 0)
    plan.reductionBlock = within(given[2], plan.outerReductions.back(), 1);
}

KernelPlan KernelPlanner::plan() {
  KernelPlan plan;
  plan.masksRest = masksRest();
  chooseTile(plan);
  chooseOuterReductions(plan);
  blockLongSum(plan);
  takeGivenTile(plan);
  chooseParts(plan);
  return plan;
}

bool canChooseTile(linalg::GenericOp op, const KernelPlan &plan) {
  // More chains would be another order of a sum.
  return op.getNumReductionLoops() != 0 && plan.vectorDim && plan.rowDim && !plan.reducesLanes &&
         !plan.matrix && !plan.turnsInputs && plan.chains == 1 && !plan.blockDim;
}

KernelPlan planKernel(linalg::GenericOp op, const TargetDescription &target) {
  return KernelPlanner(op, target).plan();
}

} // namespace nnc
