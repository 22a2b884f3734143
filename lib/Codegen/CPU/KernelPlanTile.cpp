//===- KernelPlanTile.cpp - How many rows and columns a tile has ----------===//
#include "KernelBody.h"
#include "KernelPlanner.h"
#include "WordProduct.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {

unsigned KernelPlanner::bodyCost() {
  unsigned cost = 0;
  for (Operation *inner : repeatedBody(op))
    cost += isa<math::MathDialect>(inner->getDialect()) ? 16 : 1;
  return cost;
}

/// The parallel dimension whose rows share the most vector loads; of equals one along which an input lies, that
/// of a panel of rows, then one that has enough rows, and the innermost of these.
std::optional<unsigned> KernelPlanner::chooseRowDim(unsigned vectorDim) {
  constexpr int64_t kEnoughRows = 8;
  std::optional<unsigned> best;
  int64_t bestScore = 0;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (dim == vectorDim || isReduction(dim) || sizes[dim] == 1)
      continue;
    int64_t shared = 0, isPanel = 0;
    for (OpOperand *input : repeatedInputs(op)) {
      Access along = access(*input, dim);
      if (access(*input, vectorDim) == Access::Contiguous)
        shared += along == Access::Uniform;
      else
        isPanel |= along == Access::Contiguous;
    }
    int64_t rows = ShapedType::isDynamic(sizes[dim]) ? kEnoughRows : sizes[dim];
    isPanel &= 2 * rows >= kEnoughRows;
    int64_t score = (2 * shared + isPanel) * kEnoughRows + std::min(rows, kEnoughRows) - 1;
    if (!best || score >= bestScore) {
      best = dim;
      bestScore = score;
    }
  }
  return best;
}

/// Rows that lie a multiple of 4 KiB apart fall into the same few lines of a first-level cache, which has at
/// least eight of them: no more rows then, or each step of the reduction would evict the others' lines.
unsigned KernelPlanner::mostRows(unsigned vectorDim, unsigned rowDim) {
  constexpr int64_t kPeriodBytes = 4096;
  constexpr unsigned kWays = 8;
  for (OpOperand *input : repeatedInputs(op)) {
    Type type = input->get().getType();
    std::optional<int64_t> step = findStep(op.getMatchingIndexingMap(input), type, rowDim);
    Type element = getElementTypeOrSelf(type);
    if (!step || *step == 0 || !element.isIntOrFloat() ||
        access(*input, vectorDim) != Access::Uniform)
      continue;
    int64_t bytes = *step * element.getIntOrFloatBitWidth() / 8;
    if (bytes % kPeriodBytes == 0)
      return kWays;
  }
  return std::numeric_limits<unsigned>::max();
}

/// How many iterations of the innermost reduction are unrolled and read, but the first, what another row reads in
/// another iteration, `along` the vectors: a convolution along its rows. Such values stay in registers.
unsigned KernelPlanner::sharedSteps(unsigned vectorDim, unsigned rowDim, Access along) {
  std::optional<unsigned> innermost;
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (isReduction(dim))
      innermost = dim;
  if (!innermost || ShapedType::isDynamic(sizes[*innermost]) || sizes[*innermost] > kUnrollLimit)
    return 0;
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (access(*input, vectorDim) == along && map.isFunctionOfDim(rowDim) &&
        map.isFunctionOfDim(*innermost))
      for (AffineExpr expr : map.getResults())
        if (expr.isFunctionOfDim(rowDim) && expr.isFunctionOfDim(*innermost))
          return sizes[*innermost] - 1;
  }
  return 0;
}

/// A processor that looks some hundred instructions ahead does not see the next iteration of a body this long while
/// this one waits for its operands.
constexpr unsigned kLongBody = 100;

/// Fewer rows where that leaves no rest, which would be another body of code, as long as the tile hides
/// the latency of its additions.
static unsigned evenRows(unsigned most, int64_t size, unsigned columns) {
  constexpr unsigned kHidesLatency = 10;
  if (ShapedType::isDynamic(size))
    return most;
  for (unsigned rows = most; 2 * rows > most && rows * columns >= kHidesLatency; --rows)
    if (size % rows == 0)
      return rows;
  return most;
}

/// An input that vectors would gather, but that lies along another parallel dimension, is loaded that way,
/// a square tile at a time.
void KernelPlanner::chooseTurning(KernelPlan &plan) {
  constexpr int64_t kFewestRows = 4;
  auto hasAtLeast = [&](unsigned dim, int64_t size) {
    return ShapedType::isDynamic(sizes[dim]) || sizes[dim] >= size;
  };
  // Lanes that are not there are masked when they are stored.
  if (plan.lanes == 1 || (!plan.masksRest && !hasAtLeast(*plan.vectorDim, plan.lanes)))
    return;
  for (OpOperand *input : repeatedInputs(op)) {
    if (access(*input, *plan.vectorDim) != Access::Strided)
      continue;
    for (unsigned dim = 0; dim < sizes.size(); ++dim) {
      if (dim == *plan.vectorDim || !hasAtLeast(dim, plan.masksRest ? kFewestRows : plan.lanes) ||
          access(*input, dim) != Access::Contiguous)
        continue;
      plan.rowDim = dim;
      plan.rows = hasAtLeast(dim, plan.lanes) ? plan.lanes : sizes[dim];
      plan.turnsInputs = true;
      return;
    }
  }
}

/// Two tiles by two, if the operation is written for the matrix unit: its rows lie evenly spaced, and whole
/// vectors of words one after the other.
bool KernelPlanner::chooseMatrix(KernelPlan &plan) {
  std::optional<WordProduct> product =
      target.hasMatrixUnit && plan.rowDim ? matchWordProduct(op) : std::nullopt;
  if (!product || product->leftKind == ShortKind::Int16 || product->isLeftMoved)
    return false;
  OpOperand *first = product->left.front();
  AffineMap left = op.getMatchingIndexingMap(first),
            right = op.getMatchingIndexingMap(product->right);
  Type leftType = first->get().getType(), rightType = product->right->get().getType();
  int64_t size = sizes[*plan.vectorDim];
  std::optional<int64_t> rowStep = findStep(left, leftType, *plan.rowDim);
  if (ShapedType::isDynamic(size) || !rowStep || *rowStep <= 0 ||
      left.isFunctionOfDim(*plan.vectorDim) || right.isFunctionOfDim(*plan.rowDim))
    return false;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (!isReduction(dim) || ShapedType::isDynamic(sizes[dim]) ||
        findStep(left, leftType, dim) != countInWord(product->leftKind))
      continue;
    std::optional<int64_t> wordStep = findStep(right, rightType, dim);
    if (!wordStep || *wordStep < int64_t(llvm::alignTo(size, kMatrixColumns)))
      continue;
    plan.matrix = {dim, wordsPerStep(sizes[dim])};
    plan.rows = 2 * kMatrixRows;
    plan.columns = size >= 2 * kMatrixColumns ? 2 : 1;
    return true;
  }
  return false;
}

/// Whether there is an instruction for the words that the operation is written in, and vectors as wide as these.
void KernelPlanner::chooseWords(KernelPlan &plan) {
  constexpr unsigned kFewestLanes = 4;
  std::optional<WordProduct> product = matchWordProduct(op);
  if (!product || product->leftKind == ShortKind::BFloat16 || plan.lanes < kFewestLanes)
    return;
  IntegerProducts instruction = target.integerProducts;
  bool isPairs = product->leftKind == ShortKind::Int16;
  if (instruction == IntegerProducts::None || isPairs != (instruction == IntegerProducts::Pairs))
    return;
  bool moves = wantsOtherSigns(instruction, product->leftKind, product->rightKind);
  if (moves && product->isLeftMoved)
    return;
  // The factors of a word lie next to each other.
  OpOperand *left = product->left.front();
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (isReduction(dim) && findStep(op.getMatchingIndexingMap(left), left->get().getType(), dim) ==
                                countInWord(product->leftKind))
      plan.words = {instruction, moves || product->isLeftMoved, moves};
}

void KernelPlanner::chooseTile(KernelPlan &plan) {
  std::optional<unsigned> vectorDim = hasVectorBody() ? chooseVectorDim() : std::nullopt;
  if (!vectorDim)
    return;
  plan.vectorDim = vectorDim;
  plan.reducesLanes = isReduction(*vectorDim);
  plan.lanes = lanesOf(*vectorDim);
  int64_t size = sizes[*vectorDim];
  if (op.getNumReductionLoops() == 0)
    return chooseTurning(plan);

  // The accumulators take all registers but a few, less when the body itself needs them.
  chooseWords(plan);
  unsigned outputs = countAccumulators(op);
  unsigned budget = bodyCost() > 8 && !plan.words
                        ? 1
                        : std::max(1u, (target.vectorRegisters - target.freeRegisters) / outputs);
  auto limit = [&](unsigned wanted, unsigned perTile, int64_t extent) {
    wanted = std::max(1u, std::min(wanted, budget / perTile));
    if (!ShapedType::isDynamic(extent))
      wanted = std::min<unsigned>(wanted, std::max<int64_t>(1, extent));
    return wanted;
  };
  int64_t vectors = size;
  if (!ShapedType::isDynamic(size))
    vectors = plan.masksRest && !plan.reducesLanes ? llvm::divideCeilSigned(size, plan.lanes)
                                                   : size / plan.lanes;
  plan.rowDim = chooseRowDim(*vectorDim);
  if (plan.reducesLanes) {
    plan.words.reset();
    if (plan.rowDim)
      chooseLaneRows(plan, limit(4, 1, sizes[*plan.rowDim]), budget);
    if (plan.blockDim)
      return;
    plan.columns = limit(target.vectorRegisters / 8, plan.rows, vectors);
    if (bodyCost() > kLongBody && plan.rows == 1) {
      plan.columns = target.vectorRegisters > 16 ? 3 : 2;
      plan.interleaves = true;
    }
    return;
  }
  if (chooseMatrix(plan)) {
    plan.words.reset();
    return;
  }
  plan.columns = limit(plan.rowDim ? 2 : 4, 1, vectors);
  if (plan.rowDim) {
    unsigned most = std::min(budget / plan.columns, mostRows(*vectorDim, *plan.rowDim));
    if (plan.words && plan.words->takesOff)
      most = std::max(1u, most - 1);
    if (unsigned shared = sharedSteps(*vectorDim, *plan.rowDim, Access::Uniform))
      most = std::min(most, (target.vectorRegisters - plan.columns - shared) / (plan.columns + 1));
    plan.rows =
        evenRows(limit(most, plan.columns, sizes[*plan.rowDim]), sizes[*plan.rowDim], plan.columns);
    if (unsigned shared = sharedSteps(*vectorDim, *plan.rowDim, Access::Contiguous))
      chooseSlidingTile(plan, shared + 1);
  }
  bool canSplit = true;
  for (unsigned index = 0; index < outputs; ++index)
    canSplit &= findCombiner(op, index) != nullptr;
  if (canSplit)
    plan.chains = limit(llvm::divideCeil(8, plan.rows * plan.columns), plan.rows * plan.columns,
                        ShapedType::kDynamic);
  if (plan.chains > 1 && plan.rowDim && !plan.slides && !plan.words)
    chooseBlocks(plan, budget);
}

/// As few blocks of rows as hide latency, along the innermost dimension that leaves no rest and where they share an
/// input: instead of chains, which share none.
void KernelPlanner::chooseBlocks(KernelPlan &plan, unsigned budget) {
  constexpr unsigned kHidesLatency = 8;
  unsigned accumulators = plan.rows * plan.columns;
  for (unsigned dim = sizes.size(); dim-- > 0;) {
    bool isShared = llvm::any_of(repeatedInputs(op), [&](OpOperand *input) {
      return !op.getMatchingIndexingMap(input).isFunctionOfDim(dim);
    });
    if (isReduction(dim) || dim == plan.vectorDim || dim == plan.rowDim || !isShared ||
        ShapedType::isDynamic(sizes[dim]))
      continue;
    for (unsigned count = 2; count * accumulators <= budget && count <= sizes[dim]; ++count)
      if (sizes[dim] % count == 0 && count * accumulators >= kHidesLatency) {
        plan.blockDim = dim;
        plan.blocks = count;
        plan.chains = 1;
        return;
      }
  }
}

/// At most so many rows, with blocks of them where there are any: each sum of products then shares both its factors
/// with others.
void KernelPlanner::chooseLaneRows(KernelPlan &plan, unsigned most, unsigned budget) {
  for (plan.rows = most; plan.rows > 1; --plan.rows) {
    chooseBlocks(plan, budget);
    if (!plan.blockDim)
      continue;
    plan.rows = evenRows(plan.rows, sizes[*plan.rowDim], plan.blocks);
    return;
  }
  plan.rows = most;
}

/// Rows go by one after the other, each with all steps of a window: beside the sums there are registers for the
/// vectors of one window, and for as many that all rows share.
void KernelPlanner::chooseSlidingTile(KernelPlan &plan, unsigned steps) {
  constexpr unsigned kFewestRows = 4;
  auto mostRows = [&](unsigned columns) {
    unsigned taken = 2 * steps * columns;
    return target.vectorRegisters > taken ? (target.vectorRegisters - taken) / columns : 0;
  };
  while (plan.columns > 1 && mostRows(plan.columns) < kFewestRows)
    --plan.columns;
  int64_t most = mostRows(plan.columns), size = sizes[*plan.rowDim];
  if (most == 0 || countAccumulators(op) != 1)
    return;
  if (!ShapedType::isDynamic(size))
    most = std::min(most, size);
  plan.rows = evenRows(most, size, plan.columns);
  plan.slides = true;
}

} // namespace nnc
